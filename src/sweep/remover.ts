/** Removing in batches, or only counting what would go. */
import type { ListedObject, Storage } from '../storage/storage.ts';

/** What a sweep removes. */
export const SWEPT_KINDS = [
  ...(['objects', 'packs', 'segments', 'lists', 'attestations', 'lineages'] as const),
  /** Writes that never ended: a bucket's uploads in parts, a folder's temporary files and locks. */
  'unfinished',
  'leases',
] as const;
export type SweptKind = (typeof SWEPT_KINDS)[number];

/** How many of something, and their bytes together where that is known. */
export interface Amount {
  readonly count: number;
  readonly sizeBytes: number;
}

export type SweptAmounts = Readonly<Record<SweptKind, Amount>>;

/** One removal is checked against the lease as a whole, so it is not too long. */
const KEYS_AT_ONCE = 250;

/** Counts what goes, and unless `mode` is `count` removes it. */
export class Remover {
  readonly mode: 'count' | 'remove';
  readonly #registry: Storage;
  readonly #amounts = new Map<SweptKind, Amount>();
  #keys: string[] = [];

  constructor(registry: Storage, mode: 'count' | 'remove') {
    this.#registry = registry;
    this.mode = mode;
  }

  get amounts(): SweptAmounts {
    const amountOf = (kind: SweptKind) => this.#amounts.get(kind) ?? { count: 0, sizeBytes: 0 };
    return {
      objects: amountOf('objects'),
      packs: amountOf('packs'),
      segments: amountOf('segments'),
      lists: amountOf('lists'),
      attestations: amountOf('attestations'),
      lineages: amountOf('lineages'),
      unfinished: amountOf('unfinished'),
      leases: amountOf('leases'),
    };
  }

  count(kind: SweptKind, more: Amount): void {
    const { count, sizeBytes } = this.amounts[kind];
    const sum = { count: count + more.count, sizeBytes: sizeBytes + more.sizeBytes };
    this.#amounts.set(kind, sum);
  }

  async drop(
    kind: SweptKind,
    { key, sizeBytes }: Pick<ListedObject, 'key' | 'sizeBytes'>,
  ): Promise<void> {
    this.count(kind, { count: 1, sizeBytes });
    this.#keys.push(key);
    if (this.#keys.length >= KEYS_AT_ONCE) await this.flush();
  }

  /** Removes all that was dropped so far, before anything is dropped that must go after it. */
  async flush(): Promise<void> {
    const keys = this.#keys;
    this.#keys = [];
    if (this.mode === 'count' || keys.length === 0) return;
    await this.#registry.remove(keys);
  }
}

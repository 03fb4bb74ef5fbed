/** What a registry's revisions reach: which lists are named, and which objects those need. */

import {
  deltaKey,
  digestInPhysicalKey,
  listPrefixes,
  objectKey,
  packageKey,
  parsePointerKey,
  pointerKey,
  pointerPrefix,
  topHashOfKey,
} from '../objects/layout.ts';
import type { Entry } from '../package/entry.ts';
import { type Package, statedDigest, type TopHash } from '../package/package.ts';
import { parsePackFragment } from '../package/physical-key.ts';
import { DigestSet } from '../packs/digest-set.ts';
import { MAX_WHOLE_BYTES } from '../packs/packs.ts';
import { readDeltaBase, readPackage } from '../registry/lists.ts';
import { readPointer } from '../registry/pointers.ts';
import { mapLimit, weightLimit } from '../runtime/concurrency.ts';
import { isRemoval, messageOf, PkgError } from '../runtime/errors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { Storage } from '../storage/storage.ts';
import { type Digest, isDigest } from '../store/digest.ts';

/** Something that cannot be read, and why. */
export interface Damage {
  readonly key: string;
  readonly why: string;
}

/** What the revisions of a registry need. */
export interface Reach {
  /** The SHA-256 of every object that a list states or names by a key under `objects/`. */
  readonly digests: DigestSet;
  /**
   * Objects by their keys, where a list's physical key leads here without the entry stating the digest
   * that the key is made of: those of quilt3's own layout, and objects that only their key can find.
   */
  readonly keys: ReadonlySet<string>;
  /** Packs that physical keys name in their fragments. */
  readonly packs: ReadonlySet<Digest>;
  /** The sizes stated of files over 8 MiB, which packs keep in chunks. */
  readonly large: ReadonlyMap<Digest, ReadonlySet<number>>;
  /** Lists that some pointer names, whether they are there or not. */
  readonly lists: readonly TopHash[];
  /** Lists that no pointer names but a delta of `lists` (or of a young list) is based on. */
  readonly bases: readonly TopHash[];
  /** Lists and deltas that are there and neither named nor such a base. */
  readonly unnamed: readonly TopHash[];
  /** Lists that a pointer names and that are kept both whole and as a delta. */
  readonly keptTwice: readonly TopHash[];
  /** Pointers and named lists that are missing, damaged or unreadable. */
  readonly damaged: readonly Damage[];
}

export interface ReachOptions {
  /** Keys of pointers that count as removed. */
  readonly without?: ReadonlySet<string>;
  /** Lists written after this moment count as live even where no pointer names them yet. */
  readonly youngAfterMs?: number;
}

/** Lists are read at once as long as they have no more bytes than this together. */
const LIST_BYTES_AT_ONCE = 32 * 2 ** 20;
const LISTS_AT_ONCE = 8;
const POINTERS_AT_ONCE = 16;

/** Reads all pointers and every list that they name; objects themselves are not looked at. */
export async function readReach(runtime: Runtime, registry: Storage): Promise<Reach> {
  return await new ReachReader(runtime).read(registry);
}

interface FoundList {
  /** Of the list if it is whole, else of the delta. */
  sizeBytes: number;
  modifiedMs: number;
  isWhole: boolean;
  isDelta: boolean;
}

/** Reads what a registry's revisions reach, each list once however often it is asked. */
export class ReachReader {
  readonly #runtime: Runtime;
  readonly #digests: DigestSet;
  readonly #keys = new Set<string>();
  readonly #packs = new Set<Digest>();
  readonly #large = new Map<Digest, Set<number>>();
  readonly #marked = new Set<TopHash>();

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
    this.#digests = new DigestSet(Math.floor(runtime.random() * 2 ** 32) | 0);
  }

  /**
   * The reach as of now. What an earlier call found is kept, also of revisions that were removed since.
   */
  async read(registry: Storage, options: ReachOptions = {}): Promise<Reach> {
    const damaged: Damage[] = [];
    const named = await this.#readPointers(registry, options.without ?? new Set(), damaged);
    const found = await findLists(registry);
    const { youngAfterMs = Number.POSITIVE_INFINITY } = options;
    const young = [...found].filter(
      ([hash, { modifiedMs }]) => modifiedMs > youngAfterMs && !named.has(hash),
    );
    const wanted = [...[...named].sort(), ...young.map(([hash]) => hash)];
    const memory = weightLimit(LIST_BYTES_AT_ONCE);
    const read = mapLimit(wanted, LISTS_AT_ONCE, async (hash) => ({
      hash,
      base: await memory.run(weightOf(found.get(hash)), () =>
        this.#mark(registry, hash, found.get(hash)),
      ),
    }));
    const bases = new Set<TopHash>();
    for await (const { hash, base } of read) {
      if (typeof base === 'object' && named.has(hash)) damaged.push(base);
      if (typeof base === 'string') bases.add(base);
    }
    const twice = ([hash, { isWhole, isDelta }]: readonly [TopHash, FoundList]) =>
      isWhole && isDelta && named.has(hash);
    return {
      ...{ digests: this.#digests, keys: this.#keys, packs: this.#packs, large: this.#large },
      lists: [...named].sort(),
      bases: [...bases].filter((hash) => !named.has(hash)).sort(),
      unnamed: [...found.keys()].filter((hash) => !named.has(hash) && !bases.has(hash)),
      keptTwice: [...found].filter(twice).map(([hash]) => hash),
      damaged,
    };
  }

  async #readPointers(
    registry: Storage,
    without: ReadonlySet<string>,
    damaged: Damage[],
  ): Promise<Set<TopHash>> {
    const pointers: { name: string; pointer: string }[] = [];
    for await (const { key } of registry.list(pointerPrefix(undefined))) {
      const parsed = parsePointerKey(key);
      if (parsed !== undefined && !without.has(key)) pointers.push(parsed);
    }
    const hashes = new Set<TopHash>();
    const read = mapLimit(pointers, POINTERS_AT_ONCE, async ({ name, pointer }) => {
      this.#runtime.signal.throwIfAborted();
      const key = pointerKey(name, pointer);
      const found = await damageOr(
        key,
        async () => (await readPointer(registry, name, pointer))?.topHash,
      );
      const isGone = typeof found === 'object' && (await registry.head({ key })) === undefined;
      return isGone ? undefined : found;
    });
    for await (const hash of read) {
      if (typeof hash === 'object') damaged.push(hash);
      else if (hash !== undefined) hashes.add(hash);
    }
    return hashes;
  }

  /** Takes in what a list reaches, and gives the base that it needs, if any, or what is wrong. */
  async #mark(
    registry: Storage,
    hash: TopHash,
    found: FoundList | undefined,
  ): Promise<TopHash | Damage | undefined> {
    this.#runtime.signal.throwIfAborted();
    const isDelta = found?.isWhole === false;
    return await damageOr(isDelta ? deltaKey(hash) : packageKey(hash), async () => {
      if (!this.#marked.has(hash)) {
        this.#take(registry, await readPackage(registry, hash));
        this.#marked.add(hash);
      }
      return isDelta ? await readDeltaBase(registry, hash) : undefined;
    });
  }

  #take(registry: Storage, { entries }: Package): void {
    for (const entry of entries) {
      const stated = statedDigest(entry);
      if (stated !== undefined && isDigest(stated)) this.#takeDigest(entry, stated);
      const inKey = digestInPhysicalKey(entry.physicalKey);
      if (inKey !== undefined && isDigest(inKey) && inKey !== stated) {
        this.#takeDigest(entry, inKey);
        this.#keys.add(objectKey(inKey));
      }
      const pack = parsePackFragment(entry.physicalKey)?.pack;
      if (pack !== undefined) this.#packs.add(pack);
      const key = keyOf(registry, entry);
      if (key !== undefined && (stated === undefined || key !== objectKey(stated))) {
        this.#keys.add(key);
      }
    }
  }

  #takeDigest({ sizeBytes }: Entry, digest: Digest): void {
    this.#digests.add(digest);
    if (sizeBytes <= MAX_WHOLE_BYTES) return;
    const sizes = this.#large.get(digest);
    if (sizes === undefined) this.#large.set(digest, new Set([sizeBytes]));
    else sizes.add(sizeBytes);
  }
}

/** The lists and deltas that are there, named or not. */
async function findLists(registry: Storage): Promise<Map<TopHash, FoundList>> {
  const found = new Map<TopHash, FoundList>();
  for (const prefix of listPrefixes('')) {
    for await (const { key, sizeBytes, modifiedMs } of registry.list(prefix)) {
      const hash = topHashOfKey(key);
      if (hash === undefined) continue;
      const isWhole = key === packageKey(hash);
      const known = found.get(hash);
      if (known === undefined) {
        found.set(hash, { sizeBytes, modifiedMs, isWhole, isDelta: !isWhole });
        continue;
      }
      known.modifiedMs = Math.max(known.modifiedMs, modifiedMs);
      if (isWhole) known.isWhole = true;
      else known.isDelta = true;
    }
  }
  return found;
}

/** A delta weighs as much as may be, since its base is a long list that is read with it. */
function weightOf(found: FoundList | undefined): number {
  if (found === undefined) return 0;
  return found.isWhole ? found.sizeBytes : LIST_BYTES_AT_ONCE;
}

/** The key in this registry that a physical key leads to; one that cannot be read leads nowhere. */
function keyOf(registry: Storage, { physicalKey }: Entry): string | undefined {
  try {
    return registry.addressOf(physicalKey)?.key;
  } catch (error) {
    if (error instanceof PkgError && error.code === 'integrity') return undefined;
    throw error;
  }
}

async function damageOr<T>(key: string, work: () => Promise<T>): Promise<T | Damage> {
  try {
    return await work();
  } catch (error) {
    const isKnown = error instanceof PkgError && ['integrity', 'not-found'].includes(error.code);
    // A file may be removed between the look at it and the opening.
    if (!isKnown && !isRemoval(error)) throw error;
    return { key, why: messageOf(error) };
  }
}

/** What the store remembers of the pointers of a registry, so that only new ones are read. */
import { join } from 'node:path';
import { z } from 'zod';
import { isTopHash, type TopHash } from '../package/package.ts';
import { readTextIfPresent, writeFileAtomic } from '../store/atomic-file.ts';
import { digestOf } from '../store/digest.ts';
import type { Store } from '../store/store.ts';

const VERSION = 1;

const fileSchema = z.object({
  version: z.literal(VERSION),
  pointers: z.record(z.string(), z.tuple([z.string(), z.string().refine(isTopHash)])),
});

/** Pointers by their keys, each with the ETag that it was listed with when it was read. */
export class KnownPointers {
  readonly #path: string | undefined;
  readonly #before: ReadonlyMap<string, readonly [etag: string, topHash: TopHash]>;
  readonly #now: Record<string, readonly [string, string]> = {};
  #isOther: boolean;

  private constructor(
    path: string | undefined,
    before: ReadonlyMap<string, readonly [string, TopHash]>,
  ) {
    this.#path = path;
    this.#before = before;
    this.#isOther = false;
  }

  /** Without a store, nothing is known and nothing is kept. */
  static async open(cache: Store | undefined, registryUrl: string): Promise<KnownPointers> {
    if (cache === undefined) return new KnownPointers(undefined, new Map());
    const folder = await cache.scratchFolder('index');
    const path = join(folder, `pointers-${digestOf(registryUrl)}.json`);
    const parsed = fileSchema.safeParse(parseJson((await readTextIfPresent(path)) ?? ''));
    return new KnownPointers(path, new Map(Object.entries(parsed.data?.pointers ?? {})));
  }

  /** What a pointer holds, unless it was written since. */
  find(key: string, etag: string): TopHash | undefined {
    const [known, topHash] = this.#before.get(key) ?? [];
    return known === etag ? topHash : undefined;
  }

  note(key: string, etag: string, topHash: TopHash): void {
    this.#now[key] = [etag, topHash];
    if (this.find(key, etag) === undefined) this.#isOther = true;
  }

  /** Keeps what was noted, and forgets all else. */
  async keep(): Promise<void> {
    if (this.#path === undefined) return;
    if (!this.#isOther && Object.keys(this.#now).length === this.#before.size) return;
    const text = JSON.stringify({ version: VERSION, pointers: this.#now });
    await writeFileAtomic(this.#path, `${text}\n`);
  }
}

/** A damaged file knows nothing. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

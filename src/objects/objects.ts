/** Objects of a registry: the bytes of entries, found wherever they are and checked as they arrive. */

import type { Entry } from '../package/entry.ts';
import { hasherFor, matchesHash } from '../package/verify.ts';
import { MAX_WHOLE_BYTES } from '../packs/packs.ts';
import { planReads, type WantedPlace } from '../packs/read-plan.ts';
import { eachLimit } from '../runtime/concurrency.ts';
import { PkgError } from '../runtime/errors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { Storage } from '../storage/storage.ts';
import { type Descriptor, streamOf } from '../store/digest.ts';
import type { Store } from '../store/store.ts';
import { chunkedBytes } from './chunked-reader.ts';
import { objectKey, packKey } from './layout.ts';
import { PackRun } from './pack-run.ts';
import { indexedPlaces, objectPlaces, type Place, placeInPack } from './places.ts';
import { readRange, Shortfall } from './read-range.ts';
import { type LoadedIndex, loadIndex } from './registry-index.ts';

/**
 * What a reader hands over: an entry of up to 8 MiB whole and checked; a larger one as a stream that
 * fails at its end if its bytes are not the entry's.
 */
export type EntryContent = Buffer | AsyncIterable<Uint8Array>;

export type Take = (entry: Entry, content: EntryContent) => Promise<void>;

/** How many bytes of a large entry a taker has already; it then checks the whole itself. */
export type ResumeAt = (entry: Entry) => Promise<number>;

/** What else a taker may say. */
export interface ReadOptions {
  readonly resumeAt?: ResumeAt;
  /** Told of entries whose bytes are missing or others, so that the rest is read all the same. */
  readonly onDamaged?: (entry: Entry, state: 'missing' | 'changed') => void;
}

/** Entries that are planned together: their places are held, and those of a million would be too many. */
const WINDOW = 20_000;
const RUNS_AT_ONCE = 4;
const OBJECTS_AT_ONCE = 16;

/** Reads the entries of packages out of one registry. */
export class EntryReader {
  readonly #runtime: Runtime;
  readonly #registry: Storage;
  readonly #cache: Store | undefined;
  #index: Promise<LoadedIndex> | undefined;
  #isIndexRenewed = false;

  /** `cache` keeps the registry's index between commands. */
  constructor(runtime: Runtime, registry: Storage, cache: Store | undefined) {
    this.#runtime = runtime;
    this.#registry = registry;
    this.#cache = cache;
  }

  /**
   * Reads entries in as few requests as it can, in any order; several `take` run at once, and the first
   * failure ends it, but for damage that somebody is told of. Large entries come from byte
   * `resumeAt(entry)` on.
   * @throws PkgError `integrity` for bytes that are missing or others, `unreachable` for a bad network.
   */
  async readMany(entries: Iterable<Entry>, take: Take, options: ReadOptions = {}): Promise<void> {
    for (const window of windowsOf(entries)) {
      const packed: WantedPlace<Entry>[] = [];
      const others: Entry[] = [];
      for (const entry of window) {
        const place = placeInPack(entry);
        if (place?.kind === 'whole') packed.push({ ...place, item: entry });
        else others.push(entry);
      }
      const moved = await this.#readPacked(packed, take);
      // After a sweep that packed anew, the index tells where all of them are now.
      others.push(...(await this.#readPacked(await this.#placesByIndex(moved, others), take)));
      await eachLimit(others, OBJECTS_AT_ONCE, (entry) => this.#readAlone(entry, take, options));
    }
  }

  /** Reads what is in packs, and returns the entries that are not where they should be. */
  async #readPacked(places: readonly WantedPlace<Entry>[], take: Take): Promise<Entry[]> {
    const absent: Entry[] = [];
    await eachLimit(planReads(places), RUNS_AT_ONCE, async (read) => {
      const run = new PackRun(this.#runtime, this.#registry, read);
      absent.push(...(await run.readInto(take)));
    });
    return absent;
  }

  /** Where the index says entries are; those it has in no pack as a whole go to `others`. */
  async #placesByIndex(
    entries: readonly Entry[],
    others: Entry[],
  ): Promise<readonly WantedPlace<Entry>[]> {
    const places: WantedPlace<Entry>[] = [];
    for (const entry of entries) {
      const place = (await this.#indexed(entry)).find(({ kind }) => kind === 'whole');
      if (place?.kind === 'whole') places.push({ ...place, item: entry });
      else others.push(entry);
    }
    return places;
  }

  /**
   * An entry's bytes from `start` on, as they arrive. A stream from the beginning fails at its end if
   * they were not what the entry says, so a reader must not use them before; one from elsewhere is not
   * checked.
   */
  async *read(entry: Entry, start = 0): AsyncGenerator<Uint8Array> {
    let shortfall: Shortfall = new Shortfall('missing');
    for await (const place of this.#placesOf(entry)) {
      let hasBegun = false;
      try {
        const bytes = this.#bytesAt(place, entry, start);
        for await (const chunk of start === 0 ? this.#checked(entry, bytes) : bytes) {
          hasBegun = true;
          yield chunk;
        }
        return;
      } catch (error) {
        if (hasBegun || !(error instanceof Shortfall)) throw this.#explain(entry, error);
        if (error.kind !== 'missing') shortfall = error;
      }
    }
    throw this.#explain(entry, shortfall);
  }

  async #readAlone(entry: Entry, take: Take, { resumeAt, onDamaged }: ReadOptions): Promise<void> {
    this.#runtime.signal.throwIfAborted();
    try {
      if (entry.sizeBytes > MAX_WHOLE_BYTES) {
        await take(entry, this.read(entry, (await resumeAt?.(entry)) ?? 0));
      } else await take(entry, await this.#readSmall(entry));
    } catch (error) {
      const isDamage = error instanceof PkgError && error.code === 'integrity';
      if (!isDamage || onDamaged === undefined) throw error;
      const { cause } = error;
      const isMissing = cause instanceof Shortfall && cause.kind === 'missing';
      onDamaged(entry, isMissing ? 'missing' : 'changed');
    }
  }

  /** A small entry from the first place that has its bytes. */
  async #readSmall(entry: Entry): Promise<Buffer> {
    let failure: unknown = new Shortfall('missing');
    for await (const place of this.#placesOf(entry)) {
      try {
        const chunks: Uint8Array[] = [];
        for await (const chunk of this.#bytesAt(place, entry, 0)) chunks.push(chunk);
        const data = Buffer.concat(chunks);
        if (await matchesHash(streamOf(data), entry)) return data;
        failure = this.#damaged(entry, 'has other bytes');
      } catch (error) {
        if (!(error instanceof Shortfall)) throw this.#explain(entry, error);
        if (error.kind !== 'missing') failure = error;
      }
    }
    throw this.#explain(entry, failure);
  }

  /**
   * The places to look in, in turn: what the physical key says; the object's own; and, where neither
   * has it, what the index says, as after a sweep that packed anew. It may have done so since the index
   * was read, which is why that is read once more in the end.
   */
  async *#placesOf(entry: Entry): AsyncGenerator<Place> {
    const packed = placeInPack(entry);
    if (packed !== undefined) yield packed;
    const objects = objectPlaces(this.#registry, entry);
    const [own, ...others] = objects;
    if (packed !== undefined) yield* await this.#indexed(entry);
    if (own !== undefined) yield own;
    if (packed === undefined) yield* await this.#indexed(entry);
    yield* others;
    if (this.#isIndexRenewed) return;
    this.#isIndexRenewed = true;
    this.#index = undefined;
    yield* await this.#indexed(entry);
  }

  async #indexed(entry: Entry): Promise<readonly Place[]> {
    return indexedPlaces((await this.loadIndex()).index, entry);
  }

  /** The registry's index, read once. */
  async loadIndex(): Promise<LoadedIndex> {
    this.#index ??= loadIndex(this.#runtime, this.#registry, this.#cache);
    return await this.#index;
  }

  async *#bytesAt(place: Place, entry: Entry, start: number): AsyncGenerator<Uint8Array> {
    const name = entry.logicalKey;
    const context = { runtime: this.#runtime, registry: this.#registry, name };
    if (place.kind === 'chunked') {
      const { index } = await this.loadIndex();
      yield* chunkedBytes(context, index, { list: place, sizeBytes: entry.sizeBytes }, start);
      return;
    }
    const source =
      place.kind === 'object'
        ? { address: place.address, range: { start, end: entry.sizeBytes }, endsThere: true }
        : {
            address: { key: packKey(place.pack) },
            range: { start: place.offset + start, end: place.offset + place.sizeBytes },
            endsThere: false,
          };
    yield* readRange(this.#registry, source);
  }

  async *#checked(entry: Entry, bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    const hasher = hasherFor(entry.hash, entry.sizeBytes);
    for await (const chunk of bytes) {
      hasher.update(chunk);
      yield chunk;
    }
    if (hasher.finish() !== entry.hash.value) throw this.#damaged(entry, 'has other bytes');
  }

  #explain(entry: Entry, error: unknown): unknown {
    if (error instanceof PkgError && error.code === 'unreachable') {
      const { hint, message } = error;
      const details = hint === undefined ? { cause: error } : { hint, cause: error };
      return new PkgError('unreachable', `${entry.logicalKey}: ${message}`, details);
    }
    if (!(error instanceof Shortfall)) return error;
    switch (error.kind) {
      case 'missing':
        return this.#damaged(entry, 'is missing', error);
      case 'short':
        return this.#damaged(entry, 'is cut short', error);
      case 'long':
        return this.#damaged(entry, 'is longer than it says', error);
    }
  }

  #damaged(entry: Entry, what: string, cause?: Shortfall): PkgError {
    return new PkgError('integrity', `${entry.logicalKey} ${what} in ${this.#registry.url}`, {
      hint: 'Name another registry that has the package, or restore it there with pkg repair.',
      cause,
    });
  }
}

/** Recorded bytes by their digest out of a registry, for a build that replays a fetch record. */
export function objectSource(runtime: Runtime, registry: Storage, cache: Store) {
  const reader = new EntryReader(runtime, registry, cache);
  return async ({ digest, sizeBytes }: Descriptor) => {
    const found = await registry.read({ key: objectKey(digest) });
    if (found?.sizeBytes === sizeBytes) return found.bytes;
    const place = (await reader.loadIndex()).index.find(digest);
    if (place?.kind !== 'whole' || place.sizeBytes !== sizeBytes) return undefined;
    const range = { start: place.offset, end: place.offset + place.sizeBytes };
    return (await registry.read({ key: packKey(place.pack) }, range))?.bytes;
  };
}

function* windowsOf(entries: Iterable<Entry>): Generator<readonly Entry[]> {
  let window: Entry[] = [];
  for (const entry of entries) {
    window.push(entry);
    if (window.length < WINDOW) continue;
    yield window;
    window = [];
  }
  if (window.length > 0) yield window;
}

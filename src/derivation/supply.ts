/** Supply: where the bytes of entries are had from, and bringing them into the store. */
import { join } from 'node:path';
import { likelyDigest } from '../installation/entry-content.ts';
import { FROM_STORE, KEEP } from '../installation/plan.ts';
import { type EntryContent, EntryReader } from '../objects/objects.ts';
import type { Entry } from '../package/entry.ts';
import { matchesHash } from '../package/verify.ts';
import { eachLimit } from '../runtime/concurrency.ts';
import { PkgError } from '../runtime/errors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { Storage } from '../storage/storage.ts';
import { readIfPresent } from '../store/atomic-file.ts';
import { type Digest, describeFile, fileBytes, streamOf } from '../store/digest.ts';
import type { Store } from '../store/store.ts';

/** Where an entry's bytes are nearest; `nowhere` where only a registry would have them, offline. */
type Place = 'folder' | 'store' | 'registry' | 'nowhere';

export interface Supplied {
  readonly entry: Entry;
  /** What its bytes have to be. */
  readonly digest: Digest;
  readonly place: Place;
  /** Whether it is fetched in any case. */
  readonly isWanted: boolean;
}

export interface SupplyParts {
  readonly registry: Storage;
  readonly folder: string;
  readonly store: Store;
  readonly offline: boolean;
}

export type TakeSupplied = (supplied: Supplied) => Promise<void>;

/** Brings entries of one package into the store, from the nearest place. */
export class Supply {
  readonly #runtime: Runtime;
  readonly #parts: SupplyParts;
  readonly #reader: EntryReader;
  readonly #fetched = new Map<string, Supplied>();
  /** Small entries that were fetched and are not in the store. */
  readonly #read = new Map<string, Buffer>();
  #fetchedBytes = 0;

  constructor(runtime: Runtime, parts: SupplyParts) {
    this.#runtime = runtime;
    this.#parts = parts;
    this.#reader = new EntryReader(runtime, parts.registry, parts.store);
  }

  /** What came from the registry so far, by logical key. */
  get fetched(): ReadonlyMap<string, Supplied> {
    return this.#fetched;
  }

  get fetchedBytes(): number {
    return this.#fetchedBytes;
  }

  /** What of it came for a derivation alone. */
  get extraBytes(): number {
    let sum = 0;
    for (const { entry, isWanted } of this.#fetched.values()) if (!isWanted) sum += entry.sizeBytes;
    return sum;
  }

  /**
   * Looks where an entry is; `step` is what a plan says of it, undefined where it is not of the plan. An
   * entry whose digest is not known beforehand cannot be supplied.
   */
  async find(entry: Entry, step: number | undefined): Promise<Supplied | undefined> {
    const digest = likelyDigest(entry);
    if (digest === undefined) return undefined;
    const { sizeBytes } = entry;
    const isWanted = step !== undefined;
    if (step === FROM_STORE || (await this.#parts.store.has({ digest, sizeBytes }))) {
      return { entry, digest, place: 'store', isWanted };
    }
    if (step === KEEP) return { entry, digest, place: 'folder', isWanted };
    return { entry, digest, place: this.#parts.offline ? 'nowhere' : 'registry', isWanted };
  }

  /** What fetching it for a derivation adds to what an install fetches anyway. */
  costBytes({ entry, place, isWanted }: Supplied): number {
    if (place === 'nowhere') return Number.POSITIVE_INFINITY;
    return place === 'registry' && !isWanted ? entry.sizeBytes : 0;
  }

  /**
   * The bytes of a small entry, checked; nothing is written.
   * @throws PkgError `integrity` where they are missing or others.
   */
  async read(supplied: Supplied): Promise<Buffer> {
    const { entry } = supplied;
    const here = await readIfPresent(this.#pathOf(supplied));
    if (here !== undefined && (await matchesHash(streamOf(here), entry))) return here;
    this.#requireNetwork(entry);
    const chunks: Uint8Array[] = [];
    for await (const chunk of this.#reader.read(entry)) chunks.push(chunk);
    const bytes = Buffer.concat(chunks);
    this.#read.set(entry.logicalKey, bytes);
    return bytes;
  }

  /**
   * Brings entries into the store, in any order; several `take` run at once, each after its entry is
   * there. The first failure ends it.
   * @throws PkgError `integrity` for bytes that are missing or others than the digest says.
   */
  async bring(wanted: readonly Supplied[], take: TakeSupplied): Promise<void> {
    const far = new Map<Entry, Supplied>();
    await eachLimit(wanted, 2 * this.#runtime.concurrency, async (supplied) => {
      this.#runtime.signal.throwIfAborted();
      const read = this.#read.get(supplied.entry.logicalKey);
      if (read !== undefined) await this.#receive(supplied, read);
      if (await this.#isHere(supplied)) await take(supplied);
      else far.set(supplied.entry, supplied);
    });
    for (const entry of far.keys()) this.#requireNetwork(entry);
    await this.#reader.readMany(far.keys(), async (entry, content) => {
      this.#runtime.signal.throwIfAborted();
      const supplied = far.get(entry);
      if (supplied === undefined) throw new Error(`${entry.logicalKey} was not asked for`);
      await this.#receive(supplied, content);
      await take(supplied);
    });
  }

  /**
   * The bytes of an entry that was brought, checked; fetched anew where the store's turn out to be damaged.
   */
  async readKept(supplied: Supplied): Promise<Buffer> {
    const { store } = this.#parts;
    try {
      return await store.read(supplied.digest);
    } catch (error) {
      if (!(error instanceof PkgError) || error.code !== 'integrity') throw error;
      await this.#fetchAnew(supplied, error);
      return await store.read(supplied.digest);
    }
  }

  /** As `readKept`, for entries of any size: their bytes in the store, as a stream. */
  async openKept(supplied: Supplied): Promise<AsyncIterable<Uint8Array>> {
    const { store } = this.#parts;
    const { digest } = supplied;
    const path = store.path(digest);
    const { signal } = this.#runtime;
    if ((await describeFile(path, signal)).digest !== digest) {
      await this.#fetchAnew(supplied, await store.removeDamaged(digest));
    }
    return fileBytes(path, signal);
  }

  async #fetchAnew(supplied: Supplied, damage: PkgError): Promise<void> {
    if (this.#parts.offline) throw damage;
    await this.#reader.readMany([supplied.entry], (_, content) => this.#receive(supplied, content));
  }

  async #receive(supplied: Supplied, content: EntryContent): Promise<void> {
    const { entry, digest } = supplied;
    const { store } = this.#parts;
    const kept =
      content instanceof Uint8Array ? await store.putBytes(content) : await store.put(content);
    this.#fetched.set(entry.logicalKey, supplied);
    this.#fetchedBytes += entry.sizeBytes;
    if (kept.digest !== digest) throw wrongDigest(entry);
  }

  /** Whether an entry is in the store, where it is put from the folder. */
  async #isHere(supplied: Supplied): Promise<boolean> {
    const { entry, digest, place } = supplied;
    const { store } = this.#parts;
    if (await store.has({ digest, sizeBytes: entry.sizeBytes })) return true;
    if (place !== 'folder') return false;
    const bytes = fileBytes(this.#pathOf(supplied), this.#runtime.signal);
    return (await store.put(bytes)).digest === digest;
  }

  /** Offline, what was here may be gone or damaged by now. */
  #requireNetwork({ logicalKey }: Entry): void {
    if (!this.#parts.offline) return;
    throw new PkgError('unreachable', `${logicalKey} needs the network`, {
      hint: 'Install without --offline.',
    });
  }

  /** Where the bytes are, or would be, on this disk. */
  #pathOf({ entry, digest, place }: Supplied): string {
    const { folder, store } = this.#parts;
    return place === 'folder' ? join(folder, entry.logicalKey) : store.path(digest);
  }
}

function wrongDigest({ logicalKey }: Entry): PkgError {
  return new PkgError('integrity', `${logicalKey} has another SHA-256 than its package states`, {
    hint: 'The package is broken; ask whoever pushed it.',
  });
}

/** Partial files: what has arrived of a large entry is kept, and the rest is fetched behind it. */
import { createHash } from 'node:crypto';
import { constants, lstatSync } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Entry } from '../package/entry.ts';
import { hasherFor, OWN_FOLDER } from '../package/verify.ts';
import { PkgError } from '../runtime/errors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { makeFolder } from '../store/atomic-file.ts';
import { type Digest, digestOf, fileBytes, finishDigest } from '../store/digest.ts';
import { provenDigest } from './entry-content.ts';
import { refuseLink } from './installation.ts';

const PARTIAL_FOLDER = 'partial';

/** A file that has arrived whole and is what its entry says. */
export interface WholeFile {
  readonly path: string;
  readonly digest: Digest;
}

/** The partial files of one installed folder; whoever uses them holds the folder's lock. */
export class Partials {
  readonly #runtime: Runtime;
  readonly #folder: string;
  readonly #starts = new Map<string, number>();

  constructor(runtime: Runtime, folder: string) {
    this.#runtime = runtime;
    this.#folder = join(folder, OWN_FOLDER, PARTIAL_FOLDER);
  }

  /** How many bytes of an entry are here; fewer than it has. */
  async sizeOf(entry: Entry): Promise<number> {
    const path = this.#path(entry);
    const sizeBytes = sizeAt(path);
    const isUsable = sizeBytes < entry.sizeBytes;
    if (!isUsable) await rm(path, { force: true });
    const start = isUsable ? sizeBytes : 0;
    this.#starts.set(entry.logicalKey, start);
    return start;
  }

  /** How many bytes were here when the transfer of an entry began. */
  startOf({ logicalKey }: Entry): number {
    return this.#starts.get(logicalKey) ?? 0;
  }

  /** An entry that had arrived whole when the last install ended. */
  async findWhole(entry: Entry): Promise<WholeFile | undefined> {
    const path = this.#path(entry);
    if (sizeAt(path) !== entry.sizeBytes) return undefined;
    const digest = await this.#check(entry, fileBytes(path, this.#runtime.signal));
    if (digest !== undefined) return { path, digest };
    await rm(path, { force: true });
    return undefined;
  }

  /**
   * Writes the rest of an entry behind what is here; undefined where the whole is not what the entry
   * says, because what was here was damaged. What arrives is kept where the stream fails.
   */
  async receive(entry: Entry, rest: AsyncIterable<Uint8Array>): Promise<WholeFile | undefined> {
    const path = this.#path(entry);
    const start = this.startOf(entry);
    this.#starts.delete(entry.logicalKey);
    await refuseLink(this.#folder);
    await makeFolder(this.#folder);
    try {
      const bytes = this.#append(path, start, rest);
      const digest = await this.#check(entry, bytes, start > 0);
      if (digest !== undefined) return { path, digest };
    } catch (error) {
      if (error instanceof PkgError && error.code === 'integrity') await rm(path, { force: true });
      throw error;
    }
    await rm(path, { force: true });
    return undefined;
  }

  /** Forgets what is here, once all that was wanted is installed. */
  async clear(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** The bytes that are here, and then those of the rest once they are written. */
  async *#append(
    path: string,
    start: number,
    rest: AsyncIterable<Uint8Array>,
  ): AsyncGenerator<Uint8Array> {
    const { O_CREAT, O_WRONLY, O_NOFOLLOW, O_TRUNC, O_APPEND } = constants;
    const mode = start === 0 ? O_TRUNC : O_APPEND;
    const file = await open(path, O_CREAT | O_WRONLY | O_NOFOLLOW | mode);
    try {
      if (start > 0) yield* fileBytes(path, this.#runtime.signal, { start: 0, end: start });
      for await (const chunk of rest) {
        this.#runtime.signal.throwIfAborted();
        await file.writeFile(chunk);
        yield chunk;
      }
    } finally {
      await file.close();
    }
  }

  /** The digest of bytes that are an entry's; of a stream that checks itself only the digest is made. */
  async #check(
    entry: Entry,
    bytes: AsyncIterable<Uint8Array>,
    isUnchecked = true,
  ): Promise<Digest | undefined> {
    const known = provenDigest(entry);
    const hasher = isUnchecked ? hasherFor(entry.hash, entry.sizeBytes) : undefined;
    const hash = known === undefined ? createHash('sha256') : undefined;
    for await (const chunk of bytes) {
      hasher?.update(chunk);
      hash?.update(chunk);
    }
    if (hasher !== undefined && hasher.finish() !== entry.hash.value) return undefined;
    return known ?? (hash === undefined ? undefined : finishDigest(hash));
  }

  /** One for each key, as two entries of the same bytes may be on their way at once. */
  #path({ logicalKey, hash, sizeBytes }: Entry): string {
    return join(
      this.#folder,
      digestOf(JSON.stringify([logicalKey, hash.type, hash.value, sizeBytes])),
    );
  }
}

function sizeAt(path: string): number {
  const found = lstatSync(path, { throwIfNoEntry: false });
  return found?.isFile() === true ? found.size : 0;
}

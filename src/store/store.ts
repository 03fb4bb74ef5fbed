/** The store: bytes kept on disk under their digest, and small records kept under a key. */
import { createHash } from 'node:crypto';
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { PkgError, storageError, systemErrorCode } from '../runtime/errors.ts';
import {
  makeFolder,
  moveFile,
  readIfPresent,
  readTextIfPresent,
  withTemporaryFile,
  writeChunks,
  writeFileAtomic,
} from './atomic-file.ts';
import type { Json } from './canonical-json.ts';
import {
  type Descriptor,
  type Digest,
  describe,
  digestOf,
  finishDigest,
  hashWhile,
} from './digest.ts';

/** The disk format's version; it stands in the path, so another format never reads these bytes. */
const LAYOUT = 'v1';

/** Temporary files older than this belong to no running command. */
const TEMPORARY_MAX_AGE_MS = 24 * 60 * 60 * 1000;

/** Unfinished work that nobody went on with for so long is given up. */
const WORK_MAX_AGE_MS = 30 * TEMPORARY_MAX_AGE_MS;

/** What a record is about; each kind is a folder. */
export type RecordKind = 'answers' | 'built' | 'crops' | 'files' | 'hashes' | 'pictures' | 'steps';

/**
 * A content store in a folder. Objects are immutable and appear under their digest only when
 * whole; several processes may use one store at once.
 */
export class Store {
  readonly root: string;
  readonly #home: string;

  constructor(root: string) {
    this.root = resolve(root);
    this.#home = join(this.root, LAYOUT);
  }

  /** Where the bytes of `digest` are, or would be. */
  path(digest: Digest): string {
    return join(this.#home, 'objects', digest.slice(0, 2), digest);
  }

  /** A folder for files that are not objects yet, made if absent. */
  async scratchFolder(
    name: 'tmp' | 'partial' | 'index' | 'stats' | 'work' | 'git',
  ): Promise<string> {
    const folder = join(this.#home, name);
    await makeFolder(folder);
    return folder;
  }

  /** Whether the object is here with the size it should have; a cut-off file does not count. */
  async has({ digest, sizeBytes }: Descriptor): Promise<boolean> {
    return (await this.#sizeOf(digest)) === sizeBytes;
  }

  /** Whether some file is here under the digest. */
  async hasDigest(digest: Digest): Promise<boolean> {
    return (await this.#sizeOf(digest)) !== undefined;
  }

  async #sizeOf(digest: Digest): Promise<number | undefined> {
    try {
      return (await stat(this.path(digest))).size;
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') return undefined;
      throw storageError(error, `cannot read the store ${this.root}`);
    }
  }

  /** Keeps bytes that arrive as a stream; the object exists once the stream has ended well. */
  async put(bytes: AsyncIterable<Uint8Array>): Promise<Descriptor> {
    const hash = createHash('sha256');
    return await withTemporaryFile(join(this.#home, 'tmp'), async (temporaryPath) => {
      const sizeBytes = await writeChunks(temporaryPath, hashWhile(bytes, hash));
      const descriptor = { digest: finishDigest(hash), sizeBytes };
      await this.adopt(temporaryPath, descriptor);
      return descriptor;
    });
  }

  /** Keeps bytes that are already in memory. */
  async putBytes(data: Uint8Array | string): Promise<Descriptor> {
    const descriptor = describe(data);
    if (await this.has(descriptor)) return descriptor;
    await withTemporaryFile(join(this.#home, 'tmp'), async (temporaryPath) => {
      await writeChunks(temporaryPath, [Buffer.from(data)]);
      await this.adopt(temporaryPath, descriptor);
    });
    return descriptor;
  }

  /** Moves a file of this store's own scratch folders to its name as an object. */
  async adopt(path: string, descriptor: Descriptor): Promise<void> {
    await moveFile(path, this.path(descriptor.digest));
  }

  /**
   * An object's bytes, checked.
   * @throws PkgError `integrity` where they are absent or are not what the digest says.
   */
  async read(digest: Digest): Promise<Buffer> {
    let data: Buffer;
    try {
      data = await readFile(this.path(digest));
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') throw this.missing(digest);
      throw storageError(error, `cannot read the store ${this.root}`);
    }
    if (digestOf(data) !== digest) throw await this.removeDamaged(digest);
    return data;
  }

  /** An object's bytes as UTF-8 text, checked. */
  async readText(digest: Digest): Promise<string> {
    return (await this.read(digest)).toString('utf8');
  }

  /** The record under `key`, as parsed JSON, or undefined; a damaged record counts as absent. */
  async findRecord(kind: RecordKind, key: Digest): Promise<unknown> {
    const text = await readTextIfPresent(this.#recordPath(kind, key));
    if (text === undefined) return undefined;
    try {
      return JSON.parse(text);
    } catch (error) {
      if (error instanceof SyntaxError) return undefined;
      throw error;
    }
  }

  async writeRecord(kind: RecordKind, key: Digest, value: Json): Promise<void> {
    await writeFileAtomic(this.#recordPath(kind, key), `${JSON.stringify(value)}\n`);
  }

  /** Unfinished work that was kept under `key`, for whoever goes on with it. */
  async findWork(key: Digest): Promise<Buffer | undefined> {
    return await readIfPresent(this.#workPath(key));
  }

  /** Keeps unfinished work, in place of what was kept under `key` before. */
  async writeWork(key: Digest, parts: Iterable<Uint8Array>): Promise<void> {
    await withTemporaryFile(await this.scratchFolder('work'), async (temporaryPath) => {
      await writeChunks(temporaryPath, parts);
      await moveFile(temporaryPath, this.#workPath(key));
    });
  }

  /** Forgets work that is finished. */
  async removeWork(key: Digest): Promise<void> {
    await rm(this.#workPath(key), { force: true });
  }

  #workPath(key: Digest): string {
    return join(this.#home, 'work', key);
  }

  /** Removes what killed commands left behind: temporary files after a day, unfinished work after 30. */
  async removeLeftovers(nowMs: number): Promise<void> {
    await this.#removeOld(await this.scratchFolder('tmp'), nowMs - TEMPORARY_MAX_AGE_MS);
    await this.#removeOld(join(this.#home, 'work'), nowMs - WORK_MAX_AGE_MS);
  }

  async #removeOld(folder: string, beforeMs: number): Promise<void> {
    for (const file of await filesIn(folder)) {
      const path = join(folder, file);
      try {
        if ((await stat(path)).mtimeMs < beforeMs) {
          await rm(path, { force: true, recursive: true });
        }
      } catch (error) {
        if (systemErrorCode(error) !== 'ENOENT') throw storageError(error, `cannot tidy ${folder}`);
      }
    }
  }

  #recordPath(kind: RecordKind, key: Digest): string {
    return join(this.#home, 'records', kind, key.slice(0, 2), `${key}.json`);
  }

  /** Removes an object whose bytes turned out not to be its digest's, and gives the error to throw. */
  async removeDamaged(digest: Digest): Promise<PkgError> {
    await rm(this.path(digest), { force: true });
    return this.#damaged(digest, 'did not match its digest and was removed');
  }

  /** The error to throw where an object that should be here is not. */
  missing(digest: Digest): PkgError {
    return this.#damaged(digest, 'is gone');
  }

  #damaged(digest: Digest, what: string): PkgError {
    return new PkgError('integrity', `object ${digest} of the store ${this.root} ${what}`, {
      hint: 'Run the command again to make or fetch it anew.',
    });
  }
}

/** The names in a folder; none where there is no such folder. */
async function filesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return [];
    throw storageError(error, `cannot read ${folder}`);
  }
}

/** Opens the store in `root`, making the folder if absent. */
export async function openStore(root: string, nowMs: number): Promise<Store> {
  const store = new Store(root);
  await store.removeLeftovers(nowMs);
  return store;
}

/** A registry in a folder. */
import { createHash, randomUUID } from 'node:crypto';
import { constants, copyFile, link, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { formatPhysicalKey, parsePhysicalKey } from '../package/physical-key.ts';
import { PkgError, storageError, systemErrorCode } from '../runtime/errors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { withTemporaryFile, writeChunks } from '../store/atomic-file.ts';
import { fileBytes, finishDigest, hashWhile } from '../store/digest.ts';
import type {
  ByteRange,
  ObjectAddress,
  ReadObject,
  Registry,
  StoredObject,
  Upload,
  WriteCondition,
} from './registry.ts';

/** A lock older than this was left by a process that died; no write takes so long. */
const LOCK_MAX_AGE_MS = 30_000;
const LOCK_POLL_MS = 20;

/** Files on their way and locks; no pointer, digest or top hash begins with a dot. */
const OWN_FILES = /^\.(?:[0-9a-f-]{36}\.tmp|.*\.lock)$/;

/** Packages on disk. The folder may be moved or mounted elsewhere: keys are relative to it. */
export class DirectoryRegistry implements Registry {
  readonly url: string;
  readonly #runtime: Runtime;
  readonly #root: string;
  #requests = 0;

  constructor(runtime: Runtime, root: string) {
    this.#runtime = runtime;
    this.#root = resolve(root);
    this.url = this.#root;
  }

  get requests(): number {
    return this.#requests;
  }

  physicalKey(key: string): string {
    return formatPhysicalKey({ scheme: 'file', path: join(this.#root, key) });
  }

  addressOf(physicalKey: string): ObjectAddress | undefined {
    const parsed = parsePhysicalKey(physicalKey);
    if (parsed.scheme !== 'file') return undefined;
    const path = relative(this.#root, resolve(parsed.path));
    return path === '' || path.startsWith('..') ? undefined : { key: path.split(sep).join('/') };
  }

  async head({ key }: ObjectAddress): Promise<StoredObject | undefined> {
    this.#requests++;
    return await this.#stat(key);
  }

  async read({ key }: ObjectAddress, range?: ByteRange): Promise<ReadObject | undefined> {
    this.#requests++;
    const found = await this.#stat(key);
    if (found === undefined) return undefined;
    return { ...found, bytes: fileBytes(this.#path(key), this.#runtime.signal, range) };
  }

  /** A file is replaced by renaming, so another content has another inode or change time. */
  async #stat(key: string): Promise<StoredObject | undefined> {
    return await this.#orAbsent(key, async (path) => {
      const found = await stat(path, { bigint: true });
      if (!found.isFile()) return undefined;
      const etag = [found.ino, found.mtimeNs, found.ctimeNs, found.size].join('-');
      return { sizeBytes: Number(found.size), etag };
    });
  }

  async write(
    key: string,
    upload: Upload,
    condition: WriteCondition,
  ): Promise<'written' | 'conflict'> {
    this.#requests++;
    const path = this.#path(key);
    return await withTemporaryFile(dirname(path), async (temporaryPath) => {
      const hash = createHash('sha256');
      const bytes = upload.open({ start: 0, end: upload.sizeBytes });
      await writeChunks(temporaryPath, hashWhile(bytes, hash));
      if (finishDigest(hash) !== upload.digest) {
        throw new PkgError('integrity', `the bytes for ${key} changed while they were copied`);
      }
      const outcome = await this.#place(temporaryPath, key, condition);
      if (condition.kind !== 'always') await rm(temporaryPath, { force: true });
      return outcome;
    });
  }

  async remove(key: string): Promise<void> {
    this.#requests++;
    await rm(this.#path(key), { force: true });
  }

  async *list(
    prefix: string,
    startAfter = '',
  ): AsyncGenerator<StoredObject & { readonly key: string }> {
    this.#requests++;
    const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1);
    const keys: string[] = [];
    for await (const key of this.#keysBelow(folder)) {
      if (key.startsWith(prefix) && compareBytes(key, startAfter) > 0) keys.push(key);
    }
    for (const key of keys.sort(compareBytes)) {
      const found = await this.#stat(key);
      if (found !== undefined) yield { ...found, key };
    }
  }

  async *#keysBelow(folder: string): AsyncGenerator<string> {
    const items = await this.#orAbsent(folder, (path) => readdir(path, { withFileTypes: true }));
    for (const item of items ?? []) {
      const key = `${folder}${item.name}`;
      if (item.isDirectory()) yield* this.#keysBelow(`${key}/`);
      else if (item.isFile() && !OWN_FILES.test(item.name)) yield key;
    }
  }

  /** Moves a finished file to its key, if the condition holds at that moment. */
  async #place(
    temporaryPath: string,
    key: string,
    condition: WriteCondition,
  ): Promise<'written' | 'conflict'> {
    const path = this.#path(key);
    switch (condition.kind) {
      case 'always':
        await rename(temporaryPath, path);
        return 'written';
      case 'if-absent':
        return await placeIfAbsent(temporaryPath, path);
      case 'if-match':
        return await this.#locked(path, async () => {
          if ((await this.#stat(key))?.etag !== condition.etag) return 'conflict';
          await rename(temporaryPath, path);
          return 'written';
        });
    }
  }

  /** Runs `work` while no other process holds the lock beside `path`. */
  async #locked<T>(path: string, work: () => Promise<T>): Promise<T> {
    const lock = join(dirname(path), `.${basename(path)}.lock`);
    for (;;) {
      try {
        await (await open(lock, 'wx')).close();
        break;
      } catch (error) {
        if (systemErrorCode(error) !== 'EEXIST') throw error;
        await this.#breakStaleLock(lock);
        await this.#runtime.clock.sleep(LOCK_POLL_MS, this.#runtime.signal);
      }
    }
    try {
      return await work();
    } finally {
      await rm(lock, { force: true });
    }
  }

  /** Takes an abandoned lock aside by renaming it, which only one process can do. */
  async #breakStaleLock(lock: string): Promise<void> {
    try {
      if (this.#runtime.clock.now() - (await stat(lock)).mtimeMs < LOCK_MAX_AGE_MS) return;
      const aside = join(dirname(lock), `.${randomUUID()}.tmp`);
      await rename(lock, aside);
      await rm(aside, { force: true });
    } catch (error) {
      if (systemErrorCode(error) !== 'ENOENT') throw error;
    }
  }

  async #orAbsent<T>(key: string, work: (path: string) => Promise<T>): Promise<T | undefined> {
    try {
      return await work(this.#path(key));
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT' || systemErrorCode(error) === 'ENOTDIR') {
        await this.#requireRoot();
        return undefined;
      }
      throw storageError(error, `cannot read the registry ${this.url}`);
    }
  }

  async #requireRoot(): Promise<void> {
    try {
      if ((await stat(this.#root)).isDirectory()) return;
    } catch (error) {
      if (systemErrorCode(error) !== 'ENOENT') throw storageError(error, `cannot read ${this.url}`);
    }
    throw new PkgError('unreachable', `there is no registry folder ${this.url}`, {
      hint: 'Check the path given by --registry; pushing makes the folder.',
    });
  }

  #path(key: string): string {
    return join(this.#root, key);
  }
}

/** Gives a finished file its name if that is free, by a hard link where the disk has those. */
async function placeIfAbsent(temporaryPath: string, path: string): Promise<'written' | 'conflict'> {
  try {
    await link(temporaryPath, path);
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'EEXIST') return 'conflict';
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'EOPNOTSUPP') throw error;
    return await copyIfAbsent(temporaryPath, path);
  }
  return 'written';
}

async function copyIfAbsent(temporaryPath: string, path: string): Promise<'written' | 'conflict'> {
  try {
    await copyFile(temporaryPath, path, constants.COPYFILE_EXCL);
    return 'written';
  } catch (error) {
    if (systemErrorCode(error) === 'EEXIST') return 'conflict';
    throw error;
  }
}

function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

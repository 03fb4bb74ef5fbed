/** Files that are whole or absent: written under a temporary name, then renamed. */
import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { messageOf, PkgError, storageError, systemErrorCode } from '../runtime/errors.ts';

/**
 * Makes a folder and those above it. Node's own recursive mkdir says ENOENT on a read-only disk, so
 * each level is made by itself.
 * @throws PkgError `storage` with what the disk said.
 */
export async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT' && dirname(folder) !== folder) {
      await makeFolder(dirname(folder));
      await makeFolder(folder);
    } else if (systemErrorCode(error) !== 'EEXIST') {
      throw storageError(error, `cannot make the folder ${folder}`);
    } else if (!(await stat(folder)).isDirectory()) {
      throw new PkgError(
        'storage',
        `cannot make the folder ${folder}: there is a file of that name`,
      );
    }
  }
}

/**
 * Runs `write` on a fresh temporary path inside `folder`. When `write` ends well it has moved the file
 * away, or removed it; else whatever it left there is removed. Errors of the disk become `storage`
 * errors.
 */
export async function withTemporaryFile<T>(
  folder: string,
  write: (temporaryPath: string) => Promise<T>,
): Promise<T> {
  const temporaryPath = join(folder, `.${randomUUID()}.tmp`);
  try {
    return await write(temporaryPath);
  } catch (error) {
    // Where even the removal fails, what went wrong before it is what counts.
    await rm(temporaryPath, { force: true }).catch(() => undefined);
    throw storageError(error, `cannot write in ${folder}`);
  }
}

/** Writes chunks to a new file, its folder made if absent, and returns how many bytes they were. */
export async function writeChunks(
  path: string,
  bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<number> {
  const file = await inFolderOf(path, () => open(path, 'wx'));
  let sizeBytes = 0;
  try {
    for await (const chunk of bytes) {
      await file.writeFile(chunk);
      sizeBytes += chunk.length;
    }
  } finally {
    await file.close();
  }
  return sizeBytes;
}

/** Gives a finished file its name, in place of what is there; the folder is made if absent. */
export async function moveFile(from: string, to: string): Promise<void> {
  await inFolderOf(to, () => rename(from, to));
}

/** Tries first and makes the folder only if it was missed: nearly always it is there. */
async function inFolderOf<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error;
    await makeFolder(dirname(path));
    return await work();
  }
}

/** Replaces the file at `path` in one move; readers see the old content or the new one. */
export async function writeFileAtomic(path: string, data: Uint8Array | string): Promise<void> {
  await withTemporaryFile(dirname(path), async (temporaryPath) => {
    await writeChunks(temporaryPath, [Buffer.from(data)]);
    await moveFile(temporaryPath, path);
  });
}

/** A text file's content, or undefined where there is none. */
export async function readTextIfPresent(path: string): Promise<string | undefined> {
  return (await readIfPresent(path))?.toString('utf8');
}

/** A file's content, or undefined where there is none. */
export async function readIfPresent(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT' || systemErrorCode(error) === 'ENOTDIR') {
      return undefined;
    }
    throw storageError(error, `cannot read ${path} (${messageOf(error)})`);
  }
}

/** The tar of pinned code out of the store: its files one by one, or all of them in a folder. */
import { chmod, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { PkgError, storageError, systemErrorCode } from '../runtime/errors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { makeFolder, writeChunks } from '../store/atomic-file.ts';
import { type Descriptor, describeFile, fileBytes } from '../store/digest.ts';
import type { Store } from '../store/store.ts';
import { type CodeFile, parseTar, refusal } from './parse-tar.ts';
import { TREE_LIMITS } from './tree-path.ts';

interface TarContext {
  readonly runtime: Runtime;
  readonly store: Store;
}

/** Headers and padding take less than the files may. */
const MAX_TAR_BYTES = 2 * TREE_LIMITS.sizeBytes;

/**
 * The files of a tar in the store, in ascending order of their paths' UTF-8 bytes. The whole tar is
 * compared with its digest before the first is handed out.
 * @throws PkgError `integrity` where it is not what its digest says, or not what `writeTar` writes:
 * links, devices, owners, times, paths out of the folder, two paths that are one on some disks, files
 * out of order, more than the limits.
 */
export async function* readTar(context: TarContext, tar: Descriptor): AsyncGenerator<CodeFile> {
  const { runtime, store } = context;
  if (tar.sizeBytes > MAX_TAR_BYTES) throw refusal('it is too large');
  const path = store.path(tar.digest);
  try {
    const found = await describeFile(path, runtime.signal);
    if (found.digest !== tar.digest) throw await store.removeDamaged(tar.digest);
    yield* parseTar(fileBytes(path, runtime.signal));
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') throw store.missing(tar.digest);
    throw storageError(error, `cannot read the store ${store.root}`);
  }
}

/**
 * Writes the files of a tar below `folder`, which must be absent or empty, and returns how many they
 * are.
 * @throws PkgError `integrity` as `readTar` does, `conflict` where the folder is not empty.
 */
export async function extractTar(
  context: TarContext,
  tar: Descriptor,
  folder: string,
): Promise<number> {
  await makeFolder(folder);
  if ((await readdir(folder)).length > 0) {
    throw new PkgError('conflict', `the folder ${folder} for the code is not empty`, {
      hint: 'Name a folder that is empty or absent.',
    });
  }
  let files = 0;
  for await (const { path, mode, bytes } of readTar(context, tar)) {
    await writeFile(join(folder, ...path.split('/')), bytes, mode);
    files++;
  }
  return files;
}

async function writeFile(path: string, bytes: Uint8Array, mode: number): Promise<void> {
  try {
    await writeChunks(path, [bytes]);
    if (mode === 0o755) await chmod(path, mode);
  } catch (error) {
    throw storageError(error, `cannot write ${path}`);
  }
}

/** The check of files in a folder against the package they should be. */
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { mapLimit } from '../runtime/concurrency.ts';
import { PkgError, storageError, systemErrorCode } from '../runtime/errors.ts';
import { startProgress } from '../runtime/progress.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { fileBytes, streamOf } from '../store/digest.ts';
import type { Entry, EntryList } from './entry.ts';
import { describeSmall, readSmallFile, SMALL_FILE_BYTES } from './file-content.ts';
import { compareLogicalKeys } from './logical-key.ts';
import { createObjectHasher, isKnownHashType, type ObjectHash } from './object-hash.ts';
import { compareCodePoints } from './quilt-json.ts';

/** What is wrong with one logical key. */
export interface Finding {
  readonly logicalKey: string;
  readonly kind: 'missing' | 'changed' | 'extra';
}

/** The folder inside an installed package where this tool keeps its own notes. */
export const OWN_FOLDER = '.pkg';

/**
 * Compares the files below `folder` with `entries`, which are in hashing order: missing, changed (other
 * bytes, or no regular file) and extra ones. Entries come first, in their order; extra files follow.
 */
export async function* verifyFiles(
  runtime: Runtime,
  entries: EntryList,
  folder: string,
): AsyncGenerator<Finding> {
  const progress = startProgress(runtime, 'verify', entries.length);
  const states = mapLimit(entries, runtime.concurrency, async (entry) => {
    const state = await checkFile(runtime, entry, join(folder, entry.logicalKey));
    progress.advance({ sizeBytes: entry.sizeBytes, failed: state !== 'same' });
    return { logicalKey: entry.logicalKey, state };
  });
  for await (const { logicalKey, state } of states) {
    if (state !== 'same') yield { logicalKey, kind: state };
  }
  yield* findExtra(entries, folder);
  progress.finish(`${String(entries.length)} files checked`);
}

/** The files below a folder that no entry stands for; both are gone through in the same order. */
async function* findExtra(entries: EntryList, folder: string): AsyncGenerator<Finding> {
  const known = entries[Symbol.iterator]();
  let next = known.next();
  for await (const logicalKey of filesBelow(folder, '')) {
    let order = 1;
    while (next.done !== true) {
      order = compareLogicalKeys(next.value.logicalKey, logicalKey);
      if (order >= 0) break;
      next = known.next();
    }
    if (next.done === true || order > 0) yield { logicalKey, kind: 'extra' };
  }
}

/** Whether the file at `path` holds exactly an entry's bytes. */
export async function checkFile(
  runtime: Runtime,
  entry: Pick<Entry, 'hash' | 'sizeBytes'>,
  path: string,
): Promise<'same' | 'missing' | 'changed'> {
  try {
    const found = await lstat(path);
    if (!found.isFile() || found.size !== entry.sizeBytes) return 'changed';
    return (await fileMatchesHash(path, entry, runtime.signal)) ? 'same' : 'changed';
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT' || systemErrorCode(error) === 'ENOTDIR') {
      return 'missing';
    }
    throw storageError(error, `cannot read ${path}`);
  }
}

async function fileMatchesHash(
  path: string,
  entry: Pick<Entry, 'hash' | 'sizeBytes'>,
  signal: AbortSignal,
): Promise<boolean> {
  if (entry.sizeBytes > SMALL_FILE_BYTES) return await matchesHash(fileBytes(path, signal), entry);
  const bytes = readSmallFile(path, entry.sizeBytes, signal);
  if (bytes.length !== entry.sizeBytes) return false;
  if (entry.hash.type !== 'sha2-256-chunked') return await matchesHash(streamOf(bytes), entry);
  return describeSmall(bytes).chunkedHash === entry.hash.value;
}

/** Whether bytes hash to what an entry says; size is not looked at. */
export async function matchesHash(
  bytes: AsyncIterable<Uint8Array>,
  entry: Pick<Entry, 'hash' | 'sizeBytes'>,
): Promise<boolean> {
  const hasher = hasherFor(entry.hash, entry.sizeBytes);
  for await (const chunk of bytes) hasher.update(chunk);
  return hasher.finish() === entry.hash.value;
}

/**
 * A hasher for an entry's bytes.
 * @throws PkgError `integrity` for a hash type that cannot be checked.
 */
export function hasherFor(hash: ObjectHash, sizeBytes: number) {
  if (!isKnownHashType(hash.type)) {
    throw new PkgError('integrity', `hash type ${JSON.stringify(hash.type)} cannot be checked`, {
      hint: 'A newer version of this tool may know it.',
    });
  }
  return createObjectHasher(hash.type, sizeBytes);
}

/** In hashing order. */
async function* filesBelow(folder: string, prefix: string): AsyncGenerator<string> {
  const items = await readdir(join(folder, prefix), { withFileTypes: true });
  for (const item of items.sort((a, b) => compareCodePoints(a.name, b.name))) {
    const key = `${prefix}${item.name}`;
    if (key === OWN_FOLDER) continue;
    if (item.isDirectory()) yield* filesBelow(folder, `${key}/`);
    else yield key;
  }
}

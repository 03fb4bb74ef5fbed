/** Entries of a package brought into the store, as a tree. */
import type { Entry } from '../package/entry.ts';
import { statedDigest } from '../package/package.ts';
import { PkgError } from '../runtime/errors.ts';
import { startProgress } from '../runtime/progress.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { isDigest } from '../store/digest.ts';
import type { Store } from '../store/store.ts';
import { type Tree, type TreeEntry, treeOf } from '../store/tree.ts';
import type { OpenedPackage } from './opened-package.ts';

/**
 * The entries as a tree under their logical keys, from what the list says; no byte is read.
 * @throws PkgError `not-found` for an entry whose plain SHA-256 the list does not state.
 */
export function entryTree(entries: Iterable<Entry>): Tree {
  return treeOf([...entries].map(treeEntry));
}

/**
 * Brings entries into the store, each checked; those that are there already are not read.
 * @throws PkgError `integrity` for bytes that are missing, or are not what the list says.
 */
export async function keepEntries(
  runtime: Runtime,
  store: Store,
  opened: OpenedPackage,
  entries: Iterable<Entry>,
): Promise<Tree> {
  const tree: TreeEntry[] = [];
  const missing: Entry[] = [];
  for (const entry of entries) {
    const kept = treeEntry(entry);
    tree.push(kept);
    if (!(await store.has(kept))) missing.push(entry);
  }
  const progress = startProgress(runtime, 'fetch', missing.length);
  await opened.readMany(missing, async (entry, content) => {
    runtime.signal.throwIfAborted();
    const found = Buffer.isBuffer(content)
      ? await store.putBytes(content)
      : await store.put(content);
    if (found.digest !== statedDigest(entry)) throw wrongDigest(opened, entry);
    progress.advance({ sizeBytes: entry.sizeBytes });
  });
  progress.finish(`${String(missing.length)} of ${String(tree.length)} files from ${opened.where}`);
  return treeOf(tree);
}

function treeEntry(entry: Entry): TreeEntry {
  const digest = statedDigest(entry);
  if (digest !== undefined && isDigest(digest)) {
    return { path: entry.logicalKey, digest, sizeBytes: entry.sizeBytes };
  }
  throw new PkgError('not-found', `the package does not state the SHA-256 of ${entry.logicalKey}`, {
    hint: 'Only a package that pkg built or pushed can be built upon or reproduced.',
  });
}

function wrongDigest({ where }: OpenedPackage, { logicalKey }: Entry): PkgError {
  return new PkgError('integrity', `${logicalKey} in ${where} has another SHA-256 than stated`, {
    hint: 'The package is broken; ask whoever pushed it.',
  });
}

/** Names as a disk sees them: two keys may be one file on a disk that does not tell case. */
import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import type { Entry } from '../package/entry.ts';
import { OWN_FOLDER } from '../package/verify.ts';
import { PkgError } from '../runtime/errors.ts';
import { foldName } from './folder-paths.ts';

/**
 * Refuses entries that would overwrite each other where the folder's disk does not tell upper from
 * lower case; our own folder has to be there.
 * @throws PkgError `storage` that names both keys.
 */
export function requireDistinctNames(folder: string, entries: Iterable<Entry>): void {
  const other = join(folder, OWN_FOLDER.toUpperCase());
  if (lstatSync(other, { throwIfNoEntry: false }) === undefined) return;
  const clash = findClash(entries);
  if (clash === undefined) return;
  throw new PkgError('storage', `${clash.join(' and ')} are one name on the disk of ${folder}`, {
    hint: 'Install on a disk that tells upper from lower case, or leave one out with --exclude.',
  });
}

/** Two keys that differ only in case or normal form, if there are any. */
export function findClash(entries: Iterable<Entry>): readonly [string, string] | undefined {
  const seen = new Map<string, string>();
  for (const { logicalKey } of entries) {
    const folded = foldName(logicalKey);
    const before = seen.get(folded);
    if (before !== undefined) return [before, logicalKey];
    seen.set(folded, logicalKey);
  }
  return undefined;
}

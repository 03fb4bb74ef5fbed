/** Making room in a folder for a plan: what goes is removed, and what is in the way is refused. */
import { rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PkgError, storageError, systemErrorCode } from '../runtime/errors.ts';
import type { Plan } from './plan.ts';

/** What happens to files that this tool did not put there. */
export type ForeignFiles = 'refuse' | 'overwrite';

const MAX_NAMED = 5;

/**
 * Refuses a plan that would touch what is not ours.
 * @throws PkgError `usage` for local changes, and for folders with other things in them.
 */
export function requireRoom(folder: string, plan: Plan, foreignFiles: ForeignFiles): void {
  const [blocked] = plan.blocked;
  if (blocked !== undefined) {
    throw new PkgError('usage', `${join(folder, blocked)} is a folder where a file has to be`, {
      hint: 'Move it away, then install again.',
    });
  }
  if (plan.changed.length > 0 && foreignFiles === 'refuse') {
    throw localChanges(folder, plan.changed);
  }
}

/** Removes what goes and, overwriting, what was changed, with the folders that are left empty. */
export async function makeRoom(folder: string, plan: Plan): Promise<void> {
  for (const key of plan.outdated) await remove(folder, key);
  for (const key of plan.changed) await remove(folder, key);
}

function localChanges(folder: string, keys: readonly string[]): PkgError {
  const named = keys.slice(0, MAX_NAMED).join(', ');
  const more = keys.length > MAX_NAMED ? ` and ${String(keys.length - MAX_NAMED)} more` : '';
  return new PkgError('usage', `files in ${folder} were changed: ${named}${more}`, {
    hint: 'Move them away, or overwrite them with --force.',
  });
}

/** Removes a file, and the folders that it leaves empty. */
async function remove(folder: string, key: string): Promise<void> {
  try {
    await rm(join(folder, key), { force: true });
    for (let parent = dirname(key); parent !== '.'; parent = dirname(parent)) {
      await rmdir(join(folder, parent));
    }
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOTEMPTY' || code === 'EEXIST' || code === 'ENOENT') return;
    throw storageError(error, `cannot replace ${join(folder, key)}`);
  }
}

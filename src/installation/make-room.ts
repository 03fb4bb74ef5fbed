/** Making room in a folder: what has to be fetched, what has to go, and what is in the way. */
import { lstat, rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Entry } from '../package/package.ts';
import { checkFile, OWN_FOLDER } from '../package/verify.ts';
import { mapLimit } from '../runtime/concurrency.ts';
import { PkgError, storageError, systemErrorCode } from '../runtime/errors.ts';
import type { Runtime } from '../runtime/runtime.ts';

/** What happens to files that this tool did not put there. */
export type ForeignFiles = 'refuse' | 'overwrite';

const MAX_NAMED = 5;

/**
 * Finds which of the `selected` entries have to be fetched, and removes what stands in their way and
 * came from the revision before (`installed`): files that are other now, and files that no longer
 * belong. Nothing is read, removed or later written through a symbolic link.
 * @throws PkgError `usage` for local changes, before anything is removed, and `integrity` for links.
 */
export async function makeRoom(
  runtime: Runtime,
  folder: string,
  selected: readonly Entry[],
  installed: readonly Entry[],
  foreignFiles: ForeignFiles,
): Promise<readonly Entry[]> {
  const paths = new FolderPaths(folder);
  const kept = new Set(selected.map(({ logicalKey }) => logicalKey));
  const leaving = installed.filter(({ logicalKey }) => !kept.has(logicalKey));
  const outdated = new Set(await findUnchanged(runtime, paths, leaving));
  const old = new Map(installed.map((entry) => [entry.logicalKey, entry]));
  const states = mapLimit(selected, runtime.concurrency, async (entry) => ({
    entry,
    state: await stateOf(runtime, paths, entry, old.get(entry.logicalKey), outdated),
  }));
  const wanted: Entry[] = [];
  const changed: string[] = [];
  const blocked: string[] = [];
  for await (const { entry, state } of states) {
    if (state !== 'same') wanted.push(entry);
    if (state === 'outdated') outdated.add(entry.logicalKey);
    if (state === 'changed') changed.push(entry.logicalKey);
    if (state === 'folder') blocked.push(entry.logicalKey);
  }
  if (changed.length > 0 && foreignFiles === 'refuse') throw localChanges(folder, changed);
  for (const key of [...outdated, ...changed]) await remove(folder, key);
  for (const key of blocked) await paths.requireNoFolder(key);
  return wanted;
}

/** The keys whose files are still what was installed, reached through real folders only. */
async function findUnchanged(
  runtime: Runtime,
  paths: FolderPaths,
  entries: readonly Entry[],
): Promise<readonly string[]> {
  const unchanged: string[] = [];
  const checks = mapLimit(entries, runtime.concurrency, async (entry) => {
    if ((await paths.obstacle(entry.logicalKey)) !== undefined) return undefined;
    const state = await checkFile(runtime, entry, paths.path(entry.logicalKey));
    return state === 'same' ? entry.logicalKey : undefined;
  });
  for await (const key of checks) if (key !== undefined) unchanged.push(key);
  return unchanged;
}

async function stateOf(
  runtime: Runtime,
  paths: FolderPaths,
  entry: Entry,
  was: Entry | undefined,
  outdated: ReadonlySet<string>,
): Promise<'same' | 'missing' | 'outdated' | 'changed' | 'folder'> {
  const { logicalKey } = entry;
  if (logicalKey.split('/')[0] === OWN_FOLDER) {
    throw new PkgError('integrity', `logical key ${logicalKey} is refused: ${OWN_FOLDER} is ours`);
  }
  const obstacle = await paths.obstacle(logicalKey);
  if (obstacle?.kind === 'absent') return 'missing';
  if (obstacle !== undefined) {
    if (obstacle.kind === 'file' && outdated.has(obstacle.key)) return 'missing';
    throw inTheWay(paths.path(obstacle.key));
  }
  const path = paths.path(logicalKey);
  if ((await paths.kindOf(logicalKey)) === 'folder') return 'folder';
  const state = await checkFile(runtime, entry, path);
  if (state !== 'changed' || was === undefined) return state;
  return (await checkFile(runtime, was, path)) === 'same' ? 'outdated' : 'changed';
}

type Kind = 'folder' | 'file' | 'link' | 'absent';

/** Looks at the folders that lead to logical keys, each once. */
class FolderPaths {
  readonly #folder: string;
  readonly #kinds = new Map<string, Promise<Kind>>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  path(key: string): string {
    return join(this.#folder, key);
  }

  /** What is at a key, without following a link. */
  async kindOf(key: string): Promise<Kind> {
    try {
      const found = await lstat(this.path(key));
      if (found.isDirectory()) return 'folder';
      return found.isSymbolicLink() ? 'link' : 'file';
    } catch (error) {
      const code = systemErrorCode(error);
      if (code === 'ENOENT' || code === 'ENOTDIR') return 'absent';
      throw storageError(error, `cannot read ${this.path(key)}`);
    }
  }

  /** The first folder on the way to a key that is none, or undefined where all are real. */
  async obstacle(key: string): Promise<{ readonly key: string; readonly kind: Kind } | undefined> {
    const parts = key.split('/');
    for (let depth = 1; depth < parts.length; depth++) {
      const parent = parts.slice(0, depth).join('/');
      const kind = this.#kinds.get(parent) ?? this.kindOf(parent);
      this.#kinds.set(parent, kind);
      if ((await kind) !== 'folder') return { key: parent, kind: await kind };
    }
    return undefined;
  }

  /** Fails where a folder with something in it is left at a file's place. */
  async requireNoFolder(key: string): Promise<void> {
    if ((await this.kindOf(key)) !== 'folder') return;
    throw new PkgError('usage', `${this.path(key)} is a folder where a file has to be`, {
      hint: 'Move it away, then install again.',
    });
  }
}

function inTheWay(path: string): PkgError {
  return new PkgError('integrity', `${path} is a link or a file where a folder has to be`, {
    hint: 'Remove it, then install again: nothing is written through links.',
  });
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

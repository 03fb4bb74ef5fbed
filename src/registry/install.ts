/** Install: a package, or a part of it, out of a registry into a folder. */
import { lstat, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Entry, type Package, packageSizeBytes, type TopHash } from '../package/package.ts';
import { checkFile, OWN_FOLDER } from '../package/verify.ts';
import { eachLimit, mapLimit } from '../runtime/concurrency.ts';
import { PkgError, storageError, systemErrorCode } from '../runtime/errors.ts';
import { startProgress } from '../runtime/progress.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { makeFolder, withTemporaryFile, writeChunks } from '../store/atomic-file.ts';
import {
  findInstallation,
  type Installation,
  isEmptyFolder,
  prepareFolder,
  writeInstallation,
} from './installation.ts';
import { readEntry } from './objects.ts';
import type { Reference } from './reference.ts';
import type { Registry } from './registry.ts';
import { readPackage, resolveReference } from './revisions.ts';

export interface InstallResult {
  readonly name: string;
  readonly topHash: TopHash;
  readonly entries: number;
  readonly sizeBytes: number;
  /** Files that came from the registry, and files that were here already. */
  readonly fetched: number;
  readonly reused: number;
}

export interface InstallOptions {
  readonly folder: string;
  /** Logical keys or folders; empty for all. */
  readonly paths: readonly string[];
  /** What happens to files here that this tool did not put here. */
  readonly foreignFiles: 'refuse' | 'overwrite';
}

const DOWNLOADS_AT_ONCE = 16;
const MAX_NAMED = 5;

/**
 * Installs a revision. Each file is hashed while it arrives and gets its name only if it is what the
 * package says; an install that was killed goes on where it stopped.
 * @throws PkgError `usage` for a folder with other files in it or local changes, `integrity` for
 * bytes that are not the package's and for keys or links that lead outside the folder.
 */
export async function installPackage(
  runtime: Runtime,
  registry: Registry,
  reference: Reference,
  options: InstallOptions,
): Promise<InstallResult> {
  const { folder } = options;
  const before = await findOwn(folder, reference, options);
  const topHash = await resolveReference(registry, reference);
  const pkg = await readPackage(registry, topHash);
  const paths = joinPaths(before?.paths, options.paths);
  const selected = selectEntries(pkg, paths);
  await refuseLinks(folder, selected);
  await prepareFolder(folder);
  const wanted = await clearTheWay(runtime, selected, before, options);
  await writeInstallation(folder, {
    name: reference.name,
    topHash,
    registry: registry.url,
    paths,
    pkg,
  });
  const progress = startProgress(runtime, 'install', wanted.length);
  await eachLimit(wanted, DOWNLOADS_AT_ONCE, async (entry) => {
    await download(runtime, registry, entry, folder);
    progress.advance({ sizeBytes: entry.sizeBytes });
  });
  progress.finish(`${String(wanted.length)} files installed`);
  return {
    name: reference.name,
    topHash,
    entries: selected.length,
    sizeBytes: packageSizeBytes({ ...pkg, entries: selected }),
    fetched: wanted.length,
    reused: selected.length - wanted.length,
  };
}

/**
 * The entries at or below the given paths; all for none.
 * @throws PkgError `not-found` for a path at which there is nothing.
 */
export function selectEntries(pkg: Package, paths: readonly string[]): readonly Entry[] {
  if (paths.length === 0) return pkg.entries;
  const isBelow = (key: string, path: string) => key === path || key.startsWith(`${path}/`);
  for (const path of paths) {
    if (!pkg.entries.some(({ logicalKey }) => isBelow(logicalKey, path))) {
      throw new PkgError('not-found', `the package has nothing at ${path}`, {
        hint: 'See what it holds with: pkg ls user/name',
      });
    }
  }
  return pkg.entries.filter(({ logicalKey }) => paths.some((path) => isBelow(logicalKey, path)));
}

/** The installation in a folder that may be installed into. */
async function findOwn(
  folder: string,
  reference: Reference,
  { foreignFiles }: InstallOptions,
): Promise<Installation | undefined> {
  const found = await findInstallation(folder);
  if (foreignFiles === 'overwrite') return found;
  if (found === undefined) {
    if (await isEmptyFolder(folder)) return undefined;
    throw new PkgError('usage', `${folder} is not empty and no package was installed into it`, {
      hint: 'Name an empty or new folder with --dest, or overwrite with --force.',
    });
  }
  if (found.name !== reference.name) {
    throw new PkgError('usage', `${folder} holds the package ${found.name}`, {
      hint: 'Name another folder with --dest, or overwrite with --force.',
    });
  }
  return found;
}

/** Parts asked for before stay asked for; all of a package swallows any part. */
function joinPaths(
  before: readonly string[] | undefined,
  now: readonly string[],
): readonly string[] {
  const plain = now.map((path) => path.replace(/\/+$/, ''));
  if (before === undefined) return plain;
  if (before.length === 0 || plain.length === 0) return [];
  return [...new Set([...before, ...plain])].sort();
}

/**
 * Finds what has to be fetched, and removes files of the revision before that are other now or no
 * longer belong. Files that someone changed are an error, before anything is removed.
 */
async function clearTheWay(
  runtime: Runtime,
  selected: readonly Entry[],
  before: Installation | undefined,
  { folder, foreignFiles }: InstallOptions,
): Promise<readonly Entry[]> {
  const old = new Map(before?.pkg.entries.map((entry) => [entry.logicalKey, entry]));
  const states = mapLimit(selected, runtime.concurrency, async (entry) => {
    const path = join(folder, entry.logicalKey);
    const state = await checkFile(runtime, entry, path);
    if (state !== 'changed') return { entry, state };
    const was = old.get(entry.logicalKey);
    const ours = was !== undefined && (await checkFile(runtime, was, path)) === 'same';
    return { entry, state: ours ? ('outdated' as const) : state };
  });
  const wanted: Entry[] = [];
  const outdated: string[] = [];
  const changed: string[] = [];
  for await (const { entry, state } of states) {
    if (state !== 'same') wanted.push(entry);
    if (state === 'outdated') outdated.push(entry.logicalKey);
    if (state === 'changed') changed.push(entry.logicalKey);
  }
  if (changed.length > 0 && foreignFiles === 'refuse') throw localChanges(folder, changed);
  const kept = new Set(selected.map(({ logicalKey }) => logicalKey));
  for (const entry of old.values()) {
    if (kept.has(entry.logicalKey)) continue;
    const path = join(folder, entry.logicalKey);
    if ((await checkFile(runtime, entry, path)) === 'same') outdated.push(entry.logicalKey);
  }
  for (const key of [...outdated, ...changed]) await remove(join(folder, key));
  return wanted;
}

function localChanges(folder: string, keys: readonly string[]): PkgError {
  const named = keys.slice(0, MAX_NAMED).join(', ');
  const more = keys.length > MAX_NAMED ? ` and ${String(keys.length - MAX_NAMED)} more` : '';
  return new PkgError('usage', `files in ${folder} were changed: ${named}${more}`, {
    hint: 'Move them away, or overwrite them with --force.',
  });
}

/** Refuses keys that would be written into our own folder or through a symbolic link. */
async function refuseLinks(folder: string, entries: readonly Entry[]): Promise<void> {
  const folders = new Set<string>();
  for (const { logicalKey } of entries) {
    const parts = logicalKey.split('/');
    if (parts[0] === OWN_FOLDER) {
      throw new PkgError(
        'integrity',
        `logical key ${logicalKey} is refused: ${OWN_FOLDER} is ours`,
      );
    }
    for (let depth = 1; depth < parts.length; depth++) folders.add(parts.slice(0, depth).join('/'));
  }
  for (const key of folders) {
    const path = join(folder, key);
    try {
      if ((await lstat(path)).isDirectory()) continue;
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT' || systemErrorCode(error) === 'ENOTDIR') continue;
      throw storageError(error, `cannot read ${path}`);
    }
    throw new PkgError('integrity', `${path} is a link or a file where a folder has to be`, {
      hint: 'Remove it, then install again: nothing is written through links.',
    });
  }
}

async function download(
  runtime: Runtime,
  registry: Registry,
  entry: Entry,
  folder: string,
): Promise<void> {
  runtime.signal.throwIfAborted();
  const target = join(folder, entry.logicalKey);
  await withTemporaryFile(join(folder, OWN_FOLDER), async (temporaryPath) => {
    await writeChunks(temporaryPath, readEntry(runtime, registry, entry));
    await makeFolder(dirname(target));
    await rename(temporaryPath, target);
  });
}

async function remove(path: string): Promise<void> {
  try {
    await rm(path, { force: true });
  } catch (error) {
    if (systemErrorCode(error) === 'ERR_FS_EISDIR') {
      throw new PkgError('usage', `${path} is a folder where a file has to be`, {
        hint: 'Move it away, then install again.',
        cause: error,
      });
    }
    throw storageError(error, `cannot replace ${path}`);
  }
}

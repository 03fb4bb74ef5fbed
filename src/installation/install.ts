/** Install: a package, or a part of it, out of a registry into a folder. */
import { join } from 'node:path';
import { type Entry, type Package, packageSizeBytes, type TopHash } from '../package/package.ts';
import { OWN_FOLDER } from '../package/verify.ts';
import { readEntry } from '../registry/objects.ts';
import type { Reference } from '../registry/reference.ts';
import type { Registry } from '../registry/registry.ts';
import { readPackage, resolveReference } from '../registry/revisions.ts';
import { eachLimit } from '../runtime/concurrency.ts';
import { PkgError } from '../runtime/errors.ts';
import { startProgress } from '../runtime/progress.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { moveFile, withTemporaryFile, writeChunks } from '../store/atomic-file.ts';
import {
  findInstallation,
  type Installation,
  isEmptyFolder,
  prepareFolder,
  writeInstallation,
} from './installation.ts';
import { type ForeignFiles, makeRoom } from './make-room.ts';

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
  readonly foreignFiles: ForeignFiles;
}

const DOWNLOADS_AT_ONCE = 16;

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
  const asked = options.paths.map((path) => path.replace(/\/+$/, ''));
  requirePaths(pkg, asked);
  const paths = joinPaths(before, reference, asked);
  const selected = entriesBelow(pkg, paths);
  const installed = before === undefined ? [] : entriesBelow(before.pkg, before.paths);
  const wanted = await makeRoom(runtime, folder, selected, installed, options.foreignFiles);
  await prepareFolder(folder, runtime.clock.now());
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
  requirePaths(pkg, paths);
  return entriesBelow(pkg, paths);
}

function requirePaths(pkg: Package, paths: readonly string[]): void {
  for (const path of paths) {
    if (pkg.entries.some(({ logicalKey }) => isBelow(logicalKey, path))) continue;
    throw new PkgError('not-found', `the package has nothing at ${path}`, {
      hint: 'See what it holds with: pkg ls user/name',
    });
  }
}

/** The entries at or below the paths that a package still has; all for none. */
export function entriesBelow(pkg: Package, paths: readonly string[]): readonly Entry[] {
  if (paths.length === 0) return pkg.entries;
  return pkg.entries.filter(({ logicalKey }) => paths.some((path) => isBelow(logicalKey, path)));
}

function isBelow(key: string, path: string): boolean {
  return key === path || key.startsWith(`${path}/`);
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
  before: Installation | undefined,
  reference: Reference,
  asked: readonly string[],
): readonly string[] {
  if (before === undefined || before.name !== reference.name) return asked;
  if (before.paths.length === 0 || asked.length === 0) return [];
  return [...new Set([...before.paths, ...asked])].sort();
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
    await moveFile(temporaryPath, target);
  });
}

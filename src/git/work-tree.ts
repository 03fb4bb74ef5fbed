/** Whether the files that are checked out are still those of a commit. */
import { lstat, readFile, realpath } from 'node:fs/promises';
import { basename, dirname, join, relative, sep } from 'node:path';
import { eachLimit } from '../runtime/concurrency.ts';
import { storageError, systemErrorCode } from '../runtime/errors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { readIfPresent } from '../store/atomic-file.ts';
import { listRawCommit } from './commit-tree.ts';
import { type IndexEntry, parseIndex, type UnixTime } from './index-file.ts';
import { readSetting } from './isomorphic.ts';
import type { LocalRepository } from './local-repository.ts';
import { type GitObjects, objectId } from './objects.ts';
import { comparePaths } from './tree-path.ts';

const KIND = 0o170000;
const REGULAR = 0o100000;
const FOLDER = 0o040000;
const SUBMODULE = 0o160000;
const EXECUTABLE = 0o100;

/** What git tracks in a work tree, beside a commit. */
export interface WorkTree {
  readonly root: string;
  /** Tracked files, by path. */
  readonly tracked: ReadonlyMap<string, IndexEntry>;
  /** Files of the commit, by path: id and mode as the index has it. */
  readonly committed: ReadonlyMap<string, { readonly id: string; readonly mode: number }>;
  /** Whether permissions on this disk say what is executable. */
  readonly hasModes: boolean;
  /** Tracked paths that differ from the commit, in the index or on disk. */
  readonly changed: ReadonlySet<string>;
}

interface WorkTreeSource {
  readonly runtime: Runtime;
  readonly repository: LocalRepository & { readonly workTree: string };
  readonly objects: GitObjects;
}

/**
 * Compares commit, index and disk, as `git status` does for tracked files: one that looks as the index
 * says is not read. Line ends alone are no change, since git may have written them for this system.
 * `ignoring` are paths in the work tree that do not count.
 */
export async function compareWorkTree(
  source: WorkTreeSource,
  commit: string,
  ignoring: ReadonlySet<string>,
): Promise<WorkTree> {
  const { repository, runtime } = source;
  const root = repository.workTree;
  const index = await readIndex(repository);
  const committed = new Map(
    (await listRawCommit(source.objects, commit)).map(({ path, id, mode }) => [
      path,
      { id, mode: indexMode(Number.parseInt(mode, 8)) },
    ]),
  );
  const hasModes =
    (await readSetting(repository.files, repository.gitFolder, 'core.filemode')) !== 'false';
  const changed = new Set<string>();
  const tracked = new Map<string, IndexEntry>();
  const folders: string[] = [];
  for (const entry of index.entries) {
    if ((entry.mode & KIND) === FOLDER) folders.push(entry.path);
    else tracked.set(entry.path, entry);
  }
  for (const path of committed.keys()) {
    const isLeftOut = folders.some((folder) => path.startsWith(folder));
    if (!tracked.has(path) && !isLeftOut) changed.add(path);
  }
  await eachLimit(tracked.values(), 4 * runtime.concurrency, async (entry) => {
    runtime.signal.throwIfAborted();
    const isSame =
      isCommitted(entry, committed) &&
      (entry.isUnwatched ||
        (await isAsIndexed(root, entry, { writtenAt: index.writtenAt, hasModes })));
    if (!isSame) changed.add(entry.path);
  });
  for (const path of ignoring) changed.delete(path);
  return { root, tracked, committed, hasModes, changed };
}

/** The paths of a set in the order of their bytes. */
export function sortedPaths(paths: ReadonlySet<string>): readonly string[] {
  return [...paths].sort(comparePaths);
}

/** Absolute paths as paths in a work tree; those outside of it are left out. */
export async function pathsIn(
  root: string,
  paths: readonly string[],
): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  for (const path of paths) {
    const inRoot = relative(root, join(await realFolderOf(path), basename(path)));
    if (inRoot !== '' && !inRoot.startsWith('..')) found.add(inRoot.split(sep).join('/'));
  }
  return found;
}

/** The folder of a path without links in it, as the work tree's root is. */
async function realFolderOf(path: string): Promise<string> {
  try {
    return await realpath(dirname(path));
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return dirname(path);
    throw storageError(error, `cannot read ${path}`);
  }
}

async function readIndex(repository: LocalRepository): Promise<{
  readonly entries: readonly IndexEntry[];
  readonly writtenAt: UnixTime;
}> {
  const path = join(repository.gitFolder, 'index');
  const bytes = await readIfPresent(path);
  if (bytes === undefined) return { entries: [], writtenAt: { seconds: 0, nanoseconds: 0 } };
  const { mtimeNs } = await lstat(path, { bigint: true });
  return { entries: parseIndex(bytes, path), writtenAt: timeOf(mtimeNs) };
}

/** Permissions beside `executable` mean nothing to git. */
function indexMode(mode: number): number {
  if ((mode & KIND) !== REGULAR) return mode;
  return mode & EXECUTABLE ? 0o100755 : 0o100644;
}

function isCommitted(
  entry: IndexEntry,
  committed: ReadonlyMap<string, { readonly id: string; readonly mode: number }>,
): boolean {
  const known = committed.get(entry.path);
  return entry.stage === 0 && known?.id === entry.id && known.mode === indexMode(entry.mode);
}

async function isAsIndexed(
  root: string,
  entry: IndexEntry,
  disk: { readonly writtenAt: UnixTime; readonly hasModes: boolean },
): Promise<boolean> {
  if ((entry.mode & KIND) === SUBMODULE) return true;
  const path = join(root, entry.path);
  try {
    const found = await lstat(path, { bigint: true });
    if ((entry.mode & KIND) !== REGULAR) return found.isSymbolicLink();
    if (!found.isFile()) return false;
    const isExecutable = (Number(found.mode) & EXECUTABLE) !== 0;
    if (disk.hasModes && isExecutable !== ((entry.mode & EXECUTABLE) !== 0)) return false;
    const modified = timeOf(found.mtimeNs);
    const looksSame =
      isSameTime(entry.modified, modified) &&
      isSameTime(entry.changed, timeOf(found.ctimeNs)) &&
      entry.sizeBytes === Number(BigInt.asUintN(32, found.size)) &&
      entry.inode === Number(BigInt.asUintN(32, found.ino));
    if (looksSame && isBefore(modified, disk.writtenAt)) return true;
    return isBlob(await readFile(path), entry.id);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT' || systemErrorCode(error) === 'ENOTDIR') return false;
    throw storageError(error, `cannot read ${path}`);
  }
}

/** Whether bytes are those of a blob, or would be with the line ends that git keeps. */
function isBlob(bytes: Buffer, id: string): boolean {
  if (objectId('blob', bytes) === id) return true;
  if (!bytes.includes('\r\n')) return false;
  const text = bytes.toString('latin1').replaceAll('\r\n', '\n');
  return objectId('blob', Buffer.from(text, 'latin1')) === id;
}

function timeOf(nanoseconds: bigint): UnixTime {
  return {
    seconds: Number(BigInt.asUintN(32, nanoseconds / 1_000_000_000n)),
    nanoseconds: Number(nanoseconds % 1_000_000_000n),
  };
}

/** Whether an index's time is a file's; some builds of git keep whole seconds only. */
function isSameTime(indexed: UnixTime, found: UnixTime): boolean {
  const isWhole = indexed.nanoseconds === 0;
  return (
    indexed.seconds === found.seconds && (isWhole || indexed.nanoseconds === found.nanoseconds)
  );
}

/** Whether a file was surely written before the index, so that its time would tell of a later change. */
function isBefore(modified: UnixTime, writtenAt: UnixTime): boolean {
  return (
    modified.seconds < writtenAt.seconds ||
    (modified.seconds === writtenAt.seconds && modified.nanoseconds < writtenAt.nanoseconds)
  );
}

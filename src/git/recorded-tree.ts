/** A work tree as it is now: what is tracked, and what git would take if it were told to. */
import { lstat, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { storageError, systemErrorCode } from '../runtime/errors.ts';
import { checkPaths, fileChecker, refusal } from './commit-tree.ts';
import { isIgnored } from './isomorphic.ts';
import type { LocalRepository } from './local-repository.ts';
import { type GitFiles, wantsText } from './memory-files.ts';
import type { GitObjects } from './objects.ts';
import { comparePaths } from './tree-path.ts';
import type { WorkTree } from './work-tree.ts';
import type { TarEntry } from './write-tar.ts';

interface Recording {
  readonly repository: LocalRepository;
  readonly objects: GitObjects;
  readonly workTree: WorkTree;
  /** Paths in the work tree that are taken from the commit, or not at all. */
  readonly ignoring: ReadonlySet<string>;
  readonly signal: AbortSignal;
}

interface RecordedFile {
  readonly path: string;
  readonly mode: 0o644 | 0o755;
  /** Of the blob that has the content; undefined where the disk has it. */
  readonly id: string | undefined;
}

/**
 * The files of a work tree in ascending order of their paths' UTF-8 bytes: tracked ones as they are on
 * disk, untracked ones that git does not ignore, and none that were deleted.
 * @throws PkgError `usage` for what cannot be pinned.
 */
export async function* readWorkTree(recording: Recording): AsyncGenerator<TarEntry> {
  const files = await listWorkTree(recording);
  checkPaths(files.map(({ path }) => path));
  files.sort((a, b) => comparePaths(a.path, b.path));
  const check = fileChecker();
  for (const { path, mode, id } of files) {
    recording.signal.throwIfAborted();
    const bytes =
      id === undefined ? await readOnDisk(recording, path) : await readBlob(recording, id);
    check(path, bytes);
    yield { path, mode, bytes };
  }
}

async function listWorkTree(recording: Recording): Promise<RecordedFile[]> {
  const { workTree, ignoring } = recording;
  const files: RecordedFile[] = [];
  for (const { path, mode, id, isUnwatched } of workTree.tracked.values()) {
    if ((mode & 0o170000) === 0o160000) {
      throw refusal(path, `is a submodule (at ${id}), whose files are not in this repository`);
    }
    const isKept = isUnwatched && !workTree.changed.has(path);
    if (isKept && !ignoring.has(path)) files.push({ path, mode: modeOf(mode), id });
  }
  for (const path of ignoring) {
    const committed = workTree.committed.get(path);
    if (committed !== undefined) {
      files.push({ path, mode: modeOf(committed.mode), id: committed.id });
    }
  }
  const taken = new Set(files.map(({ path }) => path));
  for (const path of await walk(recording)) {
    if (!taken.has(path) && !ignoring.has(path)) files.push(await fileOf(recording, path));
  }
  return files;
}

async function fileOf({ workTree }: Recording, path: string): Promise<RecordedFile> {
  const tracked = workTree.tracked.get(path);
  if (tracked !== undefined && !workTree.changed.has(path)) {
    return { path, mode: modeOf(tracked.mode), id: tracked.id };
  }
  const mode = workTree.hasModes
    ? (await lstat(join(workTree.root, path))).mode
    : (tracked?.mode ?? 0o644);
  return { path, mode: modeOf(mode), id: undefined };
}

function modeOf(mode: number): 0o644 | 0o755 {
  return mode & 0o100 ? 0o755 : 0o644;
}

/** The paths of all files that are tracked or not ignored; folders that are ignored are not entered. */
async function walk(recording: Recording): Promise<readonly string[]> {
  const { repository, workTree, signal } = recording;
  const files = rememberingFiles(repository.files);
  const places = { workTree: workTree.root, gitFolder: repository.gitFolder };
  const trackedFolders = foldersOf(workTree.tracked.keys());
  const found: string[] = [];
  const folders = [''];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    signal.throwIfAborted();
    for (const entry of await readFolder(join(workTree.root, folder))) {
      const path = `${folder}${entry.name}`;
      if (entry.name === '.git') {
        if (folder !== '') throw refusal(folder, 'is a repository of its own');
        continue;
      }
      const isFolder = entry.isDirectory();
      const isTracked = isFolder ? trackedFolders.has(path) : workTree.tracked.has(path);
      if (!isTracked && (await isIgnored(files, places, isFolder ? `${path}/` : path))) continue;
      if (isFolder) folders.push(`${path}/`);
      else if (entry.isSymbolicLink()) throw refusal(path, 'is a symbolic link');
      else if (entry.isFile()) found.push(path);
    }
  }
  return found;
}

function foldersOf(paths: Iterable<string>): ReadonlySet<string> {
  const folders = new Set<string>();
  for (const path of paths) {
    for (let end = path.indexOf('/'); end !== -1; end = path.indexOf('/', end + 1)) {
      folders.add(path.slice(0, end));
    }
  }
  return folders;
}

/** Reads each file once: the same `.gitignore` is asked for beside every file. */
function rememberingFiles(files: GitFiles): GitFiles {
  const known = new Map<string, Promise<Buffer | string>>();
  return {
    promises: {
      ...files.promises,
      readFile(path, options) {
        const key = `${String(wantsText(options))} ${path}`;
        const content = known.get(key) ?? files.promises.readFile(path, options);
        known.set(key, content);
        return content;
      },
    },
  };
}

async function readFolder(folder: string) {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    throw storageError(error, `cannot read ${folder}`);
  }
}

async function readOnDisk({ workTree }: Recording, path: string): Promise<Buffer> {
  try {
    return await readFile(join(workTree.root, path));
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') throw refusal(path, 'was removed meanwhile');
    throw storageError(error, `cannot read ${path}`);
  }
}

async function readBlob({ objects }: Recording, id: string): Promise<Buffer> {
  const object = await objects.read(id);
  if (object?.type !== 'blob') throw refusal(id, 'is missing from the repository');
  return object.bytes;
}

/** A repository on this machine: where its parts lie, read and never written. */
import { open, readdir, readFile, realpath, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { PkgError, storageError, systemErrorCode } from '../runtime/errors.ts';
import { readTextIfPresent } from '../store/atomic-file.ts';
import type { CodeAddress } from './address.ts';
import { readSetting } from './isomorphic.ts';
import { type GitFiles, systemError, wantsText } from './memory-files.ts';
import { type GitObjects, type ObjectFolder, openObjects } from './objects.ts';

export interface LocalRepository {
  /** HEAD and the index: `.git`, a bare repository, or a work tree's own part of one. */
  readonly gitFolder: string;
  /** Objects, branches, tags and settings, which several work trees share. */
  readonly commonFolder: string;
  /** The checked-out files; undefined for a bare repository. */
  readonly workTree: string | undefined;
  /** The repository's small files, for isomorphic-git. */
  readonly files: GitFiles;
}

/** Repositories may borrow objects from others, and those from others again. */
const MAX_ALTERNATES_DEPTH = 5;

/** A `.git` file holds one line. */
const MAX_LINK_BYTES = 8192;

/** What a repository may be that cannot be read here, each with what to do. */
const UNREADABLE: readonly (readonly [string, RegExp, string])[] = [
  ['extensions.objectformat', /^(?!sha1$)/, 'uses object ids other than SHA-1'],
  ['extensions.refstorage', /^(?!files$)/, 'keeps its branches in a table (reftable)'],
];

/**
 * Finds the repository that an address names; for `.` in its folder or the nearest above it.
 * @throws PkgError `not-found` where there is none, `usage` where it is of a kind that cannot be read.
 */
export async function findLocalRepository(
  address: CodeAddress & { readonly kind: 'local' },
): Promise<LocalRepository> {
  const start = await realFolder(address.path);
  for (let folder = start; ; folder = dirname(folder)) {
    const found = await repositoryAt(folder, !address.isOwn);
    if (found !== undefined) return found;
    if (!address.isOwn || dirname(folder) === folder) break;
  }
  if (address.isOwn) {
    throw new PkgError('not-found', `the manifest's folder ${start} lies in no git repository`, {
      key: 'code.repository',
      hint: 'Make it one with git init and commit the code, or write the address of the repository.',
    });
  }
  throw noRepository(address.path);
}

async function realFolder(path: string): Promise<string> {
  try {
    const real = await realpath(path);
    if ((await stat(real)).isDirectory()) return real;
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT' && systemErrorCode(error) !== 'ENOTDIR') {
      throw storageError(error, `cannot read ${path}`);
    }
  }
  throw noRepository(path);
}

function noRepository(path: string): PkgError {
  return new PkgError('not-found', `there is no git repository in ${path}`, {
    key: 'code.repository',
    hint: 'Name the folder that holds .git, a bare repository, or . for the one of the manifest.',
  });
}

async function repositoryAt(
  folder: string,
  mayBeBare: boolean,
): Promise<LocalRepository | undefined> {
  const dotGit = join(folder, '.git');
  const gitFolder = (await isGitFolder(dotGit)) ? dotGit : await linkedGitFolder(folder, dotGit);
  if (gitFolder !== undefined) return await openRepository(gitFolder, folder);
  if (mayBeBare && (await isGitFolder(folder))) return await openRepository(folder, undefined);
  return undefined;
}

/** Whether a folder looks as git wants its own: HEAD, and objects and refs or a pointer to them. */
async function isGitFolder(folder: string): Promise<boolean> {
  if (!(await exists(join(folder, 'HEAD')))) return false;
  if (await exists(join(folder, 'commondir'))) return true;
  return (await exists(join(folder, 'objects'))) && (await exists(join(folder, 'refs')));
}

/** What a `.git` file points to, as work trees and submodules have it. */
async function linkedGitFolder(folder: string, dotGit: string): Promise<string | undefined> {
  try {
    const found = await stat(dotGit);
    if (!found.isFile() || found.size > MAX_LINK_BYTES) return undefined;
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw storageError(error, `cannot read ${dotGit}`);
  }
  const target = /^gitdir: ([^\n\0]+)\n?$/.exec(await readFile(dotGit, 'utf8'))?.[1];
  const gitFolder = target === undefined ? undefined : resolve(folder, target);
  if (gitFolder !== undefined && (await isGitFolder(gitFolder))) return gitFolder;
  throw new PkgError('not-found', `${dotGit} points to no git repository`, {
    key: 'code.repository',
    hint: 'Mend it with git worktree repair, or clone the repository anew.',
  });
}

async function openRepository(
  gitFolder: string,
  folder: string | undefined,
): Promise<LocalRepository> {
  const common = (await readTextIfPresent(join(gitFolder, 'commondir')))?.trim();
  const commonFolder = common === undefined ? gitFolder : resolve(gitFolder, common);
  const files = readOnlyFiles(gitFolder, commonFolder);
  for (const [setting, pattern, what] of UNREADABLE) {
    const value = await readSetting(files, gitFolder, setting);
    if (value !== undefined && pattern.test(value)) {
      throw new PkgError(
        'usage',
        `the git repository ${gitFolder} ${what}, which pkg cannot read`,
        {
          key: 'code.repository',
          hint: 'Name a clone of the usual kind, as git clone makes by default.',
        },
      );
    }
  }
  const isBare = (await readSetting(files, gitFolder, 'core.bare')) === 'true';
  const workTree = isBare && common === undefined ? undefined : folder;
  return { gitFolder, commonFolder, workTree, files };
}

/** A work tree's own files; all others are shared. */
const OWN_FILE = /^(HEAD|index|refs\/(bisect|worktree|rewritten)\/.*)$/;

/** The files of a repository as if they lay in one folder; every write is refused. */
function readOnlyFiles(gitFolder: string, commonFolder: string): GitFiles {
  const locate = (path: string) => {
    const inGit = path.startsWith(`${gitFolder}/`) ? path.slice(gitFolder.length + 1) : undefined;
    if (inGit === undefined || OWN_FILE.test(inGit)) return path;
    return join(commonFolder, inGit);
  };
  const refuse = (path: string) => Promise.reject(systemError('EROFS', path));
  return {
    promises: {
      // It is called without a path once, to see whether it gives promises; then it must not throw.
      readFile: async (path, options) =>
        await readFile(locate(path), wantsText(options) ? 'utf8' : undefined),
      readdir: (path) => readdir(locate(path)),
      stat: (path) => stat(locate(path)),
      lstat: (path) => stat(locate(path)),
      writeFile: refuse,
      unlink: refuse,
      mkdir: refuse,
      rmdir: refuse,
      readlink: refuse,
      symlink: refuse,
    },
  };
}

/** A repository's objects, with those that it borrows; `close` lets go of its packs. */
export async function openLocalObjects(
  repository: LocalRepository,
): Promise<GitObjects & { readonly close: () => Promise<void> }> {
  const closers: (() => Promise<void>)[] = [];
  const folders = await objectFolders(join(repository.commonFolder, 'objects'), 0);
  const objects = openObjects(folders.map((folder) => diskObjectFolder(folder, closers)));
  return {
    ...objects,
    close: async () => {
      for (const close of closers.splice(0)) await close();
    },
  };
}

/** An `objects` folder and those named in its `info/alternates` (gitrepository-layout). */
async function objectFolders(folder: string, depth: number): Promise<readonly string[]> {
  if (depth > MAX_ALTERNATES_DEPTH) return [];
  const text = (await readTextIfPresent(join(folder, 'info', 'alternates'))) ?? '';
  const folders = [folder];
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    folders.push(...(await objectFolders(resolve(folder, line), depth + 1)));
  }
  return [...new Set(folders)];
}

function diskObjectFolder(folder: string, closers: (() => Promise<void>)[]): ObjectFolder {
  return {
    readFile: (path) => ifPresent(() => readFile(join(folder, path))),
    list: async (path) => (await ifPresent(() => readdir(join(folder, path)))) ?? [],
    async open(path) {
      const file = await ifPresent(() => open(join(folder, path)));
      if (file === undefined) return undefined;
      closers.push(() => file.close());
      const { size } = await file.stat();
      return {
        sizeBytes: size,
        async read(start, end) {
          const bytes = Buffer.allocUnsafe(Math.max(0, Math.min(end, size) - start));
          const { bytesRead } = await file.read(bytes, 0, bytes.length, start);
          return bytes.subarray(0, bytesRead);
        },
      };
    },
  };
}

async function ifPresent<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT' || systemErrorCode(error) === 'ENOTDIR') {
      return undefined;
    }
    throw storageError(error, 'cannot read the git repository');
  }
}

async function exists(path: string): Promise<boolean> {
  return (await ifPresent(() => stat(path))) !== undefined;
}

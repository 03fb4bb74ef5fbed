/** The files of a commit: all of them, or a sentence about what cannot be pinned. */
import { PkgError } from '../runtime/errors.ts';
import type { GitObjects } from './objects.ts';
import type { GitObject, ObjectType } from './pack.ts';
import { comparePaths, PathClashes, pathFault, TREE_LIMITS } from './tree-path.ts';
import type { TarEntry } from './write-tar.ts';

/** A file of a commit. */
export interface TreeFile {
  readonly path: string;
  readonly mode: 0o644 | 0o755;
  /** Of its blob. */
  readonly id: string;
}

/** An entry of a commit's tree that is no folder, with git's mode of six octal digits. */
export interface RawTreeFile {
  readonly path: string;
  readonly mode: string;
  readonly id: string;
}

/** Tags may point to tags; git itself makes no long chains. */
const MAX_TAG_DEPTH = 10;

/**
 * The commit that an id stands for, which may be a tag's; undefined where the repository lacks it.
 * @throws PkgError `usage` where it is something else.
 */
export async function peelToCommit(objects: GitObjects, id: string): Promise<string | undefined> {
  let current = id;
  for (let depth = 0; depth < MAX_TAG_DEPTH; depth++) {
    const object = await objects.read(current);
    if (object === undefined) return undefined;
    if (object.type === 'commit') return current;
    const target = /^object ([0-9a-f]{40})\n/.exec(object.bytes.toString('latin1', 0, 48))?.[1];
    if (object.type !== 'tag' || target === undefined) break;
    current = target;
  }
  throw new PkgError('usage', `${id} is no commit`, {
    key: 'code.revision',
    hint: 'Name a branch, a tag or a commit.',
  });
}

/**
 * The files of a commit, in ascending order of their paths' UTF-8 bytes.
 * @throws PkgError `usage` for what a package's code cannot hold: submodules, symbolic links, names
 * that some disks do not take, more than the limits; `integrity` where the repository is damaged.
 */
export async function listCommit(
  objects: GitObjects,
  commit: string,
): Promise<readonly TreeFile[]> {
  const files = (await listRawCommit(objects, commit)).map(checkKind);
  checkPaths(files.map(({ path }) => path));
  return files.sort((a, b) => comparePaths(a.path, b.path));
}

/** All that a commit's tree holds but folders, in git's order, whatever it is. */
export async function listRawCommit(
  objects: GitObjects,
  commit: string,
): Promise<readonly RawTreeFile[]> {
  const { bytes } = await readAs(objects, commit, 'commit');
  const root = /^tree ([0-9a-f]{40})\n/.exec(bytes.toString('latin1', 0, 46))?.[1];
  if (root === undefined) throw damaged(commit, 'names no tree');
  const files: RawTreeFile[] = [];
  const folders = [{ path: '', id: root, depth: 0 }];
  const known = new Map<string, readonly TreeLine[]>();
  const linesOf = async (id: string) => {
    const lines = known.get(id) ?? [...parseTree(await readAs(objects, id, 'tree'), id)];
    known.set(id, lines);
    return lines;
  };
  for (let seen = 0; ; seen++) {
    const folder = folders.pop();
    if (folder === undefined) return files;
    if (seen > TREE_LIMITS.files || files.length > TREE_LIMITS.files) {
      throw refusal(`the commit ${commit}`, 'holds more files than are taken for code');
    }
    if (folder.depth > TREE_LIMITS.depth) throw refusal(folder.path, 'is too deep');
    for (const { mode, name, id } of await linesOf(folder.id)) {
      const path = `${folder.path}${name}`;
      if (mode === '40000') folders.push({ path: `${path}/`, id, depth: folder.depth + 1 });
      else files.push({ path, mode: mode.padStart(6, '0'), id });
    }
  }
}

/**
 * The blobs of files, one by one.
 * @throws PkgError `usage` for a pointer to a file that lies elsewhere (Git LFS), and past the limits.
 */
export async function* readFiles(
  objects: GitObjects,
  files: Iterable<TreeFile>,
  signal: AbortSignal,
): AsyncGenerator<TarEntry> {
  const check = fileChecker();
  for (const { path, mode, id } of files) {
    signal.throwIfAborted();
    const { bytes } = await readAs(objects, id, 'blob', path);
    check(path, bytes);
    yield { path, mode, bytes };
  }
}

/** Checks files as they come: each by itself, and all by their size together. */
export function fileChecker(): (path: string, bytes: Buffer) => void {
  let totalBytes = 0;
  return (path, bytes) => {
    totalBytes += bytes.length;
    if (totalBytes > TREE_LIMITS.sizeBytes || bytes.length > TREE_LIMITS.fileBytes) {
      throw refusal(path, 'makes the code larger than is taken for code');
    }
    if (LFS_POINTER.test(bytes.toString('latin1', 0, 64))) {
      throw refusal(
        path,
        'is a Git LFS pointer: the pinned code would hold the pointer and not the file',
        'Keep the file in git itself, or name a revision without it.',
      );
    }
  };
}

/** How a pointer begins (the specification of Git LFS), also under the project's first name. */
const LFS_POINTER = /^version https:\/\/(git-lfs\.github\.com|hawser\.github\.com)\/spec\/v1\n/;

function checkKind({ path, mode, id }: RawTreeFile): TreeFile {
  if (mode === '160000') {
    throw refusal(
      path,
      `is a submodule (at ${id}), whose files are not in this repository`,
      'Copy what the code needs from it into the repository.',
    );
  }
  if (mode === '120000') {
    throw refusal(
      path,
      'is a symbolic link',
      'Put a copy of the file in its place: links are not the same on every system.',
    );
  }
  if (!/^1006[0-7]{2}$|^1007[0-7]{2}$/.test(mode))
    throw refusal(path, `has the unknown mode ${mode}`);
  return { path, mode: mode.startsWith('1007') ? 0o755 : 0o644, id };
}

/** Refuses paths that cannot be written on every machine. */
export function checkPaths(paths: readonly string[]): void {
  if (paths.length > TREE_LIMITS.files) {
    throw refusal('the tree', 'holds more files than are taken for code');
  }
  const clashes = new PathClashes();
  for (const path of paths) {
    const fault = pathFault(path);
    if (fault !== undefined) throw refusal(JSON.stringify(path), fault);
    const clash = clashes.add(path);
    if (clash !== undefined) {
      throw refusal(path, `and ${clash} are one file on some disks`, 'Rename one of them.');
    }
  }
}

async function readAs(
  objects: GitObjects,
  id: string,
  type: ObjectType,
  path?: string,
): Promise<GitObject> {
  const object = await objects.read(id);
  const what = path === undefined ? id : `${id} of ${path}`;
  if (object === undefined) throw damaged(what, 'is missing');
  if (object.type !== type) throw damaged(what, `is no ${type}`);
  return object;
}

interface TreeLine {
  readonly mode: string;
  readonly name: string;
  readonly id: string;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The lines of a tree object: `mode name\0` and 20 bytes of id, each. */
function* parseTree({ bytes }: GitObject, id: string): Generator<TreeLine> {
  for (let position = 0; position < bytes.length; ) {
    const space = bytes.indexOf(0x20, position);
    const end = bytes.indexOf(0, position);
    const mode = bytes.toString('latin1', position, Math.max(position, space));
    if (space === -1 || end < space || end + 21 > bytes.length || !/^[0-7]{5,6}$/.test(mode)) {
      throw damaged(id, 'is no tree');
    }
    yield {
      mode,
      name: decodeName(bytes.subarray(space + 1, end)),
      id: bytes.subarray(end + 1, end + 21).toString('hex'),
    };
    position = end + 21;
  }
}

function decodeName(bytes: Uint8Array): string {
  let name: string;
  try {
    name = utf8.decode(bytes);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw refusal(JSON.stringify(Buffer.from(bytes).toString('latin1')), 'is not named in UTF-8');
  }
  if (name === '' || name.includes('/'))
    throw refusal(JSON.stringify(name), 'is no name of a file');
  return name;
}

function damaged(what: string, how: string): PkgError {
  return new PkgError('integrity', `the git object ${what} ${how}`, {
    hint: 'Fetch it (a partial clone lacks some), or clone the repository anew.',
  });
}

/** The error for code that cannot be pinned. */
export function refusal(
  path: string,
  what: string,
  hint = 'Rename or remove it, or name another revision.',
): PkgError {
  return new PkgError('usage', `the code cannot be pinned: ${path} ${what}`, {
    key: 'code.revision',
    hint,
  });
}

/** A folder of the user's as the files of a package, taken the way quilt3's `set_dir` takes them. */
import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { mapLimit } from '../runtime/concurrency.ts';
import { PkgError, storageError, systemErrorCode } from '../runtime/errors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { readTextIfPresent } from '../store/atomic-file.ts';
import { type Digest, fileBytes } from '../store/digest.ts';
import type { JsonValue } from './lossless-json.ts';
import { type Content, describeContent } from './object-hash.ts';
import { type Entry, fileEntry, type Package, packageOf } from './package.ts';
import { isIgnored, parseQuiltIgnore } from './quiltignore.ts';
import { OWN_FOLDER } from './verify.ts';

const IGNORE_FILE = '.quiltignore';

/** A file with the key it gets and the path its bytes are at. */
export interface FolderFile {
  readonly logicalKey: string;
  readonly path: string;
}

/** A package of a folder's files, and where the bytes of each digest are. */
export interface FolderPackage {
  readonly pkg: Package;
  readonly paths: ReadonlyMap<Digest, string>;
}

/** Hashes the files below a folder into a package without metadata. */
export async function readFolder(runtime: Runtime, folder: string): Promise<FolderPackage> {
  const paths = new Map<Digest, string>();
  const entries: Entry[] = [];
  const work = mapLimit(listFolder(folder), runtime.concurrency, async ({ logicalKey, path }) => {
    const content = await describeStable(runtime, path);
    paths.set(content.digest, path);
    return fileEntry(logicalKey, path, content);
  });
  for await (const entry of work) entries.push(entry);
  const header = new Map<string, JsonValue>([
    ['version', 'v0'],
    ['message', null],
  ]);
  return { pkg: packageOf(header, entries), paths };
}

async function describeStable(runtime: Runtime, path: string): Promise<Content> {
  const { size } = await statNamed(path);
  const content = await describeContent(fileBytes(path, runtime.signal), size);
  if (content.sizeBytes === size) return content;
  throw new PkgError('unreachable', `${path} changed while it was read`, {
    hint: 'Let whatever writes it finish, then run the command again.',
  });
}

/** What a listed file is; one whose name is not UTF-8 cannot be opened by the name we were given. */
async function statNamed(path: string) {
  try {
    return await stat(path);
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT' || !path.includes('\ufffd')) throw error;
    throw new PkgError('usage', `the name of ${path} is not UTF-8`, {
      hint: 'Rename the file; logical keys are UTF-8.',
      cause: error,
    });
  }
}

/**
 * Files, and symbolic links to files, below a folder, except what its `.quiltignore` drops. Links to
 * folders, broken links and other things are left out; so are modes and times.
 */
export async function* listFolder(folder: string): AsyncGenerator<FolderFile> {
  const root = await findFolder(folder);
  const rules = parseQuiltIgnore((await readTextIfPresent(join(root, IGNORE_FILE))) ?? '');
  yield* walk(root, '', rules);
}

async function findFolder(folder: string): Promise<string> {
  try {
    const root = await realpath(folder);
    if ((await stat(root)).isDirectory()) return root;
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw storageError(error, `cannot read ${folder}`);
  }
  throw new PkgError('usage', `there is no folder ${folder}`);
}

async function* walk(
  root: string,
  prefix: string,
  rules: readonly RegExp[],
): AsyncGenerator<FolderFile> {
  for (const item of await readdir(join(root, prefix), { withFileTypes: true })) {
    const logicalKey = `${prefix}${item.name}`;
    if (logicalKey === OWN_FOLDER) continue;
    const path = join(root, logicalKey);
    if (isIgnored(item.isDirectory() ? `${path}/` : path, rules)) continue;
    if (item.isDirectory()) yield* walk(root, `${logicalKey}/`, rules);
    else if (item.isFile() || (item.isSymbolicLink() && (await leadsToFile(path)))) {
      yield { logicalKey, path };
    }
  }
}

async function leadsToFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT' || systemErrorCode(error) === 'ELOOP') return false;
    throw storageError(error, `cannot read ${path}`);
  }
}

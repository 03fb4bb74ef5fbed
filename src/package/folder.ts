/** A folder of the user's as the files of a package, taken the way quilt3's `set_dir` takes them. */
import { createHash } from 'node:crypto';
import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { mapLimit } from '../runtime/concurrency.ts';
import { PkgError, storageError, systemErrorCode } from '../runtime/errors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { readTextIfPresent } from '../store/atomic-file.ts';
import { type Digest, fileBytes, finishDigest, hashWhile } from '../store/digest.ts';
import type { JsonValue } from './lossless-json.ts';
import { createObjectHasher } from './object-hash.ts';
import { type Entry, metaWithDigest, type Package, packageOf } from './package.ts';
import { formatPhysicalKey } from './physical-key.ts';
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
    const entry = await entryOf(runtime, logicalKey, path);
    paths.set(entry.digest, path);
    return entry.entry;
  });
  for await (const entry of work) entries.push(entry);
  const header = new Map<string, JsonValue>([
    ['version', 'v0'],
    ['message', null],
  ]);
  return { pkg: packageOf(header, entries), paths };
}

async function entryOf(runtime: Runtime, logicalKey: string, path: string) {
  const { size } = await statNamed(path);
  const plain = createHash('sha256');
  const chunked = createObjectHasher('sha2-256-chunked', size);
  let sizeBytes = 0;
  for await (const chunk of hashWhile(fileBytes(path, runtime.signal), plain)) {
    chunked.update(chunk);
    sizeBytes += chunk.length;
  }
  if (sizeBytes !== size) {
    throw new PkgError('unreachable', `${path} changed while it was read`, {
      hint: 'Let whatever writes it finish, then run the command again.',
    });
  }
  const digest = finishDigest(plain);
  const entry: Entry = {
    logicalKey,
    physicalKey: formatPhysicalKey({ scheme: 'file', path }),
    size: BigInt(size),
    sizeBytes: size,
    hash: { type: 'sha2-256-chunked', value: chunked.finish() },
    meta: metaWithDigest(digest),
  };
  return { digest, entry };
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

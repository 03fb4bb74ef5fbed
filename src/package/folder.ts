/** A folder of the user's as the files of a package, taken the way quilt3's `set_dir` takes them. */
import { statSync } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { eachLimit } from '../runtime/concurrency.ts';
import { PkgError, storageError, systemErrorCode } from '../runtime/errors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { readTextIfPresent } from '../store/atomic-file.ts';
import type { Digest } from '../store/digest.ts';
import type { Entry } from './entry.ts';
import { describeFileContent } from './file-content.ts';
import type { JsonValue } from './lossless-json.ts';
import type { Content } from './object-hash.ts';
import { fileEntry, type Package, packageOf } from './package.ts';
import { isIgnored, parseQuiltIgnore } from './quiltignore.ts';
import { type FileStats, isSameFile, type StatCache } from './stat-cache.ts';
import { OWN_FOLDER } from './verify.ts';

const IGNORE_FILE = '.quiltignore';

/** Files that are looked at without a pause: a promise for each costs more than the look. */
const STATS_AT_ONCE = 256;

/** A file with the key it gets and the path its bytes are at. */
export interface FolderFile {
  readonly logicalKey: string;
  readonly path: string;
}

interface FoundFile {
  readonly file: FolderFile;
  readonly stats: FileStats;
}

/** A package of a folder's files, and where the bytes of each digest are. */
export interface FolderPackage {
  readonly pkg: Package;
  readonly paths: ReadonlyMap<Digest, string>;
}

/**
 * Hashes the files below a folder into a package without metadata. Files that `cache` knows, under
 * their logical keys, are not read; what is hashed is noted in it. Whoever opened it saves it.
 */
export async function readFolder(
  runtime: Runtime,
  folder: string,
  cache?: StatCache,
): Promise<FolderPackage> {
  const paths = new Map<Digest, string>();
  const entries: Entry[] = [];
  const take = ({ logicalKey, path }: FolderFile, content: Content) => {
    paths.set(content.digest, path);
    entries.push(fileEntry(logicalKey, path, content));
  };
  const unknown = unknownFiles(listFolder(folder), cache, take);
  await eachLimit(unknown, runtime.concurrency, async (found) => {
    take(found.file, await describeStable(runtime, found, cache));
  });
  const header = new Map<string, JsonValue>([
    ['version', 'v0'],
    ['message', null],
  ]);
  return { pkg: packageOf(header, entries), paths };
}

/** Those files that the cache does not know, with their stats; the others are given to `take`. */
async function* unknownFiles(
  files: AsyncIterable<FolderFile>,
  cache: StatCache | undefined,
  take: (file: FolderFile, content: Content) => void,
): AsyncGenerator<FoundFile> {
  for await (const batch of batches(files, STATS_AT_ONCE)) {
    // Signals are heard between the batches.
    await setImmediate();
    for (const file of batch) {
      const stats = statNamed(file.path);
      const content = cache?.find(file.logicalKey, stats);
      if (content === undefined) yield { file, stats };
      else take(file, content);
    }
  }
}

async function* batches<T>(items: AsyncIterable<T>, size: number): AsyncGenerator<readonly T[]> {
  let batch: T[] = [];
  for await (const item of items) {
    batch.push(item);
    if (batch.length < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

async function describeStable(
  runtime: Runtime,
  { file, stats }: FoundFile,
  cache: StatCache | undefined,
): Promise<Content> {
  const content = await describeFileContent(runtime, file.path, Number(stats.size));
  if (cache === undefined) return content;
  const after = statNamed(file.path);
  if (isSameFile(stats, after)) cache.note(file.logicalKey, after, content);
  return content;
}

/** What a listed file is; one whose name is not UTF-8 cannot be opened by the name we were given. */
function statNamed(path: string) {
  try {
    return statSync(path, { bigint: true });
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

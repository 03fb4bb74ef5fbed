/** A package: entries under logical keys with a header, named by one top hash. */
import { PkgError } from '../runtime/errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from './lossless-json.ts';
import type { Content, ObjectHash } from './object-hash.ts';
import { formatPhysicalKey } from './physical-key.ts';
import { compareCodePoints } from './quilt-json.ts';

declare const topHashBrand: unique symbol;

/** The SHA-256 that names a package's content, as 64 lower-case hex digits. */
export type TopHash = string & { readonly [topHashBrand]: true };

export interface Entry {
  readonly logicalKey: string;
  /** Where the bytes are, as a URL; not part of the top hash. */
  readonly physicalKey: string;
  /** The size as its JSON spells it: `3` and `3.0` have different top hashes. */
  readonly size: bigint | number;
  readonly sizeBytes: number;
  readonly hash: ObjectHash;
  readonly meta: JsonObject;
}

/** Metadata of a folder of the package; kept, but not part of the top hash. */
export interface FolderMeta {
  readonly logicalKey: string;
  readonly meta: JsonValue;
}

export interface Package {
  readonly header: JsonObject;
  /** In hashing order. */
  readonly entries: readonly Entry[];
  readonly folders: readonly FolderMeta[];
}

/** Our own part of an entry's metadata, beside Quilt's `user_meta`. */
const OWN_META_KEY = 'pkg';

const TOP_HASH_PATTERN = /^[0-9a-f]{64}$/;

export function isTopHash(text: string): text is TopHash {
  return TOP_HASH_PATTERN.test(text);
}

/** The top hash written in `text`; throws a plain Error where it is none. */
export function parseTopHash(text: string): TopHash {
  if (!isTopHash(text)) throw new Error(`"${text}" is not a top hash (64 lower-case hex)`);
  return text;
}

/**
 * A file as an entry; our part of its metadata is its plain SHA-256, by which a registry keeps it, and
 * what else is said of it.
 */
export function fileEntry(
  logicalKey: string,
  path: string,
  content: Content,
  further: JsonObject = new Map(),
): Entry {
  const { digest, sizeBytes, chunkedHash } = content;
  return {
    logicalKey,
    physicalKey: formatPhysicalKey({ scheme: 'file', path }),
    size: BigInt(sizeBytes),
    sizeBytes,
    hash: { type: 'sha2-256-chunked', value: chunkedHash },
    meta: new Map([[OWN_META_KEY, new Map<string, JsonValue>([['sha256', digest], ...further])]]),
  };
}

/** The plain SHA-256 of an entry's bytes, where its metadata states it. */
export function statedDigest(entry: Entry): string | undefined {
  const own = entry.meta.get(OWN_META_KEY);
  const digest = isJsonObject(own) ? own.get('sha256') : undefined;
  return typeof digest === 'string' && TOP_HASH_PATTERN.test(digest) ? digest : undefined;
}

/**
 * Why a text cannot be a logical key, or undefined where it can: keys are relative paths of parts
 * that are not empty, `.` or `..`, so that no key leaves the folder it is installed to.
 */
export function logicalKeyProblem(key: string): string | undefined {
  if (key === '') return 'it is empty';
  if (key.includes('\0')) return 'it holds a NUL character';
  if (key.startsWith('/')) return 'it is an absolute path';
  const parts = key.split('/');
  if (parts.includes('..')) return 'it holds ".."';
  if (parts.includes('.')) return 'it holds "."';
  if (parts.includes('')) return 'it holds an empty part';
  return undefined;
}

/**
 * Compares logical keys in hashing order: part by part, each by code point, so that a folder's
 * content stands together (`a/x` before `a b` and `a-b`).
 */
export function compareLogicalKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) {
    if (a[index] === b[index]) continue;
    if (a[index] === '/') return -1;
    if (b[index] === '/') return 1;
    return compareCodePoints(a.slice(index), b.slice(index));
  }
  return a.length - b.length;
}

/**
 * A package of entries in any order.
 * @throws PkgError `integrity` for an impossible key, one that stands twice, or one that is both a
 * file and a folder.
 */
export function packageOf(
  header: JsonObject,
  entries: Iterable<Entry>,
  folders: readonly FolderMeta[] = [],
): Package {
  const sorted = [...entries].sort((a, b) => compareLogicalKeys(a.logicalKey, b.logicalKey));
  let before: string | undefined;
  for (const { logicalKey } of sorted) {
    const problem = logicalKeyProblem(logicalKey);
    if (problem !== undefined) throw keyError(logicalKey, problem);
    if (logicalKey === before) throw keyError(logicalKey, 'it stands twice');
    if (before !== undefined && logicalKey.startsWith(`${before}/`)) {
      throw keyError(before, 'it is both a file and a folder');
    }
    before = logicalKey;
  }
  return { header, entries: sorted, folders };
}

function keyError(key: string, problem: string): PkgError {
  return new PkgError('integrity', `logical key ${JSON.stringify(key)} is refused: ${problem}`, {
    hint: 'The package is broken or hostile; ask whoever pushed it.',
  });
}

/** The sum of the entries' sizes. */
export function packageSizeBytes(pkg: Package): number {
  return pkg.entries.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

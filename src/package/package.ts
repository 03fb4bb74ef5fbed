/** A package: entries under logical keys with a header, named by one top hash. */
import type { Entry, EntryList } from './entry.ts';
import { EntryListBuilder } from './entry-list.ts';
import { isJsonObject, type JsonObject, type JsonValue } from './lossless-json.ts';
import type { Content } from './object-hash.ts';
import { formatPhysicalKey } from './physical-key.ts';

declare const topHashBrand: unique symbol;

/** The SHA-256 that names a package's content, as 64 lower-case hex digits. */
export type TopHash = string & { readonly [topHashBrand]: true };

/** Metadata of a folder of the package; kept, but not part of the top hash. */
export interface FolderMeta {
  readonly logicalKey: string;
  readonly meta: JsonValue;
}

export interface Package {
  readonly header: JsonObject;
  /** In hashing order. */
  readonly entries: EntryList;
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
 * A package of entries in any order; a long list of them is kept deflated.
 * @throws PkgError `integrity` for an impossible key, one that stands twice, or one that is both a
 * file and a folder.
 */
export function packageOf(
  header: JsonObject,
  entries: Iterable<Entry>,
  folders: readonly FolderMeta[] = [],
): Package {
  const list = new EntryListBuilder();
  for (const entry of entries) list.add(entry);
  return { header, entries: list.finish(), folders };
}

/** A list of what `change` makes of each entry; it is called anew whenever the list is gone through. */
export function mapEntries(entries: EntryList, change: (entry: Entry) => Entry): EntryList {
  return {
    length: entries.length,
    *[Symbol.iterator]() {
      for (const entry of entries) yield change(entry);
    },
  };
}

/** The sum of the entries' sizes. */
export function packageSizeBytes(pkg: Package): number {
  let sum = 0;
  for (const { sizeBytes } of pkg.entries) sum += sizeBytes;
  return sum;
}

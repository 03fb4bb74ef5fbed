/** A lockfile as the JSON object that is merged: what it pins, with bases under what they are used for. */
import { isObject, jsonAt, membersOf } from '../changes/json-difference.ts';
import { LOCKFILE_VERSION, type Lockfile, parseLockfile } from '../lockfile/lockfile.ts';
import { type Json, toPlainJson } from '../store/canonical-json.ts';

/** What is merged by rules of its own: the digest of the manifest's text, and the fetch record. */
const APART = new Set(['lockfileVersion', 'manifest', 'fetch']);

/** All of a lockfile but for its version, the manifest's digest and the fetch record. */
export function toDocument({ bases, ...lockfile }: Lockfile): Json {
  const parts = Object.entries(lockfile).filter(([key]) => !APART.has(key));
  const uses = new Map<string, object>();
  for (const base of bases ?? []) {
    let key: string = base.use;
    // One of each is all that pkg writes.
    while (uses.has(key)) key += ' more';
    uses.set(key, base);
  }
  const byUse = bases === undefined ? {} : { bases: Object.fromEntries(uses) };
  return toPlainJson({ ...Object.fromEntries(parts), ...byUse });
}

/**
 * The lockfile of a document.
 * @throws PkgError `lockfile` where the document is none.
 */
export function fromDocument(document: Json, manifest: string): Lockfile {
  const bases = [...membersOf(jsonAt(document, 'bases')).values()];
  const members = Object.fromEntries([...membersOf(document)].filter(([key]) => key !== 'bases'));
  const lockfile = {
    ...members,
    lockfileVersion: LOCKFILE_VERSION,
    manifest,
    ...(bases.length === 0 ? {} : { bases }),
  };
  return parseLockfile(JSON.stringify(lockfile), 'the merged lockfile');
}

/** A merged document with its bases in the order of their uses, where both sides have them so. */
export function inOrderOf(merged: Json, sides: readonly Json[]): Json {
  const usesOf = (document: Json) => [...membersOf(jsonAt(document, 'bases'))];
  const sorted = (document: Json) => usesOf(document).sort(([a], [b]) => (a < b ? -1 : 1));
  const isSorted = (document: Json) => {
    const keys = sorted(document).map(([key]) => key);
    return usesOf(document).every(([key], index) => key === keys[index]);
  };
  if (isSorted(merged) || !sides.every(isSorted)) return merged;
  return withJsonAt(merged, ['bases'], Object.fromEntries(sorted(merged))) ?? {};
}

/** A value with the member at a path replaced, or taken out where it is to be undefined. */
export function withJsonAt(
  value: Json | undefined,
  path: readonly string[],
  part: Json | undefined,
): Json | undefined {
  const [key, ...rest] = path;
  if (key === undefined) return part;
  if (part === undefined && !isObject(value)) return value;
  const members = new Map(membersOf(value));
  const replaced = withJsonAt(members.get(key), rest, part);
  if (replaced === undefined) members.delete(key);
  else members.set(key, replaced);
  return Object.fromEntries(members);
}

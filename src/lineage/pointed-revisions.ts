/** The revisions that the names of a registry have. */
import { isTimestamp, LATEST, parsePointerKey, pointerPrefix } from '../objects/layout.ts';
import type { TopHash } from '../package/package.ts';
import { readPointer } from '../registry/pointers.ts';
import { mapLimit } from '../runtime/concurrency.ts';
import { PkgError } from '../runtime/errors.ts';
import type { Storage } from '../storage/storage.ts';
import { KnownPointers } from './known-pointers.ts';
import type { LineageContext } from './registry-lineage.ts';

/** A revision under one of its names. */
export interface NamedRevision {
  readonly name: string;
  readonly topHash: TopHash;
  /** Whether it is the newest of its name. */
  readonly isNewest: boolean;
  /** When it was pushed last under this name, in seconds since the epoch; 0 where only a tag names it. */
  readonly pushedSeconds: number;
  readonly tags: readonly string[];
}

const READS_AT_ONCE = 16;

/**
 * Reads the pointers of all names: one listing, and one request for each that the store does not know
 * as it is listed.
 * @returns the revisions by top hash, and the pointers that hold none, by their words.
 */
export async function readPointedRevisions({ runtime, registry, cache }: LineageContext): Promise<{
  readonly revisions: ReadonlyMap<TopHash, readonly NamedRevision[]>;
  readonly damaged: readonly string[];
}> {
  const known = await KnownPointers.open(cache, registry.url);
  const pointers: { name: string; pointer: string; key: string; etag: string }[] = [];
  for await (const { key, etag } of registry.list(pointerPrefix(undefined))) {
    const parsed = parsePointerKey(key);
    // The latest revision has a pointer of its own time too.
    if (parsed !== undefined && parsed.pointer !== LATEST) pointers.push({ ...parsed, key, etag });
  }
  const damaged: string[] = [];
  const names = new Map<string, Map<TopHash, { seconds: number; tags: string[] }>>();
  const read = mapLimit(pointers, READS_AT_ONCE, async ({ name, pointer, key, etag }) => {
    runtime.signal.throwIfAborted();
    const found = known.find(key, etag) ?? (await readOne(registry, name, pointer));
    return { name, pointer, key, etag, found };
  });
  for await (const { name, pointer, key, etag, found } of read) {
    if (found instanceof PkgError) damaged.push(found.message);
    if (found === undefined || found instanceof PkgError) continue;
    known.note(key, etag, found);
    const revisions = names.get(name) ?? new Map<TopHash, { seconds: number; tags: string[] }>();
    names.set(name, revisions);
    const revision = revisions.get(found) ?? { seconds: 0, tags: [] };
    revisions.set(found, revision);
    if (isTimestamp(pointer)) revision.seconds = Math.max(revision.seconds, Number(pointer));
    else revision.tags.push(pointer);
  }
  await known.keep();
  return { revisions: byTopHash(names), damaged };
}

async function readOne(
  registry: Storage,
  name: string,
  pointer: string,
): Promise<TopHash | undefined | PkgError> {
  try {
    return (await readPointer(registry, name, pointer))?.topHash;
  } catch (error) {
    if (error instanceof PkgError && error.code === 'integrity') return error;
    throw error;
  }
}

function byTopHash(
  names: ReadonlyMap<string, ReadonlyMap<TopHash, { seconds: number; tags: readonly string[] }>>,
): ReadonlyMap<TopHash, readonly NamedRevision[]> {
  const all = new Map<TopHash, NamedRevision[]>();
  for (const [name, revisions] of names) {
    let newest = 0;
    for (const { seconds } of revisions.values()) newest = Math.max(newest, seconds);
    for (const [topHash, { seconds, tags }] of revisions) {
      const isNewest = seconds > 0 && seconds === newest;
      const own = { name, topHash, isNewest, pushedSeconds: seconds, tags };
      all.set(topHash, [...(all.get(topHash) ?? []), own]);
    }
  }
  return all;
}

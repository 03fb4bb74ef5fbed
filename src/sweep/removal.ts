/** Tags given and taken, and revisions and names removed: pointers alone, whose data a sweep removes. */

import {
  isTimestamp,
  LATEST,
  parsePointerKey,
  pointerKey,
  pointerPrefix,
} from '../objects/layout.ts';
import { waitForSweep, withLease } from '../objects/leases.ts';
import type { TopHash } from '../package/package.ts';
import { moveLatest, type Pointer, readPointer, requireTag } from '../registry/pointers.ts';
import { formatReference, type Reference } from '../registry/reference.ts';
import { resolveReference } from '../registry/revisions.ts';
import { mapLimit } from '../runtime/concurrency.ts';
import { PkgError } from '../runtime/errors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { IF_ABSENT, type Storage, type WriteCondition } from '../storage/storage.ts';
import { uploadOf } from '../storage/whole-content.ts';

/** Whether pointers are removed, or it is only said which would be. */
export type RemovalMode = 'count' | 'remove';

export interface RevisionRemoval {
  /** Whether tags that name the revision go with it. */
  readonly force: boolean;
  readonly mode: RemovalMode;
}

export interface RemovalResult {
  readonly name: string;
  /** The revision removed; undefined where it was the whole name. */
  readonly topHash: TopHash | undefined;
  readonly dryRun: boolean;
  /** The pointers that went: times of revisions, tags and `latest`. */
  readonly pointers: readonly string[];
  /** What `latest` names afterwards; undefined where the name has no revision any more. */
  readonly latest: TopHash | undefined;
}

export interface TagResult {
  readonly name: string;
  readonly tag: string;
  /** What the tag names now, or did before it was taken. */
  readonly topHash: TopHash;
  /** What the tag named before, if it was there. */
  readonly before: TopHash | undefined;
}

interface NamedPointer extends Pointer {
  readonly pointer: string;
}

const READS_AT_ONCE = 16;

/**
 * Gives a revision of a name a tag, in place of what has it. A sweep that is removing things is waited
 * for, and none begins meanwhile, so the revision stays whole.
 * @throws PkgError `usage` for what is no tag, `not-found` where the name has no such revision, and
 * `conflict` where someone else moved the tag at the same time.
 */
export async function tagRevision(
  runtime: Runtime,
  registry: Storage,
  reference: Reference,
  tag: string,
): Promise<TagResult> {
  requireTag(tag);
  const { name } = reference;
  return await withLease(runtime, registry, 'push', async (lease) => {
    await waitForSweep(runtime, registry, lease);
    const pointers = await readPointers(registry, name);
    const topHash = await ownRevision(registry, reference, pointers);
    const before = pointers.find(({ pointer }) => pointer === tag);
    if (before?.topHash !== topHash) {
      const condition: WriteCondition =
        before === undefined ? IF_ABSENT : { kind: 'if-match', etag: before.etag };
      const upload = await uploadOf(Buffer.from(topHash));
      const outcome = await registry.write(pointerKey(name, tag), upload, condition);
      const there =
        outcome === 'unclear' ? (await readPointer(registry, name, tag))?.topHash : topHash;
      if (outcome === 'conflict' || there !== topHash) throw moved(registry, name, tag);
    }
    return { name, tag, topHash, before: before?.topHash };
  });
}

/**
 * Takes a tag away; the revision stays.
 * @throws PkgError `usage` for what is no tag, `not-found` where there is none, `conflict` where
 * someone else moves it at the same time.
 */
export async function untag(registry: Storage, name: string, tag: string): Promise<TagResult> {
  requireTag(tag);
  const before = await readPointer(registry, name, tag);
  if (before === undefined) throw absent(registry, `${name}:${tag}`);
  await removePointers(registry, name, [{ ...before, pointer: tag }]);
  return { name, tag, topHash: before.topHash, before: before.topHash };
}

/**
 * Removes a revision from a name's history: `latest` moves to the newest revision that is left, or
 * goes with the last one, then tags and times go. Its data stays until a sweep; one that is removing
 * things is waited for, since it may be about to remove what `latest` would move to.
 * @throws PkgError `usage` where the reference names no revision by its hash, or where tags name the
 * revision and `force` is not set; `not-found` where it is not in the history; `conflict` where someone
 * else moved a pointer meanwhile.
 */
export async function removeRevision(
  runtime: Runtime,
  registry: Storage,
  reference: Reference,
  options: RevisionRemoval,
): Promise<RemovalResult> {
  if (options.mode === 'count') return await takeOut(registry, reference, options);
  return await withLease(runtime, registry, 'push', async (lease) => {
    await waitForSweep(runtime, registry, lease);
    return await takeOut(registry, reference, options);
  });
}

async function takeOut(
  registry: Storage,
  reference: Reference,
  { force, mode }: RevisionRemoval,
): Promise<RemovalResult> {
  const { name, revision } = reference;
  if (revision.kind !== 'hash') {
    throw new PkgError('usage', `${formatReference(reference)} does not name one revision`, {
      hint: `Give its top hash, as ${name}@<top hash>; --all removes the name.`,
    });
  }
  const pointers = await readPointers(registry, name);
  const topHash = await ownRevision(registry, reference, pointers);
  const own = pointers.filter((pointer) => pointer.topHash === topHash);
  const times = own.filter(({ pointer }) => isTimestamp(pointer));
  const tags = own.filter(({ pointer }) => pointer !== LATEST && !isTimestamp(pointer));
  if (tags.length > 0 && !force) {
    const names = tags.map(({ pointer }) => pointer).join(', ');
    throw new PkgError('usage', `${formatReference(reference)} is tagged ${names}`, {
      hint: 'Take the tags away with pkg untag, or remove them too with --force.',
    });
  }
  const latest = own.find(({ pointer }) => pointer === LATEST);
  const others = pointers.filter((pointer) => pointer.topHash !== topHash);
  const next = newest(others)?.topHash;
  const lost = latest !== undefined && next === undefined ? [latest] : [];
  const removed = [...lost, ...tags, ...times];
  const isMoved = latest !== undefined && next !== undefined;
  if (mode === 'remove') {
    if (isMoved && (await moveLatest(registry, name, next, latest)) !== 'written') {
      throw moved(registry, name, LATEST);
    }
    await removePointers(registry, name, removed);
    await requireLatest(registry, name);
  }
  const left = others.find(({ pointer }) => pointer === LATEST)?.topHash;
  return {
    ...{ name, topHash, dryRun: mode === 'count', latest: isMoved ? next : left },
    pointers: removed.map(({ pointer }) => pointer),
  };
}

/**
 * Removes a name with its history and tags. Its data stays until a sweep.
 * @throws PkgError `not-found` where there is no such name, `conflict` where it was pushed meanwhile.
 */
export async function removeName(
  registry: Storage,
  name: string,
  mode: RemovalMode,
): Promise<RemovalResult> {
  const names = await listPointers(registry, name);
  if (names.length === 0) throw absent(registry, name);
  const pointers = [LATEST, ...names.filter((pointer) => pointer !== LATEST)];
  if (mode === 'remove') {
    await registry.remove(pointers.map((pointer) => pointerKey(name, pointer)));
    await requireLatest(registry, name);
    if ((await listPointers(registry, name)).some(isTimestamp)) {
      throw new PkgError('conflict', `${name} in ${registry.url} was pushed meanwhile`, {
        hint: 'Its new revision is there; run the command again to remove that too.',
      });
    }
  }
  const removed = pointers.filter((pointer) => names.includes(pointer));
  return {
    ...{ name, topHash: undefined, dryRun: mode === 'count', latest: undefined },
    pointers: removed,
  };
}

async function listPointers(registry: Storage, name: string): Promise<readonly string[]> {
  const names: string[] = [];
  for await (const { key } of registry.list(pointerPrefix(name))) {
    const parsed = parsePointerKey(key);
    if (parsed !== undefined) names.push(parsed.pointer);
  }
  return names;
}

/** All pointers of a name, by their keys. */
async function readPointers(registry: Storage, name: string): Promise<readonly NamedPointer[]> {
  const names = await listPointers(registry, name);
  const pointers: NamedPointer[] = [];
  const read = mapLimit(names, READS_AT_ONCE, async (pointer) => {
    const found = await readPointer(registry, name, pointer);
    return found === undefined ? undefined : { ...found, pointer };
  });
  for await (const found of read) if (found !== undefined) pointers.push(found);
  return pointers;
}

/** The revision that a reference means, which a pointer of its name has to name. */
async function ownRevision(
  registry: Storage,
  reference: Reference,
  pointers: readonly NamedPointer[],
): Promise<TopHash> {
  const { name, revision } = reference;
  const wanted = (pointer: NamedPointer) =>
    revision.kind === 'tag'
      ? pointer.pointer === revision.tag
      : pointer.topHash.startsWith(revision.prefix);
  const [topHash, second] = new Set(pointers.filter(wanted).map((found) => found.topHash));
  if (topHash === undefined) throw absent(registry, formatReference(reference));
  // Says which revisions are meant where there are several.
  return second === undefined ? topHash : await resolveReference(registry, { name, revision });
}

/** Removes pointers that are still what they were read as. */
async function removePointers(
  registry: Storage,
  name: string,
  pointers: readonly NamedPointer[],
): Promise<void> {
  for (const { pointer, etag } of pointers) {
    const there = isTimestamp(pointer) ? undefined : await readPointer(registry, name, pointer);
    if (there !== undefined && there.etag !== etag) throw moved(registry, name, pointer);
    await registry.remove([pointerKey(name, pointer)]);
  }
}

/**
 * Storage cannot remove a pointer on a condition, so a push that moved `latest` in that very moment may
 * have lost it: whoever has a history gets it back.
 */
async function requireLatest(registry: Storage, name: string): Promise<void> {
  const pointers = await readPointers(registry, name);
  if (pointers.some(({ pointer }) => pointer === LATEST)) return;
  const last = newest(pointers);
  if (last !== undefined) await moveLatest(registry, name, last.topHash, undefined);
}

function newest(pointers: readonly NamedPointer[]): NamedPointer | undefined {
  const times = pointers.filter(({ pointer }) => isTimestamp(pointer));
  return times.reduce<NamedPointer | undefined>(
    (best, one) => (best === undefined || one.pointer > best.pointer ? one : best),
    undefined,
  );
}

function absent(registry: Storage, what: string): PkgError {
  return new PkgError('not-found', `${registry.url} has no ${what}`, {
    hint: 'See what it holds with: pkg ls, and pkg log user/name.',
  });
}

function moved(registry: Storage, name: string, pointer: string): PkgError {
  const what = `${pointer} of ${name} in ${registry.url}`;
  return new PkgError('conflict', `${what} was moved by someone else meanwhile`, {
    hint: 'Look at what it names with pkg log, then run the command again.',
  });
}

/** Revisions: which top hashes a name has had, and the packages behind them. */

import {
  deltaKey,
  isTimestamp,
  LATEST,
  listPrefixes,
  packageKey,
  parsePointerKey,
  pointerPrefix,
  topHashOfKey,
} from '../objects/layout.ts';
import { isTopHash, type TopHash } from '../package/package.ts';
import { mapLimit } from '../runtime/concurrency.ts';
import { PkgError } from '../runtime/errors.ts';
import type { Storage } from '../storage/storage.ts';
import { readPointer } from './pointers.ts';
import { formatReference, type Reference } from './reference.ts';

/** A pushed top hash, with when it was pushed and the tags that name it. */
export interface Revision {
  readonly topHash: TopHash;
  readonly pushedAt: Date;
  readonly tags: readonly string[];
}

/** A package's name with what stands under it. */
export interface NamedPackage {
  readonly name: string;
  readonly revisions: number;
  readonly latest: TopHash | undefined;
}

const READS_AT_ONCE = 16;

/**
 * The top hash a reference names.
 * @throws PkgError `not-found` where there is none, or several begin with the digits given.
 */
export async function resolveReference(registry: Storage, reference: Reference): Promise<TopHash> {
  const { name, revision } = reference;
  if (revision.kind === 'tag') {
    const pointer = await readPointer(registry, name, revision.tag);
    if (pointer !== undefined) return pointer.topHash;
    throw notFound(registry, reference);
  }
  if (isTopHash(revision.prefix)) {
    if (await hasList(registry, revision.prefix)) return revision.prefix;
    throw notFound(registry, reference);
  }
  const candidates = await findTopHashes(registry, revision.prefix);
  const own = candidates.length > 1 ? await onlyOf(registry, name, candidates) : candidates;
  const [first, second] = own;
  if (first === undefined) throw notFound(registry, reference);
  if (second === undefined) return first;
  throw new PkgError(
    'not-found',
    `${formatReference(reference)} is ambiguous in ${registry.url}: ${own.join(', ')}`,
    { hint: 'Give more digits of the top hash.' },
  );
}

async function hasList(registry: Storage, hash: TopHash): Promise<boolean> {
  for (const key of [packageKey(hash), deltaKey(hash)]) {
    if ((await registry.head({ key })) !== undefined) return true;
  }
  return false;
}

/** The top hashes of packages that begin with some digits. */
async function findTopHashes(registry: Storage, digits: string): Promise<readonly TopHash[]> {
  const found = new Set<TopHash>();
  for (const prefix of listPrefixes(digits)) {
    for await (const { key } of registry.list(prefix)) {
      const hash = topHashOfKey(key);
      if (hash !== undefined) found.add(hash);
    }
  }
  return [...found];
}

/**
 * The revisions of a name, newest first.
 * @throws PkgError `not-found` where the registry has no such name.
 */
export async function readHistory(registry: Storage, name: string): Promise<readonly Revision[]> {
  const pointers = await listPointers(registry, name);
  if (pointers.length === 0)
    throw notFound(registry, { name, revision: { kind: 'tag', tag: LATEST } });
  const read = mapLimit(pointers, READS_AT_ONCE, async (pointer) => ({
    pointer,
    hash: (await readPointer(registry, name, pointer))?.topHash,
  }));
  const tags = new Map<TopHash, string[]>();
  const revisions: { topHash: TopHash; seconds: number }[] = [];
  for await (const { pointer, hash } of read) {
    if (hash === undefined) continue;
    if (isTimestamp(pointer)) revisions.push({ topHash: hash, seconds: Number(pointer) });
    else tags.set(hash, [...(tags.get(hash) ?? []), pointer]);
  }
  return revisions
    .sort((a, b) => b.seconds - a.seconds)
    .map(({ topHash: hash, seconds }) => ({
      topHash: hash,
      pushedAt: new Date(seconds * 1000),
      tags: tags.get(hash) ?? [],
    }));
}

/** All names of a registry, in order. */
export async function listPackages(registry: Storage): Promise<readonly NamedPackage[]> {
  const counts = new Map<string, number>();
  for await (const { key } of registry.list(pointerPrefix(undefined))) {
    const parsed = parsePointerKey(key);
    if (parsed === undefined) continue;
    const one = isTimestamp(parsed.pointer) ? 1 : 0;
    counts.set(parsed.name, (counts.get(parsed.name) ?? 0) + one);
  }
  const named: NamedPackage[] = [];
  const read = mapLimit(counts, READS_AT_ONCE, async ([name, revisions]) => ({
    name,
    revisions,
    latest: (await readPointer(registry, name, LATEST))?.topHash,
  }));
  for await (const pkg of read) named.push(pkg);
  return named;
}

async function listPointers(registry: Storage, name: string): Promise<readonly string[]> {
  const pointers: string[] = [];
  for await (const { key } of registry.list(pointerPrefix(name))) {
    const parsed = parsePointerKey(key);
    if (parsed !== undefined) pointers.push(parsed.pointer);
  }
  return pointers;
}

/** The candidates that a name's own history holds. */
async function onlyOf(
  registry: Storage,
  name: string,
  candidates: readonly TopHash[],
): Promise<readonly TopHash[]> {
  const pointers = await listPointers(registry, name);
  if (pointers.length === 0) return candidates;
  const history = new Set((await readHistory(registry, name)).map((revision) => revision.topHash));
  const own = candidates.filter((candidate) => history.has(candidate));
  return own.length > 0 ? own : candidates;
}

function notFound(registry: Storage, reference: Reference): PkgError {
  return new PkgError('not-found', `${registry.url} has no ${formatReference(reference)}`, {
    hint: 'See what it holds with: pkg ls, and pkg log user/name.',
  });
}

/** Revisions: which top hashes a name has had, and the packages behind them. */
import { parseJsonl } from '../package/jsonl.ts';
import { isTopHash, type Package, type TopHash } from '../package/package.ts';
import { topHash } from '../package/top-hash.ts';
import { mapLimit } from '../runtime/concurrency.ts';
import { PkgError } from '../runtime/errors.ts';
import {
  isTimestamp,
  LATEST,
  packageKey,
  packagePrefix,
  parsePointerKey,
  pointerKey,
  pointerPrefix,
  topHashOfKey,
} from './layout.ts';
import { formatReference, type Reference } from './reference.ts';
import type { Registry } from './registry.ts';

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

/** A pointer's content with what a conditional write needs. */
export interface Pointer {
  readonly topHash: TopHash;
  readonly etag: string;
}

const READS_AT_ONCE = 16;

/** A pointer is 64 digits; some tools end it with a line end. */
const MAX_POINTER_BYTES = 1024;

/**
 * The top hash a reference names.
 * @throws PkgError `not-found` where there is none, or several begin with the digits given.
 */
export async function resolveReference(registry: Registry, reference: Reference): Promise<TopHash> {
  const { name, revision } = reference;
  if (revision.kind === 'tag') {
    const pointer = await readPointer(registry, name, revision.tag);
    if (pointer !== undefined) return pointer.topHash;
    throw notFound(registry, reference);
  }
  const candidates: TopHash[] = [];
  for await (const { key } of registry.list(packagePrefix(revision.prefix))) {
    const found = topHashOfKey(key);
    if (found !== undefined) candidates.push(found);
  }
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

/**
 * Reads a package by its top hash and checks that its list is what the hash says.
 * @throws PkgError `not-found`, or `integrity` where the list has another top hash.
 */
export async function readPackage(registry: Registry, hash: TopHash): Promise<Package> {
  const found = await registry.read({ key: packageKey(hash) });
  if (found === undefined) {
    throw new PkgError('not-found', `${registry.url} has no package ${hash}`, {
      hint: 'A pointer names it, but its list is gone; push it again.',
    });
  }
  const pkg = await parseJsonl(found.bytes, `${registry.url}/${packageKey(hash)}`);
  const actual = topHash(pkg);
  if (actual !== hash) {
    throw new PkgError('integrity', `the list of package ${hash} has top hash ${actual}`, {
      hint: `${registry.url} is damaged or was tampered with; nothing was installed.`,
    });
  }
  return pkg;
}

/** The content of a pointer, or undefined where there is none. */
export async function readPointer(
  registry: Registry,
  name: string,
  pointer: string,
): Promise<Pointer | undefined> {
  const key = pointerKey(name, pointer);
  const found = await registry.read({ key });
  if (found === undefined) return undefined;
  let text = '';
  for await (const chunk of found.bytes) {
    text += Buffer.from(chunk).toString('latin1');
    if (text.length > MAX_POINTER_BYTES) break;
  }
  const hash = text.trim();
  if (!isTopHash(hash)) {
    throw new PkgError('integrity', `${registry.url}/${key} does not hold a top hash`, {
      hint: 'The registry is damaged; push the package again.',
    });
  }
  return { topHash: hash, etag: found.etag };
}

/**
 * The revisions of a name, newest first.
 * @throws PkgError `not-found` where the registry has no such name.
 */
export async function readHistory(registry: Registry, name: string): Promise<readonly Revision[]> {
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
export async function listPackages(registry: Registry): Promise<readonly NamedPackage[]> {
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

async function listPointers(registry: Registry, name: string): Promise<readonly string[]> {
  const pointers: string[] = [];
  for await (const { key } of registry.list(pointerPrefix(name))) {
    const parsed = parsePointerKey(key);
    if (parsed !== undefined) pointers.push(parsed.pointer);
  }
  return pointers;
}

/** The candidates that a name's own history holds. */
async function onlyOf(
  registry: Registry,
  name: string,
  candidates: readonly TopHash[],
): Promise<readonly TopHash[]> {
  const pointers = await listPointers(registry, name);
  if (pointers.length === 0) return candidates;
  const history = new Set((await readHistory(registry, name)).map((revision) => revision.topHash));
  const own = candidates.filter((candidate) => history.has(candidate));
  return own.length > 0 ? own : candidates;
}

function notFound(registry: Registry, reference: Reference): PkgError {
  return new PkgError('not-found', `${registry.url} has no ${formatReference(reference)}`, {
    hint: 'See what it holds with: pkg ls, and pkg log user/name.',
  });
}

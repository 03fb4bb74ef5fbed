/** Pointers of a registry: which revisions a name has had, which is the latest, and its tags. */

import { LATEST, pointerKey } from '../objects/layout.ts';
import { isTopHash, type TopHash } from '../package/package.ts';
import { PkgError } from '../runtime/errors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { ALWAYS, IF_ABSENT, type Storage, type WriteCondition } from '../storage/storage.ts';
import { readBounded, uploadOf } from '../storage/whole-content.ts';

/** A pointer's content with what a conditional write needs. */
export interface Pointer {
  readonly topHash: TopHash;
  readonly etag: string;
}

/**
 * What `latest` has to be for a push to move it: what it was when the push began; one revision, or none
 * (`undefined`); or anything, so that the push goes on top of whatever came meanwhile.
 */
export type Parent =
  | { readonly kind: 'as-found' }
  | { readonly kind: 'exactly'; readonly topHash: TopHash | undefined }
  | { readonly kind: 'any' };

/**
 * The parent that a person names: a whole top hash, or `none` for a name that has no revision yet.
 * @throws PkgError `usage` for anything else.
 */
export function parseParent(text: string): Parent {
  if (text === 'none') return { kind: 'exactly', topHash: undefined };
  if (isTopHash(text)) return { kind: 'exactly', topHash: text };
  throw new PkgError('usage', `"${text}" is not a parent: a whole top hash or "none" is needed`, {
    hint: 'See the revisions with: pkg log user/name',
  });
}

/**
 * A text as a tag, which cannot be mistaken for the time of a revision.
 * @throws PkgError `usage` for what cannot be one.
 */
export function requireTag(tag: string): string {
  if (/^[A-Za-z][A-Za-z0-9._-]*$/.test(tag) && tag !== LATEST) return tag;
  throw new PkgError(
    'usage',
    `"${tag}" is not a tag: it begins with a letter, then letters, digits, ".", "_" and "-"`,
    { hint: 'latest is no tag: pushing moves it.' },
  );
}

/** A pointer is 64 digits; some tools end it with a line end. */
const MAX_POINTER_BYTES = 1024;

/** Two pushes of one name within a second take the next free second, up to so many. */
const MAX_SLOTS = 60;

/** How often a push that goes on top of anything tries to be the one that moves `latest`. */
const MAX_MOVES = 100;

/** The content of a pointer, or undefined where there is none. */
export async function readPointer(
  registry: Storage,
  name: string,
  pointer: string,
): Promise<Pointer | undefined> {
  const key = pointerKey(name, pointer);
  const found = await registry.read({ key });
  if (found === undefined) return undefined;
  const hash = (await readBounded(found.bytes, MAX_POINTER_BYTES)).toString('latin1').trim();
  if (!isTopHash(hash)) {
    throw new PkgError('integrity', `${registry.url}/${key} does not hold a top hash`, {
      hint: 'The registry is damaged; push the package again.',
    });
  }
  return { topHash: hash, etag: found.etag };
}

/**
 * Checks that `latest` may be moved.
 * @throws PkgError `conflict` where it is not the revision that was to be built on.
 */
export function requireParent(
  registry: Storage,
  name: string,
  latest: Pointer | undefined,
  parent: Parent,
): void {
  if (parent.kind !== 'exactly' || latest?.topHash === parent.topHash) return;
  const is = latest === undefined ? 'has no revision' : `is at ${latest.topHash}`;
  throw new PkgError(
    'conflict',
    `${name} in ${registry.url} ${is}, which is not the parent given`,
    {
      hint: 'Look at what was pushed with pkg log and pkg diff, then push on top of that.',
    },
  );
}

/**
 * Makes a pushed package a revision of a name: its own pointer, in a second of its own, then `latest`,
 * if that may be moved still.
 * @throws PkgError `conflict` where `latest` was moved by another push; the history is as before then.
 */
export async function publish(
  runtime: Runtime,
  registry: Storage,
  { name, topHash }: { readonly name: string; readonly topHash: TopHash },
  latest: Pointer | undefined,
  parent: Parent,
): Promise<void> {
  const slot = await writeTimestamp(runtime, registry, name, topHash);
  let before = latest;
  const tries = parent.kind === 'any' ? MAX_MOVES : 1;
  for (let move = 0; move < tries; move++) {
    if (move > 0) before = await readPointer(registry, name, LATEST);
    if ((await moveLatest(registry, name, topHash, before)) === 'written') return;
  }
  const winner = await readPointer(registry, name, LATEST);
  await registry.remove([pointerKey(name, slot)]);
  // Somebody else has pushed the very same package, which is as good.
  if (winner?.topHash === topHash) return;
  throw new PkgError(
    'conflict',
    `${name} in ${registry.url} was pushed by someone else meanwhile`,
    {
      hint: 'Look at their revision with pkg log; push again to go on top of it, or with --force.',
    },
  );
}

/** Gives a revision a further name, in place of what has it. */
export async function writeTag(
  registry: Storage,
  name: string,
  tag: string,
  topHash: TopHash,
): Promise<void> {
  await writePointer(registry, name, tag, topHash, ALWAYS);
}

/** Moves `latest` from what it was read as; there may be none of it. */
export async function moveLatest(
  registry: Storage,
  name: string,
  topHash: TopHash,
  before: Pointer | undefined,
): Promise<'written' | 'conflict'> {
  const condition: WriteCondition =
    before === undefined ? IF_ABSENT : { kind: 'if-match', etag: before.etag };
  return await writePointer(registry, name, LATEST, topHash, condition);
}

async function writeTimestamp(
  runtime: Runtime,
  registry: Storage,
  name: string,
  hash: TopHash,
): Promise<string> {
  const now = Math.floor(runtime.clock.now() / 1000);
  for (let second = now; second < now + MAX_SLOTS; second++) {
    const slot = String(second).padStart(10, '0');
    const written = await writePointer(registry, name, slot, hash, IF_ABSENT);
    if (written === 'written') return slot;
  }
  throw new PkgError('conflict', `${name} in ${registry.url} is pushed too often in one minute`, {
    hint: 'Wait a minute, then push again.',
  });
}

async function writePointer(
  registry: Storage,
  name: string,
  pointer: string,
  hash: TopHash,
  condition: WriteCondition,
): Promise<'written' | 'conflict'> {
  const key = pointerKey(name, pointer);
  const written = await registry.write(key, await uploadOf(Buffer.from(hash)), condition);
  if (written === 'written' || written === 'conflict') return written;
  // The answer to a write that happened may have been lost, and its repeat refused.
  const there = await readPointer(registry, name, pointer);
  return there?.topHash === hash ? 'written' : 'conflict';
}

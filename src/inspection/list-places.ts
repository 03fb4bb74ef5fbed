/** Whether the physical keys of a list, which no top hash covers, can be what was written there. */
import { createHash } from 'node:crypto';
import { objectKey } from '../objects/layout.ts';
import type { Entry } from '../package/entry.ts';
import { jsonlChunks } from '../package/jsonl.ts';
import type { Package } from '../package/package.ts';
import {
  formatPackFragment,
  type PackFragment,
  parsePackFragment,
} from '../package/physical-key.ts';
import { PkgError } from '../runtime/errors.ts';
import type { ObjectAddress, Storage } from '../storage/storage.ts';
import { type Digest, finishDigest } from '../store/digest.ts';
import type { Segments } from './segments.ts';
import type { PackSizes } from './verify-packs.ts';
import { reliableDigest } from './wanted.ts';

/** Two digests that differ in so few digits are one, and damage. */
const MAX_FLIPPED_DIGITS = 2;

export interface PlaceContext {
  readonly storage: Storage;
  readonly segments: Segments;
  readonly packs: PackSizes;
}

/** An entry's place as our lists say it. */
export interface ListedPlace {
  readonly digest: Digest;
  /** What stands before the object's own key: where the registry was when the list was written. */
  readonly root: string;
  readonly fragment: PackFragment | undefined;
}

/** Where an entry's physical key says that its object is, where that follows the layout. */
export function placeByDigest(entry: Entry): ListedPlace | undefined {
  const digest = reliableDigest(entry);
  if (digest === undefined) return undefined;
  const [url = '', ...rest] = entry.physicalKey.split('#');
  const key = objectKey(digest);
  if (!url.endsWith(`/${key}`)) return undefined;
  const fragment = parsePackFragment(entry.physicalKey);
  const expected = fragment === undefined ? '' : formatPackFragment(fragment);
  const given = rest.length === 0 ? '' : `#${rest.join('#')}`;
  return given === expected ? { digest, root: url.slice(0, -key.length), fragment } : undefined;
}

/**
 * What is wrong with a list apart from its top hash; undefined where nothing is. `text` says what it was
 * read from.
 */
export async function problemOfPlaces(
  context: PlaceContext,
  pkg: Package,
  text: { readonly digest: Digest; readonly sizeBytes: number },
): Promise<{ readonly kind: 'changed' | 'truncated'; readonly why: string } | undefined> {
  const roots = new Map<string, { count: number; readonly logicalKey: string }>();
  const odd: Entry[] = [];
  for (const entry of pkg.entries) {
    const place = placeByDigest(entry);
    if (place === undefined) {
      if (reliableDigest(entry) !== undefined) odd.push(entry);
      continue;
    }
    const root = roots.get(place.root);
    if (root === undefined) roots.set(place.root, { count: 1, logicalKey: entry.logicalKey });
    else root.count++;
    const { fragment, digest } = place;
    if (fragment !== undefined && isWrong(context, fragment, digest)) {
      return { kind: 'changed', why: `${entry.logicalKey} is not where it says in a pack` };
    }
  }
  const strayed = strayRoot(context.storage, roots) ?? (await firstAbsent(context.storage, odd));
  if (strayed !== undefined) {
    return { kind: 'changed', why: `the physical key of ${strayed} leads nowhere` };
  }
  const isOurs = pkg.entries.length === [...roots.values()].reduce((sum, r) => sum + r.count, 0);
  return isOurs ? problemOfText(pkg, text) : undefined;
}

/** Our lists have one spelling. */
function problemOfText(pkg: Package, text: { digest: Digest; sizeBytes: number }) {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  for (const chunk of jsonlChunks(pkg)) {
    hash.update(chunk);
    sizeBytes += chunk.length;
  }
  if (finishDigest(hash) === text.digest) return undefined;
  const kind = text.sizeBytes < sizeBytes ? ('truncated' as const) : ('changed' as const);
  return { kind, why: 'it is not spelt as it was written' };
}

/** The one entry that was, by its list, written in another registry than all the others. */
function strayRoot(
  storage: Storage,
  roots: ReadonlyMap<string, { readonly count: number; readonly logicalKey: string }>,
): string | undefined {
  if (roots.size < 2) return undefined;
  const own = storage.physicalKey(objectKey('')).slice(0, -objectKey('').length);
  for (const [root, { count, logicalKey }] of roots) {
    if (count === 1 && root !== own) return logicalKey;
  }
  return undefined;
}

/** The first entry that points at nothing in this storage. */
async function firstAbsent(storage: Storage, odd: readonly Entry[]): Promise<string | undefined> {
  for (const { physicalKey, logicalKey } of odd) {
    const address = addressOf(storage, physicalKey);
    if (address === undefined || (await storage.head(address)) === undefined) return logicalKey;
  }
  return undefined;
}

/** What a physical key points at in this storage; undefined for one that cannot be read too. */
export function addressOf(storage: Storage, physicalKey: string): ObjectAddress | undefined {
  try {
    return storage.addressOf(physicalKey);
  } catch (error) {
    if (error instanceof PkgError && error.code === 'integrity') return undefined;
    throw error;
  }
}

/** A place that a sweep emptied since is no fault: readers ask the index then. */
function isWrong({ segments, packs }: PlaceContext, fragment: PackFragment, digest: Digest) {
  const { pack, kind, offset, sizeBytes } = fragment;
  const record = segments.recordIn(pack, digest);
  if (record !== undefined) {
    return record.kind !== kind || record.offset !== offset || record.sizeBytes !== sizeBytes;
  }
  if (segments.index.packSizeBytes(pack) !== undefined) return true;
  if (packs.has(pack)) return false;
  for (const known of packs.keys()) if (isNearly(known, pack)) return true;
  return false;
}

function isNearly(a: Digest, b: Digest): boolean {
  let differing = 0;
  for (let index = 0; index < a.length && differing <= MAX_FLIPPED_DIGITS; index++) {
    if (a[index] !== b[index]) differing++;
  }
  return differing <= MAX_FLIPPED_DIGITS;
}

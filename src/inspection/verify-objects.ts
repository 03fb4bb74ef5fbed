/** The check of a registry's objects: those under their digest, and those that lists have elsewhere. */

import { chunkedBytes } from '../objects/chunked-reader.ts';
import { digestInPhysicalKey, digestOfKey, OBJECT_PREFIX, objectKey } from '../objects/layout.ts';
import type { Entry } from '../package/entry.ts';
import { isKnownHashType } from '../package/object-hash.ts';
import type { Package } from '../package/package.ts';
import { DigestSet } from '../packs/digest-set.ts';
import { eachLimit, mapLimit } from '../runtime/concurrency.ts';
import type { ListedObject, ObjectAddress } from '../storage/storage.ts';
import { type Digest, digestOf, isDigest } from '../store/digest.ts';
import { EXTRA, OTHER_BYTES, type RegistryFinding } from './inspection.ts';
import { addressOf } from './list-places.ts';
import {
  digestOfStored,
  hashEntry,
  storedBytes,
  unlessDamaged,
  unlessShort,
} from './stored-bytes.ts';
import type { PackScan } from './verify-packs.ts';
import { reliableDigest } from './wanted.ts';

const READS_AT_ONCE = 8;
const LARGE_AT_ONCE = 2;

/** Objects that lists have elsewhere than under their digest, as quilt3's are; each is read once. */
export class Elsewhere {
  readonly #checked: DigestSet;
  /** Keys below `objects/` that are no digests and that lists point at all the same. */
  readonly keys = new Set<string>();

  constructor(seed: number) {
    this.#checked = new DigestSet(seed);
  }

  /** Checks those of a package that were not checked before. */
  async check(scan: PackScan, pkg: Package): Promise<void> {
    await eachLimit(this.#unchecked(pkg), READS_AT_ONCE, async (entry) => {
      scan.runtime.signal.throwIfAborted();
      await this.#checkEntry(scan, entry);
    });
  }

  *#unchecked(pkg: Package): Generator<Entry> {
    for (const entry of pkg.entries) {
      if (reliableDigest(entry) !== undefined) continue;
      const { physicalKey, hash, sizeBytes } = entry;
      const identity = [physicalKey, hash.type, hash.value, String(sizeBytes)].join('\n');
      if (this.#checked.add(digestOf(identity))) yield entry;
    }
  }

  async #checkEntry(scan: PackScan, entry: Entry): Promise<void> {
    const { wanted, problems, progress } = scan;
    const own = digestInPhysicalKey(entry.physicalKey);
    if (own !== undefined && isDigest(own)) {
      wanted.need({ digest: own, sizeBytes: entry.sizeBytes });
    }
    const address = addressOf(scan.storage, entry.physicalKey);
    if (address?.key.startsWith(OBJECT_PREFIX) === true) this.keys.add(address.key);
    const problem = await problemAt(scan, entry, address);
    progress.advance({ sizeBytes: entry.sizeBytes, failed: problem !== undefined });
    if (problem === undefined) return;
    problems.note(labelOf(entry, address), problem.kind, problem.why);
  }
}

/** What is wrong with the object at an address that is an entry's. */
async function problemAt(
  { storage }: PackScan,
  entry: Entry,
  address: ObjectAddress | undefined,
): Promise<Pick<RegistryFinding, 'kind' | 'why'> | undefined> {
  if (address === undefined) return { kind: 'missing', why: 'it lies outside of the registry' };
  if (!isKnownHashType(entry.hash.type)) {
    return { kind: 'broken', why: `its hash type ${entry.hash.type} cannot be checked` };
  }
  const found = await storage.head(address);
  if (found === undefined) return { kind: 'missing', why: 'a list points at it' };
  const { sizeBytes } = found;
  const bytes = storedBytes(storage, { ...address, sizeBytes });
  const hashes = await unlessShort(async () =>
    sizeBytes === entry.sizeBytes ? await hashEntry(bytes, entry) : undefined,
  );
  if (hashes?.isEntry === true) return undefined;
  return { kind: sizeBytes < entry.sizeBytes ? 'truncated' : 'changed', why: OTHER_BYTES };
}

/** What findings call an object that a list has elsewhere. */
export function labelOf(entry: Entry, address: ObjectAddress | undefined): string {
  if (address === undefined) return entry.physicalKey;
  const { key, versionId } = address;
  return versionId === undefined ? key : `${key}?versionId=${versionId}`;
}

/** Reads every object under its digest once; says which are of no use, and notes the damaged ones. */
export async function* scanObjects(
  scan: PackScan,
  elsewhere: ReadonlySet<string>,
): AsyncGenerator<RegistryFinding> {
  const { runtime, storage, wanted, problems, progress } = scan;
  const checked = mapLimit(storage.list(OBJECT_PREFIX), READS_AT_ONCE, async (listed) => {
    runtime.signal.throwIfAborted();
    const digest = digestOfKey(listed.key);
    if (digest === undefined || listed.key !== objectKey(digest))
      return { ...listed, digest: undefined, state: undefined };
    const state = await checkObject(scan, listed, digest);
    progress.advance({ sizeBytes: listed.sizeBytes, failed: state !== 'good' });
    return { ...listed, digest, state };
  });
  for await (const { key, sizeBytes, digest, state } of checked) {
    if (digest === undefined) {
      if (!elsewhere.has(key)) yield { kind: 'extra', key, why: 'it is no object' };
    } else if (state === 'changed') {
      problems.note(key, 'changed', OTHER_BYTES, sizeBytes);
    } else if (state === 'other') {
      problems.note(key, 'broken', 'a list calls other bytes so');
    } else {
      wanted.find({ digest, sizeBytes });
      if (!wanted.isReached({ digest, sizeBytes })) yield { kind: 'extra', key, why: EXTRA };
    }
  }
}

/** `other`: the bytes that its name says, and yet not those that the hash of its entry says. */
async function checkObject(
  { storage, wanted }: PackScan,
  listed: ListedObject,
  digest: Digest,
): Promise<'good' | 'changed' | 'other'> {
  const large = wanted.large(digest);
  if (large === undefined || large.sizeBytes !== listed.sizeBytes) {
    return (await digestOfStored(storage, listed)) === digest ? 'good' : 'changed';
  }
  const hashes = await unlessShort(() => hashEntry(storedBytes(storage, listed), large));
  if (hashes?.digest !== digest) return 'changed';
  return hashes.isEntry ? 'good' : 'other';
}

/**
 * Reads the large files that are kept in chunks once more, this time in their own order, which alone
 * tells that the chunks make the file. Returns those that they do not make, with why.
 */
export async function scanChunked(scan: PackScan): Promise<ReadonlyMap<Digest, string>> {
  const { runtime, storage, wanted, segments, progress } = scan;
  const lost = new Map<Digest, string>();
  await eachLimit(wanted.largeEntries, LARGE_AT_ONCE, async ([digest, entry]) => {
    const list = segments.index.find(digest);
    if (wanted.isFound(digest, entry) || list?.kind !== 'chunked') return;
    const { sizeBytes, logicalKey: name } = entry;
    const read = await unlessDamaged(() => {
      const file = { list, sizeBytes };
      const bytes = chunkedBytes({ runtime, registry: storage, name }, segments.index, file, 0);
      return hashEntry(bytes, entry);
    });
    const isGood = 'value' in read && read.value.isEntry && read.value.digest === digest;
    progress.advance({ sizeBytes, failed: !isGood });
    if (isGood) wanted.find({ digest, sizeBytes });
    else lost.set(digest, 'value' in read ? OTHER_BYTES : read.damage.message);
  });
  return lost;
}

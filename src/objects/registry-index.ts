/** A registry's index: all its segments, fetched once and kept in the local store. */
import { PackIndex } from '../packs/pack-index.ts';
import { mapLimit } from '../runtime/concurrency.ts';
import { PkgError } from '../runtime/errors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { ReadObject, Storage } from '../storage/storage.ts';
import { type Digest, digestOf } from '../store/digest.ts';
import type { Store } from '../store/store.ts';
import { digestOfKey, INDEX_PREFIX, segmentKey } from './layout.ts';

/** What a registry has in packs, and the segments that say so. */
export interface LoadedIndex {
  readonly index: PackIndex;
  readonly segments: readonly Digest[];
}

/** A segment of half a million records is 22 MB. */
const MAX_SEGMENT_BYTES = 128 * 2 ** 20;

const READS_AT_ONCE = 4;

/** A sweep may put one segment in the place of several while they are read. */
const MAX_TRIES = 5;

/**
 * Reads a registry's index: one listing, and one request for each segment that the local store
 * (`cache`) lacks.
 * @throws PkgError `integrity` for a segment that is not what its name says, or that does not add up.
 */
export async function loadIndex(
  runtime: Runtime,
  registry: Storage,
  cache: Store | undefined,
): Promise<LoadedIndex> {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const segments: Digest[] = [];
    for await (const { key } of registry.list(INDEX_PREFIX)) {
      const digest = digestOfKey(key);
      if (digest !== undefined) segments.push(digest);
    }
    const index = await readSegments(runtime, registry, segments, cache);
    if (index !== undefined) return { index, segments };
  }
  throw new PkgError('conflict', `the index of ${registry.url} changes all the time`, {
    hint: 'Run the command again when no sweep or conversion is running.',
  });
}

/** The segments together; undefined where one is gone by now. */
async function readSegments(
  runtime: Runtime,
  registry: Storage,
  segments: readonly Digest[],
  cache: Store | undefined,
): Promise<PackIndex | undefined> {
  const index = new PackIndex();
  const read = mapLimit(segments, READS_AT_ONCE, async (digest) => ({
    digest,
    data: await readSegment(registry, digest, cache),
  }));
  let isWhole = true;
  for await (const { digest, data } of read) {
    runtime.signal.throwIfAborted();
    if (data === undefined) isWhole = false;
    else index.add(data, `${registry.url}/${segmentKey(digest)}`);
  }
  return isWhole ? index : undefined;
}

async function readSegment(
  registry: Storage,
  digest: Digest,
  cache: Store | undefined,
): Promise<Buffer | undefined> {
  if (cache !== undefined && (await cache.hasDigest(digest))) {
    const kept = await readKept(cache, digest);
    if (kept !== undefined) return kept;
  }
  const found = await registry.read({ key: segmentKey(digest) });
  if (found === undefined) return undefined;
  const data = await readSized(found);
  if (digestOf(data) !== digest) {
    throw new PkgError('integrity', `${registry.url}/${segmentKey(digest)} has other bytes`, {
      hint: 'The index can be made again of the packs, with: pkg repair --registry',
    });
  }
  await cache?.putBytes(data);
  return data;
}

/** A segment into memory of its size: chunks that are joined afterwards would take it twice. */
async function readSized({ bytes, sizeBytes }: ReadObject): Promise<Buffer> {
  if (sizeBytes > MAX_SEGMENT_BYTES) {
    throw new PkgError('integrity', `a segment of the index has ${String(sizeBytes)} bytes`);
  }
  const data = Buffer.allocUnsafeSlow(sizeBytes);
  let received = 0;
  for await (const chunk of bytes) {
    data.set(chunk.subarray(0, sizeBytes - received), received);
    received += Math.min(chunk.length, sizeBytes - received);
  }
  return data.subarray(0, received);
}

/** A damaged copy in the store is removed, and the segment fetched again. */
async function readKept(cache: Store, digest: Digest): Promise<Buffer | undefined> {
  try {
    return await cache.read(digest);
  } catch (error) {
    if (error instanceof PkgError && error.code === 'integrity') return undefined;
    throw error;
  }
}

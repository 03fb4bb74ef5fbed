/** Conversion into packs: small objects pass through here, larger ones stay where they are. */

import { placeByDigest } from '../inspection/list-places.ts';
import { objectKey } from '../objects/layout.ts';
import { readRange, Shortfall } from '../objects/read-range.ts';
import { sendPacks } from '../objects/send-packs.ts';
import type { Entry } from '../package/entry.ts';
import { mapEntries, type Package, packageOf } from '../package/package.ts';
import { MAX_WHOLE_BYTES } from '../packs/packs.ts';
import { PkgError } from '../runtime/errors.ts';
import type { ByteRange, Storage } from '../storage/storage.ts';
import type { Digest } from '../store/digest.ts';
import type { ConvertContext, PlacedPackage } from './conversion.ts';

/** Puts the small objects of a package into packs, unless they are in some, and names their places. */
export async function packObjects(
  { runtime, storage, store, lease }: ConvertContext,
  pkg: Package,
): Promise<PlacedPackage> {
  const small = new Set<string>();
  for (const entry of pkg.entries) {
    const isChunked = entry.hash.type === 'sha2-256-chunked';
    if (isChunked && entry.sizeBytes <= MAX_WHOLE_BYTES && placeByDigest(entry) !== undefined) {
      small.add(entry.logicalKey);
    }
  }
  const isSmall = ({ logicalKey }: { readonly logicalKey: string }) => small.has(logicalKey);
  const part = packageOf(pkg.header, filter(pkg, isSmall));
  const open = (digest: Digest, range: ByteRange) => objectBytes(storage, digest, range);
  const sent = await sendPacks(
    { runtime, registry: storage, cache: store, lease, open },
    part,
    false,
  );
  const entries = mapEntries(pkg.entries, (entry) =>
    isSmall(entry) ? { ...entry, physicalKey: sent.physicalKeyOf(entry) } : entry,
  );
  return { placed: { ...pkg, entries }, objects: sent.uploaded };
}

function* filter({ entries }: Package, isWanted: (entry: Entry) => boolean): Generator<Entry> {
  for (const entry of entries) if (isWanted(entry)) yield entry;
}

async function* objectBytes(
  storage: Storage,
  digest: Digest,
  range: ByteRange,
): AsyncGenerator<Uint8Array> {
  const key = objectKey(digest);
  try {
    yield* readRange(storage, { address: { key }, range, endsThere: true });
  } catch (error) {
    if (!(error instanceof Shortfall)) throw error;
    throw new PkgError('integrity', `${storage.url}/${key} is not there as a list says`, {
      hint: 'Restore it with pkg repair, then convert again.',
    });
  }
}

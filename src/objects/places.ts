/** Where the bytes of an entry may be in a registry. */

import type { Entry } from '../package/entry.ts';
import { statedDigest } from '../package/package.ts';
import { type PackFragment, parsePackFragment } from '../package/physical-key.ts';
import type { PackIndex } from '../packs/pack-index.ts';
import type { PackPlace } from '../packs/packs.ts';
import { MAX_WHOLE_BYTES } from '../packs/packs.ts';
import type { ObjectAddress, Storage } from '../storage/storage.ts';
import { isDigest } from '../store/digest.ts';
import { digestInPhysicalKey, objectKey } from './layout.ts';

/** An object of its own; its bytes in a pack; or in a pack the list of the chunks it is made of. */
export type Place =
  | { readonly kind: 'object'; readonly address: ObjectAddress }
  | ({ readonly kind: 'whole' | 'chunked' } & PackPlace);

/** The place that an entry's physical key names in a pack; undefined for one that cannot be. */
export function placeInPack(entry: Entry): PackFragment | undefined {
  const fragment = parsePackFragment(entry.physicalKey);
  if (fragment === undefined || fragment.sizeBytes > MAX_WHOLE_BYTES) return undefined;
  const isPossible =
    fragment.kind === 'chunked'
      ? statedDigest(entry) !== undefined
      : fragment.sizeBytes === entry.sizeBytes;
  return isPossible ? fragment : undefined;
}

/**
 * Where an entry's bytes may be as an object, likeliest first: under its digest, whatever its physical
 * key says; under the digest in its physical key; where the physical key itself points.
 */
export function objectPlaces(registry: Storage, entry: Entry): readonly Place[] {
  const digests = [statedDigest(entry), digestInPhysicalKey(entry.physicalKey)];
  const keys = new Set(digests.filter((digest) => digest !== undefined).map(objectKey));
  const pointed = registry.addressOf(entry.physicalKey);
  const byDigest = [...keys].map((key) => ({ key }));
  const further = pointed !== undefined && !keys.has(pointed.key) ? [pointed] : [];
  return [...byDigest, ...further].map((address) => ({ kind: 'object', address }));
}

/** Where the index says an entry's bytes are. */
export function indexedPlaces(index: PackIndex, entry: Entry): readonly Place[] {
  const digest = statedDigest(entry);
  const found = digest !== undefined && isDigest(digest) ? index.find(digest) : undefined;
  if (found === undefined) return [];
  return found.kind === 'chunked' || found.sizeBytes === entry.sizeBytes ? [found] : [];
}

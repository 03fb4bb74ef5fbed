/** Lists for a registry: the entries of a package with the physical keys that they have there. */

import { addressOf } from '../inspection/list-places.ts';
import { reliableDigest } from '../inspection/wanted.ts';
import { objectKey } from '../objects/layout.ts';
import type { Entry } from '../package/entry.ts';
import { mapEntries, type Package } from '../package/package.ts';
import { formatPackFragment } from '../package/physical-key.ts';
import type { PackIndex } from '../packs/pack-index.ts';
import type { Storage } from '../storage/storage.ts';

/**
 * The package as a list of `storage` has it: each object under its digest and, where `index` knows it,
 * in a pack. Objects without a known digest keep their key, which `origin` tells.
 */
export function placedIn(
  storage: Storage,
  index: PackIndex | undefined,
  pkg: Package,
  origin: Storage,
): Package {
  const place = (entry: Entry): string => {
    const digest = reliableDigest(entry);
    if (digest !== undefined) {
      const object = storage.physicalKey(objectKey(digest));
      const found = index?.find(digest);
      return found === undefined ? object : `${object}${formatPackFragment(found)}`;
    }
    const address = origin === storage ? undefined : addressOf(origin, entry.physicalKey);
    return address === undefined ? entry.physicalKey : storage.physicalKey(address.key);
  };
  const entries = mapEntries(pkg.entries, (entry) => ({ ...entry, physicalKey: place(entry) }));
  return { ...pkg, entries };
}

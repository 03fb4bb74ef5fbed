/** Traffic: how many bytes come from a registry for some entries, with what is read between neighbours. */
import { placeInPack } from '../objects/places.ts';
import type { Entry } from '../package/entry.ts';
import type { PackPlace } from '../packs/packs.ts';
import { planReads } from '../packs/read-plan.ts';
import type { Digest } from '../store/digest.ts';

/** What is read for one entry. */
export interface Load {
  /** In a pack, if it lies in one as a whole. */
  readonly place: PackPlace | undefined;
  /** The same bytes are read once; undefined where it is not known whether they are the same. */
  readonly digest: Digest | undefined;
  readonly sizeBytes: number;
}

export function loadOf(entry: Entry, digest: Digest | undefined): Load {
  const place = placeInPack(entry);
  const { sizeBytes } = entry;
  return { place: place?.kind === 'whole' ? place : undefined, digest, sizeBytes };
}

/** What is read for all of them, asked for together. */
export function trafficOf(loads: Iterable<Load>): number {
  const seen = new Set<Digest>();
  const packed: (PackPlace & { readonly item: undefined })[] = [];
  let sum = 0;
  for (const { place, digest, sizeBytes } of loads) {
    if (digest !== undefined && seen.has(digest)) continue;
    if (digest !== undefined) seen.add(digest);
    if (place === undefined) sum += sizeBytes;
    else packed.push({ pack: place.pack, offset: place.offset, sizeBytes, item: undefined });
  }
  for (const { start, end } of planReads(packed)) sum += end - start;
  return sum;
}

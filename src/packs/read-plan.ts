/** Which ranges of which packs to read for a number of places: neighbours come in one request. */
import type { Digest } from '../store/digest.ts';
import { type PackPlace, TARGET_PACK_BYTES } from './packs.ts';

/** Bytes between two places that are rather read and dropped than asked for around. */
export const MAX_GAP_BYTES = 64 << 10;

/** A read of this many bytes or more takes in no further place, in bytes. */
export const MAX_READ_BYTES = TARGET_PACK_BYTES;

/** A place, and what the reader wants it for. */
export interface WantedPlace<T> extends PackPlace {
  readonly item: T;
}

/** One range of one pack, its end excluded, with the places in it by offset, then size. */
export interface PackRead<T> {
  readonly pack: Digest;
  readonly start: number;
  readonly end: number;
  readonly items: readonly WantedPlace<T>[];
}

/**
 * The reads that cover all places: each place lies in exactly one; places in one pack with at most
 * MAX_GAP_BYTES between them are read together, up to MAX_READ_BYTES and one place more, so that a
 * pack that is wanted whole is one read. Reads do not overlap where places are equal or disjoint.
 * A read of places without bytes has `start` equal to `end` and needs no request. Packs come in the
 * order in which they are first named, the reads of one pack by `start`.
 */
export function planReads<T>(places: Iterable<WantedPlace<T>>): PackRead<T>[] {
  const byPack = new Map<Digest, WantedPlace<T>[]>();
  for (const place of places) {
    const others = byPack.get(place.pack);
    if (others === undefined) byPack.set(place.pack, [place]);
    else others.push(place);
  }
  return [...byPack.values()].flatMap((ofPack) => [...readsOfPack(ofPack)]);
}

function* readsOfPack<T>(places: WantedPlace<T>[]): Generator<PackRead<T>> {
  places.sort((a, b) => a.offset - b.offset || a.sizeBytes - b.sizeBytes);
  let items: WantedPlace<T>[] = [];
  let [start, end] = [0, 0];
  for (const place of places) {
    const { pack, offset } = place;
    const placeEnd = offset + place.sizeBytes;
    const isNear =
      offset - end <= MAX_GAP_BYTES && (end - start < MAX_READ_BYTES || placeEnd <= end);
    if (items.length > 0 && !isNear) yield { pack, start, end, items };
    if (items.length === 0 || !isNear) [items, start, end] = [[], offset, placeEnd];
    items.push(place);
    end = Math.max(end, placeEnd);
  }
  const [first] = items;
  if (first !== undefined) yield { pack: first.pack, start, end, items };
}

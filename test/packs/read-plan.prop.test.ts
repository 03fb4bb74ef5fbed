/** Plans of reads: every place once, neighbours together, no read too long. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_WHOLE_BYTES, TARGET_PACK_BYTES } from '../../src/packs/packs.ts';
import {
  MAX_GAP_BYTES,
  MAX_READ_BYTES,
  type PackRead,
  planReads,
  type WantedPlace,
} from '../../src/packs/read-plan.ts';
import { digestOf } from '../../src/store/digest.ts';

type Places = WantedPlace<number>[];

const anyPack = fc.nat(3).map((number) => digestOf(String(number)));

const anySize = fc.oneof(fc.nat(100_000), fc.nat(MAX_WHOLE_BYTES));

const numbered = (places: readonly Omit<WantedPlace<number>, 'item'>[]): Places =>
  places.map((place, item) => ({ ...place, item }));

/** Places as packs have them: equal or apart; some of them, some twice, in any order. */
const anyPlaces: fc.Arbitrary<Places> = fc
  .array(
    fc.record({
      pack: anyPack,
      sizeBytes: anySize,
      gap: fc.oneof(fc.constant(0), fc.nat(200_000)),
    }),
    { maxLength: 30 },
  )
  .map((members) => {
    const ends = new Map<string, number>();
    return members.map(({ pack, sizeBytes, gap }) => {
      const offset = (ends.get(pack) ?? 0) + gap;
      ends.set(pack, offset + sizeBytes);
      return { pack, offset, sizeBytes };
    });
  })
  .chain((places) =>
    fc
      .tuple(fc.shuffledSubarray(places), fc.subarray(places))
      .map(([some, again]) => numbered([...some, ...again])),
  );

/** Places as a hostile index may give them. */
const anyOverlapping: fc.Arbitrary<Places> = fc
  .array(fc.record({ pack: anyPack, offset: fc.nat(2 * TARGET_PACK_BYTES), sizeBytes: anySize }))
  .map(numbered);

const itemsOf = (reads: readonly PackRead<number>[]) =>
  reads.flatMap(({ items }) => items).sort((a, b) => a.item - b.item);

const lengthOf = ({ start, end }: PackRead<number>) => end - start;

describe('a plan of reads', () => {
  it('has every place in exactly one read, within its bounds and by offset', () => {
    fc.assert(
      fc.property(fc.oneof(anyPlaces, anyOverlapping), (places) => {
        const reads = planReads(places);
        expect(itemsOf(reads)).toEqual(places);
        for (const { pack, start, end, items } of reads) {
          expect(items.every((place) => place.pack === pack)).toBe(true);
          expect(items.map(({ offset }) => offset)).toEqual(
            items.map(({ offset }) => offset).sort((a, b) => a - b),
          );
          expect(start).toBe(items[0]?.offset);
          expect(end).toBe(Math.max(...items.map((place) => place.offset + place.sizeBytes)));
        }
      }),
    );
  });

  it('reads at most 16 MiB and one place more, and drops at most 64 KiB between two places', () => {
    fc.assert(
      fc.property(fc.oneof(anyPlaces, anyOverlapping), (places) => {
        for (const read of planReads(places)) {
          expect(lengthOf(read)).toBeLessThan(MAX_READ_BYTES + MAX_GAP_BYTES + MAX_WHOLE_BYTES);
          const wanted = read.items.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
          const gaps = (read.items.length - 1) * MAX_GAP_BYTES;
          expect(lengthOf(read) - wanted).toBeLessThanOrEqual(gaps);
        }
      }),
    );
  });

  it('asks for no byte twice, and splits only at wide gaps and after long reads', () => {
    fc.assert(
      fc.property(anyPlaces, (places) => {
        const reads = planReads(places);
        for (const [index, read] of reads.entries()) {
          const before = reads[index - 1];
          if (before?.pack !== read.pack) continue;
          expect(read.start).toBeGreaterThanOrEqual(before.end);
          const isFar = read.start - before.end > MAX_GAP_BYTES;
          expect(isFar || lengthOf(before) >= MAX_READ_BYTES).toBe(true);
        }
      }),
    );
  });

  it('takes a whole pack in one read', () => {
    const pack = digestOf('pack');
    const offsets = Array.from({ length: 33 }, (_, index) => (index * TARGET_PACK_BYTES) / 33);
    const places = offsets.map((offset, item) => ({
      ...{ item, pack, offset: Math.floor(offset), sizeBytes: 500_000 },
    }));
    expect(planReads(places)).toHaveLength(1);
  });

  it('names packs in the order in which they are first wanted', () => {
    fc.assert(
      fc.property(anyPlaces, (places) => {
        const order = new Set(planReads(places).map(({ pack }) => pack));
        expect([...order]).toEqual([...new Set(places.map(({ pack }) => pack))]);
      }),
    );
  });
});

/** The index: what was written is found, and hostile segments are refused. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeIndexSegment } from '../../src/packs/index-segment.ts';
import type { FinishedPack } from '../../src/packs/pack-file.ts';
import { PackIndex } from '../../src/packs/pack-index.ts';
import type { IndexRecord } from '../../src/packs/packs.ts';
import { digestOf } from '../../src/store/digest.ts';
import { anyDamage, anyPacks, damage, inOrder, parseHostile } from './pack-arbitraries.ts';

const recordsOf = (packs: readonly FinishedPack[]) => packs.flatMap(({ members }) => members);

const segmentOf = (packs: readonly FinishedPack[]) => encodeIndexSegment(recordsOf(packs), packs);

/** The answer by definition: of all records of a digest the one in the smallest pack. */
function expectedOf(records: readonly IndexRecord[], digest: string): IndexRecord | undefined {
  const [first] = inOrder(records.filter((record) => record.digest === digest));
  return first;
}

const distinct = (records: readonly IndexRecord[]) =>
  new Map(records.map((record) => [record.digest + record.pack, record])).values();

describe('an index', () => {
  it('has all records and packs of a segment, and finds each digest in its smallest pack', () => {
    fc.assert(
      fc.property(anyPacks, (packs) => {
        const index = new PackIndex();
        index.add(segmentOf(packs), 'one');
        const records = recordsOf(packs);
        expect([...index.records()]).toEqual(inOrder(distinct(records)));
        for (let number = 0; number < 20; number++) {
          const digest = digestOf(`member ${String(number)}`);
          expect(index.find(digest)).toEqual(expectedOf(records, digest));
          expect(index.has(digest)).toBe(index.find(digest) !== undefined);
        }
        for (const { digest, sizeBytes } of packs) {
          expect(index.packSizeBytes(digest)).toBe(sizeBytes);
        }
        expect(new Set(Array.from(index.packs(), ({ digest }) => digest))).toEqual(
          new Set(packs.map(({ digest }) => digest)),
        );
      }),
    );
  });

  it('answers the same from one segment, from one a pack in any order, and from them merged', () => {
    fc.assert(
      fc.property(anyPacks, fc.boolean(), (packs, isReversed) => {
        const together = new PackIndex();
        together.add(segmentOf(packs), 'all');
        const apart = new PackIndex();
        for (const pack of isReversed ? [...packs].reverse() : packs) {
          apart.add(segmentOf([pack]), pack.digest);
        }
        expect(apart.sizeRecords).toBe([...apart.records()].length);
        expect(encodeIndexSegment(apart.records(), apart.packs())).toEqual(segmentOf(packs));
        for (const { digest } of together.records()) {
          expect(apart.find(digest)).toEqual(together.find(digest));
        }
      }),
    );
  });

  it('takes a damaged segment for one whose places all lie in its packs, or refuses it', () => {
    fc.assert(
      fc.property(anyPacks, anyDamage, (packs, harm) => {
        const index = new PackIndex();
        parseHostile(() => index.add(damage(segmentOf(packs), harm), 'hostile'));
        for (const record of index.records()) {
          const packSize = index.packSizeBytes(record.pack) ?? 0;
          expect(record.offset + record.sizeBytes).toBeLessThan(packSize);
          expect(index.has(record.digest)).toBe(true);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

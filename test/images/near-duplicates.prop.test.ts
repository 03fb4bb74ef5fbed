/** groupDuplicates for any pictures in any order. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  groupDuplicates,
  type LookedAt,
  MAX_COLOUR_DIFFERENCE,
  MAX_HASH_DISTANCE,
} from '../../src/images/near-duplicates.ts';
import { colourDifference, hashDistance } from '../../src/images/perceptual-hash.ts';
import { digestOf } from '../../src/store/digest.ts';

const BASES = [1, 2, 3].map((seed) => digestOf(`base ${String(seed)}`));

/** Looks near one of a few bases: some bits of the hash flipped, the colours shifted. */
const look = fc
  .record({
    base: fc.constantFrom(...BASES),
    flips: fc.uniqueArray(fc.nat(255), { maxLength: 24 }),
    level: fc.constantFrom(16, 20, 24, 28, 32),
  })
  .map(({ base, flips, level }) => {
    const bytes = Buffer.from(base, 'hex');
    for (const bit of flips) bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    return { hash: bytes.toString('hex'), colours: Buffer.alloc(192, level).toString('hex') };
  });

const pictures = fc
  .array(look, { maxLength: 25 })
  .map((looks) =>
    looks.map((one, index): LookedAt => ({ ...one, digest: digestOf(`${String(index)} x`) })),
  );

function namesByDigest(list: readonly LookedAt[]): ReadonlyMap<string, string> {
  const names = groupDuplicates(list);
  return new Map(list.map(({ digest }, index) => [digest, names[index] ?? '']));
}

/** Groups by comparing each picture with each, as slowly and plainly as may be. */
function namesOneByOne(list: readonly LookedAt[]): ReadonlyMap<string, string> {
  const names = new Map(list.map(({ digest }) => [digest, digest]));
  for (let changed = true; changed; ) {
    changed = false;
    for (const a of list) {
      for (const b of list) {
        const near =
          hashDistance(a.hash, b.hash) <= MAX_HASH_DISTANCE &&
          colourDifference(a.colours, b.colours) <= MAX_COLOUR_DIFFERENCE;
        const name = names.get(a.digest) ?? '';
        if (!near || name >= (names.get(b.digest) ?? '')) continue;
        names.set(b.digest, name);
        changed = true;
      }
    }
  }
  return names;
}

describe('groupDuplicates', () => {
  it('gives the groups that comparing all with all gives', () => {
    fc.assert(
      fc.property(pictures, (list) => {
        expect(namesByDigest(list)).toEqual(namesOneByOne(list));
      }),
      { numRuns: 300 },
    );
  });

  it('gives the same groups and names in every order', () => {
    const shuffled = pictures.chain((list) =>
      fc.tuple(
        fc.constant(list),
        fc.shuffledSubarray(list, { minLength: list.length, maxLength: list.length }),
      ),
    );
    fc.assert(
      fc.property(shuffled, ([list, other]) => {
        expect(new Map([...namesByDigest(other)].sort())).toEqual(
          new Map([...namesByDigest(list)].sort()),
        );
      }),
    );
  });

  it('keeps those together who are together without the others', () => {
    fc.assert(
      fc.property(pictures, pictures, (list, added) => {
        const more = added.map((one, index) => ({ ...one, digest: digestOf(`+${String(index)}`) }));
        const before = namesByDigest(list);
        const after = namesByDigest([...list, ...more]);
        for (const a of list) {
          for (const b of list) {
            if (before.get(a.digest) !== before.get(b.digest)) continue;
            expect(after.get(a.digest)).toBe(after.get(b.digest));
          }
        }
      }),
    );
  });
});

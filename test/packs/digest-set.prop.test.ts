/** A set of digests is a set. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DigestSet } from '../../src/packs/digest-set.ts';
import { type Digest, digestOf, parseDigest } from '../../src/store/digest.ts';

/** Digests of which many are equal, or nearly. */
const anyDigest: fc.Arbitrary<Digest> = fc.oneof(
  fc.nat(50).map((number) => digestOf(String(number))),
  fc.nat(50).map((number) => parseDigest(number.toString(16).padStart(64, '0'))),
  fc.nat(50).map((number) => parseDigest(number.toString(16).padEnd(64, '0'))),
);

describe('a set of digests', () => {
  it('has what a Set of texts has', () => {
    fc.assert(
      fc.property(fc.array(anyDigest), fc.array(anyDigest), fc.integer(), (added, asked, seed) => {
        const expected = new Set<Digest>();
        const set = new DigestSet(seed);
        for (const digest of added) {
          expect(set.add(digest)).toBe(!expected.has(digest));
          expected.add(digest);
          expect(set.size).toBe(expected.size);
        }
        for (const digest of [...added, ...asked]) {
          expect(set.has(digest)).toBe(expected.has(digest));
        }
      }),
      { numRuns: 300 },
    );
  });
});

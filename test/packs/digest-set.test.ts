/** A set of digests by the hundred thousand. */
import { describe, expect, it } from 'vitest';
import { DigestSet } from '../../src/packs/digest-set.ts';
import { digestOf, parseDigest } from '../../src/store/digest.ts';

describe('a set of digests', () => {
  it('keeps each of 100,000 through its growth', () => {
    const set = new DigestSet();
    const digests = Array.from({ length: 100_000 }, (_, number) => digestOf(String(number)));
    expect(digests.every((digest) => set.add(digest))).toBe(true);
    expect(digests.some((digest) => set.add(digest))).toBe(false);
    expect(digests.every((digest) => set.has(digest))).toBe(true);
    expect(set.has(digestOf('another'))).toBe(false);
    expect(set.size).toBe(100_000);
  });

  it('spreads digests that differ in their last digits only', () => {
    const set = new DigestSet(7);
    for (let number = 0; number < 50_000; number++) {
      set.add(parseDigest(number.toString(16).padStart(64, '0')));
    }
    expect(set.size).toBe(50_000);
  });

  it('holds 250,000 in under 15 MB', () => {
    const before = process.memoryUsage().arrayBuffers;
    const set = new DigestSet();
    for (let number = 0; number < 250_000; number++) {
      set.add(parseDigest(number.toString(16).padStart(64, '0')));
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(15e6);
    expect(set.has(parseDigest('0'.repeat(64)))).toBe(true);
  });
});

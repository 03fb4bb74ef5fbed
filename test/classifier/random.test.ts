/** Seeded randomness: known numbers, streams that differ, and even spread. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRandom, shuffledIndices, streamKey } from '../../src/classifier/random.ts';

/** Made by another program of the same description, in Python. */
const KNOWN = [
  {
    seed: 42,
    purpose: ['shuffle', 1],
    draws: [392916457, 561005504, 2309776380, 3398105885],
    key: 2728030079696065579n,
  },
  {
    seed: 0,
    purpose: ['initial weights', 0],
    draws: [1729234519, 2190284368, 1312605536, 3457216055],
    key: 13791829329011207216n,
  },
  {
    seed: Number.MAX_SAFE_INTEGER,
    purpose: ['augment', 3, 17],
    draws: [2190936647, 4092746524, 320656129, 2985607466],
    key: 9785870330702781551n,
  },
];

const take = (count: number, seed: number, purpose: readonly (string | number)[]): number[] => {
  const random = createRandom(seed, purpose);
  return Array.from({ length: count }, random);
};

describe('a stream of random numbers', () => {
  it.each(KNOWN)('of seed $seed and purpose $purpose is known', ({ seed, purpose, draws, key }) => {
    expect(take(4, seed, purpose).map((value) => value * 2 ** 32)).toEqual(draws);
    expect(streamKey(seed, purpose)).toBe(key);
  });

  it('is another one for each seed and each purpose', () => {
    const streams = [
      ...[0, 1, 2, 42].map((seed) => take(8, seed, ['shuffle', 1])),
      ...[2, 3, 12].map((epoch) => take(8, 42, ['shuffle', epoch])),
      ...[1, 2].map((epoch) => take(8, 42, ['augment', epoch, 1])),
      take(8, 42, ['shuffle']),
      take(8, 4, ['2shuffle', 1]),
    ];
    const all = streams.flat();
    expect(new Set(all).size).toBe(all.length);
  });

  it('lies in [0, 1) and fills it evenly', () => {
    const buckets = 64;
    const draws = 100_000;
    for (const [seed, purpose] of [
      [1, 'a'],
      [2, 'a'],
      [2, 'b'],
    ] as const) {
      const counts = new Array<number>(buckets).fill(0);
      const values = take(draws, seed, [purpose]);
      expect(values.every((value) => value >= 0 && value < 1)).toBe(true);
      for (const value of values) {
        const bucket = Math.floor(value * buckets);
        counts[bucket] = (counts[bucket] ?? NaN) + 1;
      }
      const even = draws / buckets;
      const chiSquare = counts.reduce((sum, count) => sum + (count - even) ** 2 / even, 0);
      // 63 degrees of freedom: 30 to 110 holds for all but one stream in some thousand.
      expect(chiSquare).toBeGreaterThan(30);
      expect(chiSquare).toBeLessThan(110);
    }
  });

  it('has neighbours that do not go with each other', () => {
    const values = take(100_000, 7, ['neighbours']).map((value) => value - 0.5);
    const products = values.slice(1).map((value, index) => value * (values[index] ?? NaN));
    const correlation = products.reduce((sum, one) => sum + one, 0) / products.length / (1 / 12);
    expect(Math.abs(correlation)).toBeLessThan(0.015);
  });
});

describe('shuffledIndices', () => {
  it('has each number once, whatever the stream gives', () => {
    const draw = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    const draws = fc.array(draw, { minLength: 1, maxLength: 50 });
    fc.assert(
      fc.property(fc.nat(300), draws, (count, given) => {
        let taken = 0;
        const random = () => given[taken++ % given.length] ?? NaN;
        const indices = shuffledIndices(random, count);
        expect([...indices].sort((a, b) => a - b)).toEqual([...Array(count).keys()]);
      }),
    );
  });

  it('is a known order for a known stream', () => {
    const order = shuffledIndices(createRandom(42, ['shuffle', 1]), 10);
    expect([...order]).toEqual([6, 7, 8, 2, 3, 9, 5, 4, 1, 0]);
  });

  it('gives each order as often as any other', () => {
    const counts = new Map<string, number>();
    const random = createRandom(3, ['orders']);
    for (let round = 0; round < 24_000; round += 1) {
      const order = shuffledIndices(random, 4).join('');
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(24);
    expect(Math.min(...counts.values())).toBeGreaterThan(850);
    expect(Math.max(...counts.values())).toBeLessThan(1150);
  });
});

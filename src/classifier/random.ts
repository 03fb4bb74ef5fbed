/** Seeded randomness: a stream of numbers for each purpose, the same on every machine. */
import { createHash } from 'node:crypto';

/** What a stream is for, and which of its kind: `['shuffle', epoch]`. */
export type Purpose = readonly (string | number)[];

/** Draws from [0, 1), 32 bits each. */
export type Random = () => number;

/**
 * The stream of a seed and a purpose; streams of different purposes are independent. The generator is
 * sfc32 (PractRand), started with the first 16 bytes of SHA-256 of `seed/purpose/...`.
 */
export function createRandom(seed: number, purpose: Purpose): Random {
  const digest = hashOf(seed, purpose);
  let a = digest.readInt32LE(0);
  let b = digest.readInt32LE(4);
  let c = digest.readInt32LE(8);
  let counter = digest.readInt32LE(12);
  return () => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + sum) | 0;
    return (sum >>> 0) / 2 ** 32;
  };
}

/** The key of 64 bits that a kernel draws a purpose's numbers from. */
export function streamKey(seed: number, purpose: Purpose): bigint {
  return hashOf(seed, purpose).readBigUInt64LE(0);
}

/** The numbers 0 to count - 1 in random order (Fisher and Yates, from the end). */
export function shuffledIndices(random: Random, count: number): Uint32Array {
  const indices = Uint32Array.from({ length: count }, (_, index) => index);
  for (let last = count - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    const kept = indices[last] ?? 0;
    indices[last] = indices[other] ?? 0;
    indices[other] = kept;
  }
  return indices;
}

function hashOf(seed: number, purpose: Purpose): Buffer {
  return createHash('sha256')
    .update([seed, ...purpose].join('/'))
    .digest();
}

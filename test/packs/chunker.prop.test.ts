/** Cuts depend on the bytes alone, not on how they come. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_CHUNK_BYTES, MIN_CHUNK_BYTES } from '../../src/packs/chunker.ts';
import { chunksOf, pseudoRandom } from './pseudo-random.ts';

/** Random bytes with runs of one byte between them. */
const anyBytes = fc
  .array(fc.record({ size: fc.nat(800_000), seed: fc.nat(255), isPlain: fc.boolean() }), {
    maxLength: 4,
  })
  .map((parts) =>
    Buffer.concat(
      parts.map(({ size, seed, isPlain }) =>
        isPlain ? Buffer.alloc(size, seed) : pseudoRandom(size, seed),
      ),
    ),
  );

const anyLengths = fc.oneof(
  fc.array(fc.integer({ min: 1, max: 200_000 }), { minLength: 1, maxLength: 8 }),
  fc.constantFrom([1, MIN_CHUNK_BYTES - 32, 31, 1], [MIN_CHUNK_BYTES, 0, 7], [MAX_CHUNK_BYTES]),
);

describe('chunks', () => {
  it('are the same however the bytes come, and make up the bytes', async () => {
    await fc.assert(
      fc.asyncProperty(anyBytes, anyLengths, async (bytes, lengths) => {
        const chunks = await chunksOf(bytes, lengths);
        const whole = await chunksOf(bytes, [bytes.length]);
        expect(chunks.map(({ length }) => length)).toEqual(whole.map(({ length }) => length));
        expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
      }),
    );
  });

  it('are of 32 to 512 KiB, but for the last', async () => {
    await fc.assert(
      fc.asyncProperty(anyBytes, async (bytes) => {
        const chunks = await chunksOf(bytes, [65_536]);
        for (const { length } of chunks.slice(0, -1)) {
          expect(length).toBeGreaterThanOrEqual(MIN_CHUNK_BYTES);
        }
        for (const { length } of chunks) expect(length).toBeLessThanOrEqual(MAX_CHUNK_BYTES);
        expect(chunks.at(-1)?.length).not.toBe(0);
      }),
    );
  });
});

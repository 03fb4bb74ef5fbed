/** Chunk lists: what is written is read again, and hostile lists are refused. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  encodeChunkList,
  MAX_CHUNKED_FILE_BYTES,
  parseChunkList,
} from '../../src/packs/chunk-list.ts';
import { MAX_CHUNK_BYTES, MIN_CHUNK_BYTES } from '../../src/packs/chunker.ts';
import { MAX_WHOLE_BYTES } from '../../src/packs/packs.ts';
import { digestOf } from '../../src/store/digest.ts';
import { anyDamage, damage, parseHostile } from './pack-arbitraries.ts';

const anyChunks = fc.array(
  fc.record({
    digest: fc.nat(20).map((number) => digestOf(String(number))),
    sizeBytes: fc.integer({ min: 1, max: MAX_CHUNK_BYTES }),
  }),
  { minLength: 1, maxLength: 30 },
);

const sizeOf = (chunks: readonly { readonly sizeBytes: number }[]) =>
  chunks.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);

describe('a chunk list', () => {
  it('reads back as the chunks it is of', () => {
    fc.assert(
      fc.property(anyChunks, (chunks) => {
        expect(parseChunkList(encodeChunkList(chunks), sizeOf(chunks))).toEqual(chunks);
      }),
    );
  });

  it('is magic, count and rows as docs/format.md says', () => {
    const list = encodeChunkList([{ digest: digestOf('a'), sizeBytes: 258 }]);
    const head = `${Buffer.from('PKGCHNK1').toString('hex')}01000000`;
    expect(list.toString('hex')).toBe(`${head}${digestOf('a')}02010000`);
  });

  it('of another file, with a size of zero or over 512 KiB, or of no known form is refused', () => {
    const chunk = { digest: digestOf('a'), sizeBytes: 5 };
    const list = encodeChunkList([chunk]);
    expect(() => parseChunkList(list, 6)).toThrow('its chunks have 5');
    expect(() => parseChunkList(list.subarray(1), 5)).toThrow('PKGCHNK1');
    expect(() => parseChunkList(list.subarray(0, -1), 5)).toThrow('do not hold 1 chunks');
    for (const sizeBytes of [0, MAX_CHUNK_BYTES + 1]) {
      const wrong = encodeChunkList([{ ...chunk, sizeBytes }]);
      expect(() => parseChunkList(wrong, sizeBytes)).toThrow('cannot have');
    }
  });

  it('of the largest file, cut in the smallest chunks, fits in a pack', () => {
    const chunk = { digest: digestOf('a'), sizeBytes: MIN_CHUNK_BYTES };
    const length = MAX_CHUNKED_FILE_BYTES / MIN_CHUNK_BYTES + 1;
    const chunks = Array.from({ length }, () => chunk);
    const list = encodeChunkList(chunks);
    expect(list.length).toBeLessThanOrEqual(MAX_WHOLE_BYTES);
    expect(parseChunkList(list, sizeOf(chunks))).toHaveLength(chunks.length);
    expect(() => encodeChunkList([...chunks, chunk])).toThrow('fits in a pack');
  });

  it('that is damaged is refused, or still adds up', () => {
    fc.assert(
      fc.property(anyChunks, anyDamage, (chunks, harm) => {
        const bytes = damage(encodeChunkList(chunks), harm);
        const found = parseHostile(() => parseChunkList(bytes, sizeOf(chunks)));
        if (found !== undefined) expect(sizeOf(found)).toBe(sizeOf(chunks));
      }),
      { numRuns: 1000 },
    );
  });
});

/** How many chunks there are, which ones stay, and that cuts never change. */
import { describe, expect, it } from 'vitest';
import { DigestSet } from '../../src/packs/digest-set.ts';
import { digestOf } from '../../src/store/digest.ts';
import { chunksOf, pseudoRandom } from './pseudo-random.ts';

const cut = (bytes: Buffer) => chunksOf(bytes, [1 << 20]);

/** The cut by definition: where the hash of the last 32 bytes begins with 19, later 15, zeros. */
function firstCut(bytes: Buffer): number {
  const gear = Array.from({ length: 256 }, (_, byte) =>
    Buffer.from(digestOf(`pkg gear ${String(byte)}`), 'hex').readUInt32LE(),
  );
  for (let length = 32 << 10; length < Math.min(bytes.length, 512 << 10); length++) {
    let hash = 0n;
    for (const byte of bytes.subarray(length - 32, length)) {
      hash = BigInt.asUintN(32, hash * 2n + BigInt(gear[byte]!));
    }
    if (hash >> (length < 104 << 10 ? 13n : 17n) === 0n) return length;
  }
  return Math.min(bytes.length, 512 << 10);
}

describe('chunks', () => {
  it('end where the paper and the gear table say', async () => {
    const bytes = pseudoRandom(1 << 20, 3);
    let from = 0;
    for (const { length } of (await cut(bytes)).slice(0, 3)) {
      expect(length).toBe(firstCut(bytes.subarray(from)));
      from += length;
    }
  });

  it('are none of no bytes', async () => {
    expect(await cut(Buffer.alloc(0))).toEqual([]);
  });

  it('are 128 KiB on average, and an insertion of 1 KB changes few of them', async () => {
    const bytes = pseudoRandom(64 << 20);
    const chunks = await cut(bytes);
    const averageKib = bytes.length / chunks.length / 1024;
    expect(averageKib).toBeGreaterThan(112);
    expect(averageKib).toBeLessThan(144);

    const known = new DigestSet();
    for (const chunk of chunks) known.add(digestOf(chunk));
    const sent: number[] = [];
    for (let number = 0; number < 10; number++) {
      const place = Math.floor(((number + 0.37) * bytes.length) / 10);
      const inserted = pseudoRandom(1000, 100 + number);
      const changed = [bytes.subarray(0, place), inserted, bytes.subarray(place)];
      const added = (await cut(Buffer.concat(changed))).filter(
        (chunk) => !known.has(digestOf(chunk)),
      );
      sent.push(added.reduce((sum, { length }) => sum + length, 0));
    }
    expect(Math.max(...sent)).toBeLessThan(600_000);
    expect(sent.reduce((sum, bytesSent) => sum + bytesSent, 0) / sent.length).toBeLessThan(300_000);
  });

  it('are what they were for everyone before', async () => {
    const chunks = await cut(pseudoRandom(4 << 20, 1));
    const lengths = chunks.map(({ length }) => length);
    expect(lengths.slice(0, 6)).toEqual([111580, 202118, 158686, 194351, 113174, 113886]);
    expect(lengths).toHaveLength(33);
  });
});

/** Bytes that look random and are the same everywhere, and the chunks of bytes. */
import { createCipheriv } from 'node:crypto';
import { cutChunks } from '../../src/packs/chunker.ts';

/** AES-128 in counter mode under a key of the seed. */
export function pseudoRandom(sizeBytes: number, seed = 0): Buffer {
  const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16, seed), Buffer.alloc(16));
  return cipher.update(Buffer.alloc(sizeBytes));
}

/** Bytes in pieces of these lengths, over and over. */
async function* inPieces(bytes: Buffer, lengths: readonly number[]): AsyncGenerator<Uint8Array> {
  let from = 0;
  for (let index = 0; from < bytes.length; index++) {
    const to = from + (lengths[index % lengths.length] ?? bytes.length);
    yield await Promise.resolve(bytes.subarray(from, to));
    from = to;
  }
}

/** The chunks of bytes that come in pieces of these lengths. */
export async function chunksOf(bytes: Buffer, lengths: readonly number[]): Promise<Buffer[]> {
  const chunks: Buffer[] = [];
  for await (const chunk of cutChunks(inPieces(bytes, lengths))) chunks.push(chunk);
  return chunks;
}

/**
 * A chunk list: the chunks that make up a large file, in order.
 *
 * | bytes | what |
 * |---|---|
 * | 8 | `PKGCHNK1` |
 * | 4 | number of chunks (u32) |
 * | 36 each | a chunk: digest (32), length in bytes (u32) |
 *
 * Numbers are little-endian. The list lies in a pack as a `chunked` member under the digest of the
 * whole file; the chunks lie in packs as `whole` members under their own.
 */
import { invariant } from '../runtime/errors.ts';
import type { Descriptor } from '../store/digest.ts';
import { MAX_CHUNK_BYTES, MIN_CHUNK_BYTES } from './chunker.ts';
import { bufferOf, DIGEST_BYTES, damaged, digestAt, MAX_WHOLE_BYTES } from './packs.ts';

/** A chunk of a file: its SHA-256 and its size in bytes. */
export type Chunk = Descriptor;

const MAGIC = 'PKGCHNK1';
const HEAD_BYTES = MAGIC.length + 4;
const ROW_BYTES = DIGEST_BYTES + 4;
const MAX_CHUNKS = Math.floor((MAX_WHOLE_BYTES - HEAD_BYTES) / ROW_BYTES);

/** Files up to this size, in bytes, have a chunk list that fits in a pack, however they are cut. */
export const MAX_CHUNKED_FILE_BYTES = (MAX_CHUNKS - 1) * MIN_CHUNK_BYTES;

/** The list of chunks as `cutChunks` cuts them from a file of at most MAX_CHUNKED_FILE_BYTES. */
export function encodeChunkList(chunks: readonly Chunk[]): Buffer {
  invariant(chunks.length > 0 && chunks.length <= MAX_CHUNKS, 'a chunk list fits in a pack');
  const list = Buffer.allocUnsafe(HEAD_BYTES + chunks.length * ROW_BYTES);
  list.write(MAGIC, 'latin1');
  let at = list.writeUInt32LE(chunks.length, MAGIC.length);
  for (const { digest, sizeBytes } of chunks) {
    list.write(digest, at, 'hex');
    at = list.writeUInt32LE(sizeBytes, at + DIGEST_BYTES);
  }
  return list;
}

/**
 * The chunks of a file of `fileBytes` bytes, in order. Throws an integrity error where the list is
 * malformed or its lengths do not add up to the file's.
 */
export function parseChunkList(data: Uint8Array, fileBytes: number): Chunk[] {
  const what = `the chunk list of a file of ${String(fileBytes)} bytes`;
  const list = bufferOf(data);
  if (list.length < HEAD_BYTES || list.toString('latin1', 0, MAGIC.length) !== MAGIC) {
    throw damaged(what, `it does not begin with ${MAGIC}`);
  }
  const count = list.readUInt32LE(MAGIC.length);
  if (count > MAX_CHUNKS || list.length !== HEAD_BYTES + count * ROW_BYTES) {
    throw damaged(what, `${String(list.length)} bytes do not hold ${String(count)} chunks`);
  }
  const chunks: Chunk[] = [];
  let total = 0;
  for (let at = HEAD_BYTES; at < list.length; at += ROW_BYTES) {
    const chunk = { digest: digestAt(list, at), sizeBytes: list.readUInt32LE(at + DIGEST_BYTES) };
    if (chunk.sizeBytes === 0 || chunk.sizeBytes > MAX_CHUNK_BYTES) {
      throw damaged(what, `chunk ${chunk.digest} cannot have ${String(chunk.sizeBytes)} bytes`);
    }
    chunks.push(chunk);
    total += chunk.sizeBytes;
  }
  if (total !== fileBytes) throw damaged(what, `its chunks have ${String(total)}`);
  return chunks;
}

/**
 * Content-defined chunks: where a file is cut depends on the bytes near the cut alone, so that an
 * insertion changes the chunks around it and no others.
 *
 * FastCDC (Xia et al., "FastCDC: a Fast and Efficient Content-Defined Chunking Approach for Data
 * Deduplication", USENIX ATC 2016): a gear hash, no cuts below a minimum, and normalized chunking, by
 * which a cut is harder to meet before the normal size and easier after it. Unlike there, the hash
 * runs over the 32 bytes before the minimum too, so each judged hash is of exactly the last 32 bytes.
 */
import { createHash } from 'node:crypto';

/** No chunk but the last is smaller, in bytes. */
export const MIN_CHUNK_BYTES = 32 << 10;

/** No chunk is larger, in bytes. */
export const MAX_CHUNK_BYTES = 512 << 10;

/** From this size on a cut is easier to meet. Chunks of random bytes have about 128 KiB on average. */
const NORMAL_CHUNK_BYTES = 104 << 10;

/** A byte leaves the 32-bit hash after so many more. */
const WINDOW_BYTES = 32;

/** A cut is where the hash's highest 19 bits, and from the normal size on its highest 15, are zero. */
const HARD_MASK = 0xffffe000 | 0;
const EASY_MASK = 0xfffe0000 | 0;

/** The hash's summand for each byte: the first 32 bits, little-endian, of SHA-256 of `pkg gear <i>`. */
const GEAR = Int32Array.from({ length: 256 }, (_, index) =>
  createHash('sha256')
    .update(`pkg gear ${String(index)}`)
    .digest()
    .readInt32LE(),
);

/** Cuts bytes in chunks, which are the same however the bytes come; no chunk is empty. */
export async function* cutChunks(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  const cutter = new Cutter();
  const chunk = Buffer.allocUnsafeSlow(MAX_CHUNK_BYTES);
  let filled = 0;
  for await (const piece of bytes) {
    let from = 0;
    while (from < piece.length) {
      const to = cutter.scan(piece, from);
      chunk.set(piece.subarray(from, to), filled);
      filled += to - from;
      from = to;
      if (!cutter.isAtCut) continue;
      yield Buffer.from(chunk.subarray(0, filled));
      filled = 0;
    }
  }
  if (filled > 0) yield Buffer.from(chunk.subarray(0, filled));
}

/** The state between two pieces: how much of a chunk has gone by, and the hash of its last bytes. */
class Cutter {
  #length = 0;
  #hash = 0;
  #isAtCut = false;

  /** Whether a chunk ends where the last scan ended. */
  get isAtCut(): boolean {
    return this.#isAtCut;
  }

  /** Goes on from `from` to the end of the chunk or of the piece, and says where that is. */
  scan(piece: Uint8Array, from: number): number {
    if (this.#isAtCut) [this.#length, this.#hash] = [0, 0];
    let at = from + this.#left(piece, from, MIN_CHUNK_BYTES - WINDOW_BYTES);
    this.#length += at - from;
    at = this.#roll(piece, at);
    this.#isAtCut = false;
    at = this.#find(piece, at, NORMAL_CHUNK_BYTES - 1, HARD_MASK);
    return this.isAtCut ? at : this.#find(piece, at, MAX_CHUNK_BYTES, EASY_MASK);
  }

  /** How many bytes of the piece are still to come until the chunk has `length`. */
  #left(piece: Uint8Array, from: number, length: number): number {
    return Math.max(0, Math.min(length - this.#length, piece.length - from));
  }

  /** Takes the bytes in that only fill the hash, up to the one before the first that is judged. */
  #roll(piece: Uint8Array, from: number): number {
    const end = from + this.#left(piece, from, MIN_CHUNK_BYTES - 1);
    let hash = this.#hash;
    for (let at = from; at < end; at++) hash = (hash << 1) + (GEAR[piece[at] ?? 0] ?? 0);
    this.#hash = hash | 0;
    this.#length += end - from;
    return end;
  }

  /** Takes bytes in until a hash has only zeros under the mask or the chunk has a length. */
  #find(piece: Uint8Array, from: number, length: number, mask: number): number {
    const end = from + this.#left(piece, from, length);
    let hash = this.#hash;
    let at = from;
    let isCut = false;
    while (at < end && !isCut) {
      hash = ((hash << 1) + (GEAR[piece[at] ?? 0] ?? 0)) | 0;
      at += 1;
      isCut = (hash & mask) === 0;
    }
    this.#hash = hash;
    this.#length += at - from;
    this.#isAtCut = isCut || this.#length === MAX_CHUNK_BYTES;
    return at;
  }
}

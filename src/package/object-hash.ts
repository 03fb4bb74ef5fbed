/** The hash types of Quilt's entries, computed while bytes stream by. */
import { createHash, type Hash } from 'node:crypto';
import { type Descriptor, type Digest, finishDigest, hashWhile } from '../store/digest.ts';
import { Crc64Nvme } from './crc64.ts';

export const HASH_TYPES = ['sha2-256-chunked', 'SHA256', 'CRC64NVME'] as const;
export type HashType = (typeof HASH_TYPES)[number];

/** An entry's hash as it stands in a package; the type may be one that this version cannot check. */
export interface ObjectHash {
  readonly type: string;
  readonly value: string;
}

/** S3's part size for composite checksums, as quilt3 chooses it. */
export const MIN_CHUNK_BYTES = 8 * 2 ** 20;
const MAX_CHUNKS = 10_000;

/** The chunk size for a file: 8 MiB, doubled until there are at most 10,000 chunks. */
export function chunkSizeBytes(sizeBytes: number): number {
  let chunk = MIN_CHUNK_BYTES;
  while (Math.ceil(sizeBytes / chunk) > MAX_CHUNKS) chunk *= 2;
  return chunk;
}

export interface ObjectHasher {
  update(chunk: Uint8Array): void;
  /** The hash as text, to compare with an entry's value. */
  finish(): string;
}

export function isKnownHashType(type: string): type is HashType {
  return HASH_TYPES.some((known) => known === type);
}

/** A hasher for an object whose size is known beforehand, since it decides the chunks. */
export function createObjectHasher(type: HashType, sizeBytes: number): ObjectHasher {
  switch (type) {
    case 'sha2-256-chunked':
      return new ChunkedSha256(chunkSizeBytes(sizeBytes));
    case 'SHA256': {
      const hash = createHash('sha256');
      return { update: (chunk) => hash.update(chunk), finish: () => hash.digest('hex') };
    }
    case 'CRC64NVME':
      return new Crc64Nvme();
  }
}

/** What some bytes are, by both hashes that an entry states. */
export interface Content extends Descriptor {
  /** The `sha2-256-chunked` value. */
  readonly chunkedHash: string;
}

/**
 * Hashes bytes in one pass; `sizeBytes`, expected beforehand, decides the chunks. The size that is
 * returned is that of the bytes: where it is another than expected, so are the chunks.
 */
export async function describeContent(
  bytes: AsyncIterable<Uint8Array>,
  sizeBytes: number,
): Promise<Content> {
  const plain = createHash('sha256');
  const chunked = new ChunkedSha256(chunkSizeBytes(sizeBytes));
  const isOneChunk = sizeBytes <= MIN_CHUNK_BYTES;
  let received = 0;
  for await (const chunk of hashWhile(bytes, plain)) {
    if (!isOneChunk) chunked.update(chunk);
    received += chunk.length;
  }
  const digest = finishDigest(plain);
  const short = isOneChunk ? chunkedFromDigest(digest, received) : undefined;
  return { digest, sizeBytes: received, chunkedHash: short ?? chunked.finish() };
}

/**
 * The `sha2-256-chunked` value of an object of at most one chunk, from its plain SHA-256: the hash of
 * that hash; of nothing, for an empty one.
 */
export function chunkedFromDigest(digest: Digest, sizeBytes: number): string | undefined {
  if (sizeBytes > MIN_CHUNK_BYTES) return undefined;
  const outer = createHash('sha256');
  if (sizeBytes > 0) outer.update(Buffer.from(digest, 'hex'));
  return outer.digest('base64');
}

/** SHA-256 over the SHA-256 of each chunk, in base64. */
class ChunkedSha256 implements ObjectHasher {
  readonly #chunkBytes: number;
  readonly #outer = createHash('sha256');
  #inner: Hash | undefined;
  #filled = 0;

  constructor(chunkBytes: number) {
    this.#chunkBytes = chunkBytes;
  }

  update(data: Uint8Array): void {
    let rest = data;
    while (rest.length > 0) {
      this.#inner ??= createHash('sha256');
      const part = rest.subarray(0, this.#chunkBytes - this.#filled);
      this.#inner.update(part);
      this.#filled += part.length;
      rest = rest.subarray(part.length);
      if (this.#filled === this.#chunkBytes) this.#closeChunk();
    }
  }

  finish(): string {
    this.#closeChunk();
    return this.#outer.digest('base64');
  }

  #closeChunk(): void {
    if (this.#inner !== undefined) this.#outer.update(this.#inner.digest());
    this.#inner = undefined;
    this.#filled = 0;
  }
}

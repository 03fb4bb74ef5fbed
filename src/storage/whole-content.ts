/** Small content of storage, in memory as a whole. */
import { describeContent } from '../package/object-hash.ts';
import { PkgError } from '../runtime/errors.ts';
import { streamOf } from '../store/digest.ts';
import type { Upload } from './storage.ts';

/** Bytes in memory as what is written, in one request. */
export async function uploadOf(data: Buffer): Promise<Upload> {
  return {
    ...(await describeContent(streamOf(data), data.length)),
    inOneRequest: true,
    open: ({ start, end }) => streamOf(data.subarray(start, end)),
  };
}

/**
 * Small content as a whole.
 * @throws PkgError `integrity` where there is more than it may be.
 */
export async function readBounded(
  bytes: AsyncIterable<Uint8Array>,
  maxBytes: number,
): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let received = 0;
  for await (const chunk of bytes) {
    received += chunk.length;
    if (received > maxBytes) {
      throw new PkgError('integrity', `a file of the registry is over ${String(maxBytes)} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

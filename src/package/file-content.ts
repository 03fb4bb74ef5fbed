/** Files as content: small ones are read and hashed in one go, larger ones as a stream. */
import { PkgError } from '../runtime/errors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { digestOf, fileBytes, readAtOnce } from '../store/digest.ts';
import { type Content, chunkedFromDigest, describeContent } from './object-hash.ts';

/** Up to this size, a stream of a file costs several times as much as reading and hashing it. */
export const SMALL_FILE_BYTES = 1 << 20;

/**
 * What a file's bytes are, by both hashes.
 * @throws PkgError `unreachable` where they are not the `sizeBytes` that the file had before.
 */
export async function describeFileContent(
  runtime: Runtime,
  path: string,
  sizeBytes: number,
): Promise<Content> {
  const content =
    sizeBytes > SMALL_FILE_BYTES
      ? await describeContent(fileBytes(path, runtime.signal), sizeBytes)
      : describeSmall(readSmallFile(path, sizeBytes, runtime.signal));
  if (content.sizeBytes === sizeBytes) return content;
  throw new PkgError('unreachable', `${path} changed while it was read`, {
    hint: 'Let whatever writes it finish, then run the command again.',
  });
}

/** What bytes of at most 8 MiB are, by both hashes. */
export function describeSmall(bytes: Uint8Array): Content {
  const digest = digestOf(bytes);
  const chunkedHash = chunkedFromDigest(digest, bytes.length);
  if (chunkedHash === undefined) throw new Error('invariant broken: bytes of more than one chunk');
  return { digest, sizeBytes: bytes.length, chunkedHash };
}

/**
 * The bytes of a file that should have `sizeBytes`: one more where it has grown, fewer where it has
 * shrunk. Errors are those of the system.
 */
export function readSmallFile(path: string, sizeBytes: number, signal: AbortSignal): Buffer {
  signal.throwIfAborted();
  return readAtOnce(path, 0, sizeBytes + 1);
}

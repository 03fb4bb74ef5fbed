/** Reading parts of a large object: its bytes are checked once, then read from any position. */
import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { invariant, storageError, systemErrorCode } from '../runtime/errors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { type Descriptor, type Digest, finishDigest } from './digest.ts';
import type { Store } from './store.ts';

/** Bytes that are hashed at once. */
const CHUNK_BYTES = 1 << 20;

/** An open file; reads may go on side by side. */
export interface PositionalReader {
  /** Fills `into` with the bytes from `position` on; throws a plain Error where they are fewer. */
  read(into: Uint8Array, position: number): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens an object for reading at any position. It is hashed first, through the same handle, so what is
 * read later is what was checked.
 * @throws PkgError `integrity` where it is absent or is not what the digest says.
 */
export async function openObject(
  runtime: Runtime,
  store: Store,
  descriptor: Descriptor,
): Promise<PositionalReader> {
  const file = await openFile(store, descriptor.digest);
  try {
    if (!(await isWhole(runtime, file, descriptor))) {
      throw await store.removeDamaged(descriptor.digest);
    }
  } catch (error) {
    await file.close();
    throw storageError(error, `cannot read the store ${store.root}`);
  }
  return {
    async read(into, position) {
      const found = await readFully(file, into, position);
      invariant(found === into.length, `${String(into.length)} bytes at ${String(position)}`);
    },
    close: () => file.close(),
  };
}

async function openFile(store: Store, digest: Digest): Promise<FileHandle> {
  try {
    return await open(store.path(digest), 'r');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') throw store.missing(digest);
    throw storageError(error, `cannot read the store ${store.root}`);
  }
}

async function isWhole(
  { signal }: Runtime,
  file: FileHandle,
  { digest, sizeBytes }: Descriptor,
): Promise<boolean> {
  if ((await file.stat()).size !== sizeBytes) return false;
  const hash = createHash('sha256');
  const chunk = Buffer.alloc(Math.min(CHUNK_BYTES, sizeBytes));
  for (let position = 0; position < sizeBytes; position += chunk.length) {
    signal.throwIfAborted();
    const found = await readFully(file, chunk, position);
    hash.update(chunk.subarray(0, found));
  }
  return finishDigest(hash) === digest;
}

/** Reads until `into` is full or the file ends, and returns how many bytes there were. */
async function readFully(file: FileHandle, into: Uint8Array, position: number): Promise<number> {
  let filled = 0;
  while (filled < into.length) {
    const left = into.length - filled;
    const { bytesRead } = await file.read(into, filled, left, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return filled;
}

/** The bytes of a registry's files, as they are listed: whole, or hashed while they stream by. */
import { createHash } from 'node:crypto';
import { readRange, Shortfall } from '../objects/read-range.ts';
import type { Entry } from '../package/entry.ts';
import { hasherFor } from '../package/verify.ts';
import { PkgError } from '../runtime/errors.ts';
import type { ObjectAddress, Storage } from '../storage/storage.ts';
import { type Digest, finishDigest, hashWhile } from '../store/digest.ts';

/** A file with the size that it was listed with, in bytes. */
export interface SizedAddress extends ObjectAddress {
  readonly sizeBytes: number;
}

/**
 * A file's bytes, not checked.
 * @throws Shortfall where it is gone or has another size by now.
 */
export function storedBytes(
  storage: Storage,
  { key, versionId, sizeBytes }: SizedAddress,
): AsyncGenerator<Uint8Array> {
  const range = { start: 0, end: sizeBytes };
  return readRange(storage, { address: { key, versionId }, range, endsThere: true });
}

/** A file as a whole; undefined where it is gone or has another size by now. */
export async function readStored(
  storage: Storage,
  address: SizedAddress,
): Promise<Buffer | undefined> {
  return await unlessShort(async () => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of storedBytes(storage, address)) chunks.push(chunk);
    return Buffer.concat(chunks);
  });
}

/** The SHA-256 of a file; undefined where it is gone or has another size by now. */
export async function digestOfStored(
  storage: Storage,
  address: SizedAddress,
): Promise<Digest | undefined> {
  return await unlessShort(async () => {
    const hash = createHash('sha256');
    for await (const chunk of storedBytes(storage, address)) hash.update(chunk);
    return finishDigest(hash);
  });
}

/** Whether some bytes are an entry's, and their plain SHA-256. */
export async function hashEntry(
  bytes: AsyncIterable<Uint8Array>,
  entry: Entry,
): Promise<{ readonly digest: Digest; readonly isEntry: boolean }> {
  const plain = createHash('sha256');
  const own = hasherFor(entry.hash, entry.sizeBytes);
  for await (const chunk of hashWhile(bytes, plain)) own.update(chunk);
  return { digest: finishDigest(plain), isEntry: own.finish() === entry.hash.value };
}

/** What `read` gives; undefined where what it reads is not there, or not as it should be. */
export async function unlessShort<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof Shortfall) return undefined;
    throw error;
  }
}

/** What `read` gives, or the error where what it reads is damaged or not there. */
export async function unlessDamaged<T>(
  read: () => Promise<T>,
): Promise<{ readonly value: T } | { readonly damage: PkgError }> {
  try {
    return { value: await read() };
  } catch (error) {
    if (error instanceof PkgError && ['integrity', 'not-found'].includes(error.code)) {
      return { damage: error };
    }
    if (!(error instanceof Shortfall)) throw error;
    return { damage: new PkgError('integrity', `it is ${SHORTFALLS[error.kind]}`) };
  }
}

const SHORTFALLS = { missing: 'missing', short: 'cut short', long: 'too long' } as const;

/** What tests of storage write and read. */
import { createObjectHasher } from '../../src/package/object-hash.ts';
import { ALWAYS, type ByteRange, type Storage, type Upload } from '../../src/storage/storage.ts';
import { digestOf, streamOf } from '../../src/store/digest.ts';

/** Opens one more connection to the same storage. */
export type Connect = () => Promise<Storage>;

/** Makes fresh, empty storage. */
export type Setup = () => Promise<Connect>;

/** What is written, made of bytes in memory; `claims` are what it says of itself. */
export function uploadOf(content: string | Uint8Array, claims: Partial<Upload> = {}): Upload {
  const data = Buffer.from(content);
  const hasher = createObjectHasher('sha2-256-chunked', data.length);
  hasher.update(data);
  return {
    chunkedHash: hasher.finish(),
    sizeBytes: data.length,
    digest: digestOf(data),
    open: ({ start, end }) => streamOf(data.subarray(start, end)),
    ...claims,
  };
}

export async function put(
  storage: Storage,
  key: string,
  content: string | Uint8Array,
): Promise<void> {
  await storage.write(key, uploadOf(content), ALWAYS);
}

export async function contentAt(
  storage: Storage,
  key: string,
  range?: ByteRange,
): Promise<Buffer | undefined> {
  const found = await storage.read({ key }, range);
  if (found === undefined) return undefined;
  const chunks: Uint8Array[] = [];
  for await (const chunk of found.bytes) chunks.push(chunk);
  return Buffer.concat(chunks);
}

export async function textAt(storage: Storage, key: string): Promise<string | undefined> {
  return (await contentAt(storage, key))?.toString();
}

export async function keysOf(
  storage: Storage,
  prefix: string,
  startAfter?: string,
): Promise<readonly string[]> {
  const keys: string[] = [];
  for await (const { key } of storage.list(prefix, startAfter)) keys.push(key);
  return keys;
}

/** What a promise was rejected with; throws where it was not. */
export async function failureOf(work: Promise<unknown>): Promise<unknown> {
  let value: unknown;
  try {
    value = await work;
  } catch (error) {
    return error;
  }
  throw new Error(`expected a failure, got ${JSON.stringify(value)}`);
}

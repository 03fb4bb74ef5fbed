/** Bodies of S3 objects as they are handed to readers. */
import { PkgError } from '../runtime/errors.ts';
import { headerOf, type S3Answer, type S3Body } from './s3-http.ts';
import type { ByteRange, ReadObject } from './storage.ts';

/** A body up to this size is read at once, so that its connection serves the next request. */
const MAX_EAGER_BYTES = 256 * 1024;

/**
 * An answer to GET as an object. A small body has arrived by then, whole or not; where it broke off,
 * the reader gets what there is and then the error, as it would of a large one. Whoever does not read
 * a large body has to end its iterator, since it holds a connection.
 */
export async function readObject(
  { status, headers, body }: S3Answer,
  range: ByteRange | undefined,
): Promise<ReadObject> {
  const lengthText = headerOf(headers, 'content-length');
  const length = lengthText === undefined ? undefined : Number(lengthText);
  const etag = headerOf(headers, 'etag') ?? '';
  const versionId = headerOf(headers, 'x-amz-version-id');
  const contentRange = headerOf(headers, 'content-range');
  const whole = /\/(\d+)$/.exec(contentRange ?? '')?.[1];
  const sizeBytes = whole === undefined ? (length ?? 0) : Number(whole);
  const passed = new PassedBody(body, length);
  const isCut = range === undefined || status === 206;
  if (range !== undefined && status === 206) requireStart(contentRange, range);
  const bytes = isCut ? passed : sliceOf(passed, range);
  if (length === undefined || length > MAX_EAGER_BYTES || !isCut)
    return { sizeBytes, etag, versionId, bytes };
  return { sizeBytes, etag, versionId, bytes: await arrived(passed) };
}

function requireStart(contentRange: string | undefined, { start }: ByteRange): void {
  const stated = /^bytes (\d+)-/.exec(contentRange ?? '')?.[1];
  if (stated === undefined || Number(stated) === start) return;
  throw new PkgError('unreachable', `the server sent bytes from ${stated}, not ${String(start)}`);
}

/** The bytes of a body, counted. Ending the iteration early gives its connection up. */
class PassedBody implements AsyncIterable<Uint8Array> {
  readonly #body: S3Body;
  readonly #length: number | undefined;

  constructor(body: S3Body, length: number | undefined) {
    this.#body = body;
    this.#length = length;
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined> {
    const body = this.#body;
    const length = this.#length;
    const source = body[Symbol.asyncIterator]() as AsyncIterator<Uint8Array, undefined>;
    let received = 0;
    return {
      async next() {
        const result = await source.next();
        if (result.done !== true) received += result.value.length;
        else if (length !== undefined && received !== length) throw cutOff(received, length);
        return result;
      },
      return() {
        body.destroy();
        return Promise.resolve({ done: true, value: undefined });
      },
    };
  }
}

function cutOff(received: number, length: number): Error {
  const message = `${String(received)} of ${String(length)} bytes arrived`;
  return Object.assign(new Error(message), { code: 'ECONNRESET' });
}

async function arrived(body: AsyncIterable<Uint8Array>): Promise<AsyncIterable<Uint8Array>> {
  const chunks: Uint8Array[] = [];
  let failure: { readonly error: unknown } | undefined;
  try {
    for await (const chunk of body) chunks.push(chunk);
  } catch (error) {
    failure = { error };
  }
  return replay(chunks, failure);
}

async function* replay(
  chunks: readonly Uint8Array[],
  failure: { readonly error: unknown } | undefined,
): AsyncGenerator<Uint8Array> {
  await Promise.resolve();
  yield* chunks;
  if (failure !== undefined) throw failure.error;
}

/** The range of a body that a server sent whole. */
async function* sliceOf(
  bytes: AsyncIterable<Uint8Array>,
  { start, end }: ByteRange,
): AsyncGenerator<Uint8Array> {
  let position = 0;
  for await (const chunk of bytes) {
    const part = chunk.subarray(Math.max(0, start - position), Math.max(0, end - position));
    position += chunk.length;
    if (part.length > 0) yield part;
    if (position >= end) return;
  }
}

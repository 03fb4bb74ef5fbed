/** A bucket with the two ways to it, and what writes to it share. */
import { createHash } from 'node:crypto';
import type { WeightLimit } from '../runtime/concurrency.ts';
import { PkgError } from '../runtime/errors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { type Digest, finishDigest } from '../store/digest.ts';
import type { S3Control } from './s3-control.ts';
import { drop } from './s3-exchange.ts';
import type { S3Answer, S3Http, S3Request } from './s3-http.ts';
import type { ByteRange, Upload, WriteCondition } from './storage.ts';

export interface S3Bucket {
  readonly runtime: Runtime;
  readonly name: string;
  /** For what thousands of requests are made of. */
  readonly http: S3Http;
  /** For the rest. */
  readonly control: () => Promise<S3Control>;
  /** Holds the bytes of all bodies that are on their way. */
  readonly memory: WeightLimit;
}

/** Bytes of a body with their SHA-256. */
export interface Body {
  readonly bytes: Buffer;
  readonly digest: Digest;
}

/** Reads a range of what is to be written, and hashes it. */
export async function readBody(upload: Upload, range: ByteRange): Promise<Body> {
  const hash = createHash('sha256');
  const chunks: Uint8Array[] = [];
  for await (const chunk of upload.open(range)) {
    hash.update(chunk);
    chunks.push(chunk);
  }
  const [first] = chunks;
  const bytes =
    chunks.length === 1 && first !== undefined ? asBuffer(first) : Buffer.concat(chunks);
  return { bytes, digest: finishDigest(hash) };
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Sends a body with its SHA-256, which the server checks before it stores anything; drops the answer. */
export async function put(
  { http }: S3Bucket,
  request: Omit<S3Request, 'method' | 'body'>,
  body: Body,
): Promise<Pick<S3Answer, 'headers'>> {
  const headers = { ...request.headers, 'x-amz-checksum-sha256': inBase64(body.digest) };
  return await http.send({ ...request, method: 'PUT', headers, body }, (answer) => {
    drop(answer.body);
    return answer;
  });
}

export function inBase64(digest: Digest): string {
  return Buffer.from(digest, 'hex').toString('base64');
}

/** The headers by which a write happens only under its condition. */
export function conditionHeaders(condition: WriteCondition): Readonly<Record<string, string>> {
  switch (condition.kind) {
    case 'always':
      return {};
    case 'if-absent':
      return { 'if-none-match': '*' };
    case 'if-match':
      return { 'if-match': condition.etag };
  }
}

/** The same for the SDK. */
export function conditionFields(condition: WriteCondition) {
  switch (condition.kind) {
    case 'always':
      return {};
    case 'if-absent':
      return { IfNoneMatch: '*' };
    case 'if-match':
      return { IfMatch: condition.etag };
  }
}

/** The error for bytes that are not what the upload says of them. */
export function damagedUpload(key: string, { digest }: Upload): PkgError {
  return new PkgError('integrity', `the bytes for ${key} are not those of digest ${digest}`, {
    hint: 'The local copy is damaged; build or fetch it again, then push.',
  });
}

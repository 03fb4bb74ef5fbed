/** Large objects in parts, several at once; an upload that broke off goes on from the parts that arrived. */
import { createHash } from 'node:crypto';
import { chunkSizeBytes, describeContent } from '../package/object-hash.ts';
import { mapLimit } from '../runtime/concurrency.ts';
import { invariant } from '../runtime/errors.ts';
import {
  type Body,
  conditionFields,
  damagedUpload,
  inBase64,
  put,
  readBody,
  type S3Bucket,
} from './s3-bucket.ts';
import { drop } from './s3-exchange.ts';
import { describeFailure, isConditionFailure, isDamage } from './s3-failures.ts';
import { headerOf } from './s3-http.ts';
import {
  abandonOne,
  begin,
  findOpen,
  type KnownPart,
  listParts,
  type OpenUpload,
} from './s3-uploads.ts';
import type { Upload, WriteCondition } from './storage.ts';

/** Parts of one object that travel at once. */
const PARTS_AT_ONCE = 3;

/** How often an upload is begun anew because another process ended the one before. */
const MAX_ROUNDS = 3;

interface Part {
  readonly PartNumber: number;
  readonly ETag: string;
  readonly ChecksumSHA256: string;
}

/**
 * Writes an object in parts of the chunk size of `sha2-256-chunked`, so that S3's composite checksum is
 * the entry's hash. The server checks each part; that they add up is checked before they become the
 * object. Where the key has an upload that never ended, its parts are kept if they are ours, byte for
 * byte. Two writers of the same bytes may share one upload: whoever ends it, ends it for both.
 * @throws S3Refusal and the SDK's exceptions; PkgError `integrity` where the bytes are not as promised.
 */
export async function writeInParts(
  bucket: S3Bucket,
  key: string,
  upload: Upload,
  condition: WriteCondition,
): Promise<'written' | 'conflict'> {
  const whole = { ...upload, chunkedHash: upload.chunkedHash ?? (await hashFirst(key, upload)) };
  for (let round = 1; ; round++) {
    const found = round === 1 ? await findParts(bucket, key) : undefined;
    const open = found?.open ?? { key, uploadId: await begin(bucket, key) };
    try {
      const parts = await sendParts(bucket, open, whole, found?.known ?? NO_PARTS);
      await complete(bucket, open, parts, whole, condition);
      return 'written';
    } catch (error) {
      const { name } = describeFailure(error);
      if (isDamage(error) || (isConditionFailure(error) && name !== 'NoSuchUpload')) {
        await abandonOne(bucket, open);
        throw error;
      }
      const isGone = name === 'NoSuchUpload' || (await isGivenUp(bucket, open, whole, error));
      if (!isGone && name !== 'InvalidPart') throw error;
      if (isGone && (await isWritten(bucket, key, whole))) {
        return condition.kind === 'always' ? 'written' : 'conflict';
      }
      if (round === MAX_ROUNDS) throw error;
    }
  }
}

/** An upload that says what its parts must add up to. */
type WholeUpload = Upload & { readonly chunkedHash: string };

/** Reads bytes once more beforehand, where it is not known what their parts must add up to. */
async function hashFirst(key: string, upload: Upload): Promise<string> {
  const bytes = upload.open({ start: 0, end: upload.sizeBytes });
  const { digest, chunkedHash } = await describeContent(bytes, upload.sizeBytes);
  if (digest !== upload.digest) throw damagedUpload(key, upload);
  return chunkedHash;
}

/** An upload of the key that never ended, with its parts. */
async function findParts(bucket: S3Bucket, key: string) {
  const open = await findOpen(bucket, key);
  const known = open === undefined ? undefined : await partsOf(bucket, open);
  return open === undefined || known === undefined ? undefined : { open, known };
}

/** The parts of an upload; undefined where it is gone, or broken, as an abort can leave it. */
async function partsOf(bucket: S3Bucket, open: OpenUpload) {
  try {
    return await listParts(bucket, open);
  } catch (error) {
    const { status } = describeFailure(error);
    if (status === 404 || status === 500) return undefined;
    throw error;
  }
}

const NO_PARTS: ReadonlyMap<number, KnownPart> = new Map();

async function sendParts(
  bucket: S3Bucket,
  open: OpenUpload,
  upload: Upload,
  known: ReadonlyMap<number, KnownPart>,
): Promise<readonly Part[]> {
  const partBytes = chunkSizeBytes(upload.sizeBytes);
  const numbers = Array.from(
    { length: Math.ceil(upload.sizeBytes / partBytes) },
    (_, index) => index + 1,
  );
  const work = mapLimit(numbers, PARTS_AT_ONCE, async (PartNumber) => {
    const start = (PartNumber - 1) * partBytes;
    const end = Math.min(upload.sizeBytes, start + partBytes);
    return await bucket.memory.run(end - start, async () => {
      const body = await readBody(upload, { start, end });
      if (body.bytes.length !== end - start) throw damagedUpload(open.key, upload);
      const there = known.get(PartNumber);
      const ETag =
        there !== undefined && isSamePart(there, body)
          ? there.etag
          : await sendPart(bucket, open, PartNumber, body);
      return { PartNumber, ETag, ChecksumSHA256: inBase64(body.digest) };
    });
  });
  const parts: Part[] = [];
  for await (const part of work) parts.push(part);
  return parts;
}

function isSamePart({ sizeBytes, etag, checksum }: KnownPart, { bytes, digest }: Body): boolean {
  if (sizeBytes !== bytes.length) return false;
  if (checksum !== undefined) return checksum === inBase64(digest);
  return etag.replaceAll('"', '') === createHash('md5').update(bytes).digest('hex');
}

async function sendPart(
  bucket: S3Bucket,
  { key, uploadId }: OpenUpload,
  partNumber: number,
  body: Body,
): Promise<string> {
  const query = { partNumber: String(partNumber), uploadId };
  const { headers } = await put(bucket, { key, query }, body);
  const etag = headerOf(headers, 'etag');
  invariant(etag !== undefined, `part ${String(partNumber)} of ${key} has an ETag`);
  return etag;
}

async function complete(
  bucket: S3Bucket,
  { key, uploadId }: OpenUpload,
  parts: readonly Part[],
  upload: WholeUpload,
  condition: WriteCondition,
): Promise<void> {
  const whole = createHash('sha256');
  for (const { ChecksumSHA256 } of parts) whole.update(Buffer.from(ChecksumSHA256, 'base64'));
  if (whole.digest('base64') !== upload.chunkedHash) throw damagedUpload(key, upload);
  const { sdk, client } = await bucket.control();
  await client.send(
    new sdk.CompleteMultipartUploadCommand({
      Bucket: bucket.name,
      Key: key,
      UploadId: uploadId,
      MultipartUpload: { Parts: [...parts] },
      ...conditionFields(condition),
    }),
    { abortSignal: bucket.runtime.signal },
  );
}

/**
 * Whether somebody gave up an upload, which servers also answer with an internal error when it happens
 * while its last parts arrive: then it has some of them, or cannot even say which.
 */
async function isGivenUp(
  bucket: S3Bucket,
  open: OpenUpload,
  { sizeBytes }: Upload,
  error: unknown,
): Promise<boolean> {
  if (describeFailure(error).status !== 500) return false;
  const parts = await partsOf(bucket, open);
  return parts === undefined || parts.size < Math.ceil(sizeBytes / chunkSizeBytes(sizeBytes));
}

/** Whether the object stands there whole, written by someone who shared the upload. */
async function isWritten(bucket: S3Bucket, key: string, upload: WholeUpload): Promise<boolean> {
  try {
    return await bucket.http.send(
      { method: 'HEAD', key, headers: { 'x-amz-checksum-mode': 'ENABLED' } },
      ({ headers, body }) => {
        drop(body);
        if (Number(headers['content-length']) !== upload.sizeBytes) return false;
        const checksum = headerOf(headers, 'x-amz-checksum-sha256');
        if (checksum === undefined) return key.endsWith(upload.digest);
        return checksum.replace(/-\d+$/, '') === upload.chunkedHash;
      },
    );
  } catch (error) {
    if (describeFailure(error).status === 404) return false;
    throw error;
  }
}

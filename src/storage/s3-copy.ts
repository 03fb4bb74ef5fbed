/** Copies inside a bucket, which the server makes itself where it can. */
import { describeContent } from '../package/object-hash.ts';
import { invariant } from '../runtime/errors.ts';
import { streamOf } from '../store/digest.ts';
import { encodePath, encodeStrict } from './s3-address.ts';
import type { S3Bucket } from './s3-bucket.ts';
import { describeFailure, isUnsupported } from './s3-failures.ts';
import { abandonOne } from './s3-uploads.ts';
import type { ByteRange, CopySource, ObjectAddress, Upload } from './storage.ts';

/** CopyObject takes no larger ones. */
const MAX_COPY_BYTES = 5 * 2 ** 30;

/** Parts of a copied range; S3 allows 5 MiB to 5 GiB, and any size for the last. */
const PART_BYTES = 2 ** 30;

/** A range up to this size passes through memory where the server cannot copy; more is read twice. */
const MAX_BUFFERED_BYTES = 16 * 2 ** 20;

/**
 * Makes an object of a range of another one by the server's own means.
 * @returns false where the server refuses that, so that the bytes have to pass through here. AWS, for
 *   one, copies ranges only out of objects over 5 MiB.
 */
export async function copyOnServer(
  bucket: S3Bucket,
  source: CopySource,
  isWhole: boolean,
  key: string,
): Promise<boolean> {
  const { start, end } = source.range;
  if (end <= start) return false;
  try {
    if (isWhole && end <= MAX_COPY_BYTES) await copyWhole(bucket, source.address, key);
    else await copyRange(bucket, source, key);
    return true;
  } catch (error) {
    const { name, status } = describeFailure(error);
    if (isUnsupported(error) || (status === 400 && REFUSED.has(name))) return false;
    throw error;
  }
}

const REFUSED: ReadonlySet<string> = new Set([
  ...['InvalidRequest', 'InvalidArgument', 'InvalidRange', 'EntityTooSmall', 'MalformedXML'],
]);

async function copyWhole(bucket: S3Bucket, from: ObjectAddress, key: string): Promise<void> {
  const { sdk, client } = await bucket.control();
  await client.send(
    new sdk.CopyObjectCommand({
      Bucket: bucket.name,
      Key: key,
      CopySource: formatSource(bucket, from),
    }),
    { abortSignal: bucket.runtime.signal },
  );
}

async function copyRange(
  bucket: S3Bucket,
  { address, range }: CopySource,
  key: string,
): Promise<void> {
  const { sdk, client } = await bucket.control();
  const target = { Bucket: bucket.name, Key: key };
  const options = { abortSignal: bucket.runtime.signal };
  const { UploadId } = await client.send(new sdk.CreateMultipartUploadCommand(target), options);
  invariant(UploadId !== undefined, `the upload of ${key} has an id`);
  try {
    const Parts: { readonly PartNumber: number; readonly ETag: string | undefined }[] = [];
    for (const part of partsOf(range)) {
      const PartNumber = Parts.length + 1;
      const { CopyPartResult } = await client.send(
        new sdk.UploadPartCopyCommand({
          ...target,
          UploadId,
          PartNumber,
          CopySource: formatSource(bucket, address),
          CopySourceRange: `bytes=${String(part.start)}-${String(part.end - 1)}`,
        }),
        options,
      );
      Parts.push({ PartNumber, ETag: CopyPartResult?.ETag });
    }
    await client.send(
      new sdk.CompleteMultipartUploadCommand({ ...target, UploadId, MultipartUpload: { Parts } }),
      options,
    );
  } catch (error) {
    await abandonOne(bucket, { key, uploadId: UploadId });
    throw error;
  }
}

function* partsOf({ start, end }: ByteRange): Generator<ByteRange> {
  const whole = end - start <= MAX_COPY_BYTES;
  const step = whole ? end - start : PART_BYTES;
  for (let from = start; from < end; from += step) {
    yield { start: from, end: Math.min(end, from + step) };
  }
}

function formatSource(bucket: S3Bucket, { key, versionId }: ObjectAddress): string {
  const version = versionId === undefined ? '' : `?versionId=${encodeStrict(versionId)}`;
  return `${encodePath(`${bucket.name}/${key}`)}${version}`;
}

/**
 * A range of an object as something to write. A long one is read once to know its hashes, then again
 * as it is sent.
 */
export async function uploadOfRange(
  { start, end }: ByteRange,
  read: (range: ByteRange) => AsyncIterable<Uint8Array>,
): Promise<Upload> {
  const sizeBytes = end - start;
  if (sizeBytes <= MAX_BUFFERED_BYTES) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of read({ start, end })) chunks.push(chunk);
    const data = Buffer.concat(chunks);
    return {
      ...(await describeContent(streamOf(data), data.length)),
      open: (range) => streamOf(data.subarray(range.start, range.end)),
    };
  }
  return {
    ...(await describeContent(read({ start, end }), sizeBytes)),
    open: (range) => read({ start: start + range.start, end: start + range.end }),
  };
}

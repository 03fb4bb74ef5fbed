/** Uploads in parts that are under way: begun, found again, listed and given up. */
import { invariant, messageOf } from '../runtime/errors.ts';
import type { S3Bucket } from './s3-bucket.ts';
import type { ListMultipartUploadsCommandOutput } from './s3-control.ts';
import { describeFailure, isUnsupported } from './s3-failures.ts';

/** An upload that was begun. */
export interface OpenUpload {
  readonly key: string;
  readonly uploadId: string;
}

/** A part that the server has; not every server tells its checksum. */
export interface KnownPart {
  readonly sizeBytes: number;
  readonly etag: string;
  readonly checksum: string | undefined;
}

/** Begins an upload whose parts the server checks by SHA-256. */
export async function begin(bucket: S3Bucket, key: string): Promise<string> {
  const { sdk, client } = await bucket.control();
  const { UploadId } = await client.send(
    new sdk.CreateMultipartUploadCommand({
      Bucket: bucket.name,
      Key: key,
      ChecksumAlgorithm: 'SHA256',
    }),
    { abortSignal: bucket.runtime.signal },
  );
  invariant(UploadId !== undefined, `the upload of ${key} has an id`);
  return UploadId;
}

/** The newest upload of a key that never ended, unless this may not be asked. */
export async function findOpen(bucket: S3Bucket, key: string): Promise<OpenUpload | undefined> {
  const { sdk, client } = await bucket.control();
  const command = new sdk.ListMultipartUploadsCommand({ Bucket: bucket.name, Prefix: key });
  const page = await unlessRefused(client.send(command, { abortSignal: bucket.runtime.signal }));
  const [newest] = (page?.Uploads ?? [])
    .filter(
      ({ Key, ChecksumAlgorithm = 'SHA256' }) => Key === key && ChecksumAlgorithm === 'SHA256',
    )
    .sort((a, b) => (b.Initiated?.getTime() ?? 0) - (a.Initiated?.getTime() ?? 0));
  return newest?.UploadId === undefined ? undefined : { key, uploadId: newest.UploadId };
}

/** The parts of an upload that have arrived; none where they may not be asked for. */
export async function listParts(
  bucket: S3Bucket,
  { key, uploadId }: OpenUpload,
): Promise<ReadonlyMap<number, KnownPart>> {
  const { sdk, client } = await bucket.control();
  const parts = new Map<number, KnownPart>();
  let PartNumberMarker: string | undefined;
  do {
    const page = await unlessRefused(
      client.send(
        new sdk.ListPartsCommand({
          Bucket: bucket.name,
          Key: key,
          UploadId: uploadId,
          ...(PartNumberMarker === undefined ? {} : { PartNumberMarker }),
        }),
        { abortSignal: bucket.runtime.signal },
      ),
    );
    const before = parts.size;
    for (const { PartNumber, Size, ETag, ChecksumSHA256 } of page?.Parts ?? []) {
      if (PartNumber === undefined || ETag === undefined) continue;
      parts.set(PartNumber, { sizeBytes: Size ?? 0, etag: ETag, checksum: ChecksumSHA256 });
    }
    const goesOn = page?.IsTruncated === true && parts.size > before;
    PartNumberMarker = goesOn ? page.NextPartNumberMarker : undefined;
  } while (PartNumberMarker !== undefined);
  return parts;
}

/** What only saves work need not be allowed. */
async function unlessRefused<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    const { name, status } = describeFailure(error);
    if (name === 'NoSuchUpload' || name === 'NoSuchBucket') throw error;
    if (status === 501 || (status !== undefined && status >= 400 && status < 500)) return undefined;
    throw error;
  }
}

/**
 * Every upload that never ended; none on a server that keeps no list of them.
 * @throws S3Refusal and the SDK's exceptions.
 */
export async function* listOpen(
  bucket: S3Bucket,
): AsyncGenerator<OpenUpload & { readonly initiatedMs: number }> {
  const { sdk, client } = await bucket.control();
  let marker: UploadMarker | undefined = {};
  while (marker !== undefined) {
    const page: ListMultipartUploadsCommandOutput | undefined = await client
      .send(new sdk.ListMultipartUploadsCommand({ Bucket: bucket.name, ...marker }), {
        abortSignal: bucket.runtime.signal,
      })
      .catch((error: unknown) => {
        if (isUnsupported(error)) return undefined;
        throw error;
      });
    for (const { Key: key, UploadId: uploadId, Initiated } of page?.Uploads ?? []) {
      if (key === undefined || uploadId === undefined || Initiated === undefined) continue;
      yield { key, uploadId, initiatedMs: Initiated.getTime() };
    }
    marker = page?.IsTruncated === true ? nextMarker(page) : undefined;
  }
}

interface UploadMarker {
  readonly KeyMarker?: string;
  readonly UploadIdMarker?: string;
}

function nextMarker({
  NextKeyMarker,
  NextUploadIdMarker,
}: ListMultipartUploadsCommandOutput): UploadMarker | undefined {
  if (NextKeyMarker === undefined) return undefined;
  const within = NextUploadIdMarker === undefined ? {} : { UploadIdMarker: NextUploadIdMarker };
  return { KeyMarker: NextKeyMarker, ...within };
}

/** Lets the server drop the parts of an upload; where it does not, that is only said. */
export async function abandonOne(bucket: S3Bucket, { key, uploadId }: OpenUpload): Promise<void> {
  try {
    const { sdk, client } = await bucket.control();
    await client.send(
      new sdk.AbortMultipartUploadCommand({ Bucket: bucket.name, Key: key, UploadId: uploadId }),
    );
  } catch (error) {
    if (describeFailure(error).name === 'NoSuchUpload') return;
    bucket.runtime.report({
      kind: 'warned',
      message: `parts of ${key} may be left in s3://${bucket.name}: ${messageOf(error)}`,
    });
  }
}

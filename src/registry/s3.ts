/** A registry in an S3 bucket, at AWS or on any server that speaks its protocol. */
import { createHash } from 'node:crypto';
import type { S3Client } from '@aws-sdk/client-s3';
import { chunkSizeBytes, MIN_CHUNK_BYTES } from '../package/object-hash.ts';
import { formatPhysicalKey, parsePhysicalKey } from '../package/physical-key.ts';
import { mapLimit } from '../runtime/concurrency.ts';
import { invariant, messageOf, PkgError } from '../runtime/errors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { digestOf } from '../store/digest.ts';
import type {
  ByteRange,
  ObjectAddress,
  ReadObject,
  Registry,
  StoredObject,
  Upload,
  WriteCondition,
} from './registry.ts';
import { describeFailure, explainS3Failure, isAbsence, isConditionFailure } from './s3-failures.ts';

export interface S3Location {
  readonly bucket: string;
  /** Base URL of a server other than AWS; addressed path-style. */
  readonly endpoint: string | undefined;
  readonly region: string;
}

type S3Module = typeof import('@aws-sdk/client-s3');

/** Parts of one object that travel at once. */
const PARTS_AT_ONCE = 4;

const MAX_ATTEMPTS = 5;
const REQUEST_TIMEOUT_MS = 60_000;
const CONNECTION_TIMEOUT_MS = 10_000;

/** Opens a bucket with the SDK's usual credentials; without any, requests are not signed. */
export async function openS3Registry(runtime: Runtime, location: S3Location): Promise<S3Registry> {
  const sdk = await import('@aws-sdk/client-s3');
  const credentials = await findCredentials();
  const client = new sdk.S3Client({
    region: location.region,
    maxAttempts: MAX_ATTEMPTS,
    followRegionRedirects: location.endpoint === undefined,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: {
      requestTimeout: REQUEST_TIMEOUT_MS,
      throwOnRequestTimeout: true,
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      httpAgent: { maxSockets: 64 },
      httpsAgent: { maxSockets: 64 },
    },
    ...(location.endpoint === undefined
      ? {}
      : { endpoint: location.endpoint, forcePathStyle: true }),
    ...(credentials === undefined
      ? { credentials: ANONYMOUS, signer: { sign: (request) => Promise.resolve(request) } }
      : { credentials }),
  });
  return new S3Registry(runtime, location, sdk, client);
}

const ANONYMOUS = { accessKeyId: 'anonymous', secretAccessKey: 'anonymous' };

async function findCredentials() {
  const { defaultProvider } = await import('@aws-sdk/credential-provider-node');
  const provider = defaultProvider({ timeout: 1000, maxRetries: 0 });
  try {
    await provider();
    return provider;
  } catch (error) {
    if (error instanceof Error && error.name === 'CredentialsProviderError') return undefined;
    throw new PkgError('unreachable', `the AWS credentials cannot be used: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

export class S3Registry implements Registry {
  readonly url: string;
  readonly #runtime: Runtime;
  readonly #bucket: string;
  readonly #endpoint: string | undefined;
  readonly #sdk: S3Module;
  readonly #client: S3Client;
  #requests = 0;
  #bucketSeen = false;

  constructor(runtime: Runtime, location: S3Location, sdk: S3Module, client: S3Client) {
    this.#runtime = runtime;
    this.#bucket = location.bucket;
    this.#endpoint = location.endpoint;
    this.#sdk = sdk;
    this.#client = client;
    this.url = `s3://${location.bucket}`;
  }

  get requests(): number {
    return this.#requests;
  }

  physicalKey(key: string): string {
    return formatPhysicalKey({ scheme: 's3', bucket: this.#bucket, key, versionId: undefined });
  }

  addressOf(physicalKey: string): ObjectAddress | undefined {
    const parsed = parsePhysicalKey(physicalKey);
    if (parsed.scheme !== 's3' || parsed.bucket !== this.#bucket) return undefined;
    return { key: parsed.key, versionId: parsed.versionId };
  }

  async head(address: ObjectAddress): Promise<StoredObject | undefined> {
    const command = new this.#sdk.HeadObjectCommand(this.#target(address));
    const found = await this.#orAbsent(() => this.#client.send(command, this.#abort()));
    if (found === undefined) {
      await this.#requireBucket();
      return undefined;
    }
    return { sizeBytes: found.ContentLength ?? 0, etag: found.ETag ?? '' };
  }

  async read(address: ObjectAddress, range?: ByteRange): Promise<ReadObject | undefined> {
    const { start, end } = range ?? { start: 0, end: 0 };
    const command = new this.#sdk.GetObjectCommand({
      ...this.#target(address),
      ...(range === undefined ? {} : { Range: `bytes=${String(start)}-${String(end - 1)}` }),
    });
    const found = await this.#orAbsent(() => this.#client.send(command, this.#abort()));
    if (found?.Body === undefined) return undefined;
    const bytes = found.Body as AsyncIterable<Uint8Array>;
    return { sizeBytes: found.ContentLength ?? 0, etag: found.ETag ?? '', bytes };
  }

  async write(
    key: string,
    upload: Upload,
    condition: WriteCondition,
  ): Promise<'written' | 'conflict'> {
    try {
      if (upload.sizeBytes <= MIN_CHUNK_BYTES) await this.#put(key, upload, condition);
      else await this.#putInParts(key, upload, condition);
      return 'written';
    } catch (error) {
      if (condition.kind !== 'always' && isConditionFailure(error)) return 'conflict';
      throw this.#explain(error);
    }
  }

  async remove(key: string): Promise<void> {
    const command = new this.#sdk.DeleteObjectCommand({ Bucket: this.#bucket, Key: key });
    await this.#orAbsent(() => this.#client.send(command, this.#abort()));
  }

  async *list(
    prefix: string,
    startAfter?: string,
  ): AsyncGenerator<StoredObject & { readonly key: string }> {
    let continuation: string | undefined;
    do {
      const command = new this.#sdk.ListObjectsV2Command({
        Bucket: this.#bucket,
        Prefix: prefix,
        ...(continuation === undefined
          ? startAfter === undefined
            ? {}
            : { StartAfter: startAfter }
          : { ContinuationToken: continuation }),
      });
      const page = await this.#orAbsent(() => this.#client.send(command, this.#abort()));
      for (const { Key: key, Size: sizeBytes, ETag: etag } of page?.Contents ?? []) {
        if (key !== undefined) yield { key, sizeBytes: sizeBytes ?? 0, etag: etag ?? '' };
      }
      continuation = page?.NextContinuationToken;
    } while (continuation !== undefined);
  }

  /** The server checks the body against its SHA-256 before it stores anything. */
  async #put(key: string, upload: Upload, condition: WriteCondition): Promise<void> {
    const body = await collect(upload.open({ start: 0, end: upload.sizeBytes }));
    if (digestOf(body) !== upload.digest) throw damagedUpload(key, upload);
    this.#requests++;
    await this.#client.send(
      new this.#sdk.PutObjectCommand({
        Bucket: this.#bucket,
        Key: key,
        Body: body,
        ChecksumSHA256: Buffer.from(upload.digest, 'hex').toString('base64'),
        ...conditionHeaders(condition),
      }),
      this.#abort(),
    );
  }

  /**
   * A large object in parts of the chunk size of `sha2-256-chunked`, so that S3's composite checksum is
   * the entry's hash. The server checks each part; that they add up is checked before they become the
   * object.
   */
  async #putInParts(key: string, upload: Upload, condition: WriteCondition): Promise<void> {
    const target = { Bucket: this.#bucket, Key: key };
    this.#requests++;
    const { UploadId } = await this.#client.send(
      new this.#sdk.CreateMultipartUploadCommand({ ...target, ChecksumAlgorithm: 'SHA256' }),
      this.#abort(),
    );
    invariant(UploadId !== undefined, `the upload of ${key} has an id`);
    try {
      const parts = await this.#putParts({ ...target, UploadId }, upload);
      const whole = createHash('sha256');
      for (const { ChecksumSHA256 } of parts) whole.update(Buffer.from(ChecksumSHA256, 'base64'));
      if (whole.digest('base64') !== upload.chunkedHash) throw damagedUpload(key, upload);
      this.#requests++;
      await this.#client.send(
        new this.#sdk.CompleteMultipartUploadCommand({
          ...target,
          UploadId,
          MultipartUpload: { Parts: [...parts] },
          ...conditionHeaders(condition),
        }),
        this.#abort(),
      );
    } catch (error) {
      await this.#abandon({ ...target, UploadId });
      throw error;
    }
  }

  async #putParts(
    target: { readonly Bucket: string; readonly Key: string; readonly UploadId: string },
    upload: Upload,
  ) {
    const partBytes = chunkSizeBytes(upload.sizeBytes);
    const numbers = Array.from(
      { length: Math.ceil(upload.sizeBytes / partBytes) },
      (_, index) => index + 1,
    );
    const parts = [];
    const work = mapLimit(numbers, PARTS_AT_ONCE, async (PartNumber) => {
      const start = (PartNumber - 1) * partBytes;
      const end = Math.min(upload.sizeBytes, start + partBytes);
      const Body = await collect(upload.open({ start, end }));
      const ChecksumSHA256 = createHash('sha256').update(Body).digest('base64');
      this.#requests++;
      const { ETag } = await this.#client.send(
        new this.#sdk.UploadPartCommand({ ...target, PartNumber, Body, ChecksumSHA256 }),
        this.#abort(),
      );
      return { PartNumber, ETag, ChecksumSHA256 };
    });
    for await (const part of work) parts.push(part);
    return parts;
  }

  /** Lets the server drop the parts of an upload that failed; the failure itself is what counts. */
  async #abandon(target: {
    readonly Bucket: string;
    readonly Key: string;
    readonly UploadId: string;
  }) {
    this.#requests++;
    try {
      await this.#client.send(new this.#sdk.AbortMultipartUploadCommand(target));
    } catch (error) {
      this.#runtime.report({
        kind: 'warned',
        message: `parts of ${target.Key} may be left in ${this.url}: ${messageOf(error)}`,
      });
    }
  }

  #target({ key, versionId }: ObjectAddress) {
    const version = versionId === undefined ? {} : { VersionId: versionId };
    return { Bucket: this.#bucket, Key: key, ...version };
  }

  /** A HEAD has no body to tell a missing bucket from a missing object, so that is asked once. */
  async #requireBucket(): Promise<void> {
    if (this.#bucketSeen) return;
    this.#requests++;
    try {
      const command = new this.#sdk.HeadBucketCommand({ Bucket: this.#bucket });
      await this.#client.send(command, this.#abort());
    } catch (error) {
      if (describeFailure(error).status === 404) throw this.#explain(NO_BUCKET);
      // Who may read objects need not be allowed to ask for the bucket.
      if (describeFailure(error).status !== 403) throw this.#explain(error);
    }
    this.#bucketSeen = true;
  }

  #abort() {
    return { abortSignal: this.#runtime.signal };
  }

  async #orAbsent<T>(request: () => Promise<T>): Promise<T | undefined> {
    this.#requests++;
    try {
      const answer = await request();
      this.#bucketSeen = true;
      return answer;
    } catch (error) {
      if (isAbsence(error)) return undefined;
      throw this.#explain(error);
    }
  }

  #explain(error: unknown): unknown {
    this.#runtime.signal.throwIfAborted();
    const where = this.#endpoint === undefined ? this.url : `${this.url} at ${this.#endpoint}`;
    return explainS3Failure(error, where);
  }
}

const NO_BUCKET = Object.assign(new Error('no such bucket'), { name: 'NoSuchBucket' });

function conditionHeaders(condition: WriteCondition) {
  switch (condition.kind) {
    case 'always':
      return {};
    case 'if-absent':
      return { IfNoneMatch: '*' };
    case 'if-match':
      return { IfMatch: condition.etag };
  }
}

function damagedUpload(key: string, { digest }: Upload): PkgError {
  return new PkgError('integrity', `the bytes for ${key} are not those of digest ${digest}`, {
    hint: 'The local copy is damaged; build or fetch it again, then push.',
  });
}

async function collect(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** A registry in an S3 bucket, at AWS or on any server that speaks its protocol. */
import type { S3Client } from '@aws-sdk/client-s3';
import { chunkSizeBytes, MIN_CHUNK_BYTES } from '../package/object-hash.ts';
import { formatPhysicalKey, parsePhysicalKey } from '../package/physical-key.ts';
import { mapLimit } from '../runtime/concurrency.ts';
import { messageOf, PkgError, systemErrorCode } from '../runtime/errors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type {
  ByteRange,
  ReadObject,
  Registry,
  StoredObject,
  Upload,
  WriteCondition,
} from './registry.ts';

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

  keyOf(physicalKey: string): string | undefined {
    const parsed = parsePhysicalKey(physicalKey);
    return parsed.scheme === 's3' && parsed.bucket === this.#bucket ? parsed.key : undefined;
  }

  async head(key: string): Promise<StoredObject | undefined> {
    const command = new this.#sdk.HeadObjectCommand({ Bucket: this.#bucket, Key: key });
    const found = await this.#orAbsent(() => this.#client.send(command, this.#abort()));
    if (found === undefined) return undefined;
    return { sizeBytes: found.ContentLength ?? 0, etag: found.ETag ?? '' };
  }

  async read(key: string, range?: ByteRange): Promise<ReadObject | undefined> {
    const { start, end } = range ?? { start: 0, end: 0 };
    const command = new this.#sdk.GetObjectCommand({
      Bucket: this.#bucket,
      Key: key,
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
      else await this.#putInParts(key, upload);
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

  /** The server checks the body against our SHA-256 before it stores anything. */
  async #put(key: string, upload: Upload, condition: WriteCondition): Promise<void> {
    const body = await collect(upload.open({ start: 0, end: upload.sizeBytes }));
    this.#requests++;
    await this.#client.send(
      new this.#sdk.PutObjectCommand({
        Bucket: this.#bucket,
        Key: key,
        Body: body,
        ChecksumSHA256: Buffer.from(upload.digest, 'hex').toString('base64'),
        ...(condition.kind === 'if-absent' ? { IfNoneMatch: '*' } : {}),
        ...(condition.kind === 'if-match' ? { IfMatch: condition.etag } : {}),
      }),
      this.#abort(),
    );
  }

  /**
   * A large object in parts of the chunk size of `sha2-256-chunked`, so that S3's composite checksum is
   * the entry's hash; each part carries its own checksum.
   */
  async #putInParts(key: string, upload: Upload): Promise<void> {
    const target = { Bucket: this.#bucket, Key: key };
    this.#requests++;
    const { UploadId } = await this.#client.send(
      new this.#sdk.CreateMultipartUploadCommand({ ...target, ChecksumAlgorithm: 'SHA256' }),
      this.#abort(),
    );
    if (UploadId === undefined) throw new Error(`no upload id for ${key}`);
    try {
      const parts = await this.#putParts({ ...target, UploadId }, upload);
      this.#requests++;
      const { ChecksumSHA256: composite } = await this.#client.send(
        new this.#sdk.CompleteMultipartUploadCommand({
          ...target,
          UploadId,
          MultipartUpload: { Parts: [...parts] },
        }),
        this.#abort(),
      );
      await this.#confirm(key, upload, composite);
    } catch (error) {
      await this.#abandon({ ...target, UploadId });
      throw error;
    }
  }

  /** What arrived in parts must add up to the hash of the whole. */
  async #confirm(key: string, upload: Upload, composite: string | undefined): Promise<void> {
    const arrived = composite?.replace(/-\d+$/, '');
    if (arrived === undefined || upload.chunkedHash === undefined) return;
    if (arrived === upload.chunkedHash) return;
    await this.remove(key);
    throw new PkgError(
      'integrity',
      `the bytes for ${key} are not those of digest ${upload.digest}`,
      {
        hint: 'The local copy is damaged; build or fetch it again, then push.',
      },
    );
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
      this.#requests++;
      const { ETag, ChecksumSHA256 } = await this.#client.send(
        new this.#sdk.UploadPartCommand({
          ...target,
          PartNumber,
          Body: await collect(upload.open({ start, end })),
          ChecksumAlgorithm: 'SHA256',
        }),
        this.#abort(),
      );
      return { PartNumber, ETag, ChecksumSHA256 };
    });
    for await (const part of work) parts.push(part);
    return parts;
  }

  #abort() {
    return { abortSignal: this.#runtime.signal };
  }

  async #orAbsent<T>(request: () => Promise<T>): Promise<T | undefined> {
    this.#requests++;
    try {
      return await request();
    } catch (error) {
      const { name, status } = describeFailure(error);
      if (name === 'NoSuchKey' || (name === 'NotFound' && status === 404)) return undefined;
      throw this.#explain(error);
    }
  }

  /** A sentence for what the server or the network said. */
  #explain(error: unknown): unknown {
    this.#runtime.signal.throwIfAborted();
    if (error instanceof PkgError) return error;
    const { name, status } = describeFailure(error);
    const where = this.#endpoint === undefined ? this.url : `${this.url} at ${this.#endpoint}`;
    const known: Readonly<Record<string, readonly [string, string]>> = {
      NoSuchBucket: ['there is no such bucket', 'Check the name, or make the bucket first.'],
      InvalidAccessKeyId: ['the access key is unknown', CREDENTIALS_HINT],
      SignatureDoesNotMatch: ['the secret key is wrong', CREDENTIALS_HINT],
      AccessDenied: ['access is denied', CREDENTIALS_HINT],
      Forbidden: ['access is denied', CREDENTIALS_HINT],
      ExpiredToken: ['the session token has expired', CREDENTIALS_HINT],
      RequestTimeTooSkewed: ['this clock is wrong', 'Set the clock, then try again.'],
    };
    const [why, hint] = known[name] ?? (status === 403 ? (known['AccessDenied'] ?? []) : []);
    if (why !== undefined) {
      return new PkgError('unreachable', `registry ${where}: ${why}`, {
        hint: hint ?? '',
        cause: error,
      });
    }
    if (status !== undefined) {
      const said = `HTTP ${String(status)} ${name}: ${messageOf(error)}`;
      return new PkgError('unreachable', `registry ${where} answered ${said}`, { cause: error });
    }
    const reason = systemErrorCode(error) ?? (messageOf(error) || name);
    return new PkgError('unreachable', `registry ${where} cannot be reached: ${reason}`, {
      hint: 'Check the endpoint (--endpoint or AWS_ENDPOINT_URL) and the network.',
      cause: error,
    });
  }
}

const CREDENTIALS_HINT =
  'Check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY or AWS_PROFILE, and what they may do.';

function isConditionFailure(error: unknown): boolean {
  const { name, status } = describeFailure(error);
  return status === 412 || status === 409 || name === 'PreconditionFailed' || name === 'NoSuchKey';
}

function describeFailure(error: unknown): {
  readonly name: string;
  readonly status: number | undefined;
} {
  const name = error instanceof Error ? error.name : '';
  if (!(error instanceof Error) || !('$metadata' in error)) return { name, status: undefined };
  const metadata = error.$metadata;
  const status =
    typeof metadata === 'object' && metadata !== null && 'httpStatusCode' in metadata
      ? metadata.httpStatusCode
      : undefined;
  return { name, status: typeof status === 'number' ? status : undefined };
}

async function collect(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  return Buffer.concat(chunks);
}

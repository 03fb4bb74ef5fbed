/** Storage in an S3 bucket, at AWS or on any server that speaks its protocol. */
import { MIN_CHUNK_BYTES } from '../package/object-hash.ts';
import { formatPhysicalKey, parsePhysicalKey } from '../package/physical-key.ts';
import { eachLimit, weightLimit } from '../runtime/concurrency.ts';
import { PkgError } from '../runtime/errors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { streamOf } from '../store/digest.ts';
import { readResuming } from './resuming-read.ts';
import type { S3Location } from './s3-address.ts';
import { parseListing } from './s3-answers.ts';
import { readObject } from './s3-bodies.ts';
import { conditionHeaders, damagedUpload, put, readBody, type S3Bucket } from './s3-bucket.ts';
import { openS3Control, type S3Control } from './s3-control.ts';
import { copyOnServer, uploadOfRange } from './s3-copy.ts';
import { drop } from './s3-exchange.ts';
import {
  describeFailure,
  explainS3Failure,
  isAbsence,
  isConditionFailure,
  isUnsupported,
  S3Refusal,
} from './s3-failures.ts';
import { headerOf, readText, type S3Answer, S3Http, type S3Request } from './s3-http.ts';
import { writeInParts } from './s3-parts.ts';
import { createSigner, findCredentials } from './s3-signer.ts';
import { abandonOne, listOpen } from './s3-uploads.ts';
import {
  ALWAYS,
  type ByteRange,
  type CopySource,
  type ListedObject,
  type ObjectAddress,
  OWN_PREFIXES,
  type ReadObject,
  type Storage,
  type StoredObject,
  type Upload,
  type WriteCondition,
  type WriteOutcome,
} from './storage.ts';

export type { S3Location } from './s3-address.ts';

/** Bodies on their way, of all writes together. */
const MAX_BODIES_BYTES = 64 * 2 ** 20;

/** A page has 1,000 keys of up to 1,024 bytes, each of which may be escaped. */
const MAX_PAGE_BYTES = 16 * 2 ** 20;

/** The most that DeleteObjects takes. */
const KEYS_A_REMOVAL = 1000;

const REMOVALS_AT_ONCE = 16;

/** Opens a bucket with the SDK's usual credentials; without any, requests are not signed. */
export async function openS3Storage(runtime: Runtime, location: S3Location): Promise<S3Storage> {
  const credentials = await findCredentials();
  const http = new S3Http(runtime, location, await createSigner(credentials));
  let control: Promise<S3Control> | undefined;
  return new S3Storage(location, {
    runtime,
    name: location.bucket,
    http,
    control: () =>
      (control ??= openS3Control({ ...location, region: http.region }, credentials, () =>
        http.noteRequest(),
      )),
    memory: weightLimit(MAX_BODIES_BYTES),
  });
}

export class S3Storage implements Storage {
  readonly url: string;
  readonly #endpoint: string | undefined;
  readonly #bucket: S3Bucket;
  #bucketSeen = false;

  constructor({ bucket, endpoint }: S3Location, connection: S3Bucket) {
    this.#endpoint = endpoint;
    this.#bucket = connection;
    this.url = `s3://${bucket}`;
  }

  get requests(): number {
    return this.#bucket.http.requests;
  }

  get sentBytes(): number {
    return this.#bucket.http.sentBytes;
  }

  physicalKey(key: string, versionId?: string): string {
    const bucket = this.#bucket.name;
    return formatPhysicalKey({ scheme: 's3', bucket, key, versionId });
  }

  addressOf(physicalKey: string): ObjectAddress | undefined {
    const parsed = parsePhysicalKey(physicalKey);
    if (parsed.scheme !== 's3' || parsed.bucket !== this.#bucket.name) return undefined;
    return { key: parsed.key, versionId: parsed.versionId };
  }

  async head(address: ObjectAddress): Promise<StoredObject | undefined> {
    const found = await this.#orAbsent({ method: 'HEAD', ...targetOf(address) }, describeAnswer);
    if (found === undefined) await this.#requireBucket();
    return found;
  }

  async read(address: ObjectAddress, range?: ByteRange): Promise<ReadObject | undefined> {
    if (range !== undefined && range.end <= range.start) return await this.#readNothing(address);
    const headers = range === undefined ? {} : { range: rangeHeader(range) };
    try {
      const found = await this.#orAbsent(
        { method: 'GET', ...targetOf(address), headers },
        (answer) => readObject(answer, range),
      );
      return found === undefined ? undefined : this.#resumed(found, address, range);
    } catch (error) {
      const cause = error instanceof Error ? error.cause : undefined;
      // An object that ends before the range begins has none of its bytes.
      if (describeFailure(cause).status === 416) return await this.#readNothing(address);
      throw error;
    }
  }

  /** An object whose bytes go on where their connection breaks. */
  #resumed(found: ReadObject, address: ObjectAddress, range: ByteRange | undefined): ReadObject {
    const whole = { start: 0, end: found.sizeBytes };
    const { start, end } = range ?? whole;
    const bytes = readResuming(this.#bucket.runtime, found.bytes, {
      range: { start, end: Math.min(end, found.sizeBytes) },
      name: `${this.url}/${address.key}`,
      reopen: async (left) => {
        const headers = { range: rangeHeader(left), 'if-match': found.etag };
        const again = { method: 'GET' as const, ...targetOf(address), headers };
        const more = await this.#orAbsent(again, (answer) => readObject(answer, left));
        return more?.bytes;
      },
    });
    return { ...found, bytes };
  }

  async #readNothing(address: ObjectAddress): Promise<ReadObject | undefined> {
    const found = await this.head(address);
    return found === undefined ? undefined : { ...found, bytes: streamOf('') };
  }

  async write(key: string, upload: Upload, condition: WriteCondition): Promise<WriteOutcome> {
    const isSmall = upload.sizeBytes <= MIN_CHUNK_BYTES || upload.inOneRequest === true;
    try {
      if (!isSmall) return await writeInParts(this.#bucket, key, upload, condition);
      await this.#bucket.memory.run(upload.sizeBytes, async () => {
        const body = await readBody(upload, { start: 0, end: upload.sizeBytes });
        if (body.digest !== upload.digest) throw damagedUpload(key, upload);
        await put(this.#bucket, { key, headers: conditionHeaders(condition) }, body);
      });
      return 'written';
    } catch (error) {
      if (condition.kind === 'always' || !isConditionFailure(error)) throw this.#explain(error);
      return error instanceof S3Refusal && error.isRepeat ? 'unclear' : 'conflict';
    }
  }

  async remove(keys: readonly string[]): Promise<void> {
    for (let start = 0; start < keys.length; start += KEYS_A_REMOVAL) {
      const some = keys.slice(start, start + KEYS_A_REMOVAL);
      const left = some.length === 1 ? some : await this.#removeMany(some);
      await eachLimit(left, REMOVALS_AT_ONCE, async (key) => {
        await this.#orAbsent({ method: 'DELETE', key }, ({ body }) => drop(body));
      });
    }
  }

  /** Removes keys in one request, and returns those that have to be removed one by one. */
  async #removeMany(keys: readonly string[]): Promise<readonly string[]> {
    const { sdk, client } = await this.#bucket.control();
    const Objects = keys.map((Key) => ({ Key }));
    const command = new sdk.DeleteObjectsCommand({
      Bucket: this.#bucket.name,
      Delete: { Objects, Quiet: true },
    });
    try {
      const { Errors = [] } = await client.send(command, this.#abort());
      return Errors.map(({ Key }) => Key).filter((key) => key !== undefined);
    } catch (error) {
      // Some keys cannot be said in XML, and some servers do not know the request.
      if (isUnsupported(error) || describeFailure(error).status === 400) return keys;
      throw this.#explain(error);
    }
  }

  async *list(prefix: string, startAfter?: string): AsyncGenerator<ListedObject> {
    const first = startAfter === undefined ? {} : { 'start-after': startAfter };
    let position: Readonly<Record<string, string>> | undefined = first;
    while (position !== undefined) {
      const query = { 'list-type': '2', prefix, ...position };
      const xml = await this.#orAbsent({ method: 'GET', query }, ({ body }) =>
        readText(body, MAX_PAGE_BYTES),
      );
      const page = parseListing(xml ?? '');
      yield* page.objects;
      const next: string | undefined = page.continuation;
      if (page.isTruncated && (next === undefined || next === position['continuation-token'])) {
        throw new PkgError('unreachable', `registry ${this.url} broke off a listing of ${prefix}`);
      }
      position =
        page.isTruncated && next !== undefined ? { 'continuation-token': next } : undefined;
    }
  }

  async copy(source: CopySource, key: string): Promise<void> {
    const { address, range } = source;
    // Only a range from the beginning can turn out to be the whole object.
    const found = range.start === 0 ? await this.head(address) : undefined;
    if (range.start === 0 && found === undefined) throw this.#absentSource(address);
    try {
      const isWhole = found?.sizeBytes === range.end;
      if (await copyOnServer(this.#bucket, source, isWhole, key)) return;
    } catch (error) {
      throw isAbsence(error) ? this.#absentSource(address) : this.#explain(error);
    }
    const upload = await uploadOfRange(range, (part) => this.#bytesOf(address, part));
    if (upload.sizeBytes !== range.end - range.start) throw this.#absentSource(address);
    await this.write(key, upload, ALWAYS);
  }

  async *#bytesOf(address: ObjectAddress, range: ByteRange): AsyncGenerator<Uint8Array> {
    const found = await this.read(address, range);
    if (found === undefined) throw this.#absentSource(address);
    yield* found.bytes;
  }

  #absentSource({ key }: ObjectAddress): PkgError {
    return new PkgError('integrity', `${this.url} has no ${key} of the size that was to be copied`);
  }

  async abandonUploads(beforeMs: number, mode: 'remove' | 'count'): Promise<number> {
    let count = 0;
    try {
      for await (const upload of listOpen(this.#bucket)) {
        const isOurs = OWN_PREFIXES.some((prefix) => upload.key.startsWith(prefix));
        if (!isOurs || upload.initiatedMs >= beforeMs) continue;
        count++;
        if (mode === 'remove') await abandonOne(this.#bucket, upload);
      }
    } catch (error) {
      throw this.#explain(error);
    }
    return count;
  }

  /** A HEAD has no body to tell a missing bucket from a missing object, so that is asked once. */
  async #requireBucket(): Promise<void> {
    if (this.#bucketSeen) return;
    try {
      await this.#bucket.http.send({ method: 'HEAD' }, ({ body }) => drop(body));
    } catch (error) {
      if (describeFailure(error).status === 404) throw this.#explain(NO_BUCKET);
      // Who may read objects need not be allowed to ask for the bucket.
      if (describeFailure(error).status !== 403) throw this.#explain(error);
    }
    this.#bucketSeen = true;
  }

  #abort() {
    return { abortSignal: this.#bucket.runtime.signal };
  }

  async #orAbsent<T>(
    request: S3Request,
    receive: (answer: S3Answer) => Promise<T> | T,
  ): Promise<T | undefined> {
    try {
      const answer = await this.#bucket.http.send(request, receive);
      this.#bucketSeen = true;
      return answer;
    } catch (error) {
      if (isAbsence(error)) return undefined;
      throw this.#explain(error);
    }
  }

  #explain(error: unknown): unknown {
    this.#bucket.runtime.signal.throwIfAborted();
    const where = this.#endpoint === undefined ? this.url : `${this.url} at ${this.#endpoint}`;
    return explainS3Failure(error, where);
  }
}

const NO_BUCKET = Object.assign(new Error('no such bucket'), { name: 'NoSuchBucket' });

function describeAnswer({ headers, body }: S3Answer): StoredObject {
  drop(body);
  const sizeBytes = Number(headerOf(headers, 'content-length') ?? 0);
  return { sizeBytes, etag: headerOf(headers, 'etag') ?? '' };
}

function targetOf({ key, versionId }: ObjectAddress) {
  return { key, ...(versionId === undefined ? {} : { query: { versionId } }) };
}

function rangeHeader({ start, end }: ByteRange): string {
  return `bytes=${String(start)}-${String(end - 1)}`;
}

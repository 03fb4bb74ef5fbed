/** Requests to S3 over HTTP: signed, counted, repeated where that can help, their bodies passed on. */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { invariant } from '../runtime/errors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { Digest } from '../store/digest.ts';
import {
  addressBucket,
  type BucketAddress,
  encodePath,
  formatQuery,
  type S3Location,
} from './s3-address.ts';
import { parseRefusal } from './s3-answers.ts';
import { openConnections, type Send } from './s3-exchange.ts';
import { isThrottling, isTransient, S3Refusal } from './s3-failures.ts';
import type { Sign } from './s3-signer.ts';

const MAX_ATTEMPTS = 5;
const FIRST_DELAY_MS = 100;
const FIRST_THROTTLED_DELAY_MS = 500;
const MAX_DELAY_MS = 20_000;
const MAX_RETRY_AFTER_MS = 30_000;

/** No further try is begun this long after the first. */
const MAX_TRYING_MS = 180_000;

/** Refusals are short texts. */
const MAX_REFUSAL_BYTES = 64 * 1024;

/** A clock that is off by more than the 5 minutes servers allow, less what a request may take. */
const MAX_SKEW_MS = 4 * 60_000;

/** SHA-256 of no bytes. */
const EMPTY_DIGEST = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

export interface S3Request {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'DELETE';
  /** The bucket itself is asked where there is none. */
  readonly key?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: { readonly bytes: Uint8Array; readonly digest: Digest };
}

export type S3Body = IncomingMessage;

export interface S3Answer {
  /** Between 200 and 299. */
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: S3Body;
}

/** A bucket's server. */
export class S3Http {
  readonly #runtime: Runtime;
  readonly #location: S3Location;
  readonly #sign: Sign;
  #region: string;
  #address: BucketAddress;
  #send: Send;
  #clockOffsetMs = 0;
  #requests = 0;
  #sentBytes = 0;

  constructor(runtime: Runtime, location: S3Location, sign: Sign) {
    this.#runtime = runtime;
    this.#location = location;
    this.#sign = sign;
    this.#region = location.region;
    this.#address = addressBucket(location);
    this.#send = openConnections(runtime, this.#address.base, location.silenceMs);
  }

  get requests(): number {
    return this.#requests;
  }

  get sentBytes(): number {
    return this.#sentBytes;
  }

  /** Where the bucket turned out to be. */
  get region(): string {
    return this.#region;
  }

  /** Counts a request that went another way. */
  noteRequest(): void {
    this.#requests++;
  }

  /**
   * Sends a request, up to 5 times, and gives the answer to `receive`, whose own failures of the
   * network count as the request's. `receive` reads the body to its end, or keeps it.
   * @throws S3Refusal, or the network's error, of the last try.
   */
  async send<T>(request: S3Request, receive: (answer: S3Answer) => Promise<T> | T): Promise<T> {
    const { clock, signal } = this.#runtime;
    const startMs = clock.now();
    let adjusted = 0;
    for (let failures = 0; ; ) {
      signal.throwIfAborted();
      try {
        return await this.#try(request, receive);
      } catch (error) {
        signal.throwIfAborted();
        if (adjusted < 2 && this.#adjust(error)) {
          adjusted++;
          continue;
        }
        failures++;
        if (failures > 1 && error instanceof S3Refusal) error.isRepeat = true;
        const isLate = clock.now() - startMs > MAX_TRYING_MS;
        if (failures >= MAX_ATTEMPTS || isLate || !isTransient(error)) throw error;
        await clock.sleep(this.#delayMs(error, failures), signal);
      }
    }
  }

  async #try<T>(request: S3Request, receive: (answer: S3Answer) => Promise<T> | T): Promise<T> {
    const { method, key, query = {}, body } = request;
    const { base, path: bucketPath } = this.#address;
    const path = `${bucketPath}/${key === undefined ? '' : encodePath(key)}`;
    const headers = await this.#sign(
      {
        method,
        base,
        path,
        query,
        headers: {
          host: base.host,
          'x-amz-content-sha256': body?.digest ?? EMPTY_DIGEST,
          ...request.headers,
        },
      },
      this.#region,
      new Date(this.#nowMs()),
    );
    this.#requests++;
    this.#sentBytes += body?.bytes.length ?? 0;
    const response = await this.#send({
      method,
      path: path + formatQuery(query),
      headers:
        body === undefined ? headers : { ...headers, 'content-length': String(body.bytes.length) },
      body: body?.bytes,
    });
    const status = response.statusCode ?? 0;
    try {
      if (status < 200 || status >= 300) throw await readRefusal(status, response);
      return await receive({ status, headers: response.headers, body: response });
    } catch (error) {
      response.destroy();
      throw error;
    }
  }

  /** Changes what a refusal says was wrong with the request: the region, or the time of day. */
  #adjust(error: unknown): boolean {
    if (!(error instanceof S3Refusal)) return false;
    const { region, serverMs } = error;
    if (this.#location.endpoint === undefined && region !== undefined && region !== this.#region) {
      this.#region = region;
      this.#address = addressBucket({ ...this.#location, region });
      this.#send = openConnections(this.#runtime, this.#address.base, this.#location.silenceMs);
      return true;
    }
    const skewMs = serverMs === undefined ? 0 : serverMs - this.#nowMs();
    if (error.status !== 403 || Math.abs(skewMs) < MAX_SKEW_MS) return false;
    this.#clockOffsetMs += skewMs;
    return true;
  }

  #delayMs(error: unknown, failures: number): number {
    const asked = error instanceof S3Refusal ? error.retryAfterMs : undefined;
    const firstMs = isThrottling(error) ? FIRST_THROTTLED_DELAY_MS : FIRST_DELAY_MS;
    const ceilingMs = Math.min(MAX_DELAY_MS, firstMs * 2 ** (failures - 1));
    return Math.max(Math.min(asked ?? 0, MAX_RETRY_AFTER_MS), ceilingMs * this.#runtime.random());
  }

  #nowMs(): number {
    return this.#runtime.clock.now() + this.#clockOffsetMs;
  }
}

/** Reads a body that has to be whole: text such as a listing. */
export async function readText(body: S3Body, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of body) {
    invariant(chunk instanceof Uint8Array, 'bodies are bytes');
    sizeBytes += chunk.length;
    if (sizeBytes > maxBytes) break;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** The text of a header that may come several times. */
export function headerOf(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}

async function readRefusal(status: number, response: IncomingMessage): Promise<S3Refusal> {
  // What a broken refusal would have said is lost; its status counts.
  const text = await readText(response, MAX_REFUSAL_BYTES).catch(() => '');
  const { code, message, region } = parseRefusal(text);
  return new S3Refusal(status, code, message, {
    region: headerOf(response.headers, 'x-amz-bucket-region') ?? region,
    retryAfter: headerOf(response.headers, 'retry-after'),
    date: headerOf(response.headers, 'date'),
  });
}

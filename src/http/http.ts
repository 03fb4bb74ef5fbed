/** GET over HTTP with retries, redirects, limits and politeness. */
import type { Agent, Dispatcher } from 'undici';
import { messageOf, PkgError, redactSecrets } from '../runtime/errors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { streamOf } from '../store/digest.ts';
import { isPrivateAddress, literalAddress, type Reach, reachAfterRedirect } from './address.ts';
import { createAgent } from './agent.ts';
import { BodyTooLarge, BodyTooSlow, discard, limitBody } from './body.ts';
import { HostGate, type HostLimits } from './host-gate.ts';
import {
  backoffDelayMs,
  isConnectionError,
  isTransientError,
  isTransientStatus,
  retryAfterMs,
} from './retry.ts';
import { type S3Settings, signS3Get } from './s3-url.ts';

export interface HttpLimits extends HostLimits {
  /** Repeats after a failure that another try can mend. */
  readonly retries: number;
  /** For connecting, for the first byte, and for a pause inside the body. */
  readonly timeoutMs: number;
}

export interface HttpRequest {
  /** `http:`, `https:` or `s3:`. */
  readonly url: string;
  readonly reach: Reach;
  /** A longer body ends the request. */
  readonly maxBytes: number;
  /** Further headers, asked for anew at each try. */
  readonly headers?: () => Readonly<Record<string, string>>;
  /** A redirect to such an address is not followed: the answer is the redirect itself. */
  readonly stopAt?: (address: URL) => boolean;
}

/** A final answer: any status that trying again would not change. */
export interface HttpAnswer {
  readonly status: number;
  /** The address that answered, or to which a redirect that was not followed points. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Fails where the body is longer than allowed, slower than allowed or cut short. */
  readonly body: AsyncIterable<Uint8Array>;
}

/** What a GET came to; all but `received` are final as well. */
export type HttpResult<T> =
  | { readonly kind: 'received'; readonly value: T }
  | {
      readonly kind: 'refused';
      readonly status: number;
      readonly url: string;
      readonly why: string;
    }
  | { readonly kind: 'too-large'; readonly status: number; readonly url: string };

export interface HttpClient {
  /**
   * Asks until there is a final answer and hands it to `receive`, which reads the body; a transport
   * failure while it reads is tried again from the start.
   * @throws PkgError `unreachable` when the tries are used up, or for what no try can mend.
   */
  get<T>(request: HttpRequest, receive: (answer: HttpAnswer) => Promise<T>): Promise<HttpResult<T>>;
  close(): Promise<void>;
}

const MAX_REDIRECTS = 5;
const USER_AGENT = 'pkg/0.1';

/** Turns without a failure of their own: a host may ask for patience this often for one request. */
const MAX_WAITS = 30;

/** A host that asks for a longer pause than this is treated as unreachable. */
const MAX_PAUSE_MS = 10 * 60 * 1000;

/** A body that arrived but cannot be trusted; thrown by `receive` to have it sent again. */
export class DamagedBody extends Error {}

export function createHttpClient(
  runtime: Runtime,
  limits: HttpLimits,
  s3: S3Settings = { endpoint: undefined, region: 'us-east-1' },
): HttpClient {
  const agents = new Map<Reach, Promise<Agent>>();
  const agentOf = (reach: Reach) => {
    const agent = agents.get(reach) ?? createAgent(limits, reach);
    agents.set(reach, agent);
    return agent;
  };
  const gates = new Map<string, HostGate>();
  const gateOf = (host: string) => {
    const gate = gates.get(host) ?? new HostGate(runtime, limits);
    gates.set(host, gate);
    return gate;
  };
  const context = { runtime, limits, s3, agentOf, gateOf };
  return {
    get: (request, receive) => getWithRetries(context, request, receive),
    close: async () => {
      for (const agent of agents.values()) await (await agent).destroy();
    },
  };
}

interface ClientContext {
  readonly runtime: Runtime;
  readonly limits: HttpLimits;
  readonly s3: S3Settings;
  readonly agentOf: (reach: Reach) => Promise<Agent>;
  readonly gateOf: (host: string) => HostGate;
}

/** One try: an outcome, or a failure with how long to wait before the next. */
type Attempt<T> =
  | { readonly done: HttpResult<T> }
  | {
      readonly failure: string;
      readonly cause: unknown;
      readonly waitMs?: number | undefined;
      readonly gate?: HostGate;
    };

async function getWithRetries<T>(
  context: ClientContext,
  request: HttpRequest,
  receive: (answer: HttpAnswer) => Promise<T>,
): Promise<HttpResult<T>> {
  const { clock, signal, random } = context.runtime;
  let failures = 0;
  for (let waits = 0; waits <= MAX_WAITS; ) {
    signal.throwIfAborted();
    const attempt = await tryOnce(context, request, receive);
    if ('done' in attempt) return attempt.done;
    if (attempt.waitMs !== undefined && attempt.waitMs > MAX_PAUSE_MS) {
      throw unreachable(
        request.url,
        `asks to wait ${String(attempt.waitMs / 1000)} s`,
        attempt.cause,
      );
    }
    if (attempt.waitMs === undefined) failures++;
    else waits++;
    if (failures > context.limits.retries) {
      if (isConnectionError(attempt.cause)) attempt.gate?.noteFailure();
      throw unreachable(request.url, attempt.failure, attempt.cause);
    }
    await clock.sleep(
      Math.max(attempt.waitMs ?? 0, backoffDelayMs(Math.max(1, failures), random)),
      signal,
    );
  }
  throw unreachable(request.url, 'keeps asking to wait', undefined);
}

function unreachable(url: string, why: string, cause: unknown): PkgError {
  return new PkgError('unreachable', `${url} could not be fetched: ${why}`, {
    hint: 'Check the address and the network, then run the command again; what has arrived is kept.',
    ...(cause === undefined ? {} : { cause }),
  });
}

async function tryOnce<T>(
  context: ClientContext,
  request: HttpRequest,
  receive: (answer: HttpAnswer) => Promise<T>,
): Promise<Attempt<T>> {
  let address = parseAddress(request.url);
  const source = address;
  let reach = request.reach;
  let status = 0;
  for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
    const gate = context.gateOf(address.host);
    if (gate.isDown) return { done: failFast(address) };
    const current = address;
    const outcome = await gate.take(() => speak(context, request, current, reach, receive));
    if ('attempt' in outcome) {
      noteOutcome(gate, outcome.attempt);
      return { ...outcome.attempt, gate };
    }
    gate.noteAnswer();
    status = outcome.status;
    const refusal = refuseRedirect(outcome.target);
    if (refusal !== undefined) {
      return { done: { kind: 'refused', status, url: outcome.target, why: refusal } };
    }
    address = new URL(outcome.target);
    reach = await reachAfterRedirect(source, request.reach, address);
  }
  const why = `more than ${String(MAX_REDIRECTS)} redirects`;
  return { done: { kind: 'refused', status, url: redactSecrets(address.href), why } };
}

function failFast(address: URL): never {
  throw unreachable(address.href, `${address.host} does not answer`, undefined);
}

function noteOutcome(gate: HostGate, attempt: Attempt<unknown>): void {
  if ('done' in attempt || attempt.waitMs !== undefined) gate.noteAnswer();
  if ('failure' in attempt && attempt.waitMs !== undefined) gate.pause(attempt.waitMs);
}

type Hop<T> =
  | { readonly attempt: Attempt<T> }
  | { readonly target: string; readonly status: number };

/** One request to one address, its body read to the end. */
async function speak<T>(
  context: ClientContext,
  request: HttpRequest,
  address: URL,
  reach: Reach,
  receive: (answer: HttpAnswer) => Promise<T>,
): Promise<Hop<T>> {
  const literal = literalAddress(address);
  if (reach === 'public' && literal !== undefined && isPrivateAddress(literal)) {
    return { attempt: { done: refusePrivate(address) } };
  }
  try {
    const response = await send(context, request, address, reach);
    const status = response.statusCode;
    const location = response.headers['location'];
    if (status >= 300 && status < 400 && status !== 304 && typeof location === 'string') {
      await discard(response.body);
      const target = URL.canParse(location, address.href)
        ? new URL(location, address).href
        : location;
      const stop = URL.canParse(target) && request.stopAt?.(new URL(target)) === true;
      if (!stop) return { target, status };
      const answer = { status, url: target, headers: response.headers, body: streamOf('') };
      return { attempt: { done: { kind: 'received', value: await receive(answer) } } };
    }
    if (isTransientStatus(status)) {
      await discard(response.body);
      return { attempt: waitForHost(context, status, response.headers['retry-after']) };
    }
    return { attempt: await readAnswer(context, request, address, response, receive) };
  } catch (error) {
    return { attempt: explainFailure(context, address, error) };
  }
}

async function send(
  context: ClientContext,
  request: HttpRequest,
  address: URL,
  reach: Reach,
): Promise<Dispatcher.ResponseData> {
  const signed =
    address.protocol === 's3:'
      ? await signS3Get(address, context.s3, new Date(context.runtime.clock.now()))
      : { url: address, headers: {} };
  const dispatcher = await context.agentOf(reach);
  return await dispatcher.request({
    origin: signed.url.origin,
    path: `${signed.url.pathname}${signed.url.search}`,
    method: 'GET',
    signal: context.runtime.signal,
    headers: {
      'user-agent': USER_AGENT,
      accept: '*/*',
      'accept-encoding': 'identity',
      ...request.headers?.(),
      ...signed.headers,
    },
  });
}

async function readAnswer<T>(
  context: ClientContext,
  request: HttpRequest,
  address: URL,
  response: Dispatcher.ResponseData,
  receive: (answer: HttpAnswer) => Promise<T>,
): Promise<Attempt<T>> {
  const answer = {
    status: response.statusCode,
    url: redactSecrets(address.href),
    headers: response.headers,
  };
  const tooLarge = { kind: 'too-large', status: answer.status, url: answer.url } as const;
  try {
    if (Number(response.headers['content-length'] ?? 0) > request.maxBytes) {
      return { done: tooLarge };
    }
    const body = limitBody(context.runtime.clock, response.body, {
      maxBytes: request.maxBytes,
      timeoutMs: context.limits.timeoutMs,
    });
    return { done: { kind: 'received', value: await receive({ ...answer, body }) } };
  } catch (error) {
    if (error instanceof BodyTooLarge) return { done: tooLarge };
    throw error;
  } finally {
    await discard(response.body);
  }
}

function waitForHost(
  context: ClientContext,
  status: number,
  retryAfter: string | readonly string[] | undefined,
): Attempt<never> {
  const header = typeof retryAfter === 'string' ? retryAfter : undefined;
  const askedMs = retryAfterMs(header, context.runtime.clock.now());
  const waitMs = status === 429 ? (askedMs ?? 1000) : askedMs;
  return { failure: `HTTP ${String(status)}`, cause: undefined, waitMs };
}

function explainFailure(context: ClientContext, address: URL, error: unknown): Attempt<never> {
  context.runtime.signal.throwIfAborted();
  if (error instanceof PkgError) throw error;
  if (error instanceof Error && 'code' in error && error.code === 'PRIVATE') {
    return { done: refusePrivate(address) };
  }
  const repeat =
    error instanceof BodyTooSlow || error instanceof DamagedBody || isTransientError(error);
  if (!repeat) throw unreachable(address.href, messageOf(error), error);
  return { failure: messageOf(error) || 'the connection broke', cause: error };
}

function refusePrivate(address: URL): HttpResult<never> {
  const why = 'it leads to a private address';
  return { kind: 'refused', status: 0, url: redactSecrets(address.href), why };
}

function refuseRedirect(target: string): string | undefined {
  if (!URL.canParse(target)) return 'it redirects to no valid address';
  const { protocol } = new URL(target);
  if (protocol === 'http:' || protocol === 'https:') return undefined;
  return `it redirects to a ${protocol.slice(0, -1)} address`;
}

/** Whether a text is an absolute `http:`, `https:` or `s3:` URL, which a client can ask. */
export function isFetchable(url: string): boolean {
  return URL.canParse(url) && ['http:', 'https:', 's3:'].includes(new URL(url).protocol);
}

function parseAddress(url: string): URL {
  if (!isFetchable(url)) {
    throw new PkgError('unreachable', `${url} is not an address that can be fetched`, {
      hint: 'Addresses begin with http://, https://, s3:// or file://, or are paths.',
    });
  }
  return new URL(url);
}

/** One request to one address and the answer to it, told apart: final, a redirect, or worth another try. */
import type { Agent, Dispatcher } from 'undici';
import { messageOf, PkgError, redactSecrets } from '../runtime/errors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { streamOf } from '../store/digest.ts';
import { isPrivateAddress, literalAddress, type Reach } from './address.ts';
import { BodyTooLarge, BodyTooSlow, discard, limitBody } from './body.ts';
import {
  DamagedBody,
  type HttpAnswer,
  type HttpLimits,
  type HttpRequest,
  type HttpResult,
} from './http.ts';
import { isTransientError, isTransientStatus, retryAfterMs } from './retry.ts';
import { type S3Settings, signS3Get } from './s3-url.ts';

const USER_AGENT = 'pkg/0.1';

/** What all exchanges of a client share. */
export interface ExchangeContext {
  readonly runtime: Runtime;
  readonly limits: HttpLimits;
  readonly s3: S3Settings;
  readonly agentOf: (reach: Reach) => Promise<Agent>;
}

/** One try: an outcome, or a failure with how long to wait before the next. */
export type Attempt<T> =
  | { readonly done: HttpResult<T> }
  | {
      readonly failure: string;
      readonly cause: unknown;
      readonly waitMs?: number | undefined;
    };

/** What one request came to: an attempt's end, or the address to ask instead. */
export type Hop<T> =
  | { readonly attempt: Attempt<T> }
  | { readonly target: string; readonly status: number };

/** One request to one address, its body read to the end. */
export async function speak<T>(
  context: ExchangeContext,
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
  context: ExchangeContext,
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
  context: ExchangeContext,
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
  context: ExchangeContext,
  status: number,
  retryAfter: string | readonly string[] | undefined,
): Attempt<never> {
  const header = typeof retryAfter === 'string' ? retryAfter : undefined;
  const askedMs = retryAfterMs(header, context.runtime.clock.now());
  const waitMs = status === 429 ? (askedMs ?? 1000) : askedMs;
  return { failure: `HTTP ${String(status)}`, cause: undefined, waitMs };
}

function explainFailure(context: ExchangeContext, address: URL, error: unknown): Attempt<never> {
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

/** The error for an address that cannot be fetched, now or at all. */
export function unreachable(url: string, why: string, cause: unknown): PkgError {
  return new PkgError('unreachable', `${url} could not be fetched: ${why}`, {
    hint: 'Check the address and the network, then run the command again; what has arrived is kept.',
    ...(cause === undefined ? {} : { cause }),
  });
}

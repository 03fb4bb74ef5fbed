/** The client: tries, redirects and politeness around single requests. */
import type { Agent } from 'undici';
import { PkgError, redactSecrets } from '../runtime/errors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { type Reach, reachAfterRedirect } from './address.ts';
import { createAgent } from './agent.ts';
import { type Attempt, type ExchangeContext, speak, unreachable } from './exchange.ts';
import { HostGate } from './host-gate.ts';
import {
  type HttpAnswer,
  type HttpClient,
  type HttpLimits,
  type HttpRequest,
  type HttpResult,
  isFetchable,
} from './http.ts';
import { backoffDelayMs, isConnectionError } from './retry.ts';
import type { S3Settings } from './s3-url.ts';

const MAX_REDIRECTS = 5;

/** Turns without a failure of their own: a host may ask for patience this often for one request. */
const MAX_WAITS = 30;

/** A host that asks for a longer pause than this is treated as unreachable. */
const MAX_PAUSE_MS = 10 * 60 * 1000;

interface ClientContext extends ExchangeContext {
  readonly gateOf: (host: string) => HostGate;
}

/** A client with its own connections; whoever makes it closes it. */
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

async function tryOnce<T>(
  context: ClientContext,
  request: HttpRequest,
  receive: (answer: HttpAnswer) => Promise<T>,
): Promise<Attempt<T> & { readonly gate?: HostGate }> {
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

function refuseRedirect(target: string): string | undefined {
  if (!URL.canParse(target)) return 'it redirects to no valid address';
  const { protocol } = new URL(target);
  if (protocol === 'http:' || protocol === 'https:') return undefined;
  return `it redirects to a ${protocol.slice(0, -1)} address`;
}

function parseAddress(url: string): URL {
  if (!isFetchable(url)) {
    throw new PkgError('unreachable', `${url} is not an address that can be fetched`, {
      hint: 'Addresses begin with http://, https://, s3:// or file://, or are paths.',
    });
  }
  return new URL(url);
}

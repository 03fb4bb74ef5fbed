/** A proxy before a real server that loses, cuts, delays and refuses what passes it, as a test asks it to. */
import {
  Agent,
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request,
  type ServerResponse,
} from 'node:http';
import type { RunningServer } from './servers.ts';

/** What happens to one exchange. */
export type Fault =
  | { readonly kind: 'none' }
  /** The server is not asked; a code makes the answer one of S3's. */
  | { readonly kind: 'refuse'; readonly status: number; readonly code?: string }
  /** The server has done what was asked; its answer never arrives. */
  | { readonly kind: 'lose answer' }
  | { readonly kind: 'cut answer'; readonly afterBytes: number }
  /** The connection is reset after so many bytes of the request's body; the server sees no more of it. */
  | { readonly kind: 'cut request'; readonly afterBytes: number }
  /** The connection is reset before the server hears anything. */
  | { readonly kind: 'reset' }
  | { readonly kind: 'delay answer'; readonly delayMs: number }
  /** Nothing happens on the connection any more, before or after the server has done what was asked. */
  | { readonly kind: 'stall'; readonly isDone: boolean };

export interface Exchange {
  readonly method: string;
  readonly path: string;
  readonly range: string | undefined;
}

/** An exchange with what became of it. */
export interface Passed extends Exchange {
  readonly fault: Fault;
  /** The server's status; undefined where the server did not answer. */
  readonly status: number | undefined;
  /** Bytes of the request's body that the server was sent, and of the answer's that the client was. */
  readonly sentBytes: number;
  readonly receivedBytes: number;
  /** Where in its object the answer's body begins. */
  readonly start: number;
  /** Whether the whole answer was handed over. */
  readonly isWhole: boolean;
}

export interface FaultyProxy extends RunningServer {
  /** In the order in which they began. */
  readonly exchanges: readonly Passed[];
}

/** What a refusal's body says, in S3's words. */
const REFUSAL =
  '<?xml version="1.0" encoding="UTF-8"?><Error><Code>$</Code><Message>a fault</Message></Error>';

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/**
 * Starts a proxy for the server at `target`; `choose` is asked about every exchange, which waits for the
 * answer.
 */
export async function startFaultyProxy(
  target: string,
  choose: (exchange: Exchange) => Fault | Promise<Fault>,
): Promise<FaultyProxy> {
  const exchanges: Passed[] = [];
  const agent = new Agent({ keepAlive: true });
  const server = createServer((incoming, outgoing) => {
    void handle(incoming, outgoing);
  });
  const handle = async (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const { method = '', url: path = '' } = incoming;
    const exchange = { method, path, range: incoming.headers.range };
    const passed: Mutable<Passed> = {
      ...exchange,
      ...{ fault: { kind: 'none' }, status: undefined, sentBytes: 0, receivedBytes: 0 },
      ...{ start: 0, isWhole: false },
    };
    exchanges.push(passed);
    passed.fault = await choose(exchange);
    pass({ target, agent, incoming, outgoing, passed });
  };
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return {
    url: `http://127.0.0.1:${String(address.port)}`,
    exchanges,
    stop: async () => {
      server.closeAllConnections();
      agent.destroy();
      await new Promise((closed) => server.close(closed));
    },
  };
}

/** Lets a fault happen the first `times` times that a test of the exchange holds. */
export function first(
  times: number,
  fault: Fault,
  when: (exchange: Exchange) => boolean,
): (exchange: Exchange) => Fault {
  let left = times;
  return (exchange) => {
    if (left === 0 || !when(exchange)) return { kind: 'none' };
    left--;
    return fault;
  };
}

interface Passing {
  readonly target: string;
  readonly agent: Agent;
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  readonly passed: Mutable<Passed>;
}

function pass(passing: Passing): void {
  const { incoming, outgoing, passed } = passing;
  const { fault } = passed;
  if (fault.kind === 'reset') incoming.socket.resetAndDestroy();
  else if (fault.kind === 'refuse') refuse(incoming, outgoing, fault);
  else if (fault.kind === 'stall' && !fault.isDone) incoming.resume();
  else forward(passing);
}

function refuse(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  { status, code }: { readonly status: number; readonly code?: string },
): void {
  incoming.resume();
  incoming.on('end', () => {
    outgoing.writeHead(status, code === undefined ? {} : { 'content-type': 'application/xml' });
    outgoing.end(code === undefined ? undefined : REFUSAL.replace('$', code));
  });
}

function forward({ target, agent, incoming, outgoing, passed }: Passing): void {
  // The same headers, Host too: they are signed.
  const { expect: _, ...headers } = incoming.headers;
  const { method, url } = incoming;
  const { fault } = passed;
  const address = new URL(url ?? '/', target);
  const onward = request(address, { method, headers, setHost: false, agent });
  onward.on('error', () => outgoing.destroy());
  outgoing.on('close', () => {
    if (!outgoing.writableFinished) onward.destroy();
  });
  onward.on('response', (answer) => {
    passed.status = answer.statusCode;
    passed.start = startOf(answer.headers);
    if (fault.kind === 'lose answer' || fault.kind === 'stall') {
      answer.resume();
      if (fault.kind === 'lose answer') answer.on('end', () => outgoing.destroy());
      return;
    }
    const delayMs = fault.kind === 'delay answer' ? fault.delayMs : 0;
    const atMost = fault.kind === 'cut answer' ? fault.afterBytes : Number.POSITIVE_INFINITY;
    if (delayMs > 0) setTimeout(() => handOver(answer, outgoing, passed, atMost), delayMs);
    else handOver(answer, outgoing, passed, atMost);
  });
  const cutAt = fault.kind === 'cut request' ? fault.afterBytes : undefined;
  incoming.on('data', (chunk: Buffer) => {
    passed.sentBytes += chunk.length;
    if (cutAt === undefined || passed.sentBytes < cutAt) return;
    onward.destroy();
    incoming.socket.resetAndDestroy();
  });
  incoming.pipe(onward);
}

/** Where in its object a body begins: after `bytes ` in Content-Range (RFC 9110, section 14.4). */
function startOf(headers: IncomingHttpHeaders): number {
  return Number(/^bytes (\d+)-/.exec(headers['content-range'] ?? '')?.[1] ?? 0);
}

/** Hands an answer over, as far as it may go, no faster than the client takes it. */
function handOver(
  answer: IncomingMessage,
  outgoing: ServerResponse,
  passed: Mutable<Passed>,
  atMost: number,
): void {
  outgoing.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
  outgoing.on('drain', () => answer.resume());
  outgoing.on('finish', () => (passed.isWhole = true));
  answer.on('error', () => outgoing.destroy());
  answer.on('end', () => outgoing.end());
  answer.on('data', (chunk: Buffer) => {
    const part = chunk.subarray(0, atMost - passed.receivedBytes);
    passed.receivedBytes += part.length;
    const isCut = passed.receivedBytes >= atMost;
    const goesOn = outgoing.write(part, () => {
      if (isCut) outgoing.destroy();
    });
    if (isCut) answer.destroy();
    else if (!goesOn) answer.pause();
  });
}

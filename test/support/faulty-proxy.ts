/** A proxy before a real server that loses, cuts and refuses answers as a test asks it to. */
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { RunningServer } from './servers.ts';

/** What happens to one exchange; the request reaches the server unless it is refused. */
export type Fault =
  | { readonly kind: 'none' }
  | { readonly kind: 'refuse'; readonly status: number }
  /** The server has done what was asked; its answer never arrives. */
  | { readonly kind: 'lose answer' }
  | { readonly kind: 'cut answer'; readonly afterBytes: number };

export interface Exchange {
  readonly method: string;
  readonly path: string;
  readonly range: string | undefined;
}

export interface FaultyProxy extends RunningServer {
  readonly exchanges: readonly Exchange[];
}

/** Starts a proxy for the server at `target`; `choose` is asked about every exchange. */
export async function startFaultyProxy(
  target: string,
  choose: (exchange: Exchange) => Fault,
): Promise<FaultyProxy> {
  const exchanges: Exchange[] = [];
  const server = createServer((incoming, outgoing) => {
    const { method = '', url: path = '' } = incoming;
    const exchange = { method, path, range: incoming.headers.range };
    exchanges.push(exchange);
    forward(target, incoming, outgoing, choose(exchange));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return {
    url: `http://127.0.0.1:${String(address.port)}`,
    exchanges,
    stop: async () => {
      server.closeAllConnections();
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

function forward(
  target: string,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  fault: Fault,
): void {
  if (fault.kind === 'refuse') {
    incoming.resume();
    incoming.on('end', () => outgoing.writeHead(fault.status).end());
    return;
  }
  // The same headers, Host too: they are signed.
  const { expect: _, ...headers } = incoming.headers;
  const { method, url } = incoming;
  const onward = request(new URL(url ?? '/', target), { method, headers, setHost: false });
  onward.on('error', () => outgoing.destroy());
  onward.on('response', (answer) => {
    if (fault.kind === 'lose answer') {
      answer.resume();
      answer.on('end', () => outgoing.destroy());
      return;
    }
    outgoing.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
    if (fault.kind === 'cut answer') cut(answer, outgoing, fault.afterBytes);
    else answer.pipe(outgoing);
  });
  incoming.pipe(onward);
}

function cut(answer: IncomingMessage, outgoing: ServerResponse, afterBytes: number): void {
  let sent = 0;
  answer.on('data', (chunk: Buffer) => {
    const part = chunk.subarray(0, afterBytes - sent);
    sent += part.length;
    outgoing.write(part, () => {
      if (sent >= afterBytes) outgoing.destroy();
    });
    if (sent >= afterBytes) answer.destroy();
  });
}

/** Small HTTP servers for tests, on free ports, closed with the test file. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { afterAll } from 'vitest';
import { createHttpClient } from '../../src/http/client.ts';
import type { HttpAnswer, HttpClient } from '../../src/http/http.ts';
import type { Runtime } from '../../src/runtime/runtime.ts';
import { type FakeClock, fakeClock } from './fake-clock.ts';
import { testRuntime } from './runtime.ts';

export interface Probe {
  readonly url: string;
  /** Requests so far, oldest first. */
  readonly requests: readonly IncomingMessage[];
}

const servers: Server[] = [];
const clients: HttpClient[] = [];

afterAll(async () => {
  for (const client of clients.splice(0)) await client.close();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  }
});

/** Serves requests by `answer`, which is told how many requests came before this one. */
export async function serve(
  answer: (request: IncomingMessage, response: ServerResponse, before: number) => void,
): Promise<Probe> {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    answer(request, response, requests.length - 1);
  });
  servers.push(server);
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return { url: `http://127.0.0.1:${String(address.port)}`, requests };
}

export interface ClientOptions {
  readonly runtime?: Partial<Runtime>;
  readonly retries?: number;
  readonly timeoutMs?: number;
  readonly concurrency?: number;
  readonly requestsPerSecond?: number;
  readonly s3?: { readonly endpoint: string | undefined; readonly region: string };
}

/** A client on a fake clock, closed with the test file. */
export function openClient(options: ClientOptions = {}): {
  readonly client: HttpClient;
  readonly runtime: Runtime;
  readonly clock: FakeClock;
} {
  const clock = fakeClock();
  const runtime = testRuntime({ clock, random: () => 0, ...options.runtime });
  const limits = {
    retries: options.retries ?? 3,
    timeoutMs: options.timeoutMs ?? 10_000,
    concurrency: options.concurrency ?? 8,
    requestsPerSecond: options.requestsPerSecond ?? 1_000_000,
  };
  const client = createHttpClient(runtime, limits, options.s3);
  clients.push(client);
  return { client, runtime, clock };
}

/** A whole body as text. */
export async function bodyText(answer: HttpAnswer): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of answer.body) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

/** Asks for a URL and gives the answer's status and body, or what came instead of an answer. */
export async function ask(
  client: HttpClient,
  url: string,
  request: Partial<Parameters<HttpClient['get']>[0]> = {},
) {
  return await client.get(
    { url, reach: 'anywhere', maxBytes: 1_000_000, ...request },
    async (answer) => ({ status: answer.status, text: await bodyText(answer) }),
  );
}

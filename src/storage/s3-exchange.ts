/** One HTTP request and its answer, over connections that are kept, with limits on silence. */
import { Agent, type IncomingMessage, request as requestPlain } from 'node:http';
import { request as requestSecure, Agent as SecureAgent } from 'node:https';
import type { Runtime } from '../runtime/runtime.ts';

const CONNECTIONS = 32;
const CONNECT_TIMEOUT_MS = 10_000;
const SILENCE_TIMEOUT_MS = 60_000;

/** Of an unwanted body, as much is read to keep its connection. */
const MAX_DROPPED_BYTES = 64 * 1024;

export interface Exchange {
  readonly method: string;
  /** Encoded, with its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | undefined;
}

/** Sends a request and resolves to its answer, whose body is read, dropped or destroyed by the caller. */
export type Send = (exchange: Exchange) => Promise<IncomingMessage>;

/**
 * Connections to a server. They are Node's own: it takes 3 ms to load what undici needs 80 for, and
 * undici 7 ends the process where a server closes the connection behind a body that is not read yet
 * (https://github.com/nodejs/undici/issues/5360).
 */
export function openConnections(
  { signal }: Runtime,
  base: URL,
  silenceMs = SILENCE_TIMEOUT_MS,
): Send {
  const isSecure = base.protocol === 'https:';
  const limits = { keepAlive: true, maxSockets: CONNECTIONS, timeout: silenceMs };
  const agent = isSecure ? new SecureAgent(limits) : new Agent(limits);
  const request = isSecure ? requestSecure : requestPlain;
  const { hostname, port } = base;
  const to = { hostname: hostname.replace(/^\[|\]$/g, ''), ...(port !== '' && { port }) };
  return ({ method, path, headers, body }) =>
    new Promise((resolve, reject) => {
      const outgoing = request({ ...to, agent, method, path, headers, signal });
      let answer: IncomingMessage | undefined;
      outgoing.setTimeout(silenceMs, () => {
        // Where bytes have arrived that nobody took yet, it is not the server that is silent.
        if (answer !== undefined && answer.readableLength > 0) {
          outgoing.setTimeout(silenceMs);
          return;
        }
        const what = answer === undefined ? 'no answer in time' : 'the answer came to a halt';
        outgoing.destroy(timedOut(what));
      });
      outgoing.on('socket', (socket) => {
        if (!socket.connecting) return;
        const late = () => outgoing.destroy(timedOut('no connection in time'));
        const timer = setTimeout(late, CONNECT_TIMEOUT_MS);
        socket.once('connect', () => clearTimeout(timer));
        socket.once('close', () => clearTimeout(timer));
      });
      outgoing.on('error', reject);
      outgoing.on('response', (response) => {
        answer = response;
        // Whoever reads it is told of a broken body; where nobody does, it is of no interest.
        response.on('error', () => undefined);
        resolve(response);
      });
      outgoing.end(body);
    });
}

function timedOut(message: string): Error {
  return Object.assign(new Error(message), { code: 'ETIMEDOUT' });
}

/** Drops a body that nobody wants; its connection serves again where the body is short. */
export function drop(body: IncomingMessage): void {
  if (Number(body.headers['content-length'] ?? 0) > MAX_DROPPED_BYTES) body.destroy();
  else body.resume();
}

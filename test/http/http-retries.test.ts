/** The HTTP client against a server that fails: which answers are asked for again, and how often. */
import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { DamagedBody } from '../../src/http/http.ts';
import { PkgError } from '../../src/runtime/errors.ts';
import { ask, bodyText, openClient, serve } from '../support/http-probe.ts';

const BODY = 'x'.repeat(5000);

/** A server that spoils its first answers and then gives the body. */
async function serveAfter(failures: number, spoil: (response: ServerResponse) => void) {
  return await serve((_, response, before) => {
    if (before < failures) spoil(response);
    else response.end(BODY);
  });
}

async function failureOf(work: Promise<unknown>): Promise<PkgError> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof PkgError) return error;
  throw new Error(`expected a PkgError, found ${String(error)}`);
}

describe('an answer that another try can change', () => {
  it.each([500, 502, 503, 504, 408, 425, 429])('is asked for again: HTTP %i', async (status) => {
    const server = await serveAfter(2, (response) => response.writeHead(status).end('later'));
    const result = await ask(openClient().client, server.url);
    expect(result).toEqual({ kind: 'received', value: { status: 200, text: BODY } });
    expect(server.requests).toHaveLength(3);
  });

  const breaks: Record<string, (response: ServerResponse) => void> = {
    'a reset before the first byte': (response) => response.socket?.resetAndDestroy(),
    'a reset inside the body': (response) => {
      response.writeHead(200, { 'content-length': BODY.length });
      response.write(BODY.slice(0, 1000), () => {
        setTimeout(() => response.socket?.resetAndDestroy(), 5);
      });
    },
    'a body shorter than its Content-Length': (response) => {
      response.writeHead(200, { 'content-length': BODY.length });
      response.write(BODY.slice(0, 1000), () => {
        setTimeout(() => response.socket?.end(), 5);
      });
    },
    'a chunked body that breaks off': (response) => {
      response.writeHead(200);
      response.write(BODY.slice(0, 1000), () => {
        setTimeout(() => response.socket?.end(), 5);
      });
    },
    'a connection closed without a word': (response) => response.socket?.end(),
  };
  it.each(Object.keys(breaks))('is asked for again: %s', async (name) => {
    const server = await serveAfter(2, (response) => breaks[name]?.(response));
    const result = await ask(openClient().client, server.url);
    expect(result).toEqual({ kind: 'received', value: { status: 200, text: BODY } });
    expect(server.requests).toHaveLength(3);
  });

  it('is asked for again: a body that stalls, and headers that do not come', async () => {
    const server = await serve((_, response, before) => {
      if (before === 0) return;
      if (before === 1) response.write(BODY.slice(0, 1000));
      else response.end(BODY);
    });
    const result = await ask(openClient({ timeoutMs: 200 }).client, server.url);
    expect(result).toEqual({ kind: 'received', value: { status: 200, text: BODY } });
    expect(server.requests).toHaveLength(3);
  });

  it('is asked for again: a body that its reader calls damaged', async () => {
    const server = await serve((_, response, before) => response.end(before < 2 ? 'bad' : 'good'));
    const { client } = openClient();
    const result = await client.get(
      { url: server.url, reach: 'anywhere', maxBytes: 100 },
      async (answer) => {
        const text = await bodyText(answer);
        if (text === 'bad') throw new DamagedBody('it is bad');
        return text;
      },
    );
    expect(result).toEqual({ kind: 'received', value: 'good' });
  });

  it('is asked for again once more than the number of retries, then given up', async () => {
    const server = await serveAfter(100, (response) => response.writeHead(503).end());
    const { client, clock } = openClient({ retries: 4 });
    const error = await failureOf(ask(client, `${server.url}/photo.jpg`));
    expect(server.requests).toHaveLength(5);
    expect(error.code).toBe('unreachable');
    expect(error.message).toContain(`${server.url}/photo.jpg`);
    expect(error.message).toContain('HTTP 503');
    expect(clock.sleeps).toEqual([250, 500, 1000, 2000]);
  });

  it('is not asked for again where no retries are allowed', async () => {
    const server = await serveAfter(100, (response) => response.writeHead(500).end());
    const error = await failureOf(ask(openClient({ retries: 0 }).client, server.url));
    expect([error.code, server.requests.length]).toEqual(['unreachable', 1]);
  });
});

describe('an answer that no try can change', () => {
  it.each([400, 401, 403, 404, 410, 418, 451, 501])('is final: HTTP %i', async (status) => {
    const server = await serveAfter(100, (response) => response.writeHead(status).end('no'));
    const result = await ask(openClient().client, server.url);
    expect(result).toEqual({ kind: 'received', value: { status, text: 'no' } });
    expect(server.requests).toHaveLength(1);
  });

  it('is final: a failure of its reader, which leaves no stray error behind', async () => {
    const strays: unknown[] = [];
    const note = (error: unknown) => void strays.push(error);
    process.on('uncaughtException', note);
    const server = await serve((_, response) => response.writeHead(404).end('a short page'));
    const work = openClient().client.get(
      { url: server.url, reach: 'anywhere', maxBytes: 1e6 },
      () => Promise.reject(new PkgError('storage', 'the disk is full')),
    );
    expect((await failureOf(work)).code).toBe('storage');
    await new Promise((later) => setTimeout(later, 20));
    process.off('uncaughtException', note);
    expect(strays).toEqual([]);
    expect(server.requests).toHaveLength(1);
  });

  it.each(['ftp://host/x', 'data:text/plain,x', 'file:///etc/passwd', 'http://', 'no address'])(
    'is final: %s, which is not asked for at all',
    async (url) => {
      const error = await failureOf(ask(openClient().client, url));
      expect(error.code).toBe('unreachable');
      expect(error.message).toContain(url);
    },
  );
});

describe('a host that nobody answers on', () => {
  it('is named in the error after the tries are used up', async () => {
    const server = await serve(() => undefined);
    const { port } = new URL(server.url);
    const closed = `http://127.0.0.1:${String(Number(port) === 1 ? 2 : 1)}`;
    const error = await failureOf(ask(openClient({ retries: 1 }).client, `${closed}/x`));
    expect(error.message).toContain(`${closed}/x`);
    expect(error.exitCode).toBe(15);
  });

  it('is not tried again by every request, once three have failed', async () => {
    const { client, clock } = openClient({ retries: 2 });
    for (let i = 0; i < 3; i++) await failureOf(ask(client, 'http://127.0.0.1:1/x'));
    const slept = clock.sleeps.length;
    const error = await failureOf(ask(client, 'http://127.0.0.1:1/y'));
    expect(error.message).toContain('127.0.0.1:1 does not answer');
    expect(clock.sleeps).toHaveLength(slept);
  });
});

describe('an abort', () => {
  it('ends a request in flight and a wait between tries', async () => {
    const silent = await serve(() => undefined);
    const controller = new AbortController();
    const inFlight = ask(openClient({ runtime: { signal: controller.signal } }).client, silent.url);
    setTimeout(() => controller.abort(new Error('interrupted by test')), 20);
    await expect(inFlight).rejects.toThrow('interrupted by test');

    const failing = await serveAfter(100, (response) => response.writeHead(503).end());
    const second = new AbortController();
    const clock = {
      now: () => 0,
      sleep: (_: number, signal: AbortSignal) =>
        new Promise<void>((_, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason as Error));
          setTimeout(() => second.abort(new Error('interrupted again')), 5);
        }),
    };
    const { client } = openClient({ runtime: { signal: second.signal, clock } });
    await expect(ask(client, failing.url)).rejects.toThrow('interrupted again');
    expect(failing.requests).toHaveLength(1);
  });
});

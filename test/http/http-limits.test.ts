/** What the HTTP client refuses: bodies too large, redirects too many or to the wrong places. */
import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { ask, openClient, serve } from '../support/http-probe.ts';

function redirect(response: ServerResponse, location: string, status = 302): void {
  response.writeHead(status, { location }).end();
}

describe('a body over the limit', () => {
  it('is refused by its Content-Length, before it is read', async () => {
    const server = await serve((_, response) => {
      response.writeHead(200, { 'content-length': 1001 });
      response.write('x'.repeat(10));
    });
    const result = await ask(openClient().client, server.url, { maxBytes: 1000 });
    expect(result).toEqual({ kind: 'too-large', status: 200, url: `${server.url}/` });
    expect(server.requests).toHaveLength(1);
  });

  it('is refused where its length is not told, and reading stops', async () => {
    let sentBytes = 0;
    const closed = { at: 0 };
    const server = await serve((_, response) => {
      response.writeHead(200);
      const chunk = 'x'.repeat(16_384);
      const send = () => {
        while (!response.destroyed && sentBytes < 1e9) {
          sentBytes += chunk.length;
          if (!response.write(chunk)) return void response.once('drain', send);
        }
      };
      response.on('close', () => {
        closed.at = sentBytes;
      });
      send();
    });
    const result = await ask(openClient().client, server.url, { maxBytes: 100_000 });
    expect(result).toMatchObject({ kind: 'too-large', status: 200 });
    await expect.poll(() => closed.at).toBeGreaterThan(100_000);
    expect(closed.at).toBeLessThan(50_000_000);
    expect(server.requests).toHaveLength(1);
  });

  it('is not refused where it is exactly as large as allowed', async () => {
    const server = await serve((_, response) => response.end('x'.repeat(1000)));
    const result = await ask(openClient().client, server.url, { maxBytes: 1000 });
    expect(result).toMatchObject({ kind: 'received', value: { status: 200 } });
  });
});

describe('a body that its reader does not care for', () => {
  it('holds no connection, however long it is', async () => {
    const page = Buffer.alloc(2_000_000, 'not here ');
    const server = await serve((_, response) => response.writeHead(404).end(page));
    const { client } = openClient({ concurrency: 2, timeoutMs: 500, retries: 0 });
    const request = { url: server.url, reach: 'anywhere' as const, maxBytes: 10_000_000 };
    const statuses: unknown[] = [];
    while (statuses.length < 6 && !statuses.includes('stuck')) {
      const work = client.get(request, (answer) => Promise.resolve(answer.status));
      const patience = new Promise((resolve) => setTimeout(() => resolve('stuck'), 3000));
      statuses.push(await Promise.race([work, patience]));
    }
    expect(statuses).toEqual(Array.from({ length: 6 }, () => ({ kind: 'received', value: 404 })));
  });
});

describe('a body that drips', () => {
  it('is given up when it takes many times longer than its size deserves', async () => {
    const { client, clock } = openClient({ retries: 1, timeoutMs: 1000 });
    const server = await serve((_, response) => {
      response.writeHead(200);
      const drip = () => {
        if (response.destroyed) return;
        response.write('x');
        void clock.sleep(900, new AbortController().signal).then(() => setTimeout(drip, 1));
      };
      drip();
    });
    await expect(ask(client, server.url)).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringContaining('too slowly') as string,
    });
    expect(server.requests).toHaveLength(2);
  });
});

describe('a redirect', () => {
  it.each([301, 302, 303, 307, 308])(
    'is followed to a relative address: HTTP %i',
    async (status) => {
      const server = await serve((request, response) => {
        if (request.url === '/a/b?x=1') redirect(response, '../c/d?y=2', status);
        else response.end(request.url);
      });
      const result = await ask(openClient().client, `${server.url}/a/b?x=1`);
      expect(result).toMatchObject({ value: { status: 200, text: '/c/d?y=2' } });
    },
  );

  it('is followed five times and no further', async () => {
    const server = await serve((request, response) => {
      const left = Number(request.url?.slice(1));
      if (left > 0) redirect(response, `/${String(left - 1)}`);
      else response.end('there');
    });
    const { client } = openClient();
    expect(await ask(client, `${server.url}/5`)).toMatchObject({ value: { text: 'there' } });
    expect(await ask(client, `${server.url}/6`)).toMatchObject({
      kind: 'refused',
      why: 'more than 5 redirects',
    });
  });

  it('that leads in a circle is given up after six requests', async () => {
    const server = await serve((_, response) => redirect(response, '/again'));
    const result = await ask(openClient().client, server.url);
    expect(result).toMatchObject({ kind: 'refused', status: 302 });
    expect(server.requests).toHaveLength(6);
  });

  it.each([
    ['file:///etc/passwd', 'file'],
    ['ftp://example.org/x', 'ftp'],
    ['data:image/png;base64,AAAA', 'data'],
    ['javascript:alert(1)', 'javascript'],
    ['s3://bucket/key', 's3'],
  ])('to %s is refused', async (target, scheme) => {
    const server = await serve((_, response) => redirect(response, target));
    const result = await ask(openClient().client, server.url);
    expect(result).toEqual({
      kind: 'refused',
      status: 302,
      url: target,
      why: `it redirects to a ${scheme} address`,
    });
  });

  it('to what is no address is refused', async () => {
    const server = await serve((_, response) => redirect(response, 'http://[nowhere'));
    const result = await ask(openClient().client, server.url);
    expect(result).toMatchObject({ kind: 'refused', why: 'it redirects to no valid address' });
  });

  it('without a Location is an answer like any other', async () => {
    const server = await serve((_, response) => response.writeHead(302).end('nowhere'));
    const result = await ask(openClient().client, server.url);
    expect(result).toMatchObject({ kind: 'received', value: { status: 302, text: 'nowhere' } });
  });

  it('that the caller stops at is handed over with the address it points to', async () => {
    const server = await serve((_, response) => redirect(response, '/images/gone.png'));
    const seen: string[] = [];
    const { client } = openClient();
    const result = await client.get(
      {
        url: `${server.url}/photo.jpg`,
        reach: 'anywhere',
        maxBytes: 100,
        stopAt: (address) => address.pathname.endsWith('gone.png'),
      },
      async (answer) => {
        seen.push(answer.url);
        let sizeBytes = 0;
        for await (const chunk of answer.body) sizeBytes += chunk.length;
        return { status: answer.status, sizeBytes };
      },
    );
    expect(result).toEqual({ kind: 'received', value: { status: 302, sizeBytes: 0 } });
    expect(seen).toEqual([`${server.url}/images/gone.png`]);
    expect(server.requests.map(({ url }) => url)).toEqual(['/photo.jpg']);
  });
});

describe('what the client says of itself', () => {
  it('is its name, and that it wants the bytes as they are', async () => {
    const server = await serve((_, response) => response.end('x'));
    await ask(openClient().client, server.url, { headers: () => ({ 'x-own': 'yes' }) });
    expect(server.requests[0]?.headers).toMatchObject({
      'user-agent': 'pkg/0.1',
      'accept-encoding': 'identity',
      'x-own': 'yes',
    });
  });
});

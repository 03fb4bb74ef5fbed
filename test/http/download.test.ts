/** Sources into the store: from disk, over HTTP, resumed, unchanged, gone. */
import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { download, localPath } from '../../src/http/download.ts';
import { PkgError } from '../../src/runtime/errors.ts';
import { describe as describeBytes } from '../../src/store/digest.ts';
import { openStore } from '../../src/store/store.ts';
import { openClient, type Probe, serve } from '../support/http-probe.ts';
import { temporaryFolder } from '../support/temporary.ts';

const BODY = Buffer.from(Array.from({ length: 200_000 }, (_, index) => (index * 31) % 251));

async function setUp(signal?: AbortSignal) {
  const folder = await temporaryFolder();
  const store = await openStore(join(folder, 'store'), Date.now());
  const { client, runtime } = openClient(signal === undefined ? {} : { runtime: { signal } });
  const get = (url: string, known?: Parameters<typeof download>[4]) =>
    download(runtime, store, client, { url, folder }, known);
  return { folder, store, get };
}

/** Sends half of the body and hangs up. */
function breakOff(response: ServerResponse, headers: Record<string, string>): void {
  response.writeHead(200, { 'content-length': BODY.length, ...headers });
  response.write(BODY.subarray(0, 100_000), () => {
    setTimeout(() => response.socket?.resetAndDestroy(), 30);
  });
}

function rangesOf(server: Probe): readonly unknown[] {
  return server.requests.map(({ headers }) => headers.range);
}

describe('localPath', () => {
  it.each([
    ['tables/boxes.csv', '/data/tables/boxes.csv'],
    ['../boxes.csv', '/boxes.csv'],
    ['/abs/boxes.csv', '/abs/boxes.csv'],
    ['file:///abs/with%20space.csv', '/abs/with space.csv'],
    ['https://host/boxes.csv', undefined],
    ['s3://bucket/key', undefined],
    ['data:text/csv,x', undefined],
  ])('takes %s for %s', (url, path) => {
    expect(localPath(url, '/data')).toBe(path);
  });

  it.each(['file://server/share/boxes.csv', 'file:///a%2Fb.csv'])(
    'refuses %s, which is no file here, as an address',
    (url) => {
      expect(() => localPath(url, '/data')).toThrow(PkgError);
    },
  );
});

describe('download', () => {
  it('describes a local file where it is, by path and by file: URL', async () => {
    const { folder, store, get } = await setUp();
    const path = join(folder, 'boxes.csv');
    await writeFile(path, BODY);
    const expected = { ...describeBytes(BODY), path, etag: undefined };
    expect(await get('boxes.csv')).toEqual(expected);
    expect(await get(pathToFileURL(path).href)).toEqual(expected);
    expect(await store.has(expected)).toBe(false);
  });

  it('says that a local file is missing, by its path', async () => {
    const { folder, get } = await setUp();
    await expect(get('no.csv')).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringContaining(join(folder, 'no.csv')) as string,
    });
  });

  it('keeps what a server sends in the store, with its ETag', async () => {
    const { store, get } = await setUp();
    const server = await serve((_, response) => {
      response.writeHead(200, { etag: '"v1"' }).end(BODY);
    });
    const found = await get(`${server.url}/boxes.csv`);
    expect(found).toEqual({
      ...describeBytes(BODY),
      path: store.path(found.digest),
      etag: '"v1"',
    });
    expect(await readFile(found.path)).toEqual(BODY);
  });

  it.each([404, 410, 403, 500])('names a dead address and HTTP %i', async (status) => {
    const { get } = await setUp();
    const server = await serve((_, response) => response.writeHead(status).end('no'));
    const url = `${server.url}/boxes.csv`;
    const error: unknown = await get(url).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(PkgError);
    expect(error).toMatchObject({ code: 'unreachable', exitCode: 15 });
    expect(String(error)).toContain(url);
    expect(String(error)).toContain(`HTTP ${String(status)}`);
  });

  it('refuses a redirect to a local file', async () => {
    const { get } = await setUp();
    const server = await serve((_, response) => {
      response.writeHead(302, { location: 'file:///etc/passwd' }).end();
    });
    await expect(get(server.url)).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringContaining('it redirects to a file address') as string,
    });
  });
});

describe('download of what is known', () => {
  it('is spared by an unchanged ETag, if the store still has the bytes', async () => {
    const { get } = await setUp();
    const server = await serve((request, response) => {
      if (request.headers['if-none-match'] === '"v1"') response.writeHead(304).end();
      else response.writeHead(200, { etag: '"v1"' }).end(BODY);
    });
    const first = await get(server.url);
    expect(await get(server.url, first)).toEqual(first);
    expect(server.requests.map(({ headers }) => headers['if-none-match'])).toEqual([
      undefined,
      '"v1"',
    ]);
  });

  it('is done in full where the store lacks the bytes, whatever the ETag', async () => {
    const { get } = await setUp();
    const server = await serve((request, response) => {
      if (request.headers['if-none-match'] !== undefined) response.writeHead(304).end();
      else response.writeHead(200, { etag: '"v1"' }).end(BODY);
    });
    const found = await get(server.url, { ...describeBytes(BODY), etag: '"v1"' });
    expect(found.digest).toBe(describeBytes(BODY).digest);
  });

  it('gives the new bytes where the server has others', async () => {
    const { get } = await setUp();
    const server = await serve((_, response, before) => {
      response.writeHead(200, { etag: `"v${String(before)}"` }).end(`content ${String(before)}`);
    });
    const first = await get(server.url);
    const second = await get(server.url, first);
    expect(second).toMatchObject({ ...describeBytes('content 1'), etag: '"v1"' });
  });
});

describe('download that broke off', () => {
  it('goes on where it stopped, so that no byte is sent twice', async () => {
    const { get } = await setUp();
    let sentBytes = 0;
    const server = await serve((request, response) => {
      const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
      if (start === 0) {
        sentBytes += 100_000;
        breakOff(response, { etag: '"v1"' });
        return;
      }
      sentBytes += BODY.length - start;
      const range = `bytes ${String(start)}-${String(BODY.length - 1)}/${String(BODY.length)}`;
      response.writeHead(206, { etag: '"v1"', 'content-range': range });
      response.end(BODY.subarray(start));
    });
    const found = await get(server.url);
    expect(found).toMatchObject({ ...describeBytes(BODY), etag: '"v1"' });
    expect(await readFile(found.path)).toEqual(BODY);
    expect(rangesOf(server)).toEqual([undefined, 'bytes=100000-']);
    expect(server.requests[1]?.headers['if-range']).toBe('"v1"');
    expect(sentBytes).toBe(BODY.length);
  });

  it.each(['W/"weak"', undefined])('starts again where the ETag is no proof: %s', async (etag) => {
    const { get } = await setUp();
    const headers: Record<string, string> = etag === undefined ? {} : { etag };
    const server = await serve((_, response, before) => {
      if (before === 0) breakOff(response, headers);
      else response.writeHead(200, headers).end(BODY);
    });
    expect(await get(server.url)).toMatchObject(describeBytes(BODY));
    expect(rangesOf(server)).toEqual([undefined, undefined]);
  });

  it('starts again where the source changed meanwhile', async () => {
    const { get } = await setUp();
    const changed = createHash('sha512').update(BODY).digest();
    const server = await serve((_, response, before) => {
      if (before === 0) breakOff(response, { etag: '"v1"' });
      else response.writeHead(200, { etag: '"v2"' }).end(changed);
    });
    const found = await get(server.url);
    expect(found).toMatchObject({ ...describeBytes(changed), etag: '"v2"' });
    expect(await readFile(found.path)).toEqual(changed);
  });

  it('starts again where the server has no such range', async () => {
    const { get } = await setUp();
    const server = await serve((request, response, before) => {
      if (before === 0) breakOff(response, { etag: '"v1"' });
      else if (request.headers.range !== undefined) response.writeHead(416).end();
      else response.writeHead(200, { etag: '"v1"' }).end(BODY);
    });
    expect(await get(server.url)).toMatchObject(describeBytes(BODY));
    expect(rangesOf(server)).toEqual([undefined, 'bytes=100000-', undefined]);
  });

  it('is not taken for whole where the server sends less than the rest', async () => {
    const { get } = await setUp();
    const server = await serve((request, response) => {
      const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
      if (start === 0) {
        breakOff(response, { etag: '"v1"' });
        return;
      }
      const end = Math.min(BODY.length, start + 60_000);
      const range = `bytes ${String(start)}-${String(end - 1)}/${String(BODY.length)}`;
      response.writeHead(206, { etag: '"v1"', 'content-range': range });
      response.end(BODY.subarray(start, end));
    });
    const outcome = await get(server.url).catch((error: unknown) => error);
    if (outcome instanceof Error) expect(outcome).toMatchObject({ code: 'unreachable' });
    else expect(outcome).toMatchObject(describeBytes(BODY));
  });

  it('is refused where the server sends another part than the rest', async () => {
    const { get } = await setUp();
    const server = await serve((_, response, before) => {
      if (before === 0) {
        breakOff(response, { etag: '"v1"' });
        return;
      }
      const range = `bytes 5-9/${String(BODY.length)}`;
      response.writeHead(206, { etag: '"v1"', 'content-range': range }).end('12345');
    });
    await expect(get(server.url)).rejects.toMatchObject({ code: 'unreachable' });
  });
});

describe('an aborted download', () => {
  it('stops at once and leaves no file in the store', async () => {
    const controller = new AbortController();
    const { store, get } = await setUp(controller.signal);
    const server = await serve((_, response) => {
      response.writeHead(200, { 'content-length': BODY.length });
      response.write(BODY.subarray(0, 100_000), () => {
        setTimeout(() => controller.abort(new Error('stopped by test')), 30);
      });
    });
    await expect(get(server.url)).rejects.toThrow('stopped by test');
    expect(await readdir(await store.scratchFolder('tmp'))).toEqual([]);
    expect((await readdir(store.root, { recursive: true })).sort()).toEqual(['v1', 'v1/tmp']);
    expect(server.requests).toHaveLength(1);
  });
});

/** Requests to a server that limps: what is tried again, when, how it is signed, and when it ends. */
import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openS3Storage } from '../../src/storage/s3.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { serve } from '../support/http-probe.ts';
import { testRuntime } from '../support/runtime.ts';
import { contentAt, failureOf, keysOf, put } from './uploads.ts';

type Answer = (request: IncomingMessage, response: ServerResponse, before: number) => void;

let environment: NodeJS.ProcessEnv;

beforeEach(() => {
  environment = { ...process.env };
  for (const name of Object.keys(process.env)) {
    if (name.startsWith('AWS_')) Reflect.deleteProperty(process.env, name);
  }
  Object.assign(process.env, {
    AWS_ACCESS_KEY_ID: 'testkey',
    AWS_SECRET_ACCESS_KEY: 'testsecret',
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  });
});

afterEach(() => {
  process.env = environment;
});

async function openAt(answer: Answer, random = 0.5) {
  const probe = await serve((request, response, before) => {
    request.resume();
    request.on('end', () => answer(request, response, before));
  });
  const clock = fakeClock(Date.now());
  const runtime = testRuntime({ clock, random: () => random });
  const location = { bucket: 'bucket', endpoint: probe.url, region: 'us-east-1' };
  return { probe, clock, storage: await openS3Storage(runtime, location) };
}

function refuse(response: ServerResponse, status: number, code: string, headers = {}): void {
  const xml = `<?xml version="1.0"?><Error><Code>${code}</Code><Message>no &amp; no</Message></Error>`;
  response.writeHead(status, headers).end(xml);
}

describe('requests to S3', () => {
  it('are tried five times, with pauses that double, and then say what the server said', async () => {
    const { probe, clock, storage } = await openAt((_, response) => {
      refuse(response, 500, 'InternalError');
    });
    const error = await failureOf(storage.read({ key: 'a' }));
    expect(error).toMatchObject({ code: 'unreachable' });
    expect(String(error)).toContain('HTTP 500 InternalError: no & no');
    expect(probe.requests).toHaveLength(5);
    expect(storage.requests).toBe(5);
    expect(clock.sleeps).toEqual([50, 100, 200, 400]);
  });

  it('wait as long as the server asks, up to half a minute', async () => {
    const waits = ['2', '3600', undefined];
    const { clock, storage } = await openAt((_, response, before) => {
      const wait = waits[before];
      const headers = wait === undefined ? {} : { 'retry-after': wait };
      if (before >= waits.length) response.end('hello');
      else refuse(response, 503, 'SlowDown', headers);
    });
    expect((await contentAt(storage, 'a'))?.toString()).toBe('hello');
    expect(clock.sleeps).toEqual([2000, 30_000, 1000]);
  });

  it.each([
    [429, 'TooManyRequests'],
    [502, 'BadGateway'],
    [503, 'SlowDown'],
    [504, 'GatewayTimeout'],
    [400, 'RequestTimeout'],
  ])('are sent again after %i %s', async (status, code) => {
    const { probe, storage } = await openAt((_, response, before) => {
      if (before === 0) refuse(response, status, code);
      else response.setHeader('etag', '"x"').end();
    });
    await put(storage, 'a', 'hello');
    expect(probe.requests).toHaveLength(2);
    expect(storage.sentBytes).toBe(10);
  });

  it.each([
    [400, 'InvalidArgument'],
    [403, 'AccessDenied'],
    [501, 'NotImplemented'],
  ])('are not sent again after %i %s', async (status, code) => {
    const { probe, storage } = await openAt((_, response) => {
      refuse(response, status, code);
    });
    expect(await failureOf(put(storage, 'a', 'hello'))).toMatchObject({ code: 'unreachable' });
    expect(probe.requests).toHaveLength(1);
  });

  it('are sent again after a connection that broke before its answer', async () => {
    const { probe, storage } = await openAt((request, response, before) => {
      if (before < 2) request.socket.destroy();
      else response.end('hello');
    });
    expect((await contentAt(storage, 'a'))?.toString()).toBe('hello');
    expect(probe.requests).toHaveLength(3);
  });

  it('hand on what arrived of a body that breaks off, ask for the rest, and then fail', async () => {
    for (const length of [1000, 1_000_000]) {
      const { probe, storage } = await openAt((request, response) => {
        response.writeHead(200, { 'content-length': String(length) });
        response.write('x'.repeat(300), () => request.socket.destroySoon());
      });
      const found = await storage.read({ key: 'a' });
      expect(found?.sizeBytes).toBe(length);
      let received = 0;
      const reading = (async () => {
        for await (const chunk of found?.bytes ?? []) received += chunk.length;
      })();
      const error = await failureOf(reading);
      expect(error).toMatchObject({ code: 'unreachable' });
      expect(received).toBe(300);
      expect(probe.requests).toHaveLength(6);
      expect(probe.requests.slice(1).map(({ headers }) => headers.range)).toEqual(
        Array.from({ length: 5 }, () => `bytes=300-${String(length - 1)}`),
      );
    }
  });

  it('share few connections, also where answers are HEADs, refused, small or not wanted', async () => {
    const { probe, storage } = await openAt((request, response) => {
      if (request.url?.endsWith('/absent') === true) refuse(response, 404, 'NoSuchKey');
      else response.writeHead(200, { 'content-length': '100', etag: '"x"' }).end('x'.repeat(100));
    });
    for (let round = 0; round < 10; round++) {
      await storage.head({ key: 'a' });
      await storage.read({ key: 'a' });
      expect(await storage.read({ key: 'absent' })).toBeUndefined();
      await put(storage, 'a', 'hello');
    }
    expect(new Set(probe.requests.map(({ socket }) => socket)).size).toBeLessThanOrEqual(3);
  });

  it('let a large body go whose iteration ends early', async () => {
    const { probe, storage } = await openAt((request, response) => {
      const size = request.url?.endsWith('/large') === true ? 5_000_000 : 5;
      response.writeHead(200, { 'content-length': String(size) }).end(Buffer.alloc(size));
    });
    for (let round = 0; round < 40; round++) {
      const unread = await storage.read({ key: 'large' });
      await unread?.bytes[Symbol.asyncIterator]().return?.();
      const begun = await storage.read({ key: 'large' });
      for await (const _ of begun?.bytes ?? []) break;
    }
    expect(await contentAt(storage, 'small')).toHaveLength(5);
    expect(probe.requests).toHaveLength(81);
  });

  it('carry the hash of the body twice: for the signature and for the server to keep', async () => {
    const { probe, storage } = await openAt((_, response) => {
      response.setHeader('etag', '"x"').end();
    });
    await put(storage, "a b/é+&='()", 'hello');
    const digest = createHash('sha256').update('hello').digest();
    const [request] = probe.requests;
    expect(request?.url).toBe('/bucket/a%20b/%C3%A9%2B%26%3D%27%28%29');
    expect(request?.headers).toMatchObject({
      'content-length': '5',
      'x-amz-content-sha256': digest.toString('hex'),
      'x-amz-checksum-sha256': digest.toString('base64'),
      authorization: expect.stringContaining('x-amz-checksum-sha256') as string,
    });
  });

  it('follow the clock of a server that refuses the time of day', async () => {
    const aheadMs = 3_600_000;
    const { probe, storage } = await openAt((request, response) => {
      const date = String(request.headers['x-amz-date']);
      const iso = date.replace(/^(....)(..)(..)T(..)(..)(..)Z$/, '$1-$2-$3T$4:$5:$6Z');
      const isRight = Math.abs(Date.parse(iso) - Date.now() - aheadMs) < 60_000;
      response.setHeader('date', new Date(Date.now() + aheadMs).toUTCString());
      if (isRight) response.end('hello');
      else refuse(response, 403, 'RequestTimeTooSkewed');
    });
    expect((await contentAt(storage, 'a'))?.toString()).toBe('hello');
    expect((await contentAt(storage, 'a'))?.toString()).toBe('hello');
    expect(probe.requests).toHaveLength(3);
  });

  it('are not signed where there are no credentials', async () => {
    Reflect.deleteProperty(process.env, 'AWS_ACCESS_KEY_ID');
    const { probe, storage } = await openAt((_, response) => response.end('hello'));
    expect((await contentAt(storage, 'a'))?.toString()).toBe('hello');
    expect(probe.requests[0]?.headers.authorization).toBeUndefined();
  });

  it('take the range out of an object that a server sends whole', async () => {
    const { storage } = await openAt((_, response) => {
      response.setHeader('content-length', '10').end('0123456789');
    });
    expect((await contentAt(storage, 'a', { start: 3, end: 6 }))?.toString()).toBe('345');
  });

  it('refuse a range that begins elsewhere than was asked', async () => {
    const { storage } = await openAt((_, response) => {
      response
        .writeHead(206, { 'content-range': 'bytes 0-2/10', 'content-length': '3' })
        .end('012');
    });
    const error = await failureOf(contentAt(storage, 'a', { start: 3, end: 6 }));
    expect(error).toMatchObject({ code: 'unreachable' });
  });

  it('go through all pages of a listing, the last of which may be empty', async () => {
    const page = (keys: readonly string[], next?: string) =>
      `<ListBucketResult><Name>bucket</Name><IsTruncated>${String(next !== undefined)}</IsTruncated>${keys
        .map(
          (key) => `<Contents><Key>${key}</Key><Size>1</Size><ETag>&quot;e&quot;</ETag></Contents>`,
        )
        .join('')}<NextContinuationToken>${next ?? ''}</NextContinuationToken></ListBucketResult>`;
    const pages = [page(['a &amp; b', 'c&#x10FFFF;d'], 'next+/='), page(['e'], 'last'), page([])];
    const { probe, storage } = await openAt((_, response, before) => response.end(pages[before]));
    expect(await keysOf(storage, 'p &')).toEqual(['a & b', 'c\u{10ffff}d', 'e']);
    expect(probe.requests[0]?.url).toBe('/bucket/?list-type=2&prefix=p%20%26');
    expect(probe.requests[1]?.url).toContain('continuation-token=next%2B%2F%3D');
  });

  it('do not take a listing that breaks off, or goes in circles, for a whole one', async () => {
    for (const token of ['', '<NextContinuationToken>same</NextContinuationToken>']) {
      const xml = `<ListBucketResult><IsTruncated>true</IsTruncated>${token}</ListBucketResult>`;
      const { storage } = await openAt((_, response) => response.end(xml));
      expect(await failureOf(keysOf(storage, ''))).toMatchObject({ code: 'unreachable' });
    }
  });

  it('end at once when they are told to', async () => {
    const controller = new AbortController();
    const probe = await serve(() => controller.abort(new Error('stop')));
    const runtime = testRuntime({ signal: controller.signal });
    const location = { bucket: 'bucket', endpoint: probe.url, region: 'us-east-1' };
    const storage = await openS3Storage(runtime, location);
    expect(String(await failureOf(storage.read({ key: 'a' })))).toContain('stop');
  });
});

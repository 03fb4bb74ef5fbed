/** s3:// addresses as HTTP requests, signed where credentials are found. */
import { createHash, createHmac } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { s3HttpUrl, signS3Get } from '../../src/http/s3-url.ts';
import { ask, openClient, serve } from '../support/http-probe.ts';

const AT_AWS = { endpoint: undefined, region: 'eu-west-1' };
const NOW = new Date(Date.UTC(2024, 0, 2, 3, 4, 5));

const kept = { ...process.env };

beforeEach(() => {
  for (const name of Object.keys(process.env)) {
    if (name.startsWith('AWS_')) Reflect.deleteProperty(process.env, name);
  }
  process.env['AWS_EC2_METADATA_DISABLED'] = 'true';
  process.env['AWS_CONFIG_FILE'] = '/dev/null';
  process.env['AWS_SHARED_CREDENTIALS_FILE'] = '/dev/null';
});

afterEach(() => {
  for (const name of Object.keys(process.env)) {
    if (name.startsWith('AWS_')) Reflect.deleteProperty(process.env, name);
  }
  Object.assign(process.env, kept);
});

function setCredentials(): void {
  process.env['AWS_ACCESS_KEY_ID'] = 'AKIDEXAMPLE';
  process.env['AWS_SECRET_ACCESS_KEY'] = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';
}

/** Signature Version 4 of a GET without query, written down from Amazon's description. */
function expectedSignature(url: URL, headers: Readonly<Record<string, string>>): string {
  const hmac = (key: string | Buffer, text: string) =>
    createHmac('sha256', key).update(text).digest();
  const names = Object.keys(headers)
    .filter((name) => name !== 'authorization')
    .sort();
  const request = [
    ...['GET', url.pathname, ''],
    ...names.map((name) => `${name}:${headers[name] ?? ''}`),
    ...['', names.join(';'), 'UNSIGNED-PAYLOAD'],
  ].join('\n');
  const scope = '20240102/eu-west-1/s3/aws4_request';
  const hashed = createHash('sha256').update(request).digest('hex');
  const text = ['AWS4-HMAC-SHA256', '20240102T030405Z', scope, hashed].join('\n');
  const key = ['20240102', 'eu-west-1', 's3', 'aws4_request'].reduce<string | Buffer>(
    hmac,
    `AWS4${process.env['AWS_SECRET_ACCESS_KEY'] ?? ''}`,
  );
  return createHmac('sha256', key).update(text).digest('hex');
}

describe('s3HttpUrl', () => {
  it.each([
    ['s3://bucket/a/b.csv', 'https://bucket.s3.eu-west-1.amazonaws.com/a/b.csv'],
    ['s3://bucket/with%20space', 'https://bucket.s3.eu-west-1.amazonaws.com/with%20space'],
    ['s3://bucket', 'https://bucket.s3.eu-west-1.amazonaws.com/'],
  ])('writes %s as %s at AWS', (url, expected) => {
    expect(s3HttpUrl(new URL(url), AT_AWS).href).toBe(expected);
  });

  it.each(['http://127.0.0.1:9000', 'http://127.0.0.1:9000/'])(
    'puts the bucket into the path of another server, %s',
    (endpoint) => {
      const url = s3HttpUrl(new URL('s3://bucket/a/b.csv'), { endpoint, region: 'x' });
      expect(url.href).toBe('http://127.0.0.1:9000/bucket/a/b.csv');
    },
  );
});

describe('signS3Get', () => {
  it('sends nothing but the address where there are no credentials', async () => {
    const signed = await signS3Get(new URL('s3://bucket/key'), AT_AWS, NOW);
    expect(signed.url.href).toBe('https://bucket.s3.eu-west-1.amazonaws.com/key');
    expect(signed.headers).toEqual({});
  });

  it.each(['s3://bucket/a/b.csv', 's3://bucket/a%20b/c%2Bd', 's3://bucket/ümlaut'])(
    'signs %s as Amazon describes it',
    async (address) => {
      setCredentials();
      const { url, headers } = await signS3Get(new URL(address), AT_AWS, NOW);
      expect(headers['x-amz-date']).toBe('20240102T030405Z');
      const authorization = headers['authorization'] ?? '';
      expect(authorization).toContain(
        'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20240102/eu-west-1/s3/aws4_request',
      );
      expect(/Signature=([0-9a-f]{64})$/.exec(authorization)?.[1]).toBe(
        expectedSignature(url, headers),
      );
    },
  );

  it('carries the token of a session', async () => {
    setCredentials();
    process.env['AWS_SESSION_TOKEN'] = 'session-token';
    const { headers } = await signS3Get(new URL('s3://bucket/key'), AT_AWS, NOW);
    expect(headers['x-amz-security-token']).toBe('session-token');
  });
});

describe('a request for an s3: address', () => {
  it('goes to the endpoint, signed anew at each try', async () => {
    setCredentials();
    const server = await serve((_, response, before) => {
      if (before === 0) response.writeHead(503).end();
      else response.end('object');
    });
    const { client } = openClient({ s3: { endpoint: server.url, region: 'us-east-1' } });
    const result = await ask(client, 's3://bucket/a/key.csv');
    expect(result).toMatchObject({ value: { status: 200, text: 'object' } });
    expect(server.requests.map(({ url }) => url)).toEqual([
      '/bucket/a/key.csv',
      '/bucket/a/key.csv',
    ]);
    for (const { headers } of server.requests) {
      expect(headers.authorization).toContain('AWS4-HMAC-SHA256');
      expect(headers.host).toBe(new URL(server.url).host);
    }
  });

  it('carries no signature to where it is redirected', async () => {
    setCredentials();
    const other = await serve((_, response) => response.end('elsewhere'));
    const server = await serve((_, response) => {
      response.writeHead(307, { location: `${other.url}/x` }).end();
    });
    const { client } = openClient({ s3: { endpoint: server.url, region: 'us-east-1' } });
    await ask(client, 's3://127.0.0.1/a/key.csv');
    expect(server.requests[0]?.headers.authorization).toBeDefined();
    expect(other.requests).toHaveLength(1);
    expect(other.requests[0]?.headers.authorization).toBeUndefined();
  });
});

/** Which hosts may be reached: private addresses only for sources that stand at one. */
import { describe, expect, it } from 'vitest';
import {
  isPrivateAddress,
  isPrivateHost,
  literalAddress,
  reachAfterRedirect,
} from '../../src/http/address.ts';
import { ask, openClient, serve } from '../support/http-probe.ts';

describe('isPrivateAddress', () => {
  it.each([
    ...['0.0.0.0', '0.1.2.3', '10.0.0.1', '10.255.255.255', '100.64.0.1', '100.127.255.255'],
    ...['127.0.0.1', '127.255.0.1', '169.254.169.254', '172.16.0.1', '172.31.255.255'],
    ...['192.168.1.1', '192.0.0.8', '198.18.0.1', '224.0.0.1', '255.255.255.255'],
    ...['::', '::1', 'fe80::1', 'febf::1', 'fc00::1', 'fd12:3456::1', 'ff02::1'],
    ...['::ffff:127.0.0.1', '::ffff:10.0.0.1', '::ffff:7f00:1', '::ffff:a9fe:a9fe'],
    ...['::127.0.0.1', '0:0:0:0:0:ffff:7f00:1', '0:0:0:0:0:0:0:1', '64:ff9b:1::1'],
  ])('holds for %s', (address) => {
    expect(isPrivateAddress(address)).toBe(true);
  });

  it.each([
    ...['1.1.1.1', '8.8.8.8', '9.255.255.255', '11.0.0.0', '100.63.255.255', '100.128.0.0'],
    ...['126.255.255.255', '128.0.0.1', '169.253.1.1', '172.15.255.255', '172.32.0.0'],
    ...['192.167.1.1', '192.169.1.1', '198.17.255.255', '198.20.0.0', '223.255.255.255'],
    ...['2606:4700::1111', '2001:4860:4860::8888', '::ffff:8.8.8.8', '::ffff:808:808', 'fec0::1'],
  ])('does not hold for %s', (address) => {
    expect(isPrivateAddress(address)).toBe(false);
  });
});

describe('literalAddress', () => {
  it.each([
    ['http://127.0.0.1:80/x', '127.0.0.1'],
    ['http://[::1]/', '::1'],
    ['http://2130706433/', '127.0.0.1'],
    ['http://0x7f.1/', '127.0.0.1'],
    ['http://0177.0.0.1/', '127.0.0.1'],
    ['http://localhost/', undefined],
    ['http://1.2.3.4.example.org/', undefined],
  ])('reads %s as %s', (url, address) => {
    expect(literalAddress(new URL(url))).toBe(address);
  });
});

describe('isPrivateHost', () => {
  it('resolves names, and takes an unknown one for public', async () => {
    expect(await isPrivateHost(new URL('http://localhost/'))).toBe(true);
    expect(await isPrivateHost(new URL('http://[::ffff:127.0.0.1]/'))).toBe(true);
    expect(await isPrivateHost(new URL('http://8.8.8.8/'))).toBe(false);
    expect(await isPrivateHost(new URL('http://no-such-host.invalid/'))).toBe(false);
  });
});

describe('reachAfterRedirect', () => {
  it.each([
    ['http://127.0.0.1/a', 'anywhere', 'http://10.0.0.1/b', 'anywhere'],
    ['http://8.8.8.8/a', 'anywhere', 'http://127.0.0.1/b', 'public'],
    ['http://8.8.8.8/a', 'anywhere', 'http://8.8.4.4/b', 'public'],
    ['http://8.8.8.8/a', 'anywhere', 'https://8.8.8.8/b', 'public'],
    ['http://8.8.8.8:81/a', 'anywhere', 'http://8.8.8.8:81/b', 'anywhere'],
    ['http://127.0.0.1/a', 'public', 'http://127.0.0.1/b', 'public'],
  ] as const)('from %s, which may reach %s, to %s is: %s', async (source, reach, target, after) => {
    const found = await reachAfterRedirect(new URL(source), reach, new URL(target));
    const expected = new URL(source).host === new URL(target).host ? reach : after;
    expect(found).toBe(expected);
  });
});

describe('a request that may reach public hosts only', () => {
  it.each(['127.0.0.1', 'localhost', '[::ffff:127.0.0.1]', '2130706433'])(
    'does not speak to http://%s',
    async (host) => {
      const server = await serve((_, response) => response.end('secret'));
      const { port } = new URL(server.url);
      const { client } = openClient();
      const result = await ask(client, `http://${host}:${port}/`, { reach: 'public' });
      expect(result).toMatchObject({ kind: 'refused', why: 'it leads to a private address' });
      expect(server.requests).toHaveLength(0);
    },
  );
});

describe('a redirect to a private address', () => {
  it('is followed from a source that stands at one itself', async () => {
    const inner = await serve((_, response) => response.end('inner'));
    const outer = await serve((_, response) => {
      response.writeHead(302, { location: `${inner.url}/x` }).end();
    });
    expect(await ask(openClient().client, outer.url)).toMatchObject({ value: { text: 'inner' } });
  });

  it.each(['127.0.0.1', 'localhost'])(
    'is refused from a public source, also by name: http://%s',
    async (host) => {
      const inner = await serve((_, response) => response.end('secret'));
      const target = `http://${host}:${new URL(inner.url).port}/latest/meta-data`;
      const bucket = await serve((_, response) => {
        response.writeHead(307, { location: target }).end();
      });
      // A bucket's name is no host here, so this source stands at no private address.
      const { client } = openClient({ s3: { endpoint: bucket.url, region: 'us-east-1' } });
      const result = await ask(client, 's3://no-such-host.invalid/photo.jpg');
      expect(result).toMatchObject({ kind: 'refused', url: target });
      expect(bucket.requests).toHaveLength(1);
      expect(inner.requests).toHaveLength(0);
    },
  );
});

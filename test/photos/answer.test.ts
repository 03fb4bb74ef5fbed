/** askForPhoto against real servers: how often it asks, what it believes, what it remembers. */
import { rm } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { askForPhoto, isUnavailableAddress, type PhotoAddress } from '../../src/photos/answer.ts';
import { digestOf } from '../../src/store/digest.ts';
import { serve } from '../support/http-probe.ts';
import { md5HexOf, md5Of, photoSource } from '../support/photo-source.ts';

const PHOTO = Buffer.from('these bytes stand for a photo');
const OTHER = Buffer.from('these bytes stand for another');

function at(url: string, originalMd5 = md5Of(PHOTO)): PhotoAddress {
  return { url, folder: undefined, reach: 'anywhere', originalMd5 };
}

describe('isUnavailableAddress', () => {
  it.each([
    ...['photo_unavailable.png', 'images/photo-not-found.gif', 'unavailable.jpg', 'nophoto.gif'],
    ...['image_not_available.png', 'notfound.png', 'photo_no_longer_available_l.png'],
    ...['photo-removed.jpg', 'deleted_image.png', 'picture-missing.jpg', 'placeholder.png'],
    ...['photo_gone.gif', 'no-image.png', 'PHOTO_UNAVAILABLE.PNG', 'en-us/photo_unavailable_l.png'],
  ])('holds for %s', (path) => {
    expect(isUnavailableAddress(new URL(`https://s.example/${path}?zz=1`))).toBe(true);
  });

  it.each([
    ...['123_o.jpg', 'lost_and_found.jpg', 'availability.jpg', 'available.png', 'foundation.jpg'],
    ...['missing_404/123.jpg', 'removed/5.jpg', 'piano-image.jpg', 'volcano_photo.jpg', ''],
    ...['casino_picture.png', 'photo.jpg', 'mypicture_2.jpg', 'image-1.png'],
  ])('does not hold for %s', (path) => {
    expect(isUnavailableAddress(new URL(`https://s.example/${path}?x=unavailable.jpg`))).toBe(
      false,
    );
  });
});

describe('a photo that is as promised', () => {
  it('is asked for once, kept, and remembered', async () => {
    const server = await serve((_, response) => response.end(PHOTO));
    const source = await photoSource();
    const answer = await askForPhoto(source, at(`${server.url}/1.jpg`));
    expect(answer).toEqual({
      kind: 'bytes',
      httpStatus: 200,
      url: `${server.url}/1.jpg`,
      digest: digestOf(PHOTO),
      sizeBytes: PHOTO.length,
      md5: md5Of(PHOTO),
    });
    expect(await source.store.read(digestOf(PHOTO))).toEqual(PHOTO);
    expect(await askForPhoto(source, at(`${server.url}/1.jpg`))).toEqual(answer);
    expect(await askForPhoto({ ...source, again: true }, at(`${server.url}/1.jpg`))).toEqual(
      answer,
    );
    expect(server.requests).toHaveLength(1);
  });

  it('is asked for again where the store lost it', async () => {
    const server = await serve((_, response) => response.end(PHOTO));
    const source = await photoSource();
    await askForPhoto(source, at(server.url));
    await rm(source.store.path(digestOf(PHOTO)));
    await askForPhoto(source, at(server.url));
    expect(server.requests).toHaveLength(2);
    expect(await source.store.hasDigest(digestOf(PHOTO))).toBe(true);
  });

  it('is told by its address after redirects', async () => {
    const server = await serve((request, response) => {
      if (request.url === '/1.jpg') response.writeHead(302, { location: '/2.jpg' }).end();
      else response.end(PHOTO);
    });
    const answer = await askForPhoto(await photoSource(), at(`${server.url}/1.jpg`));
    expect(answer).toMatchObject({ kind: 'bytes', url: `${server.url}/2.jpg` });
  });
});

describe('a photo that is not as promised', () => {
  /** Serves bodies in turn, the last one for ever, and counts how often it was asked. */
  async function requestsFor(
    bodies: readonly Buffer[],
    headers: (body: Buffer) => Record<string, string> = () => ({}),
    originalMd5 = md5Of(PHOTO),
  ) {
    const server = await serve((_, response, before) => {
      const body = bodies[Math.min(before, bodies.length - 1)] ?? PHOTO;
      response.writeHead(200, headers(body)).end(body);
    });
    const answer = await askForPhoto(await photoSource(), at(server.url, originalMd5));
    const digest = answer.kind === 'bytes' ? answer.digest : undefined;
    return { requests: server.requests.length, digest };
  }

  it('is asked for twice where the server states no checksum', async () => {
    expect(await requestsFor([OTHER])).toEqual({ requests: 2, digest: digestOf(OTHER) });
  });

  it('is what the second transfer shows, where the first was damaged', async () => {
    expect(await requestsFor([OTHER, PHOTO])).toEqual({ requests: 2, digest: digestOf(PHOTO) });
    const spoilt = Buffer.from('spoilt on its way');
    expect(await requestsFor([spoilt, OTHER])).toEqual({ requests: 3, digest: digestOf(OTHER) });
  });

  it('is asked for once where the server states the checksum of just these bytes', async () => {
    const stated: readonly ((body: Buffer) => Record<string, string>)[] = [
      (body) => ({ etag: `"${md5HexOf(body)}"` }),
      (body) => ({ etag: `"${md5HexOf(body).toUpperCase()}"` }),
      (body) => ({ 'content-md5': md5Of(body) }),
      (body) => ({ 'x-goog-hash': `crc32c=AAAAAA==, md5=${md5Of(body)}` }),
    ];
    for (const headers of stated) {
      expect(await requestsFor([OTHER], headers)).toEqual({
        requests: 1,
        digest: digestOf(OTHER),
      });
    }
  });

  it('is asked for four times where the server states another checksum', async () => {
    const headers = () => ({ etag: `"${md5HexOf('what was meant')}"` });
    expect(await requestsFor([OTHER], headers)).toEqual({ requests: 4, digest: digestOf(OTHER) });
    expect(await requestsFor([OTHER, PHOTO], headers)).toMatchObject({ requests: 2 });
  });

  it('is taken as it comes where nobody states a checksum', async () => {
    expect(await requestsFor([OTHER], () => ({}), '')).toMatchObject({ requests: 1 });
    const weak = () => ({ etag: 'W/"5e-18"' });
    expect(await requestsFor([OTHER], weak, '')).toMatchObject({ requests: 1 });
  });

  it('is not asked for without end where each answer differs', async () => {
    const server = await serve((_, response, before) => {
      response.end(before < 60 ? `page ${String(before)}` : 'the same for ever');
    });
    await askForPhoto(await photoSource(), at(server.url)).catch((error: unknown) => {
      expect(error).toMatchObject({ code: 'unreachable' });
    });
    expect(server.requests.length).toBeLessThan(30);
  });

  it('is remembered, and asked for again only when told so', async () => {
    const server = await serve((_, response) => response.end(OTHER));
    const source = await photoSource();
    await askForPhoto(source, at(server.url));
    await askForPhoto(source, at(server.url));
    expect(server.requests).toHaveLength(2);
    await askForPhoto({ ...source, again: true }, at(server.url));
    expect(server.requests).toHaveLength(4);
  });
});

describe('a photo that is not there', () => {
  const cases: readonly (readonly [string, (response: ServerResponse) => void, object])[] = [
    ['404', (r) => r.writeHead(404).end('no'), { status: 'missing', httpStatus: 404 }],
    ['403', (r) => r.writeHead(403).end(), { status: 'missing', httpStatus: 403 }],
    ['410', (r) => r.writeHead(410).end(), { status: 'gone', httpStatus: 410 }],
    ['451', (r) => r.writeHead(451).end(), { status: 'gone', httpStatus: 451 }],
    ['302', (r) => r.writeHead(302).end(), { status: 'missing', httpStatus: 302 }],
    [
      'redirect to a file',
      (r) => r.writeHead(302, { location: 'file:///etc/passwd' }).end(),
      { status: 'missing', httpStatus: 302, url: 'file:///etc/passwd' },
    ],
    [
      'redirect in a circle',
      (r) => r.writeHead(302, { location: '/' }).end(),
      { status: 'missing', detail: 'not followed: more than 5 redirects' },
    ],
    [
      'redirect to a stand-in',
      (r) => r.writeHead(302, { location: '/photo_unavailable.png' }).end(),
      { status: 'placeholder', httpStatus: 302 },
    ],
    [
      'length over the limit',
      (r) => r.writeHead(200, { 'content-length': 2_000_000 }).write('x'),
      { status: 'too-large', httpStatus: 200 },
    ],
  ];

  it.each(cases)('is told so, and remembered: %s', async (_, spoil, expected) => {
    const server = await serve((_request, response) => spoil(response));
    const source = await photoSource();
    const answer = await askForPhoto(source, at(server.url));
    expect(answer).toMatchObject({ kind: 'none', ...expected });
    const { length } = server.requests;
    expect(await askForPhoto(source, at(server.url))).toEqual(answer);
    expect(server.requests).toHaveLength(length);
    await askForPhoto({ ...source, again: true }, at(server.url));
    expect(server.requests).toHaveLength(2 * length);
  });

  it('is unreachable while the host gives no final answer, and that is not remembered', async () => {
    const server = await serve((_, response, before) => {
      if (before < 4) response.writeHead(503).end();
      else response.end(PHOTO);
    });
    const source = await photoSource({ retries: 3 });
    await expect(askForPhoto(source, at(server.url))).rejects.toMatchObject({
      code: 'unreachable',
    });
    expect(await askForPhoto(source, at(server.url))).toMatchObject({ kind: 'bytes' });
  });

  it('is missing at a private address that the table may not reach', async () => {
    const server = await serve((_, response) => response.end(PHOTO));
    const answer = await askForPhoto(await photoSource(), { ...at(server.url), reach: 'public' });
    expect(answer).toMatchObject({ kind: 'none', status: 'missing' });
    expect(server.requests).toHaveLength(0);
  });

  it.each([
    'ftp://host/1.jpg',
    'http://',
    'data:image/png;base64,AAAA',
    'gopher://x',
    'no address',
  ])('is missing at what is no address: %s', async (url) => {
    const answer = await askForPhoto(await photoSource(), at(url));
    expect(answer).toMatchObject({ kind: 'none', status: 'missing' });
  });

  it('is missing at a file: address that came over the network', async () => {
    for (const url of ['file:///etc/passwd', 'FILE:///etc/passwd']) {
      expect(await askForPhoto(await photoSource(), at(url))).toMatchObject({
        kind: 'none',
        status: 'missing',
        httpStatus: 0,
      });
    }
  });
});

/** Large objects in parts: what a stopped write left is used, shared and given up. */
import { CreateMultipartUploadCommand, ListMultipartUploadsCommand } from '@aws-sdk/client-s3';
import { expect, it } from 'vitest';
import { PkgError } from '../../src/runtime/errors.ts';
import { ALWAYS, IF_ABSENT, type Upload } from '../../src/storage/storage.ts';
import { digestOf } from '../../src/store/digest.ts';
import { type Exchange, startFaultyProxy } from '../support/faulty-proxy.ts';
import { testRuntime } from '../support/runtime.ts';
import { chunkedHash, noise } from '../support/sample-packages.ts';
import { describeWith } from '../support/shared.ts';
import { S3_BINARY, S3_KIND, withS3Server } from './s3-server.ts';
import { contentAt, failureOf, keysOf, uploadOf } from './uploads.ts';

const CHUNK_BYTES = 8 * 2 ** 20;
const DATA = noise(6 * CHUNK_BYTES - 1000, 21);
const UPLOAD = uploadOf(DATA, { chunkedHash: chunkedHash(DATA) });
const KEY = `objects/${UPLOAD.digest.slice(0, 2)}/${UPLOAD.digest}`;

const isPart = ({ method, path }: Exchange) => method === 'PUT' && path.includes('partNumber=');

/** An upload whose source breaks off at a part. */
function brokenAt(part: number): Upload {
  return {
    ...UPLOAD,
    open: (range) => {
      if (range.start >= part * CHUNK_BYTES) throw new PkgError('storage', 'the disk broke off');
      return UPLOAD.open(range);
    },
  };
}

describeWith(`the S3 server ${S3_KIND}`, S3_BINARY)(`large objects on ${S3_KIND}`, () => {
  const server = withS3Server();

  const openUploads = async (Bucket: string) =>
    (await server().owner.send(new ListMultipartUploadsCommand({ Bucket }))).Uploads ?? [];

  it('goes on from the parts that had arrived when a write is begun again', async () => {
    const bucket = await server().makeBucket();
    const first = await server().open(bucket);
    expect(await failureOf(first.write(KEY, brokenAt(4), ALWAYS))).toMatchObject({
      code: 'storage',
    });
    expect(first.sentBytes).toBe(4 * CHUNK_BYTES);
    expect(await keysOf(first, '')).toEqual([]);
    const second = await server().open(bucket);
    expect(await second.write(KEY, UPLOAD, ALWAYS)).toBe('written');
    expect(second.sentBytes).toBe(DATA.length - first.sentBytes);
    expect((await contentAt(second, KEY))?.equals(DATA)).toBe(true);
    expect(await openUploads(bucket)).toEqual([]);
  });

  it('goes on after the signal to stop as well', async () => {
    const bucket = await server().makeBucket();
    const controller = new AbortController();
    const proxy = await startFaultyProxy(server().url, (exchange) => {
      if (isPart(exchange) && exchange.path.includes('partNumber=6')) {
        controller.abort(new PkgError('interrupted', 'interrupted'));
      }
      return { kind: 'none' };
    });
    const runtime = testRuntime({ signal: controller.signal });
    const stopped = await server().open(bucket, proxy.url, runtime);
    const error = await failureOf(stopped.write(KEY, UPLOAD, ALWAYS));
    expect(error).toMatchObject({ code: 'interrupted' });
    await proxy.stop();
    const storage = await server().open(bucket);
    expect(await storage.write(KEY, UPLOAD, ALWAYS)).toBe('written');
    expect(storage.sentBytes).toBeLessThanOrEqual(4 * CHUNK_BYTES);
    expect((await contentAt(storage, KEY))?.equals(DATA)).toBe(true);
  });

  it('sends parts again that are not its own, byte for byte', async () => {
    const bucket = await server().makeBucket();
    const foreign = noise(DATA.length, 22);
    const claims = { digest: digestOf(foreign), chunkedHash: chunkedHash(foreign) };
    const cut = uploadOf(foreign, {
      ...claims,
      open: (range) => {
        if (range.start >= 2 * CHUNK_BYTES) throw new PkgError('storage', 'the disk broke off');
        return uploadOf(foreign, claims).open(range);
      },
    });
    await failureOf((await server().open(bucket)).write(KEY, cut, ALWAYS));
    expect(await openUploads(bucket)).toHaveLength(1);
    const storage = await server().open(bucket);
    expect(await storage.write(KEY, UPLOAD, ALWAYS)).toBe('written');
    expect(storage.sentBytes).toBe(DATA.length);
    expect((await contentAt(storage, KEY))?.equals(DATA)).toBe(true);
  });

  it('goes on well beside an upload that checks no parts', async () => {
    const bucket = await server().makeBucket();
    await server().owner.send(new CreateMultipartUploadCommand({ Bucket: bucket, Key: KEY }));
    const storage = await server().open(bucket);
    expect(await storage.write(KEY, UPLOAD, ALWAYS)).toBe('written');
    expect((await contentAt(storage, KEY))?.equals(DATA)).toBe(true);
  });

  it('does not take the upload of a longer key for its own', async () => {
    const bucket = await server().makeBucket();
    const storage = await server().open(bucket);
    await failureOf(storage.write(`${KEY}-longer`, brokenAt(2), ALWAYS));
    const before = storage.sentBytes;
    expect(await storage.write(KEY, UPLOAD, ALWAYS)).toBe('written');
    expect(storage.sentBytes - before).toBe(DATA.length);
    expect((await openUploads(bucket)).map(({ Key }) => Key)).toEqual([`${KEY}-longer`]);
  });

  it.each([
    ['always', ALWAYS],
    ['if absent', IF_ABSENT],
  ])('ends well where 4 clients write the same object at once: %s', async (_, condition) => {
    const bucket = await server().makeBucket();
    const clients = await Promise.all([1, 2, 3, 4].map(() => server().open(bucket)));
    const outcomes = await Promise.all(
      clients.map((storage) => storage.write(KEY, UPLOAD, condition)),
    );
    if (condition === ALWAYS) expect(new Set(outcomes)).toEqual(new Set(['written']));
    const [storage] = clients;
    expect(storage && (await contentAt(storage, KEY))?.equals(DATA)).toBe(true);
  });

  it('ends well where another process gives up the upload meanwhile', async () => {
    const bucket = await server().makeBucket();
    const storage = await server().open(bucket);
    let hasHappened = false;
    const disturbed: Upload = {
      ...UPLOAD,
      async *open(range) {
        if (range.start >= 5 * CHUNK_BYTES && !hasHappened) {
          hasHappened = true;
          await (await server().open(bucket)).abandonUploads(Date.now() + 60_000, 'remove');
        }
        yield* UPLOAD.open(range);
      },
    };
    expect(await storage.write(KEY, disturbed, ALWAYS)).toBe('written');
    expect(hasHappened).toBe(true);
    expect((await contentAt(storage, KEY))?.equals(DATA)).toBe(true);
  });

  it('leaves no parts of bytes that are not what they should be', async () => {
    const bucket = await server().makeBucket();
    const storage = await server().open(bucket);
    const wrong = uploadOf(noise(DATA.length, 23), { chunkedHash: chunkedHash(DATA) });
    expect(await failureOf(storage.write(KEY, wrong, ALWAYS))).toMatchObject({ code: 'integrity' });
    expect(await openUploads(bucket)).toEqual([]);
  });

  it('counts its own uploads that never ended, and gives up those from before a moment', async () => {
    const bucket = await server().makeBucket();
    const storage = await server().open(bucket);
    const keys = ['objects/a', 'objects/b/c', '.quilt/packages/d', 'others/e'];
    for (const key of keys) await failureOf(storage.write(key, brokenAt(1), ALWAYS));
    const laterMs = Date.now() + 60_000;
    expect(await storage.abandonUploads(Date.now() - 60_000, 'remove')).toBe(0);
    expect(await storage.abandonUploads(laterMs, 'count')).toBe(3);
    expect(await openUploads(bucket)).toHaveLength(4);
    expect(await storage.abandonUploads(laterMs, 'remove')).toBe(3);
    expect(await openUploads(bucket)).toHaveLength(1);
    expect(await storage.abandonUploads(laterMs, 'count')).toBe(0);
  });

  it('sends a part again that the network lost', async () => {
    const bucket = await server().makeBucket();
    let parts = 0;
    const proxy = await startFaultyProxy(server().url, (exchange) => {
      if (!isPart(exchange)) return { kind: 'none' };
      return parts++ % 2 === 0 ? { kind: 'lose answer' } : { kind: 'none' };
    });
    const storage = await server().open(bucket, proxy.url);
    expect(await storage.write(KEY, UPLOAD, ALWAYS)).toBe('written');
    await proxy.stop();
    expect(storage.requests).toBe(proxy.exchanges.length);
    expect((await contentAt(await server().open(bucket), KEY))?.equals(DATA)).toBe(true);
  });
});

/** A network that loses, cuts and refuses answers harms neither pushes nor installs. */
import { expect, it } from 'vitest';
import { writeSettings } from '../../src/objects/settings.ts';
import { topHash } from '../../src/package/top-hash.ts';
import { PkgError } from '../../src/runtime/errors.ts';
import { openS3Storage } from '../../src/storage/s3.ts';
import { IF_ABSENT } from '../../src/storage/storage.ts';
import { type Exchange, type Fault, first, startFaultyProxy } from '../support/faulty-proxy.ts';
import { testRuntime } from '../support/runtime.ts';
import { makeBucket, useServer } from '../support/s3-buckets.ts';
import { asFound, filesBelow, noise, samplePackage } from '../support/sample-packages.ts';
import { describeWith } from '../support/shared.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { install } from './install-contract.ts';
import { withServer } from './interop-server.ts';
import { failureOf, push } from './registry-contract.ts';
import { hashesOf, resolve } from './revisions-contract.ts';

const { PKG_S3_BINARY: binary, PKG_S3_SERVER: kind = 'versitygw' } = process.env;
const FILES = { 'README.md': 'read me', 'data/a': 'aaa', large: noise(9 * 2 ** 20, 4) };
const HASH = topHash(samplePackage(FILES).pkg);

describeWith(`the S3 server ${kind}`, binary)(`a bucket on ${kind} behind a bad network`, () => {
  const server = withServer();

  /** A fresh bucket, reached directly and through a proxy with faults. */
  const setUp = async (choose: (exchange: Exchange) => Fault) => {
    useServer(server());
    const bucket = await makeBucket(server().owner);
    const settings = { policy: 'objects', looseObjects: false } as const;
    const location = { bucket, endpoint: server().url, region: 'us-east-1' };
    await writeSettings(await openS3Storage(testRuntime(), location), settings, IF_ABSENT);
    const proxy = await startFaultyProxy(server().url, choose);
    const open = async (endpoint: string) =>
      await openS3Storage(testRuntime(), { bucket, endpoint, region: 'us-east-1' });
    return { proxy, direct: await open(server().url), faulty: await open(proxy.url) };
  };

  it('takes up a download that was cut off where it stopped', async () => {
    const isLarge = ({ method, path }: Exchange) => method === 'GET' && path.includes('/objects/');
    let cuts = 0;
    const { proxy, direct, faulty } = await setUp((exchange) =>
      isLarge(exchange) && cuts++ < 3
        ? { kind: 'cut answer', afterBytes: exchange.range === undefined ? 3_000_000 : 1_000_000 }
        : { kind: 'none' },
    );
    await push(direct, samplePackage({ large: FILES.large }));
    const folder = await temporaryFolder();
    await install(faulty, folder);
    await proxy.stop();
    expect(await filesBelow(folder)).toEqual(asFound({ large: FILES.large }));
    const ranges = proxy.exchanges.filter(isLarge).map(({ range }) => range);
    expect(ranges).toHaveLength(4);
    expect(ranges[0]).toBeUndefined();
    const starts = ranges.slice(1).map((range) => Number(/^bytes=(\d+)-/.exec(range ?? '')?.[1]));
    expect(starts[0]).toBeGreaterThan(0);
    expect(starts).toEqual([...starts].sort((a, b) => a - b));
    expect(starts.at(-1)).toBeLessThanOrEqual(5_000_000);
  });

  it('gives up on a download that is cut off every time, and names the file', async () => {
    const { proxy, direct, faulty } = await setUp(({ method, path }) =>
      method === 'GET' && path.includes('/objects/')
        ? { kind: 'cut answer', afterBytes: 1 }
        : { kind: 'none' },
    );
    await push(direct, samplePackage({ file: 'a file of some bytes' }));
    const folder = await temporaryFolder();
    const error = await failureOf(install(faulty, folder));
    await proxy.stop();
    expect(error).toBeInstanceOf(PkgError);
    expect(error).toMatchObject({ code: 'unreachable' });
    expect(String(error)).toContain('file');
    expect(await filesBelow(folder)).toEqual({});
  });

  it.each([500, 503])('asks again where the server answers %i now and then', async (status) => {
    let asked = 0;
    const { proxy, direct, faulty } = await setUp(() =>
      asked++ % 3 === 0 ? { kind: 'refuse', status } : { kind: 'none' },
    );
    await push(faulty, samplePackage(FILES));
    expect(await hashesOf(direct)).toEqual([HASH]);
    const folder = await temporaryFolder();
    await install(faulty, folder);
    await proxy.stop();
    expect(await filesBelow(folder)).toEqual(asFound(FILES));
  });

  const isPointer = (exchange: Exchange, pointer: RegExp) =>
    exchange.method === 'PUT' && pointer.test(exchange.path);

  it.each([
    ['the first latest', /\/latest/, false],
    ['a later latest', /\/latest/, true],
    ['the pointer of the revision', /\/\d{10}/, false],
    ['the list', /\.quilt\/packages\//, false],
    ['an object', /\/objects\//, false],
  ])(
    'does not lose to itself when the answer to the write of %s is lost',
    async (_, path, later) => {
      let isOn = false;
      const lose = first(1, { kind: 'lose answer' }, (exchange) => isPointer(exchange, path));
      const { proxy, direct, faulty } = await setUp((exchange) =>
        isOn ? lose(exchange) : { kind: 'none' },
      );
      const before = later ? await push(direct, samplePackage({ before: 'x' })) : undefined;
      isOn = true;
      const outcome: unknown = await push(faulty, samplePackage(FILES)).catch(
        (error: unknown) => error,
      );
      await proxy.stop();
      expect(
        proxy.exchanges.filter((exchange) => isPointer(exchange, path)).length,
      ).toBeGreaterThan(1);
      expect(outcome).toMatchObject({ topHash: HASH });
      expect(await resolve(direct, 'user/name')).toBe(HASH);
      expect(await hashesOf(direct)).toEqual([
        HASH,
        ...(before === undefined ? [] : [before.topHash]),
      ]);
    },
  );
});

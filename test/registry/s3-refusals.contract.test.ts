/** What only S3 has: credentials, absent buckets, servers that are away, public buckets, long listings. */
import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { topHash } from '../../src/package/top-hash.ts';
import { parseReference } from '../../src/registry/reference.ts';
import { listPackages, resolveReference } from '../../src/registry/revisions.ts';
import { eachLimit } from '../../src/runtime/concurrency.ts';
import { PkgError } from '../../src/runtime/errors.ts';
import { openStorage } from '../../src/storage/open.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { testRuntime } from '../support/runtime.ts';
import { makeBucket, makePublic, ownerClient, useServer } from '../support/s3-buckets.ts';
import { asFound, filesBelow, samplePackage } from '../support/sample-packages.ts';
import { freePort, type S3Server, startS3Server } from '../support/servers.ts';
import { describeWith } from '../support/shared.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { install } from './install-contract.ts';
import { failureOf, push } from './registry-contract.ts';

const { PKG_S3_BINARY: binary, PKG_S3_SERVER: kind = 'versitygw' } = process.env;
const FILES = { 'README.md': 'read me', 'data/a': 'aaa' };

interface Running {
  readonly server: S3Server;
  readonly owner: S3Client;
}

describeWith(`the S3 server ${kind}`, binary)(`a bucket on ${kind}`, () => {
  let running: Running | undefined;
  const theServer = () => {
    if (running === undefined) throw new Error('the server is not running');
    return running;
  };

  beforeAll(async () => {
    const server = await startS3Server();
    useServer(server);
    running = { server, owner: ownerClient(server) };
  });

  afterAll(async () => {
    running?.owner.destroy();
    await running?.server.stop();
  });

  /** Opens a bucket as the command line does, with other credentials than the owner's if given. */
  const open = async (
    bucket: string,
    credentials?: { readonly key: string | undefined; readonly secret: string | undefined },
    endpoint = theServer().server.url,
  ): Promise<Storage> => {
    const names = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'] as const;
    const before = names.map((name) => process.env[name]);
    const set = (values: readonly (string | undefined)[]) => {
      for (const [index, name] of names.entries()) {
        Reflect.deleteProperty(process.env, name);
        if (values[index] !== undefined) process.env[name] = values[index];
      }
    };
    if (credentials !== undefined) set([credentials.key, credentials.secret]);
    try {
      const access = { endpoint, region: 'us-east-1' };
      return await openStorage(testRuntime(), `s3://${bucket}`, access, 'read');
    } finally {
      set(before);
    }
  };

  /** What everyone does with a registry, each of which has to say why it cannot. */
  const refusals = async (registry: Storage): Promise<readonly PkgError[]> => {
    const reference = parseReference(`user/name@${'0'.repeat(64)}`);
    const work = [
      () => listPackages(registry),
      () => resolveReference(registry, parseReference('user/name')),
      () => resolveReference(registry, reference),
      () => push(registry, samplePackage(FILES)),
      async () => await install(registry, await temporaryFolder()),
      () => registry.head({ key: 'objects/x' }),
    ];
    const errors: PkgError[] = [];
    for (const one of work) {
      const error = await failureOf(one());
      if (!(error instanceof PkgError)) throw error;
      errors.push(error);
    }
    return errors;
  };

  it.each([
    ['an unknown access key', { key: 'nobody', secret: 'testsecret' }],
    ['a wrong secret key', { key: 'testkey', secret: 'wrong secret' }],
  ])('says that %s is refused', async (_, credentials) => {
    const { owner } = theServer();
    const registry = await open(await makeBucket(owner), credentials);
    for (const error of await refusals(registry)) {
      expect(error.code).toBe('unreachable');
      expect(error.message).toMatch(/access key is unknown|secret key is wrong|access is denied/);
      expect(error.hint).toContain('AWS_ACCESS_KEY_ID');
      expect(`${error.message} ${String(error.hint)}`).not.toContain('wrong secret');
    }
  });

  it('says that there is no such bucket, whatever is asked of it', async () => {
    const registry = await open('no-such-bucket');
    for (const error of await refusals(registry)) {
      expect(error.code).toBe('unreachable');
      expect(error.message).toContain('s3://no-such-bucket');
      expect(error.message).toContain('there is no such bucket');
    }
  });

  it('says that there is no server, or no longer one', async () => {
    const nowhere = `http://127.0.0.1:${String(await freePort())}`;
    const gone = await startS3Server();
    await gone.stop();
    for (const endpoint of [nowhere, gone.url]) {
      const registry = await open('bucket', undefined, endpoint);
      const error = await failureOf(listPackages(registry));
      expect(error).toBeInstanceOf(PkgError);
      expect(error).toMatchObject({ code: 'unreachable' });
      expect(String(error)).toContain(endpoint);
      expect(String(error)).toContain('ECONNREFUSED');
    }
  });

  it('says that the server went away in the middle, and goes on when it is asked again', async () => {
    const going = await startS3Server();
    const owner = ownerClient(going);
    const bucket = await makeBucket(owner);
    const registry = await open(bucket, undefined, going.url);
    await push(registry, samplePackage(FILES));
    await going.stop();
    owner.destroy();
    const error = await failureOf(install(registry, await temporaryFolder()));
    expect(error).toMatchObject({ code: 'unreachable' });
  });

  it('stops at once when it is told to, and not with an error of the network', async () => {
    const controller = new AbortController();
    const runtime = testRuntime({ signal: controller.signal });
    const { server, owner } = theServer();
    const access = { endpoint: server.url, region: 'us-east-1' };
    const address = `s3://${await makeBucket(owner)}`;
    const registry = await openStorage(runtime, address, access, 'read');
    controller.abort(new PkgError('interrupted', 'interrupted'));
    expect(await failureOf(listPackages(registry))).toMatchObject({ code: 'interrupted' });
  });

  it('is read by everyone, without credentials, where its policy says so; and not written', async () => {
    const { owner } = theServer();
    const bucket = await makeBucket(owner);
    const { pkg } = samplePackage(FILES);
    await push(await open(bucket), samplePackage(FILES));
    const anonymous = await open(bucket, { key: undefined, secret: undefined });
    expect(await failureOf(listPackages(anonymous))).toMatchObject({ code: 'unreachable' });
    await makePublic(owner, bucket);
    expect((await listPackages(anonymous))[0]?.latest).toBe(topHash(pkg));
    const folder = await temporaryFolder();
    await install(anonymous, folder);
    expect(await filesBelow(folder)).toEqual(asFound(FILES));
    const error = await failureOf(push(anonymous, samplePackage({ a: 'not mine' })));
    expect(error).toMatchObject({ code: 'unreachable' });
    expect(String(error)).toContain('access is denied');
  });

  it('lists more keys than one answer holds, each once and in order', async () => {
    const { owner } = theServer();
    const Bucket = await makeBucket(owner);
    const keys = Array.from({ length: 1203 }, (_, index) => `k/${String(index).padStart(5, '0')}`);
    await eachLimit(keys, 16, async (Key) => {
      await owner.send(new PutObjectCommand({ Bucket, Key, Body: 'x' }));
    });
    const registry = await open(Bucket);
    const listed: string[] = [];
    for await (const { key } of registry.list('k/', 'k/00001')) listed.push(key);
    expect(listed).toEqual(keys.slice(2));
    expect(registry.requests).toBe(2);
  });
});

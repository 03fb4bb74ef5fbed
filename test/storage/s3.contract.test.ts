/** A bucket on a real S3 server keeps the contract of storage. */
import { expect, it } from 'vitest';
import { describeWith } from '../support/shared.ts';
import { S3_BINARY, S3_KIND, withS3Server } from './s3-server.ts';
import { storageContract } from './storage-contract.ts';
import { keysOf, put } from './uploads.ts';

const suite = describeWith(`the S3 server ${S3_KIND}`, S3_BINARY);

suite(`storage in a bucket on ${S3_KIND}`, () => {
  const server = withS3Server();

  storageContract(async () => {
    const bucket = await server().makeBucket();
    return async () => await server().open(bucket);
  });

  it('removes up to 1,000 keys in one request', async () => {
    const storage = await server().open(await server().makeBucket());
    for (const key of ['a', 'b', 'c']) await put(storage, key, key);
    const before = storage.requests;
    await storage.remove(['a', 'b', 'c']);
    expect(storage.requests - before).toBe(1);
    expect(await keysOf(storage, '')).toEqual([]);
  });

  it('reads a version that was written over', async () => {
    const storage = await server().open(await server().makeBucket('versioned'));
    await put(storage, 'a', 'one');
    await put(storage, 'a', 'two');
    const { ListObjectVersionsCommand } = await import('@aws-sdk/client-s3');
    const { Versions } = await server().owner.send(
      new ListObjectVersionsCommand({ Bucket: storage.url.slice('s3://'.length) }),
    );
    const texts: string[] = [];
    for (const { VersionId: versionId } of Versions ?? []) {
      const found = await storage.read({ key: 'a', versionId });
      for await (const chunk of found?.bytes ?? []) texts.push(Buffer.from(chunk).toString());
    }
    expect(texts.sort()).toEqual(['one', 'two']);
  });
});

/** Several places for one photo: original, a mirror over HTTP, a bucket; asked in order. */
import { readFileSync } from 'node:fs';
import { cp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runCli, runJson } from '../support/cli.ts';
import { serve } from '../support/http-probe.ts';
import { makeBucket, ownerClient } from '../support/s3-buckets.ts';
import { type S3Server, startS3Server } from '../support/servers.ts';
import { describeWith, ROOT } from '../support/shared.ts';
import { cell, type Row, readTable } from '../support/tables.ts';
import { temporaryFolder } from '../support/temporary.ts';

const NAME = 'quilt/open_images_sample';
const { PKG_S3_BINARY: binary, PKG_S3_SERVER: kind = 'versitygw' } = process.env;

interface BuildDocument {
  readonly topHash: string;
  readonly images: Readonly<Record<string, number>>;
}

describeWith(`the S3 server ${kind}`, binary)('photos that are in several places', () => {
  let server: S3Server;
  let owner: S3Client;
  let bucket: string;

  beforeAll(async () => {
    server = await startS3Server();
    owner = ownerClient(server);
    bucket = await makeBucket(owner);
  });
  afterAll(async () => {
    owner.destroy();
    await server.stop();
  });

  /** A copy of the sample, and the rows of its image table that have a whole photo. */
  async function sampleCopy() {
    const folder = await temporaryFolder();
    await cp(join(ROOT, 'manifests/sample'), join(folder, 'sample'), { recursive: true });
    await cp(join(ROOT, 'manifests/sample.yaml'), join(folder, 'sample.yaml'));
    const args = ['build', join(folder, 'sample.yaml'), '--store', join(folder, 'store')];
    const before = await runJson<BuildDocument>(args);
    const images = await imagesOf(folder);
    await rm(join(folder, 'store'), { recursive: true });
    await rm(join(folder, 'sample.lock.json'));
    return { folder, args, before, good: images.filter((row) => cell(row, 'Status') === 'ok') };
  }

  async function imagesOf(folder: string): Promise<readonly Row[]> {
    const registry = ['--registry', join(folder, 'registry')];
    const dest = join(folder, `installed-${String(Math.random())}`);
    await runJson(['push', NAME, '--store', join(folder, 'store'), ...registry]);
    await runJson(['install', NAME, 'metadata', ...registry, '--dest', dest]);
    return readTable(join(dest, 'metadata/images.csv'));
  }

  async function setPlaces(folder: string, places: readonly string[]): Promise<void> {
    const manifest = join(folder, 'sample.yaml');
    const text = await readFile(manifest, 'utf8');
    const fetch = `  fetch: { requestsPerSecond: 1000, from: ${JSON.stringify(places)} }\n  crop:`;
    await writeFile(manifest, text.replace('  crop:', fetch));
  }

  it('come from the first place that has them, whatever that is', async () => {
    const { folder, args, before, good } = await sampleCopy();
    const [mirrored, stored] = good;
    const aside = await temporaryFolder();
    for (const row of [mirrored, stored]) {
      const path = join(folder, 'sample', cell(row ?? {}, 'OriginalURL'));
      await rename(path, join(aside, `${cell(row ?? {}, 'ImageID')}.jpg`));
    }
    const mirror = await serve((request, response) => {
      const id = /^\/train\/([0-9a-f]+)\.jpg$/.exec(request.url ?? '')?.[1];
      if (id !== cell(mirrored ?? {}, 'ImageID')) response.writeHead(404).end();
      else response.end(readFileSync(join(aside, `${id}.jpg`)));
    });
    const storedId = cell(stored ?? {}, 'ImageID');
    const Body = await readFile(join(aside, `${storedId}.jpg`));
    await owner.send(
      new PutObjectCommand({ Bucket: bucket, Key: `photos/train/${storedId}.jpg`, Body }),
    );
    const bucketPlace = `s3://${bucket}/photos/{Subset}/{ImageID}.jpg`;
    await setPlaces(folder, ['original', `${mirror.url}/{Subset}/{ImageID}.jpg`, bucketPlace]);
    const built = await runJson<BuildDocument>(args, { env: server.env });
    expect(built.images).toEqual(before.images);
    const found = new Map((await imagesOf(folder)).map((row) => [cell(row, 'ImageID'), row]));
    expect(found.get(cell(mirrored ?? {}, 'ImageID'))).toMatchObject({
      Status: 'ok',
      FinalURL: `${mirror.url}/train/${cell(mirrored ?? {}, 'ImageID')}.jpg`,
    });
    expect(found.get(storedId)).toMatchObject({
      Status: 'ok',
      FinalURL: `s3://${bucket}/photos/train/${storedId}.jpg`,
    });
    const wanted = before.images['selected'] ?? 0;
    const original = (before.images['ok'] ?? 0) - 2;
    expect(mirror.requests.length).toBe(wanted - original);
  });

  it('are refused by name where a place has an unknown word', async () => {
    const { folder, args } = await sampleCopy();
    await setPlaces(folder, ['http://127.0.0.1:1/{Subset}/{Imageid}.jpg']);
    const result = await runCli(args);
    expect(result.exitCode).toBe(10);
    expect(result.stderr).toMatch(/sample\.yaml:\d+:\d+: data\.fetch\.from.*\{Imageid\}/);
  });
});

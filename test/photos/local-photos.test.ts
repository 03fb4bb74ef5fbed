/** Photos on this disk: which paths are read, and what stands in the way. */
import { execFileSync } from 'node:child_process';
import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { askForPhoto, inspectStored, reachOfTable } from '../../src/photos/answer.ts';
import { digestOf } from '../../src/store/digest.ts';
import { md5Of, photoSource } from '../support/photo-source.ts';
import { open, somePixels } from '../support/pictures.ts';
import { temporaryFolder } from '../support/temporary.ts';

const PHOTO = Buffer.from('these bytes stand for a photo');

async function setUp() {
  const folder = await temporaryFolder();
  const source = await photoSource({ maxBytes: 100 });
  const ask = (url: string) =>
    askForPhoto(source, { url, folder, reach: 'anywhere', originalMd5: md5Of(PHOTO) });
  return { folder, source, ask };
}

describe('a local photo', () => {
  it('is read by relative path, absolute path and file: URL, and kept', async () => {
    const { folder, source, ask } = await setUp();
    const path = join(folder, 'a photo.jpg');
    await writeFile(path, PHOTO);
    for (const url of ['a photo.jpg', path, pathToFileURL(path).href]) {
      expect(await ask(url)).toEqual({
        kind: 'bytes',
        httpStatus: 0,
        url,
        digest: digestOf(PHOTO),
        sizeBytes: PHOTO.length,
        md5: md5Of(PHOTO),
      });
    }
    expect(await source.store.read(digestOf(PHOTO))).toEqual(PHOTO);
  });

  it('is read anew each time, since it may have changed', async () => {
    const { folder, ask } = await setUp();
    await writeFile(join(folder, '1.jpg'), PHOTO);
    await ask('1.jpg');
    await writeFile(join(folder, '1.jpg'), 'changed');
    expect(await ask('1.jpg')).toMatchObject({ digest: digestOf('changed') });
  });

  it('is missing where there is no regular file', async () => {
    const { folder, ask } = await setUp();
    await mkdir(join(folder, 'directory'));
    await writeFile(join(folder, 'file'), 'x');
    await symlink('nowhere', join(folder, 'dangling'));
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    const missing = { kind: 'none', status: 'missing', httpStatus: 0 };
    for (const name of ['directory', 'pipe', '/dev/zero', '', '.']) {
      expect(await ask(name)).toMatchObject({ ...missing, detail: 'not a regular file' });
    }
    for (const name of ['no.jpg', 'dangling', 'file/inside.jpg']) {
      expect(await ask(name)).toMatchObject({ ...missing, detail: 'no such file' });
    }
  });

  it.each([
    `${'x'.repeat(5000)}.jpg`,
    'a\0b.jpg',
    'file://server/share/1.jpg',
    'file:///a%2Fb.jpg',
  ])('is missing at a path that no file can have (%#)', async (url) => {
    const { ask } = await setUp();
    expect(await ask(url)).toMatchObject({ kind: 'none', status: 'missing' });
  });

  it('is too large over the limit, and is not read then', async () => {
    const { folder, source, ask } = await setUp();
    await writeFile(join(folder, 'exact.jpg'), Buffer.alloc(100));
    await writeFile(join(folder, 'more.jpg'), Buffer.alloc(101));
    expect(await ask('exact.jpg')).toMatchObject({ kind: 'bytes', sizeBytes: 100 });
    expect(await ask('more.jpg')).toMatchObject({ kind: 'none', status: 'too-large' });
    expect(await source.store.hasDigest(digestOf(Buffer.alloc(101)))).toBe(false);
  });
});

describe('inspectStored', () => {
  it('looks at a picture once and remembers what it saw', async () => {
    const source = await photoSource();
    const stored = await source.store.putBytes(
      await open(somePixels(20, 10, 1))
        .png()
        .toBuffer(),
    );
    const seen = await inspectStored(source, stored);
    expect(seen).toEqual({ status: 'ok', format: 'PNG', widthPx: 20, heightPx: 10 });
    await writeFile(source.store.path(stored.digest), 'spoilt');
    expect(await inspectStored(source, stored)).toEqual(seen);
    const records = await readdir(join(source.store.root, 'v1', 'records', 'pictures'));
    expect(records).toHaveLength(1);
  });
});

describe('reachOfTable', () => {
  it.each([
    ['tables/images.csv', 'anywhere'],
    ['file:///data/images.csv', 'anywhere'],
    ['http://127.0.0.1:8080/images.csv', 'anywhere'],
    ['http://8.8.8.8/images.csv', 'public'],
    ['https://no-such-host.invalid/images.csv', 'public'],
  ])('of %s is %s', async (url, reach) => {
    expect(await reachOfTable(url)).toBe(reach);
  });
});

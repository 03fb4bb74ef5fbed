/** Folders and revisions as sides of a comparison. */
import { appendFile, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { comparePackages } from '../../src/comparison/compare.ts';
import { folderSide, revisionSide, type Side } from '../../src/comparison/side.ts';
import { writeInstallation } from '../../src/installation/installation.ts';
import type { Part } from '../../src/installation/selection.ts';
import type { Entry } from '../../src/package/entry.ts';
import { topHash } from '../../src/package/top-hash.ts';
import { testRuntime } from '../support/runtime.ts';
import { type Files, samplePackage, writeFiles } from '../support/sample-packages.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { imagesTable } from './sides.ts';

const runtime = testRuntime();
const FILES: Files = {
  'README.md': 'read me',
  'images/1.jpg': 'one',
  'images/2.jpg': 'two',
  'metadata/images.csv': imagesTable('1 ok one', '2 ok two'),
};
const { pkg } = samplePackage(FILES, 'a message');
const name = 'test/sides';

const read = ({ logicalKey }: Entry) => Promise.resolve(Buffer.from(FILES[logicalKey] ?? ''));

const revision = revisionSide({
  ...{ name, pkg, topHash: topHash(pkg), where: 'a registry', read },
  readMany: async (entries, take) => {
    for (const entry of entries) await take(entry, await read(entry));
  },
});

async function compare(a: Side, b: Side) {
  return await comparePackages(runtime, a, b, { maxNames: 20 });
}

describe('a folder and a revision', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await temporaryFolder();
  });

  /** Files as an install leaves them, with its notes. */
  const install = async (files: Files, paths: readonly string[], globbed: readonly Part[]) => {
    await writeFiles(folder, files);
    await mkdir(join(folder, '.pkg'));
    const notes = { name, topHash: topHash(pkg), registry: 'a registry', paths, globbed, pkg };
    await writeInstallation(folder, notes, undefined);
  };

  it('have no difference right after the install', async () => {
    await install(FILES, [], []);
    const found = await compare(revision, await folderSide(runtime, folder));
    expect(found).toMatchObject({ same: true, notes: [], a: { files: 4 }, b: { files: 4 } });
    expect(found.b).not.toHaveProperty('topHash');
    expect(found.b.name).toBe(name);
  });

  it('differ by the local changes, in the words of the tables', async () => {
    await install(FILES, [], []);
    await appendFile(join(folder, 'README.md'), ', please');
    await rename(join(folder, 'images/1.jpg'), join(folder, 'images/0.jpg'));
    await rm(join(folder, 'images/2.jpg'));
    await writeFile(join(folder, 'new.txt'), 'new');
    await writeFile(join(folder, 'metadata/images.csv'), imagesTable('1 ok one', '2 gone'));
    const found = await compare(revision, await folderSide(runtime, folder));
    const { changed, added, removed, moved } = found.files;
    expect(changed.map(({ logicalKey }) => logicalKey)).toEqual([
      'README.md',
      'metadata/images.csv',
    ]);
    expect(added.map(({ logicalKey }) => logicalKey)).toEqual(['new.txt']);
    expect(removed.map(({ logicalKey }) => logicalKey)).toEqual(['images/2.jpg']);
    expect(moved.map(({ from, logicalKey }) => [from, logicalKey])).toEqual([
      ['images/1.jpg', 'images/0.jpg'],
    ]);
    expect(found.photos).toEqual([{ change: 'died', rows: 1, of: { gone: 1 }, names: ['2'] }]);
    expect(found.same).toBe(false);
  });

  it('are compared by the part that is installed', async () => {
    await install({ 'images/1.jpg': 'one', 'images/2.jpg': 'two' }, ['images'], []);
    const found = await compare(revision, await folderSide(runtime, folder));
    expect(found).toMatchObject({ same: true, a: { files: 2 }, photos: [] });
    expect(found.notes).toEqual([
      `B, in ${folder}, is images of its package; the rest is not compared`,
    ]);
  });

  it('are compared by what patterns chose', async () => {
    const part = { paths: ['images'], include: [], exclude: ['images/2*'] };
    await install({ 'images/1.jpg': 'one' }, [], [part]);
    const found = await compare(await folderSide(runtime, folder), revision);
    expect(found).toMatchObject({ same: true, a: { files: 1 }, b: { files: 1 } });
    expect(found.notes[0]).toContain('is images without images/2* of its package');
  });

  it('that was never installed is compared by its files alone', async () => {
    await writeFiles(folder, FILES);
    const found = await compare(await folderSide(runtime, folder), revision);
    expect(found).toMatchObject({ same: true, header: [], notes: [] });
    expect(found.a).toEqual({ where: folder, files: 4, sizeBytes: found.b.sizeBytes });
  });

  it('that is not there is a usage error', async () => {
    const nowhere = folderSide(runtime, join(folder, 'nowhere'));
    await expect(nowhere).rejects.toMatchObject({ code: 'usage' });
  });
});

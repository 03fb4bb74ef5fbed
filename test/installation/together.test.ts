/** Several installs into one folder, and files that are remembered between them. */
import { mkdir, readdir, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { FileCache } from '../../src/installation/file-cache.ts';
import { installedEntries, readInstallation } from '../../src/installation/installation.ts';
import { describeSmall } from '../../src/package/file-content.ts';
import { topHash } from '../../src/package/top-hash.ts';
import { verifyFiles } from '../../src/package/verify.ts';
import { failureOf } from '../registry/registry-contract.ts';
import { testRuntime } from '../support/runtime.ts';
import { asFound, filesBelow, samplePackage, writeFiles } from '../support/sample-packages.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { withRegistry } from './installing.ts';

const files = (revision: string) =>
  Object.fromEntries(
    Array.from({ length: 60 }, (_, index) => [
      `${String(index % 7)}/${String(index)}`,
      index % 3 === 0 ? `${revision} ${String(index)}` : `the same ${String(index)}`,
    ]),
  );

it('ends in one revision, whole, where several were installed at once', async () => {
  const { install, pushAgain, folder } = await withRegistry(files('a'));
  const revisions = [topHash(samplePackage(files('a')).pkg)];
  for (const name of ['b', 'c']) {
    await pushAgain(files(name));
    revisions.push(topHash(samplePackage(files(name)).pkg));
  }
  const works = [...revisions, ...revisions].map((hash) =>
    install(folder('x'), { reference: `user/name@${hash}` }),
  );
  const results = await Promise.all(works);
  expect(results.map((result) => result.topHash)).toEqual([...revisions, ...revisions]);
  const installation = await readInstallation(folder('x'));
  expect(revisions).toContain(installation.topHash);
  const entries = await installedEntries(installation);
  for await (const finding of verifyFiles(testRuntime(), entries, folder('x'))) {
    throw new Error(`unexpected finding ${JSON.stringify(finding)}`);
  }
  const own = await readdir(join(folder('x'), '.pkg'));
  expect(own.sort()).toEqual([`${installation.topHash}.jsonl`, 'files.cache', 'installed.json']);
});

it('adds parts that are asked for at once to one another', async () => {
  const { install, folder } = await withRegistry(files('a'));
  await Promise.all(['0', '1', '2'].map((path) => install(folder('x'), { paths: [path] })));
  expect(await readInstallation(folder('x'))).toMatchObject({ paths: ['0', '1', '2'] });
  const found = Object.keys(await filesBelow(folder('x')));
  expect(found).toEqual(
    Object.keys(files('a'))
      .filter((key) => /^[012]/.test(key))
      .sort(),
  );
});

it('asks for the pointer alone, and reads no file, where nothing has changed', async () => {
  const { install, folder, registry } = await withRegistry(files('a'));
  await install(folder('x'));
  const requests = registry.requests;
  expect(await install(folder('x'))).toMatchObject({ fetched: 0, fromStore: 0, reused: 60 });
  expect(registry.requests - requests).toBe(1);
  const cache = await FileCache.open(testRuntime(), folder('x'));
  for (const [key, content] of Object.entries(files('a'))) {
    const stats = await stat(join(folder('x'), key), { bigint: true });
    expect(cache.find(key, stats)).toEqual(describeSmall(Buffer.from(content)));
  }
});

it('sees a change that leaves size and time of a file as they were', async () => {
  const { install, folder } = await withRegistry(files('a'));
  await install(folder('x'), { link: 'copy' });
  const path = join(folder('x'), '1/1');
  const { atime, mtime } = await stat(path);
  await writeFile(path, 'THE SAME 1');
  await utimes(path, atime, mtime);
  const error = await failureOf(install(folder('x')));
  expect(error).toMatchObject({ code: 'usage' });
  expect(String(error)).toContain('1/1');
  expect((await filesBelow(folder('x')))['1/1']).toBe('THE SAME 1');
});

it('remembers a file that was written just now, unless it was touched before the end', async () => {
  const folder = await temporaryFolder();
  await writeFiles(folder, { '.pkg/x': '', kept: 'kept', touched: 'touched' });
  const cache = await FileCache.open(testRuntime(), folder);
  for (const key of ['kept', 'touched', 'gone'])
    cache.noteFresh(key, describeSmall(Buffer.from(key)));
  await new Promise((later) => setTimeout(later, 30));
  await writeFiles(folder, { touched: 'TOUCHED' });
  await cache.save(true);
  const again = await FileCache.open(testRuntime(), folder);
  const find = async (key: string) =>
    again.find(key, await stat(join(folder, key), { bigint: true }));
  expect(await find('kept')).toEqual(describeSmall(Buffer.from('kept')));
  expect(await find('touched')).toBeUndefined();
});

it.each(['.pkg/installed.json', '.PKG/x', '.pkg'])(
  'refuses a package with %s in it',
  async (key) => {
    const { install, folder } = await withRegistry({ a: 'a', [key]: 'hostile' });
    expect(await failureOf(install(folder('x')))).toMatchObject({ code: 'integrity' });
    expect(await filesBelow(folder('x'))).toEqual({});
  },
);

it('refuses a folder whose notes are elsewhere', async () => {
  const { install, plan, folder } = await withRegistry(files('a'));
  const outside = await temporaryFolder();
  await mkdir(folder('x'), { recursive: true });
  await symlink(outside, join(folder('x'), '.pkg'));
  for (const work of [install, plan]) {
    expect(await failureOf(work(folder('x')))).toMatchObject({ code: 'integrity' });
  }
  expect(await readdir(outside)).toEqual([]);
  expect(await filesBelow(folder('x'))).toEqual(asFound({}));
});

/** Files that come from the store, or go there: linked where that can be, hashed in any case. */
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readInstallation } from '../../src/installation/installation.ts';
import { topHash } from '../../src/package/top-hash.ts';
import { digestOf } from '../../src/store/digest.ts';
import { openStore } from '../../src/store/store.ts';
import { failureOf } from '../registry/registry-contract.ts';
import { asFound, filesBelow, noise, samplePackage } from '../support/sample-packages.ts';
import { inodeOf, withRegistry } from './installing.ts';

const FILES = {
  'README.md': 'read me',
  'data/a': 'aaa',
  'data/same': 'aaa',
  'data/empty': '',
  large: noise(9 * 2 ** 20, 3),
};
const LARGE_BYTES = 9 * 2 ** 20;

const modeOf = async (path: string) => (await stat(path)).mode & 0o777;

it('links what it fetched out of the store, read-only, each content fetched once', async () => {
  const { install, folder, store } = await withRegistry(FILES);
  const result = await install(folder('a'), { link: 'hard' });
  expect(result).toMatchObject({ entries: 5, fetched: 4, fromStore: 1, reused: 0 });
  expect(result.fetchedBytes).toBe(LARGE_BYTES + 10);
  expect(await filesBelow(folder('a'))).toEqual(asFound(FILES));
  for (const [key, content] of Object.entries(FILES)) {
    const path = join(folder('a'), key);
    expect(await inodeOf(path), key).toBe(await inodeOf(store.path(digestOf(content))));
    expect(await modeOf(path), key).toBe(0o444);
  }
  expect(await readdir(await store.scratchFolder('tmp'))).toEqual([]);
});

it('fetches nothing that the store has, for another folder too', async () => {
  const { install, folder, registry, store } = await withRegistry(FILES);
  for (const content of Object.values(FILES)) await store.putBytes(content);
  const result = await install(folder('a'));
  expect(result).toMatchObject({ fetched: 0, fromStore: 5, fetchedBytes: 0 });
  expect(await filesBelow(folder('a'))).toEqual(asFound(FILES));
  expect(registry.readBytes).toBe(0);
  const requests = registry.requests;
  await install(folder('b'));
  expect(registry.requests - requests).toBe(1);
  expect(await filesBelow(folder('b'))).toEqual(asFound(FILES));
});

it('hashes what the store has, and fetches what was damaged there', async () => {
  const { install, folder, store } = await withRegistry(FILES);
  await install(folder('a'), { link: 'copy' });
  for (const content of Object.values(FILES)) await store.putBytes(content);
  const small = store.path(digestOf('aaa'));
  await writeFile(small, 'aab');
  const large = store.path(digestOf(FILES.large));
  const bytes = Buffer.from(FILES.large);
  bytes[5] = (bytes[5] ?? 0) ^ 1;
  await writeFile(large, bytes);
  expect(await install(folder('b'))).toMatchObject({ fetched: 2, fromStore: 3 });
  expect(await filesBelow(folder('b'))).toEqual(asFound(FILES));
  expect(await readFile(small, 'utf8')).toBe('aaa');
  expect(digestOf(await readFile(large))).toBe(digestOf(FILES.large));
});

it('copies when told, writable, and keeps nothing in the store', async () => {
  const { install, folder, store } = await withRegistry(FILES);
  await install(folder('a'), { link: 'copy' });
  expect(await filesBelow(folder('a'))).toEqual(asFound(FILES));
  expect(existsSync(store.path(digestOf('aaa')))).toBe(false);
  await store.putBytes('aaa');
  await store.putBytes(FILES.large);
  expect(await install(folder('b'), { link: 'copy' })).toMatchObject({ fromStore: 3, fetched: 2 });
  for (const key of ['data/a', 'large']) {
    expect(await modeOf(join(folder('b'), key)), key).not.toBe(0o444);
  }
  expect(await inodeOf(join(folder('b'), 'large'))).not.toBe(
    await inodeOf(store.path(digestOf(FILES.large))),
  );
  expect(await filesBelow(folder('b'))).toEqual(asFound(FILES));
});

it('brings back what was edited in place through a link, and heals the store', async () => {
  const { install, folder, store } = await withRegistry(FILES);
  await install(folder('a'), { link: 'hard' });
  const path = join(folder('a'), 'README.md');
  await chmod(path, 0o644);
  await writeFile(path, 'READ ME');
  expect(await failureOf(install(folder('a')))).toMatchObject({ code: 'usage' });
  expect(await install(folder('a'), { foreignFiles: 'overwrite' })).toMatchObject({
    fetched: 1,
    reused: 4,
  });
  expect(await filesBelow(folder('a'))).toEqual(asFound(FILES));
  expect(await readFile(store.path(digestOf('read me')), 'utf8')).toBe('read me');
});

it('says so where the links that were asked for cannot be had', async () => {
  const { install, folder } = await withRegistry(FILES);
  const error = { code: 'storage', hint: expect.stringContaining('--link auto') as string };
  const options = { store: undefined, link: 'hard' } as const;
  expect(await failureOf(install(folder('a'), options))).toMatchObject(error);
});

it.runIf(existsSync('/dev/shm'))('copies across disks', async () => {
  const { install, folder } = await withRegistry(FILES);
  const root = await mkdtemp('/dev/shm/pkg-test-');
  try {
    const store = await openStore(join(root, 'store'), Date.now());
    await store.putBytes('read me');
    expect(await install(folder('a'), { store })).toMatchObject({ fetched: 4, fromStore: 1 });
    expect(await filesBelow(folder('a'))).toEqual(asFound(FILES));
    expect(existsSync(store.path(digestOf('aaa')))).toBe(false);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
});

it('installs into a second folder without the network what the store knows', async () => {
  const { install, folder, registry } = await withRegistry(FILES);
  const full = `user/name@${topHash(samplePackage(FILES).pkg)}`;
  const offline = { offline: true } as const;
  expect(await failureOf(install(folder('a'), offline))).toMatchObject({ code: 'unreachable' });
  expect(await failureOf(install(folder('a'), { ...offline, reference: full }))).toMatchObject({
    code: 'unreachable',
  });
  expect(existsSync(folder('a'))).toBe(false);
  await install(folder('a'));
  const requests = registry.requests;
  for (const [name, reference] of Object.entries({ b: 'user/name', c: full })) {
    const result = await install(folder(name), { ...offline, reference });
    expect(result).toMatchObject({ entries: 5, fromStore: 5 });
    expect(await filesBelow(folder(name))).toEqual(asFound(FILES));
  }
  await rm(join(folder('a'), 'large'));
  await install(folder('a'), { ...offline, reference: full.slice(0, 20) });
  expect(await filesBelow(folder('a'))).toEqual(asFound(FILES));
  expect(registry.requests).toBe(requests);
});

it('names what needs the network, and writes nothing then', async () => {
  const { install, folder } = await withRegistry(FILES);
  await install(folder('a'), { paths: ['data'] });
  const error = await failureOf(install(folder('b'), { offline: true }));
  expect(error).toMatchObject({ code: 'unreachable' });
  expect(String(error)).toContain('2 files');
  expect(String(error)).toContain('README.md, large');
  expect(await filesBelow(folder('b'))).toEqual({});
  await install(folder('b'), { offline: true, paths: ['data'] });
  expect(Object.keys(await filesBelow(folder('b')))).toHaveLength(3);
});

it('plans with figures, and writes nothing', async () => {
  const { install, plan, pushAgain, folder } = await withRegistry(FILES);
  expect(await plan(folder('a'))).toMatchObject({
    ...{ name: 'user/name', entries: 5, sizeBytes: LARGE_BYTES + 13, inTheWay: [] },
    toFetch: { files: 5, sizeBytes: LARGE_BYTES + 13 },
    ...{ fromStore: { files: 0 }, unchanged: { files: 0 }, toRemove: { files: 0 } },
  });
  expect(existsSync(folder('a'))).toBe(false);
  await install(folder('a'));
  await rm(join(folder('a'), 'data/a'));
  await chmod(join(folder('a'), 'large'), 0o644);
  await writeFile(join(folder('a'), 'large'), 'mine');
  const { 'data/same': _, ...rest } = FILES;
  await pushAgain({ ...rest, new: 'new' });
  const before = await filesBelow(folder('a'));
  expect(await plan(folder('a'))).toMatchObject({
    toFetch: { files: 2, sizeBytes: LARGE_BYTES + 3 },
    fromStore: { files: 1, sizeBytes: 3 },
    unchanged: { files: 2, sizeBytes: 7 },
    toRemove: { files: 1, sizeBytes: 3 },
    inTheWay: ['large'],
  });
  expect(await filesBelow(folder('a'))).toEqual(before);
  expect(await readInstallation(folder('a'))).toMatchObject({
    topHash: topHash(samplePackage(FILES).pkg),
  });
});

it('keeps to its selection when it is updated', async () => {
  const { install, pushAgain, folder } = await withRegistry(FILES);
  await install(folder('a'), { include: ['data/*'], exclude: ['same'] });
  expect(Object.keys(await filesBelow(folder('a')))).toEqual(['data/a', 'data/empty']);
  await pushAgain({ ...FILES, 'data/b': 'b', 'data/x/same': 'x', more: 'more' });
  expect(await install(folder('a'))).toMatchObject({ entries: 3, fetched: 1, reused: 2 });
  expect(Object.keys(await filesBelow(folder('a')))).toEqual(['data/a', 'data/b', 'data/empty']);
  await install(folder('a'), { paths: ['more'] });
  expect(Object.keys(await filesBelow(folder('a')))).toContain('more');
  const error = await failureOf(install(folder('b'), { include: ['*.csv'] }));
  expect(error).toMatchObject({ code: 'not-found' });
  expect(existsSync(folder('b'))).toBe(false);
});

it('asks its check before anything is written', async () => {
  const { install, folder } = await withRegistry(FILES);
  const check = ({ name, topHash: hash }: { name: string; topHash: string }) =>
    Promise.reject(new Error(`${name} ${hash}`));
  const error = await failureOf(install(folder('a'), { check }));
  expect(error).toMatchObject({ message: `user/name ${topHash(samplePackage(FILES).pkg)}` });
  expect(existsSync(folder('a'))).toBe(false);
});

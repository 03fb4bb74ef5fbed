/** What only a registry in a folder has: it can be moved, locked, shared and missing. */
import { mkdir, readdir, rename, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { verifyObjects } from '../../src/inspection/verify-package.ts';
import { packageKey } from '../../src/objects/layout.ts';
import { topHash } from '../../src/package/top-hash.ts';
import { parseReference } from '../../src/registry/reference.ts';
import { listPackages, readHistory, resolveReference } from '../../src/registry/revisions.ts';
import { DirectoryStorage } from '../../src/storage/directory.ts';
import { openStorage } from '../../src/storage/open.ts';
import { testRuntime } from '../support/runtime.ts';
import { asFound, filesBelow, noise, samplePackage } from '../support/sample-packages.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { install } from './install-contract.ts';
import { contentAt, failureOf, plant, push } from './registry-contract.ts';

const FILES = {
  'README.md': 'read me',
  'data/é 😀': 'aaa',
  'data/empty': '',
  large: noise(9 * 2 ** 20, 1),
};
const { pkg: PKG } = samplePackage(FILES);
const ACCESS = { endpoint: undefined, region: 'us-east-1' };

async function expectWhole(registry: DirectoryStorage): Promise<void> {
  const folder = join(await temporaryFolder(), 'dest');
  await install(registry, folder);
  expect(await filesBelow(folder)).toEqual(asFound(FILES));
  for await (const finding of verifyObjects(testRuntime(), registry, PKG.entries)) {
    throw new Error(`unexpected finding ${JSON.stringify(finding)}`);
  }
}

describe('a registry in a folder', () => {
  it('installs and verifies after it was moved', async () => {
    const parent = await temporaryFolder();
    await mkdir(join(parent, 'old'));
    await push(new DirectoryStorage(testRuntime(), join(parent, 'old')), samplePackage(FILES));
    await rename(join(parent, 'old'), join(parent, 'new place'));
    await expectWhole(new DirectoryStorage(testRuntime(), join(parent, 'new place')));
  });

  it('installs and verifies while another folder stands where it was', async () => {
    const parent = await temporaryFolder();
    await mkdir(join(parent, 'old'));
    await push(new DirectoryStorage(testRuntime(), join(parent, 'old')), samplePackage(FILES));
    await rename(join(parent, 'old'), join(parent, 'new'));
    await mkdir(join(parent, 'old'));
    await push(new DirectoryStorage(testRuntime(), join(parent, 'old')), samplePackage(FILES));
    await writeFile(join(parent, 'old', packageKey(topHash(PKG))), 'nonsense');
    await expectWhole(new DirectoryStorage(testRuntime(), join(parent, 'new')));
  });

  it('installs by digest when the physical keys in its list are nonsense', async () => {
    const root = await temporaryFolder();
    const registry = new DirectoryStorage(testRuntime(), root);
    await push(registry, samplePackage(FILES));
    const key = packageKey(topHash(PKG));
    const list = (await contentAt(registry, key))?.toString() ?? '';
    const nonsense = list.replaceAll(/file:\/\/[^"]*/g, 'file:///gone/nothing%20here');
    expect(nonsense).not.toBe(list);
    await plant(registry, key, nonsense);
    await expectWhole(registry);
  });

  it('takes pushes after it was moved, and keeps its history', async () => {
    const parent = await temporaryFolder();
    await mkdir(join(parent, 'old'));
    await push(new DirectoryStorage(testRuntime(), join(parent, 'old')), samplePackage(FILES));
    await rename(join(parent, 'old'), join(parent, 'new'));
    const registry = new DirectoryStorage(testRuntime(), join(parent, 'new'));
    const again = await push(registry, samplePackage(FILES));
    expect(again).toMatchObject({ uploaded: 0, reused: 4 });
    const next = await push(registry, samplePackage(FILES, 'next'));
    const history = await readHistory(registry, 'user/name');
    expect(history.map((revision) => revision.topHash)).toEqual([next.topHash, topHash(PKG)]);
  });

  it('says that there is no such folder, whatever is asked of it', async () => {
    const root = join(await temporaryFolder(), 'absent');
    const registry = await openStorage(testRuntime(), root, ACCESS, 'read');
    for (const work of [
      () => listPackages(registry),
      () => resolveReference(registry, parseReference('user/name')),
      () => registry.head({ key: 'x' }),
      () => registry.read({ key: 'x' }),
    ]) {
      const error = await failureOf(work());
      expect(error).toMatchObject({ code: 'unreachable' });
      expect(String(error)).toContain(root);
    }
  });

  it('is made by the first push into it', async () => {
    const root = join(await temporaryFolder(), 'new/registry');
    const registry = await openStorage(testRuntime(), root, ACCESS, 'write');
    await push(registry, samplePackage(FILES));
    expect((await listPackages(registry)).map(({ name }) => name)).toEqual(['user/name']);
  });

  it('lists every key that was written, and no file that is on its way', async () => {
    const root = await temporaryFolder();
    const registry = new DirectoryStorage(testRuntime(), root);
    await push(registry, samplePackage(FILES), 'user/name', 'v1.lock');
    await push(registry, samplePackage(FILES), 'user/name', 'v1.tmp');
    const [revision] = await readHistory(registry, 'user/name');
    expect([...(revision?.tags ?? [])].sort()).toEqual(['latest', 'v1.lock', 'v1.tmp']);
  });

  it('leaves no temporary file and no lock behind', async () => {
    const root = await temporaryFolder();
    const registry = new DirectoryStorage(testRuntime(), root);
    await push(registry, samplePackage(FILES));
    await push(registry, samplePackage(FILES, 'next'));
    const names = await readdir(root, { recursive: true });
    expect(names.filter((name) => /\.(tmp|lock)$/.test(name))).toEqual([]);
  });
});

describe('openStorage', () => {
  it('takes a path, a file: URL and a link to a folder', async () => {
    const parent = await temporaryFolder();
    const root = join(parent, 'with space');
    await mkdir(root);
    await push(new DirectoryStorage(testRuntime(), root), samplePackage(FILES));
    await symlink(root, join(parent, 'link'));
    for (const address of [root, pathToFileURL(root).href, join(parent, 'link')]) {
      const registry = await openStorage(testRuntime(), address, ACCESS, 'read');
      expect(await resolveReference(registry, parseReference('user/name'))).toBe(topHash(PKG));
    }
  });
});

/** What only a registry in a folder has: it can be moved, locked, shared and missing. */
import { mkdir, readdir, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { topHash } from '../../src/package/top-hash.ts';
import { DirectoryRegistry } from '../../src/registry/directory.ts';
import { packageKey } from '../../src/registry/layout.ts';
import { openRegistry } from '../../src/registry/open.ts';
import { parseReference } from '../../src/registry/reference.ts';
import { ALWAYS } from '../../src/registry/registry.ts';
import { listPackages, readHistory, resolveReference } from '../../src/registry/revisions.ts';
import { verifyObjects } from '../../src/registry/verify-registry.ts';
import { PkgError } from '../../src/runtime/errors.ts';
import { testRuntime } from '../support/runtime.ts';
import { asFound, filesBelow, noise, samplePackage } from '../support/sample-packages.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { install } from './install-contract.ts';
import { contentAt, failureOf, plant, push, uploadOf } from './registry-contract.ts';

const FILES = {
  'README.md': 'read me',
  'data/é 😀': 'aaa',
  'data/empty': '',
  large: noise(9 * 2 ** 20, 1),
};
const { pkg: PKG } = samplePackage(FILES);
const ACCESS = { endpoint: undefined, region: 'us-east-1' };

async function expectWhole(registry: DirectoryRegistry): Promise<void> {
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
    await push(new DirectoryRegistry(testRuntime(), join(parent, 'old')), samplePackage(FILES));
    await rename(join(parent, 'old'), join(parent, 'new place'));
    await expectWhole(new DirectoryRegistry(testRuntime(), join(parent, 'new place')));
  });

  it('installs and verifies while another folder stands where it was', async () => {
    const parent = await temporaryFolder();
    await mkdir(join(parent, 'old'));
    await push(new DirectoryRegistry(testRuntime(), join(parent, 'old')), samplePackage(FILES));
    await rename(join(parent, 'old'), join(parent, 'new'));
    await mkdir(join(parent, 'old'));
    await push(new DirectoryRegistry(testRuntime(), join(parent, 'old')), samplePackage(FILES));
    await writeFile(join(parent, 'old', packageKey(topHash(PKG))), 'nonsense');
    await expectWhole(new DirectoryRegistry(testRuntime(), join(parent, 'new')));
  });

  it('installs by digest when the physical keys in its list are nonsense', async () => {
    const root = await temporaryFolder();
    const registry = new DirectoryRegistry(testRuntime(), root);
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
    await push(new DirectoryRegistry(testRuntime(), join(parent, 'old')), samplePackage(FILES));
    await rename(join(parent, 'old'), join(parent, 'new'));
    const registry = new DirectoryRegistry(testRuntime(), join(parent, 'new'));
    const again = await push(registry, samplePackage(FILES));
    expect(again).toMatchObject({ uploaded: 0, reused: 4 });
    const next = await push(registry, samplePackage(FILES, 'next'));
    const history = await readHistory(registry, 'user/name');
    expect(history.map((revision) => revision.topHash)).toEqual([next.topHash, topHash(PKG)]);
  });

  it('says that there is no such folder, whatever is asked of it', async () => {
    const root = join(await temporaryFolder(), 'absent');
    const registry = await openRegistry(testRuntime(), root, ACCESS, 'read');
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
    const registry = await openRegistry(testRuntime(), root, ACCESS, 'write');
    await push(registry, samplePackage(FILES));
    expect((await listPackages(registry)).map(({ name }) => name)).toEqual(['user/name']);
  });

  it('does not wait for the lock of a process that died', async () => {
    const root = await temporaryFolder();
    const registry = new DirectoryRegistry(testRuntime(), root);
    await registry.write('a', uploadOf('one'), ALWAYS);
    const etag = (await registry.read({ key: 'a' }))?.etag ?? '';
    const lock = join(root, '.a.lock');
    await writeFile(lock, '');
    await utimes(lock, new Date(0), new Date(0));
    expect(await registry.write('a', uploadOf('two'), { kind: 'if-match', etag })).toBe('written');
    expect(await readdir(root)).toEqual(['a']);
  });

  it('waits for the lock of a process that works, and gives up when told to', async () => {
    const root = await temporaryFolder();
    const controller = new AbortController();
    const registry = new DirectoryRegistry(testRuntime({ signal: controller.signal }), root);
    await registry.write('a', uploadOf('one'), ALWAYS);
    const etag = (await registry.read({ key: 'a' }))?.etag ?? '';
    await writeFile(join(root, '.a.lock'), '');
    const condition = { kind: 'if-match', etag } as const;
    const waiting = registry.write('a', uploadOf('two'), condition);
    await new Promise((later) => setTimeout(later, 100));
    expect((await contentAt(registry, 'a'))?.toString()).toBe('one');
    await rm(join(root, '.a.lock'));
    expect(await waiting).toBe('written');
    await writeFile(join(root, '.a.lock'), '');
    const given = registry.write('a', uploadOf('three'), condition);
    controller.abort(new PkgError('interrupted', 'interrupted'));
    expect(await failureOf(given)).toMatchObject({ code: 'interrupted' });
  });

  it('lists every key that was written, and no file that is on its way', async () => {
    const root = await temporaryFolder();
    const registry = new DirectoryRegistry(testRuntime(), root);
    await push(registry, samplePackage(FILES), 'user/name', 'v1.lock');
    await push(registry, samplePackage(FILES), 'user/name', 'v1.tmp');
    const [revision] = await readHistory(registry, 'user/name');
    expect([...(revision?.tags ?? [])].sort()).toEqual(['latest', 'v1.lock', 'v1.tmp']);
  });

  it('leaves no temporary file and no lock behind', async () => {
    const root = await temporaryFolder();
    const registry = new DirectoryRegistry(testRuntime(), root);
    await push(registry, samplePackage(FILES));
    await push(registry, samplePackage(FILES, 'next'));
    const names = await readdir(root, { recursive: true });
    expect(names.filter((name) => /\.(tmp|lock)$/.test(name))).toEqual([]);
  });
});

describe('openRegistry', () => {
  it('takes a path, a file: URL and a link to a folder', async () => {
    const parent = await temporaryFolder();
    const root = join(parent, 'with space');
    await mkdir(root);
    await push(new DirectoryRegistry(testRuntime(), root), samplePackage(FILES));
    await symlink(root, join(parent, 'link'));
    for (const address of [root, pathToFileURL(root).href, join(parent, 'link')]) {
      const registry = await openRegistry(testRuntime(), address, ACCESS, 'read');
      expect(await resolveReference(registry, parseReference('user/name'))).toBe(topHash(PKG));
    }
  });

  it.each(['https://example.org', 's3://', 's3://bucket/prefix', 's3://bucket?x=1', 'gs://bucket'])(
    'refuses the address %s',
    async (address) => {
      const error = await failureOf(openRegistry(testRuntime(), address, ACCESS, 'read'));
      expect(error).toMatchObject({ code: 'usage' });
      expect(String(error)).toContain(address);
    },
  );

  it('refuses a file: URL of another machine', async () => {
    const address = 'file://elsewhere/registry';
    const error = await failureOf(openRegistry(testRuntime(), address, ACCESS, 'read'));
    expect(error).toMatchObject({ code: 'usage' });
  });
});

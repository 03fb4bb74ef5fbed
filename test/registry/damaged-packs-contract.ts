/** The contract of damaged packs: no wrong byte gets a name, and the file it would be in is told. */
import { expect, it } from 'vitest';
import { verifyObjects } from '../../src/inspection/verify-package.ts';
import { INDEX_PREFIX, PACK_PREFIX, packKey } from '../../src/objects/layout.ts';
import { parsePackFragment } from '../../src/package/physical-key.ts';
import { readPackage } from '../../src/registry/lists.ts';
import { PkgError } from '../../src/runtime/errors.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { testRuntime } from '../support/runtime.ts';
import { asFound, filesBelow, noise, samplePackage } from '../support/sample-packages.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { install } from './install-contract.ts';
import { contentAt, failureOf, plant, push, type Setup } from './registry-contract.ts';

const FILES = {
  'README.md': 'read me',
  'data/a': 'aaa',
  'data/b': 'bbb',
  'data/empty': '',
  large: noise(9 * 2 ** 20, 21),
};

export function damagedPacksContract(setup: Setup): void {
  const pushed = async () => {
    const registry = await (await setup())();
    const { topHash } = await push(registry, samplePackage(FILES));
    const pkg = await readPackage(registry, topHash);
    return { registry, pkg, folder: await temporaryFolder() };
  };
  const expectDamage = async (registry: Storage, folder: string, named: string) => {
    const error = await failureOf(install(registry, folder));
    expect(error).toBeInstanceOf(PkgError);
    expect(error).toMatchObject({ code: 'integrity' });
    expect(String(error)).toContain(named);
    expect(asFound(FILES)).toMatchObject(await filesBelow(folder));
  };

  it('installs all files of a package that was just pushed', async () => {
    const { registry, folder } = await pushed();
    expect(await install(registry, folder)).toMatchObject({ fetched: 5 });
    expect(await filesBelow(folder)).toEqual(asFound(FILES));
  });

  it.each(['data/a', 'README.md', 'large'])('finds a flipped byte in %s', async (key) => {
    const { registry, pkg, folder } = await pushed();
    const entry = [...pkg.entries].find(({ logicalKey }) => logicalKey === key);
    const place = parsePackFragment(entry?.physicalKey ?? '');
    if (place === undefined) throw new Error(`${key} is in no pack`);
    const pack = (await contentAt(registry, packKey(place.pack))) ?? Buffer.alloc(0);
    const damaged = Buffer.from(pack);
    damaged[place.offset] = (damaged[place.offset] ?? 0) ^ 1;
    await plant(registry, packKey(place.pack), damaged);
    await expectDamage(registry, folder, key);
    await plant(registry, packKey(place.pack), pack);
    await install(registry, folder);
    expect(await filesBelow(folder)).toEqual(asFound(FILES));
  });

  it.each([
    ['cut short', (pack: Buffer) => pack.subarray(0, pack.length >> 1)],
    ['emptied', () => Buffer.alloc(0)],
    ['replaced', (pack: Buffer) => noise(pack.length, 5)],
    ['removed', () => undefined],
  ])('refuses packs that were %s', async (_, change) => {
    const { registry, folder } = await pushed();
    for await (const { key } of registry.list(PACK_PREFIX)) {
      const left = change((await contentAt(registry, key)) ?? Buffer.alloc(0));
      if (left === undefined) await registry.remove([key]);
      else await plant(registry, key, left);
    }
    await expectDamage(registry, folder, '');
  });

  it('installs small files without the index, and says so where it is needed and damaged', async () => {
    const { registry, folder } = await pushed();
    for await (const { key } of registry.list(INDEX_PREFIX)) await plant(registry, key, 'x');
    await install(registry, folder, { paths: ['data'] });
    expect(Object.keys(await filesBelow(folder))).toEqual(['data/a', 'data/b', 'data/empty']);
    expect(await failureOf(install(registry, folder))).toMatchObject({ code: 'integrity' });
  });

  it('tells a changed file from a missing one, whatever it is called', async () => {
    const registry = await (await setup())();
    const name = 'what is missing';
    const { topHash } = await push(registry, samplePackage({ [name]: 'something' }));
    const { entries } = await readPackage(registry, topHash);
    const findings = async () => {
      const found: unknown[] = [];
      for await (const one of verifyObjects(testRuntime(), registry, entries)) found.push(one);
      return found;
    };
    expect(await findings()).toEqual([]);
    const keys: string[] = [];
    for await (const { key } of registry.list(PACK_PREFIX)) keys.push(key);
    for (const key of keys) {
      const damaged = Buffer.from((await contentAt(registry, key)) ?? '');
      damaged[0] = (damaged[0] ?? 0) ^ 1;
      await plant(registry, key, damaged);
    }
    expect(await findings()).toEqual([{ logicalKey: name, kind: 'changed' }]);
    await registry.remove(keys);
    expect(await findings()).toEqual([{ logicalKey: name, kind: 'missing' }]);
  });
}

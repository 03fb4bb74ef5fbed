/** The contract of safety: no content of a registry gets wrong bytes, or any outside, onto the disk. */
import { mkdir, rename, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { verifyObjects } from '../../src/inspection/verify-package.ts';
import { objectKey, packageKey } from '../../src/objects/layout.ts';
import type { Entry } from '../../src/package/entry.ts';
import { packageOf } from '../../src/package/package.ts';
import { topHash } from '../../src/package/top-hash.ts';
import { PkgError } from '../../src/runtime/errors.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { digestOf } from '../../src/store/digest.ts';
import { testRuntime } from '../support/runtime.ts';
import {
  asFound,
  entryOf,
  filesBelow,
  headerOf,
  noise,
  samplePackage,
} from '../support/sample-packages.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { install } from './install-contract.ts';
import {
  contentAt,
  failureOf,
  plant,
  plantPackage,
  push,
  type Setup,
} from './registry-contract.ts';

const LARGE = noise(9 * 2 ** 20, 9);
const FILES = { 'README.md': 'read me', 'data/a': 'aaa', 'data/b': 'bbb', large: LARGE };
const { pkg: PKG } = samplePackage(FILES);
const HASH = topHash(PKG);

/** Ways to damage an object, and what is left of it. */
const DAMAGES: readonly (readonly [string, (data: Buffer) => Buffer | undefined])[] = [
  ['flipped', (data) => Buffer.concat([data.subarray(0, -1), Buffer.from([~(data.at(-1) ?? 0)])])],
  ['cut short', (data) => data.subarray(0, -1)],
  ['emptied', () => Buffer.alloc(0)],
  ['made longer', (data) => Buffer.concat([data, Buffer.from('x')])],
  ['removed', () => undefined],
];

async function damage(registry: Storage, key: string, left: Buffer | undefined): Promise<void> {
  if (left === undefined) await registry.remove([key]);
  else await plant(registry, key, left);
}

export function hostileContract(setup: Setup): void {
  const withPackage = async () => {
    const registry = await (await setup())();
    await push(registry, samplePackage(FILES));
    const parent = await temporaryFolder();
    return { registry, parent, folder: join(parent, 'dest') };
  };
  const expectRefused = async (work: Promise<unknown>, parent: string) => {
    const error = await failureOf(work);
    expect(error).toBeInstanceOf(PkgError);
    expect(error).toMatchObject({ code: 'integrity' });
    expect(await filesBelow(parent)).toEqual({});
  };

  it.each([
    ['a size', (text: string) => text.replace('"size": 3', '"size": 4')],
    ['the message', (text: string) => text.replace('"message": null', '"message": "x"')],
    ['a key', (text: string) => text.replace('"data/a"', '"data/z"')],
    ['a hash', (text: string) => text.replace(/"value": "./, '"value": "/')],
    ['an entry less', (text: string) => text.split('\n').slice(0, -2).join('\n')],
    [
      'an entry more',
      (text: string) => `${text}${text.split('\n')[1]?.replace('README', 'X') ?? ''}`,
    ],
    ['nothing left', () => ''],
    ['no JSON', () => '<html>'],
  ])('writes nothing of a list that was tampered with: %s', async (_, tamper) => {
    const { registry, parent, folder } = await withPackage();
    const text = (await contentAt(registry, packageKey(HASH)))?.toString() ?? '';
    expect(tamper(text)).not.toBe(text);
    await plant(registry, packageKey(HASH), tamper(text));
    await expectRefused(install(registry, folder), parent);
  });

  for (const [what, change] of DAMAGES) {
    for (const key of ['data/a', 'large']) {
      it(`never gives wrong bytes their name, and says so: ${key} ${what}`, async () => {
        const { registry, folder } = await withPackage();
        const data = Buffer.from(FILES[key as keyof typeof FILES]);
        await damage(registry, objectKey(digestOf(data)), change(data));
        const error = await failureOf(install(registry, folder));
        expect(error).toMatchObject({ code: 'integrity' });
        expect(String(error)).toContain(key);
        const { [key]: wrong, ...found } = await filesBelow(folder);
        expect(wrong).toBeUndefined();
        expect(asFound(FILES)).toMatchObject(found);
        const findings = [];
        for await (const finding of verifyObjects(testRuntime(), registry, PKG.entries)) {
          findings.push(finding);
        }
        const kind = what === 'removed' ? 'missing' : 'changed';
        expect(findings).toEqual([{ logicalKey: key, kind }]);
        await plant(registry, objectKey(digestOf(data)), data);
        expect(await install(registry, folder)).toMatchObject({ fetched: 1, reused: 3 });
        expect(await filesBelow(folder)).toEqual(asFound(FILES));
      });
    }
  }

  it('finds nothing wrong with the objects of a package that was just pushed', async () => {
    const { registry } = await withPackage();
    for await (const finding of verifyObjects(testRuntime(), registry, PKG.entries)) {
      throw new Error(`unexpected finding ${JSON.stringify(finding)}`);
    }
  });

  it.each([
    '../evil',
    'data/../../evil',
    '/tmp/pkg-test-evil',
    'a//evil',
    './evil',
    'evil/',
    'e\0vil',
    '.pkg/installed.json',
    '.pkg/package.jsonl',
    '.pkg/evil',
    '.pkg',
  ])('refuses the logical key %j and writes nothing', async (logicalKey) => {
    const { registry, parent, folder } = await withPackage();
    const data = Buffer.from('evil');
    await plant(registry, objectKey(digestOf(data)), data);
    const evil = entryOf(logicalKey, data, registry.physicalKey(objectKey(digestOf(data))));
    await plantPackage(registry, 'user/name', { ...PKG, entries: [evil, ...PKG.entries] });
    await expectRefused(install(registry, folder), parent);
  });

  it('refuses a hash type that it cannot check', async () => {
    const { registry, folder } = await withPackage();
    const data = Buffer.from('aaa');
    const entry = entryOf('data/a', data, registry.physicalKey(objectKey(digestOf(data))));
    const unknown = { ...entry, hash: { type: 'MD5', value: 'x' } };
    await plantPackage(registry, 'user/name', packageOf(headerOf(null), [unknown]));
    expect(await failureOf(install(registry, folder))).toMatchObject({ code: 'integrity' });
    expect(await filesBelow(folder)).toEqual({});
  });

  it.each([
    ...['https://example.org/x', 'relative/path', '', 'file://host/x', 'file:///%zz'],
    ...['file:///etc/hostname', 's3://another-bucket/x', 's3://', 's3://b/k?x=1'],
    ...['<registry>', '<registry>/', '<registry>/absent', '<registry>/a%00b'],
  ])('refuses the physical key %j, in words, and reads nothing', async (pattern) => {
    const { registry, folder } = await withPackage();
    const physicalKey = pattern.replace('<registry>', registry.physicalKey('').replace(/\/$/, ''));
    const entry: Entry = { ...entryOf('x', Buffer.from('aaa'), physicalKey), meta: new Map() };
    await plantPackage(registry, 'user/name', packageOf(headerOf(null), [entry]));
    expect(await failureOf(install(registry, folder))).toMatchObject({ code: 'integrity' });
    expect(await filesBelow(folder)).toEqual({});
  });

  it.each(['/..%2f..%2fetc/hostname', '/../../etc/hostname', '/objects/../../outside'])(
    'never reads outside the registry by the physical key <registry>%s',
    async (path) => {
      const { registry, folder } = await withPackage();
      const physicalKey = `${registry.physicalKey('').replace(/\/$/, '')}${path}`;
      const entry: Entry = { ...entryOf('x', Buffer.from('aaa'), physicalKey), meta: new Map() };
      await plantPackage(registry, 'user/name', packageOf(headerOf(null), [entry]));
      expect(await failureOf(install(registry, folder))).toBeInstanceOf(PkgError);
      expect(await filesBelow(folder)).toEqual({});
    },
  );

  it('writes nothing through a link in place of a folder', async () => {
    const { registry, folder } = await withPackage();
    const outside = await temporaryFolder();
    await mkdir(folder);
    await symlink(outside, join(folder, 'data'));
    for (const foreignFiles of ['refuse', 'overwrite'] as const) {
      const error = await failureOf(install(registry, folder, { foreignFiles }));
      expect(error).toMatchObject({ code: foreignFiles === 'refuse' ? 'usage' : 'integrity' });
    }
    expect(await filesBelow(outside)).toEqual({});
    expect(await filesBelow(folder)).toEqual({ data: `-> ${outside}` });
  });

  it('writes nothing through a link that came after the first install', async () => {
    const { registry, folder } = await withPackage();
    const outside = await temporaryFolder();
    await install(registry, folder, { paths: ['README.md'] });
    await symlink(outside, join(folder, 'data'));
    expect(await failureOf(install(registry, folder))).toMatchObject({ code: 'integrity' });
    expect(await filesBelow(outside)).toEqual({});
  });

  it('removes nothing through a link when files leave the package', async () => {
    const { registry, parent, folder } = await withPackage();
    await install(registry, folder);
    await rename(join(folder, 'data'), join(parent, 'moved by the user'));
    await symlink(join(parent, 'moved by the user'), join(folder, 'data'));
    await push(registry, samplePackage({ 'README.md': 'read me' }));
    const outcome: unknown = await install(registry, folder).catch((error: unknown) => error);
    if (outcome instanceof Error) expect(outcome).toBeInstanceOf(PkgError);
    expect(await filesBelow(join(parent, 'moved by the user'))).toEqual({ a: 'aaa', b: 'bbb' });
  });

  it('does not take a link for its own folder of notes', async () => {
    const { registry, folder } = await withPackage();
    const outside = await temporaryFolder();
    await mkdir(folder);
    await symlink(outside, join(folder, '.pkg'));
    const changes = { foreignFiles: 'overwrite' } as const;
    expect(await failureOf(install(registry, folder, changes))).toMatchObject({
      code: 'integrity',
    });
    expect(await filesBelow(outside)).toEqual({});
  });

  it('says that the notes in a folder are damaged, and writes nothing over them', async () => {
    const { registry, folder } = await withPackage();
    const { topHash } = await install(registry, folder);
    for (const [file, content] of [
      [`${topHash}.jsonl`, 'nonsense'],
      ['installed.json', '{"version": 2}'],
      ['installed.json', '{'],
    ] as const) {
      await writeFile(join(folder, '.pkg', file), content);
      expect(await failureOf(install(registry, folder))).toMatchObject({ code: 'integrity' });
    }
    expect(await filesBelow(dirname(folder))).toHaveProperty('dest/README.md');
  });
}

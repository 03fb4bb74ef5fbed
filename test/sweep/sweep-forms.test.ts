/** Sweeps of what is kept in more than one form: deltas, copies under either policy, lost packs. */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import {
  attestationPrefix,
  deltaKey,
  INDEX_PREFIX,
  objectKey,
  PACK_PREFIX,
  packageKey,
  pointerKey,
} from '../../src/objects/layout.ts';
import { findSettings, writeSettings } from '../../src/objects/settings.ts';
import { jsonlChunks } from '../../src/package/jsonl.ts';
import type { TopHash } from '../../src/package/package.ts';
import { makeDelta } from '../../src/registry/list-delta.ts';
import { readPackage } from '../../src/registry/lists.ts';
import { ALWAYS, type Storage } from '../../src/storage/storage.ts';
import { uploadOf } from '../../src/storage/whole-content.ts';
import { digestOf } from '../../src/store/digest.ts';
import { readReach } from '../../src/sweep/reachable.ts';
import { removeRevision } from '../../src/sweep/removal.ts';
import { testRuntime } from '../support/runtime.ts';
import { type Files, noise } from '../support/sample-packages.ts';
import {
  expectWhole,
  keysOf,
  numbered,
  pushFiles,
  sweep,
  sweptFolder,
} from './swept-registries.ts';

async function put(registry: Storage, key: string, data: string | Uint8Array): Promise<void> {
  await registry.write(key, await uploadOf(Buffer.from(data)), ALWAYS);
}

async function removed(registry: Storage, hash: TopHash): Promise<void> {
  const reference = { name: 'user/name', revision: { kind: 'hash', prefix: hash } } as const;
  await removeRevision(testRuntime(), registry, reference, { force: true, mode: 'remove' });
}

/** Keeps a revision's list as a delta to that of another one. */
async function keepAsDelta(registry: Storage, hash: TopHash, base: TopHash): Promise<void> {
  const [pkg, basePkg] = [await readPackage(registry, hash), await readPackage(registry, base)];
  const made = makeDelta(base, basePkg, pkg);
  if (made === undefined) throw new Error('no delta');
  await put(registry, deltaKey(hash), Buffer.concat([...jsonlChunks(made.delta)]));
  await registry.remove([packageKey(hash)]);
}

it('keeps the base of a live delta without its objects, and drops it with the delta', async () => {
  const { registry } = await sweptFolder('objects');
  const base = await pushFiles(registry, { ...numbered(0, 5), old: 'old' });
  const files = { ...numbered(0, 5), new: 'new' };
  const hash = await pushFiles(registry, files);
  await keepAsDelta(registry, hash, base);
  await removed(registry, base);
  const reach = await readReach(testRuntime(), registry);
  expect(reach).toMatchObject({ lists: [hash], bases: [base], unnamed: [], damaged: [] });
  expect((await sweep(registry)).removed).toMatchObject({
    lists: { count: 0 },
    objects: { count: 1 },
  });
  await expectWhole(registry, hash, files);
  const last = await pushFiles(registry, { last: 'last' });
  await removed(registry, hash);
  expect((await sweep(registry)).removed.lists.count).toBe(2);
  await expectWhole(registry, last, { last: 'last' });
  expect(await keysOf(registry, '.pkg/deltas/')).toEqual([]);
});

it('drops a delta whose list is kept whole too', async () => {
  const { registry } = await sweptFolder('packs');
  const base = await pushFiles(registry, numbered(0, 5));
  const files = numbered(0, 6);
  const hash = await pushFiles(registry, files);
  const list = await readPackage(registry, hash);
  await keepAsDelta(registry, hash, base);
  await put(registry, packageKey(hash), Buffer.concat([...jsonlChunks(list)]));
  await removed(registry, base);
  expect((await sweep(registry)).removed.lists.count).toBe(2);
  await expectWhole(registry, hash, files);
});

it('drops packs whose needed members all stand alone, once those are checked', async () => {
  const { registry } = await sweptFolder('packs');
  const files: Files = { ...numbered(0, 20), big: noise(9 << 20, 3) };
  const hash = await pushFiles(registry, files);
  const settings = await findSettings(registry);
  expect(settings?.policy).toBe('packs');
  for (const content of Object.values(files)) {
    await put(registry, objectKey(digestOf(Buffer.from(content))), Buffer.from(content));
  }
  await writeSettings(registry, { policy: 'objects', looseObjects: true }, ALWAYS);
  const key = objectKey(digestOf(Buffer.from(files['f/3'] ?? '')));
  const wrong = Buffer.from(files['f/3'] ?? '').fill('x');
  await put(registry, key, wrong);
  await expect(sweep(registry)).rejects.toMatchObject({ code: 'integrity' });
  await expectWhole(registry, hash, files);
  await put(registry, key, Buffer.from(files['f/3'] ?? ''));
  const done = await sweep(registry);
  expect(done.removed.packs.count).toBeGreaterThan(0);
  expect(await keysOf(registry, PACK_PREFIX)).toEqual([]);
  expect(await keysOf(registry, INDEX_PREFIX)).toEqual([]);
  await expectWhole(registry, hash, files);
});

it('removes nothing while a needed pack, a pointer or a segment is damaged', async () => {
  const harm: readonly ((folder: string, registry: Storage) => Promise<void>)[] = [
    async (folder, registry) => {
      for (const pack of await keysOf(registry, PACK_PREFIX)) await rm(join(folder, pack));
    },
    async (folder) => {
      await writeFile(join(folder, pointerKey('user/name', 'latest')), 'x'.repeat(64));
    },
    async (folder, registry) => {
      const [segment = ''] = await keysOf(registry, INDEX_PREFIX);
      await writeFile(join(folder, segment), 'x');
    },
  ];
  for (const damage of harm) {
    const { registry, folder } = await sweptFolder('packs');
    const gone = await pushFiles(registry, { gone: 'gone' }, 'user/other');
    await pushFiles(registry, { ...numbered(0, 20), big: noise(9 << 20, 3) });
    await registry.remove(await keysOf(registry, '.quilt/named_packages/user/other/'));
    await damage(folder, registry);
    const before = await keysOf(registry);
    expect(before).toContain(packageKey(gone));
    await expect(sweep(registry)).rejects.toMatchObject({ code: 'integrity' });
    expect(await keysOf(registry)).toEqual(before);
  }
});

it('takes packs that no segment names back into the index where they are needed', async () => {
  const { registry } = await sweptFolder('packs');
  const files = numbered(0, 20);
  const hash = await pushFiles(registry, files);
  await registry.remove(await keysOf(registry, INDEX_PREFIX));
  await sweep(registry);
  expect(await keysOf(registry, INDEX_PREFIX)).toHaveLength(1);
  await expectWhole(registry, hash, files);
  await removed(registry, hash);
  await registry.remove(await keysOf(registry, INDEX_PREFIX));
  expect((await sweep(registry)).removed.packs.count).toBe(1);
});

it('removes attestations of lists that are gone, and no others', async () => {
  const { registry } = await sweptFolder('packs');
  const gone = await pushFiles(registry, { a: 'a' });
  const kept = await pushFiles(registry, { b: 'b' });
  const keys = [gone, kept].map((hash) => `${attestationPrefix(hash)}${digestOf(hash)}.json`);
  for (const key of keys) await put(registry, key, '{}');
  await removed(registry, gone);
  expect((await sweep(registry)).removed.attestations.count).toBe(1);
  expect(await keysOf(registry, '.pkg/attestations/')).toEqual(keys.slice(1));
});

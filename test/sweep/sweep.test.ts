/** Sweeps of registries in folders: what goes, what stays, and that they may be killed. */
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { INDEX_PREFIX, objectKey, PACK_PREFIX, packageKey } from '../../src/objects/layout.ts';
import { withLease } from '../../src/objects/leases.ts';
import { EntryReader } from '../../src/objects/objects.ts';
import { POLICIES } from '../../src/objects/settings.ts';
import type { TopHash } from '../../src/package/package.ts';
import { readPackage } from '../../src/registry/lists.ts';
import { DirectoryStorage } from '../../src/storage/directory.ts';
import { ALWAYS, type Storage } from '../../src/storage/storage.ts';
import { uploadOf } from '../../src/storage/whole-content.ts';
import { digestOf } from '../../src/store/digest.ts';
import { removeRevision } from '../../src/sweep/removal.ts';
import { testRuntime } from '../support/runtime.ts';
import { type Files, noise } from '../support/sample-packages.ts';
import { temporaryFolder } from '../support/temporary.ts';
import {
  age,
  expectWhole,
  keysOf,
  numbered,
  pushFiles,
  type SweptFolder,
  sweep,
  sweptFolder,
} from './swept-registries.ts';

async function removed(registry: Storage, hash: TopHash, name = 'user/name'): Promise<void> {
  const reference = { name, revision: { kind: 'hash', prefix: hash } } as const;
  await removeRevision(testRuntime(), registry, reference, { force: true, mode: 'remove' });
}

/** Three names: one of which a revision is gone, one that shares files with it, one that is gone. */
async function history(at: SweptFolder): Promise<ReadonlyMap<TopHash, Files>> {
  const { registry } = at;
  const shared = numbered(0, 10);
  const live = new Map<TopHash, Files>();
  const gone = await pushFiles(registry, {
    ...shared,
    ...numbered(10, 60),
    big: noise(9 << 20, 1),
  });
  const kept = { ...shared, ...numbered(60, 70), big: noise(9 << 20, 2) };
  live.set(await pushFiles(registry, kept), kept);
  const other = { ...numbered(5, 15), empty: '' };
  live.set(await pushFiles(registry, other, 'user/other'), other);
  const lost = await pushFiles(registry, numbered(200, 230), 'user/lost');
  await removed(registry, gone);
  await removed(registry, lost, 'user/lost');
  return live;
}

async function expectAllWhole(registry: Storage, live: ReadonlyMap<TopHash, Files>) {
  for (const [hash, files] of live) await expectWhole(registry, hash, files);
}

/** A folder that dies at its `changes`th change, in the middle of it where it removes several. */
class DyingFolder extends DirectoryStorage {
  #changes: number;

  constructor(folder: string, changes: number) {
    super(testRuntime(), folder);
    this.#changes = changes;
  }

  #isDead(): boolean {
    return this.#changes-- <= 0;
  }

  override async write(...parameters: Parameters<DirectoryStorage['write']>) {
    if (this.#isDead()) throw new Error('killed');
    return await super.write(...parameters);
  }

  override async remove(keys: readonly string[]) {
    if (!this.#isDead()) {
      await super.remove(keys);
      return;
    }
    if (this.#changes === -1) await super.remove(keys.slice(0, keys.length >>> 1));
    throw new Error('killed');
  }
}

/** Sweeps a copy of a folder, which dies at a change, and then sweeps what is left to the end. */
async function keysAfter(template: string, changes: number, live: ReadonlyMap<TopHash, Files>) {
  const folder = await temporaryFolder();
  await cp(template, folder, { recursive: true });
  const registry = new DirectoryStorage(testRuntime(), folder);
  const [first] = await Promise.allSettled([sweep(new DyingFolder(folder, changes))]);
  await expectAllWhole(registry, live);
  await age({ folder, registry }, '.pkg/leases/', 2);
  await sweep(registry);
  await expectAllWhole(registry, live);
  const keys = await keysOf(registry);
  await rm(folder, { recursive: true });
  return { outcome: first.status, keys };
}

describe.each(POLICIES)('a sweep under the policy %s', (policy) => {
  it('only counts until it is told to remove, and then removes what it counted', async () => {
    const at = await sweptFolder(policy);
    const live = await history(at);
    const before = await keysOf(at.registry);
    const counted = await sweep(at.registry, { mode: 'count' });
    expect(await keysOf(at.registry)).toEqual(before);
    expect(counted.dryRun).toBe(true);
    const done = await sweep(at.registry);
    expect(done.removed).toEqual(counted.removed);
    expect(done.removed.lists.count).toBe(2);
    expect(done.removed[policy === 'packs' ? 'packs' : 'objects'].count).toBeGreaterThan(0);
    await expectAllWhole(at.registry, live);
    for (const key of await keysOf(at.registry)) {
      expect(key).not.toContain('user/lost');
      expect(key).not.toContain('.pkg/leases/');
    }
    const again = await sweep(at.registry);
    for (const { count } of Object.values(again.removed)) expect(count).toBe(0);
  });

  it('keeps what is younger than the grace period', async () => {
    const at = await sweptFolder(policy);
    await history(at);
    const before = await keysOf(at.registry);
    const day = 86_400_000;
    await sweep(at.registry, { graceMs: day });
    expect(await keysOf(at.registry)).toEqual(before);
    await age(at, '', 25);
    const done = await sweep(at.registry, { graceMs: day });
    expect(done.removed.lists.count).toBe(2);
  });

  it('leaves every revision whole wherever it is killed, and a second one ends the work', async () => {
    const template = await sweptFolder(policy);
    const live = await history(template);
    const wanted = await keysAfter(template.folder, Number.POSITIVE_INFINITY, live);
    expect(wanted.outcome).toBe('fulfilled');
    for (let changes = 0; ; changes++) {
      const { outcome, keys } = await keysAfter(template.folder, changes, live);
      expect(keys).toEqual(wanted.keys);
      if (outcome === 'fulfilled') break;
    }
  });

  it('removes nothing while a live list is damaged or missing', async () => {
    const at = await sweptFolder(policy);
    const [hash] = (await history(at)).keys();
    const path = join(at.folder, packageKey(hash ?? ('' as TopHash)));
    await writeFile(path, '{"version": "v0"}\n');
    const before = await keysOf(at.registry);
    for (const mode of ['count', 'remove'] as const) {
      await expect(sweep(at.registry, { mode })).rejects.toMatchObject({ code: 'integrity' });
    }
    expect(await keysOf(at.registry)).toEqual(before);
    await rm(path);
    await expect(sweep(at.registry)).rejects.toMatchObject({ code: 'integrity' });
  });

  it('gives way to a push in flight and to another sweep, and outlasts dead ones', async () => {
    const at = await sweptFolder(policy);
    await history(at);
    for (const kind of ['push', 'sweep'] as const) {
      const before = await keysOf(at.registry);
      await withLease(testRuntime(), at.registry, kind, async () => {
        await expect(sweep(at.registry)).rejects.toMatchObject({ code: 'conflict' });
        expect((await keysOf(at.registry)).length).toBe(before.length + 1);
        await age(at, '.pkg/leases/', 2);
        expect((await sweep(at.registry)).removed.leases.count).toBe(1);
      });
    }
  });

  it('leaves other keys alone, and what lists reach elsewhere', async () => {
    const at = await sweptFolder(policy);
    await history(at);
    const digest = digestOf('stray');
    const strays = ['user/name/f/1', 'objects/notes.txt', `objects/user/${digest}`, 'README.md'];
    for (const key of strays) {
      await at.registry.write(key, await uploadOf(Buffer.from('stray')), ALWAYS);
    }
    await sweep(at.registry);
    expect(await keysOf(at.registry)).toEqual(expect.arrayContaining(strays));
  });
});

describe('a sweep of packs', () => {
  it('packs anew what is mostly unneeded, and readers with an old list find it', async () => {
    const at = await sweptFolder('packs');
    const gone = await pushFiles(at.registry, numbered(0, 100));
    const files = numbered(0, 5);
    const hash = await pushFiles(at.registry, files);
    const [oldPack] = await keysOf(at.registry, PACK_PREFIX);
    const { entries } = await readPackage(at.registry, hash);
    await removed(at.registry, gone);
    const done = await sweep(at.registry);
    expect(done).toMatchObject({ packedAnew: 1, removed: { packs: { count: 1 } } });
    expect(await keysOf(at.registry, PACK_PREFIX)).not.toContain(oldPack);
    expect((await keysOf(at.registry, INDEX_PREFIX)).length).toBe(1);
    await expectWhole(at.registry, hash, files);
    for (const entry of entries) {
      const parts: Uint8Array[] = [];
      const reader = new EntryReader(testRuntime(), at.registry, undefined);
      for await (const part of reader.read(entry)) parts.push(part);
      expect(Buffer.concat(parts).toString()).toBe(files[entry.logicalKey]);
    }
  });

  it('makes one segment of many', async () => {
    const at = await sweptFolder('packs');
    const live = new Map<TopHash, Files>();
    for (let number = 0; number < 12; number++) {
      const files = numbered(0, number + 1);
      live.set(await pushFiles(at.registry, files), files);
    }
    await sweep(at.registry);
    expect((await keysOf(at.registry, INDEX_PREFIX)).length).toBe(1);
    await expectAllWhole(at.registry, live);
  });

  it('forgets the chunk list of a large file whose chunks went, so that a push sends it again', async () => {
    const at = await sweptFolder('packs');
    const big = noise(9 << 20, 7);
    const gone = await pushFiles(at.registry, { big }, 'user/gone');
    const files = { big: noise(9 << 20, 8) };
    const kept = await pushFiles(at.registry, files);
    await removed(at.registry, gone, 'user/gone');
    await sweep(at.registry);
    const again = await pushFiles(at.registry, { big, small: 'x' }, 'user/gone');
    await expectWhole(at.registry, again, { big, small: 'x' });
    await expectWhole(at.registry, kept, files);
  });

  it('removes lone objects that packs hold too, once those are checked', async () => {
    const at = await sweptFolder('packs');
    const files = { ...numbered(0, 20), big: noise(9 << 20, 3) };
    const hash = await pushFiles(at.registry, files);
    for (const content of Object.values(files)) {
      const data = Buffer.from(content);
      const key = objectKey(digestOf(data));
      await at.registry.write(key, await uploadOf(data), ALWAYS);
    }
    const [pack = ''] = await keysOf(at.registry, PACK_PREFIX);
    const path = join(at.folder, pack);
    const right = await readFile(path);
    const wrong = Buffer.from(right);
    wrong[5] = (wrong[5] ?? 0) ^ 1;
    await writeFile(path, wrong);
    const before = await keysOf(at.registry);
    await expect(sweep(at.registry)).rejects.toMatchObject({ code: 'integrity' });
    expect(await keysOf(at.registry)).toEqual(before);
    await writeFile(path, right);
    expect((await sweep(at.registry)).removed.objects.count).toBe(21);
    expect(await keysOf(at.registry, 'objects/')).toEqual([]);
    await expectWhole(at.registry, hash, files);
  });
});

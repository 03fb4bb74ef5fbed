/** The contract of repairing a registry: the exact bytes come back, and good ones stay. */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { topHashOfKey } from '../../src/objects/layout.ts';
import type { Policy } from '../../src/objects/settings.ts';
import { readPackage } from '../../src/registry/lists.ts';
import { type RepairOptions, repairRegistry } from '../../src/repair/repair.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { digestOf } from '../../src/store/digest.ts';
import { Store } from '../../src/store/store.ts';
import { testRuntime } from '../support/runtime.ts';
import { writeFiles } from '../support/sample-packages.ts';
import { temporaryFolder } from '../support/temporary.ts';
import {
  type Backend,
  contentOf,
  damage,
  digestsOf,
  FAULTS,
  FILES,
  type Fresh,
  faultsFor,
  fill,
  findings,
} from './registries.ts';

export async function repair(storage: Storage, options: Partial<RepairOptions> = {}) {
  const defaults = { from: [], store: undefined, folders: [], mode: 'write' } as const;
  return await repairRegistry(testRuntime(), storage, { ...defaults, ...options });
}

async function filled(fresh: Fresh, policy: Policy): Promise<Storage> {
  const storage = await fresh();
  await fill(storage, policy);
  return storage;
}

function keysLike(content: ReadonlyMap<string, unknown>, prefix: string): string[] {
  return [...content.keys()].filter((key) => key.startsWith(prefix));
}

export function repairContract({ fresh, faults }: Backend): void {
  for (const policy of ['packs', 'objects'] as const) {
    it(`brings each damaged file of ${policy} back from a second registry`, async () => {
      const [storage, twin] = [await filled(fresh, policy), await filled(fresh, policy)];
      const content = await contentOf(storage);
      for (const [number, [key, data]] of [...content].entries()) {
        for (const [fault, change] of faultsFor(faults, number)) {
          if (data.length === 0 && fault !== 'missing') continue;
          await damage(storage, key, change(data));
          const isNoticed = (await findings(storage)).some(({ kind }) => kind !== 'extra');
          const { left } = await repair(storage, { from: [twin] });
          expect(left, `${fault} ${key}`).toEqual([]);
          if (!isNoticed) await damage(storage, key, data);
          if (key.startsWith('.pkg/deltas/')) {
            await expectWhole(storage, key);
            await damage(storage, key, data);
            await storage.remove([key.replace('.pkg/deltas/', '.quilt/packages/')]);
          }
          expect(digestsOf(await contentOf(storage)), `${fault} ${key}`).toEqual(
            digestsOf(content),
          );
        }
      }
    });

    it(`brings many damaged files of ${policy} back at once`, async () => {
      const [storage, twin] = [await filled(fresh, policy), await filled(fresh, policy)];
      const content = await contentOf(storage);
      const changes = Object.values(FAULTS);
      let next = 0;
      for (const [key, data] of content) {
        if (!/^\.pkg\/(?:packs|index)|^objects|^\.quilt\/packages/.test(key)) continue;
        if (data.length > 0) await damage(storage, key, changes[next++ % changes.length]?.(data));
      }
      const look = await repair(storage, { from: [twin], mode: 'look' });
      expect(look.restored.length).toBeGreaterThan(0);
      expect((await repair(storage, { from: [twin] })).left).toEqual([]);
      const after = digestsOf(await contentOf(storage));
      for (const [key, data] of content) {
        if (/packs\/|objects\//.test(key)) expect(after[key], key).toBe(digestOf(data));
      }
      expect((await repair(storage)).restored).toEqual([]);
    });
  }

  it('makes a pack again of its good members and of files in folders', async () => {
    const storage = await filled(fresh, 'packs');
    const content = await contentOf(storage);
    const folder = await temporaryFolder();
    await writeFiles(folder, FILES);
    for (const key of keysLike(content, '.pkg/packs/')) {
      const data = content.get(key) ?? Buffer.alloc(0);
      if (data.length < 2 ** 20) continue;
      for (const change of Object.values(FAULTS)) {
        await damage(storage, key, change(data));
        expect((await repair(storage, { folders: [folder] })).left).toEqual([]);
        expect(digestsOf(await contentOf(storage))).toEqual(digestsOf(content));
      }
    }
  });

  it('brings objects back from the local store', async () => {
    const storage = await filled(fresh, 'objects');
    const content = await contentOf(storage);
    const store = new Store(join(await temporaryFolder(), 'store'));
    for (const data of Object.values(FILES)) await store.putBytes(data);
    await storage.remove(keysLike(content, 'objects/'));
    const { restored, left } = await repair(storage, { store });
    expect(restored).toHaveLength(4 + 1);
    expect(left.map(({ kind }) => kind)).toEqual(left.map(() => 'missing'));
    expect(left.length).toBeGreaterThan(0);
  });

  it('makes the index, latest and the settings again of nothing but the registry', async () => {
    const storage = await filled(fresh, 'packs');
    const content = await contentOf(storage);
    const lost = [...content.keys()].filter((key) => /latest$|registry\.json$/.test(key));
    for (const change of Object.values(FAULTS)) {
      for (const key of lost)
        await damage(storage, key, change(content.get(key) ?? Buffer.alloc(0)));
      expect((await repair(storage)).left).toEqual([]);
      expect(digestsOf(await contentOf(storage))).toEqual(digestsOf(content));
    }
    for (const key of keysLike(content, '.pkg/index/')) {
      for (const change of Object.values(FAULTS)) {
        await damage(storage, key, change(content.get(key) ?? Buffer.alloc(0)));
        expect((await repair(storage)).left).toEqual([]);
        expect(digestsOf(await contentOf(storage))).toEqual(digestsOf(content));
      }
    }
  });

  it('says what it cannot restore, and writes nothing where it only looks', async () => {
    const storage = await filled(fresh, 'packs');
    const [pack = ''] = keysLike(await contentOf(storage), '.pkg/packs/');
    await storage.remove([pack]);
    const content = await contentOf(storage);
    const { restored, left } = await repair(storage, { mode: 'look' });
    expect({ restored, keys: left.map(({ key }) => key) }).toEqual({ restored: [], keys: [pack] });
    expect(left[0]?.packages?.length).toBeGreaterThan(0);
    expect((await repair(storage)).left).toEqual(left);
    expect(digestsOf(await contentOf(storage))).toEqual(digestsOf(content));
  });
}

/** A revision whose delta was damaged has a whole list again. */
async function expectWhole(storage: Storage, key: string): Promise<void> {
  const hash = topHashOfKey(key);
  if (hash === undefined) throw new Error(`no top hash in ${key}`);
  expect(await storage.head({ key })).toBeUndefined();
  expect((await readPackage(storage, hash)).entries.length).toBeGreaterThan(0);
}

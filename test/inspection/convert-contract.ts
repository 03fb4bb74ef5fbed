/** The contract of converting a registry: the same packages, in other places, readable all the time. */
import { expect, it } from 'vitest';
import { convertRegistry } from '../../src/conversion/convert.ts';
import { createRegistry } from '../../src/conversion/create.ts';
import { verifyObjects } from '../../src/inspection/verify-package.ts';
import { LATEST } from '../../src/objects/layout.ts';
import { findSettings } from '../../src/objects/settings.ts';
import { readPackage } from '../../src/registry/lists.ts';
import { readPointer } from '../../src/registry/pointers.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { testRuntime } from '../support/runtime.ts';
import { samplePackage } from '../support/sample-packages.ts';
import { contentOf, FILES, type Fresh, fill, findings, plant, pushAt } from './registries.ts';

/** What is wrong with the latest revision of a name, as a reader finds it. */
async function problems(storage: Storage, name = 'user/name'): Promise<string[]> {
  const pointer = await readPointer(storage, name, LATEST);
  if (pointer === undefined) return ['no latest'];
  const { entries } = await readPackage(storage, pointer.topHash);
  const found: string[] = [];
  for await (const { kind, logicalKey } of verifyObjects(testRuntime(), storage, entries)) {
    found.push(`${kind} ${logicalKey}`);
  }
  return found;
}

async function physicalKeys(storage: Storage, name = 'user/name'): Promise<string[]> {
  const pointer = await readPointer(storage, name, LATEST);
  if (pointer === undefined) return [];
  return [...(await readPackage(storage, pointer.topHash)).entries].map((e) => e.physicalKey);
}

export function convertContract(fresh: Fresh): void {
  it('makes objects of packs, which then are found without any pack', async () => {
    const storage = await fresh();
    await fill(storage, 'packs');
    const done = await convertRegistry(testRuntime(), storage, 'objects', undefined);
    expect(done).toMatchObject({ policy: 'objects', lists: 4 });
    expect(await findings(storage)).toEqual([]);
    expect(await findSettings(storage)).toMatchObject({ policy: 'objects', looseObjects: false });
    const own = [...(await contentOf(storage)).keys()].filter((key) =>
      /^\.pkg\/(packs|index|deltas)/.test(key),
    );
    expect(own.some((key) => key.includes('deltas'))).toBe(false);
    await storage.remove(own);
    for (const name of ['user/name', 'other/name']) {
      expect(await problems(storage, name)).toEqual([]);
      for (const key of await physicalKeys(storage, name)) expect(key).not.toContain('#');
    }
  });

  it('puts small objects into packs and leaves large ones, and goes back', async () => {
    const storage = await fresh();
    await fill(storage, 'objects');
    const before = (await contentOf(storage)).get('.quilt/named_packages/user/name/latest');
    await convertRegistry(testRuntime(), storage, 'packs', undefined);
    expect(await findings(storage)).toEqual([]);
    expect(await findSettings(storage)).toMatchObject({ policy: 'packs', looseObjects: true });
    expect((await physicalKeys(storage)).filter((key) => !key.includes('#'))).toHaveLength(1);
    expect((await contentOf(storage)).get('.quilt/named_packages/user/name/latest')).toEqual(
      before,
    );
    await convertRegistry(testRuntime(), storage, 'objects', undefined);
    expect(await findings(storage)).toEqual([]);
    expect(await problems(storage)).toEqual([]);
    const again = await convertRegistry(testRuntime(), storage, 'objects', undefined);
    expect(again.objects).toBe(0);
  });

  it('can be ended at any write and goes on, and every revision can be read meanwhile', async () => {
    for (const [from, to] of [
      ['packs', 'objects'],
      ['objects', 'packs'],
    ] as const) {
      const storage = await fresh();
      const small = { ...FILES, 'data/large': 'not large' };
      await createRegistry(storage, from);
      await pushAt(storage, samplePackage(small, 'one'));
      await pushAt(storage, samplePackage({ ...small, x: 'x' }, 'two'), { second: 1_750_000_100 });
      for (let writes = 1; ; writes++) {
        const ended = failingAfter(storage, writes);
        const outcome = await Promise.allSettled([
          convertRegistry(testRuntime(), ended, to, undefined),
        ]);
        expect(await problems(storage), `${to} after ${String(writes)} writes`).toEqual([]);
        if (outcome[0].status === 'fulfilled') break;
      }
      expect(await findSettings(storage)).toMatchObject({ policy: to });
      expect((await findings(storage)).filter(({ kind }) => kind !== 'extra')).toEqual([]);
    }
  });

  it('refuses to convert what is damaged, and then nothing is lost', async () => {
    const storage = await fresh();
    await fill(storage, 'packs');
    const packs = [...(await contentOf(storage))].filter(([key]) => key.startsWith('.pkg/packs/'));
    for (const [key, data] of packs) await plant(storage, key, Buffer.alloc(data.length));
    await expect(
      convertRegistry(testRuntime(), storage, 'objects', undefined),
    ).rejects.toMatchObject({
      code: 'integrity',
    });
    expect(await findSettings(storage)).toMatchObject({ policy: 'packs' });
  });

  it('is made with a policy, which is then not changed by making it again', async () => {
    const storage = await fresh();
    expect(await createRegistry(storage, 'packs')).toEqual({ policy: 'packs', isNew: true });
    expect(await createRegistry(storage, 'packs')).toEqual({ policy: 'packs', isNew: false });
    await expect(createRegistry(storage, 'objects')).rejects.toMatchObject({ code: 'conflict' });
    const used = await fresh();
    await plant(used, 'objects/ab/abc', 'something');
    await expect(createRegistry(used, 'packs')).rejects.toMatchObject({ code: 'conflict' });
    expect(await createRegistry(used, 'objects')).toEqual({ policy: 'objects', isNew: true });
  });
}

/** The same storage, which breaks off after so many writes, copies and removals. */
function failingAfter(storage: Storage, writes: number): Storage {
  let left = writes;
  const spend = () => {
    if (left-- <= 0) throw new Error('ended');
  };
  return new Proxy(storage, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property, target);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]): unknown => {
        const isLease = typeof args[0] === 'string' && args[0].includes('leases/');
        if (!isLease && ['write', 'copy'].includes(String(property))) spend();
        return Reflect.apply(value, target, args);
      };
    },
  });
}

/** Tags, removed revisions and removed names: what pointers say afterwards. */
import { expect, it } from 'vitest';
import { LATEST, pointerKey } from '../../src/objects/layout.ts';
import { parseReference } from '../../src/registry/reference.ts';
import { readHistory, resolveReference } from '../../src/registry/revisions.ts';
import { ALWAYS, type Storage } from '../../src/storage/storage.ts';
import { uploadOf } from '../../src/storage/whole-content.ts';
import { removeName, removeRevision, tagRevision, untag } from '../../src/sweep/removal.ts';
import { testRuntime } from '../support/runtime.ts';
import { expectWhole, keysOf, pushFiles, sweep, sweptFolder } from './swept-registries.ts';

const REMOVE = { force: false, mode: 'remove' } as const;

async function threeRevisions() {
  const { registry } = await sweptFolder('packs');
  const one = await pushFiles(registry, { a: '1' });
  const two = await pushFiles(registry, { a: '2' });
  const three = await pushFiles(registry, { a: '3' });
  return { registry, one, two, three };
}

const resolved = async (registry: Storage, text: string) =>
  await resolveReference(registry, parseReference(text));

const historyOf = async (registry: Storage) =>
  (await readHistory(registry, 'user/name')).map(({ topHash }) => topHash);

it('gives a revision a tag, moves it and takes it away', async () => {
  const { registry, one, three } = await threeRevisions();
  const tag = async (text: string) =>
    await tagRevision(testRuntime(), registry, parseReference(text), 'good');
  expect(await tag('user/name')).toMatchObject({ topHash: three, before: undefined });
  expect(await tag(`user/name@${one.slice(0, 8)}`)).toMatchObject({ topHash: one, before: three });
  expect(await tag('user/name:good')).toMatchObject({ topHash: one, before: one });
  expect(await resolved(registry, 'user/name:good')).toBe(one);
  expect(await untag(registry, 'user/name', 'good')).toMatchObject({ topHash: one });
  await expect(untag(registry, 'user/name', 'good')).rejects.toMatchObject({ code: 'not-found' });
  expect(await keysOf(registry, '.pkg/leases/')).toEqual([]);
});

it('refuses what is no tag, and revisions that the name does not have', async () => {
  const { registry } = await threeRevisions();
  const other = await pushFiles(registry, { b: 'b' }, 'user/other');
  const tag = async (text: string, name: string) =>
    await tagRevision(testRuntime(), registry, parseReference(text), name);
  for (const name of ['latest', '1700000000', 'a/b', '']) {
    await expect(tag('user/name', name)).rejects.toMatchObject({ code: 'usage' });
    await expect(untag(registry, 'user/name', name)).rejects.toMatchObject({ code: 'usage' });
  }
  for (const text of [`user/name@${other}`, 'user/name@000000', 'user/none', 'user/name:none']) {
    await expect(tag(text, 'good')).rejects.toMatchObject({ code: 'not-found' });
  }
});

it('removes an old revision and leaves latest alone', async () => {
  const { registry, one, two, three } = await threeRevisions();
  const dry = await removeRevision(testRuntime(), registry, parseReference(`user/name@${one}`), {
    force: false,
    mode: 'count',
  });
  expect(await historyOf(registry)).toEqual([three, two, one]);
  const done = await removeRevision(
    testRuntime(),
    registry,
    parseReference(`user/name@${one}`),
    REMOVE,
  );
  expect(done).toEqual({ ...dry, dryRun: false });
  expect(done).toMatchObject({ topHash: one, latest: three });
  expect(await historyOf(registry)).toEqual([three, two]);
  expect(await resolved(registry, 'user/name')).toBe(three);
});

it('moves latest to the newest revision that is left, and removes it with the last one', async () => {
  const { registry, one, two, three } = await threeRevisions();
  const remove = async (hash: string) =>
    await removeRevision(testRuntime(), registry, parseReference(`user/name@${hash}`), REMOVE);
  expect((await remove(three)).latest).toBe(two);
  expect(await resolved(registry, 'user/name')).toBe(two);
  expect((await remove(two)).latest).toBe(one);
  expect((await remove(one)).latest).toBeUndefined();
  expect(await keysOf(registry, '.quilt/named_packages/')).toEqual([]);
  await expect(remove(one)).rejects.toMatchObject({ code: 'not-found' });
});

it('refuses to remove a tagged revision unless it is forced', async () => {
  const { registry, one } = await threeRevisions();
  const reference = parseReference(`user/name@${one}`);
  await tagRevision(testRuntime(), registry, reference, 'good');
  const refused = removeRevision(testRuntime(), registry, reference, REMOVE);
  await expect(refused).rejects.toMatchObject({ code: 'usage', message: /is tagged good$/ });
  const done = await removeRevision(testRuntime(), registry, reference, { ...REMOVE, force: true });
  expect(done.pointers).toContain('good');
  await expect(resolved(registry, 'user/name:good')).rejects.toMatchObject({ code: 'not-found' });
});

it('wants a hash for a revision', async () => {
  const { registry } = await threeRevisions();
  for (const text of ['user/name', 'user/name:latest']) {
    await expect(
      removeRevision(testRuntime(), registry, parseReference(text), REMOVE),
    ).rejects.toMatchObject({
      code: 'usage',
    });
  }
});

it('removes a name, damaged pointers included, and no other', async () => {
  const { registry, three } = await threeRevisions();
  const files = { a: '3', b: 'b' };
  const other = await pushFiles(registry, files, 'user/name-2');
  await tagRevision(testRuntime(), registry, parseReference('user/name'), 'good');
  const junk = await uploadOf(Buffer.from('junk'));
  await registry.write(pointerKey('user/name', 'damaged'), junk, ALWAYS);
  expect((await removeName(registry, 'user/name', 'count')).pointers).toHaveLength(6);
  expect(await resolved(registry, 'user/name')).toBe(three);
  const { pointers } = await removeName(registry, 'user/name', 'remove');
  expect(pointers).toHaveLength(6);
  expect(pointers[0]).toBe(LATEST);
  await expect(removeName(registry, 'user/name', 'remove')).rejects.toMatchObject({
    code: 'not-found',
  });
  expect(await keysOf(registry, pointerKey('user/name', ''))).toEqual([]);
  await sweep(registry);
  await expectWhole(registry, other, files);
  expect(await keysOf(registry, '.quilt/packages/')).toHaveLength(1);
});

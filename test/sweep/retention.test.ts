/** Retention: which revisions a sweep removes, and that it removes none unless it is told to. */
import { expect, it } from 'vitest';
import { parseReference } from '../../src/registry/reference.ts';
import { readHistory } from '../../src/registry/revisions.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { removeName, tagRevision } from '../../src/sweep/removal.ts';
import { planRetention } from '../../src/sweep/retention.ts';
import { testRuntime } from '../support/runtime.ts';
import { expectWhole, keysOf, pushFiles, sweep, sweptFolder } from './swept-registries.ts';

async function fiveRevisions(registry: Storage, name = 'user/name') {
  const hashes = [];
  for (const content of ['1', '2', '3', '4', '5']) {
    hashes.push(await pushFiles(registry, { [name]: content }, name));
  }
  return hashes;
}

const historyOf = async (registry: Storage, name = 'user/name') =>
  (await readHistory(registry, name)).map(({ topHash }) => topHash);

it('keeps the newest revisions and those with a tag, and shows what would go', async () => {
  const { registry } = await sweptFolder('objects');
  const [one, two, three, four, five] = await fiveRevisions(registry);
  await tagRevision(testRuntime(), registry, parseReference(`user/name@${two ?? ''}`), 'good');
  const retention = { keepLast: 2, keepTagged: true, names: [] };
  const counted = await sweep(registry, { mode: 'count', retention });
  expect(counted.revisions.map(({ topHash }) => topHash)).toEqual([three, one]);
  expect(counted.removed.objects.count).toBe(2);
  expect(await historyOf(registry)).toEqual([five, four, three, two, one]);
  const done = await sweep(registry, { retention });
  expect(done).toEqual({ ...counted, dryRun: false });
  expect(await historyOf(registry)).toEqual([five, four, two]);
  if (two !== undefined) await expectWhole(registry, two, { 'user/name': '2' });
  expect(await keysOf(registry, 'objects/')).toHaveLength(3);
});

it('removes tags with their revisions where tags are no reason to keep them', async () => {
  const { registry } = await sweptFolder('packs');
  const [one, , , , five] = await fiveRevisions(registry);
  await tagRevision(testRuntime(), registry, parseReference(`user/name@${one ?? ''}`), 'old');
  await sweep(registry, { retention: { keepLast: 1, keepTagged: false, names: [] } });
  expect(await historyOf(registry)).toEqual([five]);
  expect(await keysOf(registry, '.quilt/named_packages/')).toHaveLength(2);
});

it('keeps what latest names, though it be an old revision', async () => {
  const { registry } = await sweptFolder('packs');
  const [one] = await fiveRevisions(registry);
  const { writeTag } = await import('../../src/registry/pointers.ts');
  if (one !== undefined) await writeTag(registry, 'user/name', 'latest', one);
  const removed = await planRetention(registry, { keepLast: 1, keepTagged: false, names: [] });
  expect(removed.map(({ topHash }) => topHash)).not.toContain(one);
});

it('looks only at the names given, and knows which there are', async () => {
  const { registry } = await sweptFolder('packs');
  await fiveRevisions(registry);
  await fiveRevisions(registry, 'user/other');
  await sweep(registry, { retention: { keepLast: 1, keepTagged: false, names: ['user/other'] } });
  expect(await historyOf(registry)).toHaveLength(5);
  expect(await historyOf(registry, 'user/other')).toHaveLength(1);
  const none = { keepLast: 1, keepTagged: false, names: ['user/none'] };
  await expect(sweep(registry, { retention: none })).rejects.toMatchObject({ code: 'not-found' });
});

it('removes no revision without being told how many to keep', async () => {
  const { registry } = await sweptFolder('packs');
  const hashes = await fiveRevisions(registry);
  await fiveRevisions(registry, 'user/other');
  await removeName(registry, 'user/other', 'remove');
  expect((await sweep(registry)).revisions).toEqual([]);
  expect(await historyOf(registry)).toEqual([...hashes].reverse());
});

/** Any history of pushes, tags, removals and sweeps leaves what is named whole, and nothing else. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { digestOfKey, PACK_PREFIX } from '../../src/objects/layout.ts';
import { POLICIES } from '../../src/objects/settings.ts';
import type { TopHash } from '../../src/package/package.ts';
import { parsePackTable } from '../../src/packs/pack-file.ts';
import { parseReference } from '../../src/registry/reference.ts';
import { readHistory } from '../../src/registry/revisions.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { readReach } from '../../src/sweep/reachable.ts';
import { removeName, removeRevision, tagRevision } from '../../src/sweep/removal.ts';
import { testRuntime } from '../support/runtime.ts';
import type { Files } from '../support/sample-packages.ts';
import { expectWhole, pushFiles, sweep, sweptFolder } from './swept-registries.ts';

const NAMES = ['user/one', 'user/two'] as const;

const name = fc.constantFrom(...NAMES);
const files = fc
  .uniqueArray(fc.nat(11), { minLength: 1, maxLength: 8 })
  .map((numbers) =>
    Object.fromEntries(numbers.map((n) => [`f/${String(n)}`, `${String(n)} `.repeat(n * 20)])),
  );
const action = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('push' as const), name, files }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('rm' as const), name, index: fc.nat(4) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('tag' as const), name, index: fc.nat(4) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('rm-all' as const), name }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('sweep' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('keep' as const),
      last: fc.integer({ min: 1, max: 3 }),
    }),
  },
);
type Action = typeof action extends fc.Arbitrary<infer T> ? T : never;

async function historiesOf(registry: Storage): Promise<Map<string, readonly TopHash[]>> {
  const histories = new Map<string, readonly TopHash[]>();
  for (const one of NAMES) {
    const history = await readHistory(registry, one).catch(() => []);
    histories.set(
      one,
      history.map(({ topHash }) => topHash),
    );
  }
  return histories;
}

async function perform(registry: Storage, step: Action, known: Map<TopHash, Files>): Promise<void> {
  if (step.kind === 'push') {
    known.set(await pushFiles(registry, step.files, step.name), step.files);
    return;
  }
  if (step.kind === 'sweep') {
    await sweep(registry);
    return;
  }
  if (step.kind === 'keep') {
    await sweep(registry, { retention: { keepLast: step.last, keepTagged: true, names: [] } });
    return;
  }
  const history = (await historiesOf(registry)).get(step.name) ?? [];
  if (step.kind === 'rm-all') {
    if (history.length > 0) await removeName(registry, step.name, 'remove');
    return;
  }
  const hash = history[step.index];
  if (hash === undefined) return;
  const reference = parseReference(`${step.name}@${hash}`);
  if (step.kind === 'tag') await tagRevision(testRuntime(), registry, reference, 'tag');
  else await removeRevision(testRuntime(), registry, reference, { force: true, mode: 'remove' });
}

/** Nothing is left that no list reaches, as after a sweep without any grace. */
async function expectTidy(registry: Storage): Promise<void> {
  const { digests, unnamed, damaged } = await readReach(testRuntime(), registry);
  expect(damaged).toEqual([]);
  expect(unnamed).toEqual([]);
  for await (const { key } of registry.list('objects/')) {
    const digest = digestOfKey(key);
    expect(digest !== undefined && digests.has(digest)).toBe(true);
  }
  for await (const { key, sizeBytes } of registry.list(PACK_PREFIX)) {
    const digest = digestOfKey(key);
    if (digest === undefined) throw new Error(`${key} is no pack`);
    const chunks: Uint8Array[] = [];
    for await (const chunk of (await registry.read({ key }))?.bytes ?? []) chunks.push(chunk);
    const members = parsePackTable(Buffer.concat(chunks), { digest, sizeBytes });
    expect(members.some((member) => digests.has(member.digest))).toBe(true);
  }
  for await (const { key } of registry.list('.pkg/leases/')) throw new Error(`${key} is left`);
}

it.each(POLICIES)('holds under the policy %s', async (policy) => {
  await fc.assert(
    fc.asyncProperty(fc.array(action, { minLength: 4, maxLength: 14 }), async (steps) => {
      const { registry } = await sweptFolder(policy);
      const known = new Map<TopHash, Files>();
      for (const step of [...steps, { kind: 'sweep' } as const]) {
        const before = await historiesOf(registry);
        await perform(registry, step, known);
        const after = await historiesOf(registry);
        if (step.kind === 'sweep') expect(after).toEqual(before);
        for (const hash of new Set([...after.values()].flat())) {
          await expectWhole(registry, hash, known.get(hash) ?? {});
        }
        if (step.kind === 'sweep' || step.kind === 'keep') await expectTidy(registry);
      }
    }),
    { numRuns: 20 },
  );
});

/** The contract of pushing: what is sent, what is kept, and several pushes at once. */
import { expect, it } from 'vitest';
import { packageOf } from '../../src/package/package.ts';
import { topHash } from '../../src/package/top-hash.ts';
import { objectKey, packageKey } from '../../src/registry/layout.ts';
import { pushPackage } from '../../src/registry/push.ts';
import { listPackages, readHistory } from '../../src/registry/revisions.ts';
import { PkgError } from '../../src/runtime/errors.ts';
import { systemClock } from '../../src/runtime/runtime.ts';
import { digestOf } from '../../src/store/digest.ts';
import { testRuntime } from '../support/runtime.ts';
import { headerOf, samplePackage } from '../support/sample-packages.ts';
import { failureOf, plant, push, type Setup } from './registry-contract.ts';
import { hashesOf, resolve } from './revisions-contract.ts';

const FILES = { 'README.md': 'read me', 'data/a': 'aaa', 'data/b': 'bbb', 'data/empty': '' };

export function pushContract(setup: Setup): void {
  const fresh = async () => await (await setup())();

  it('sends nothing a second time, and asks little', async () => {
    const registry = await fresh();
    const files = Object.fromEntries(
      Array.from({ length: 60 }, (_, index) => [`f/${String(index)}`, `content ${String(index)}`]),
    );
    const first = await push(registry, samplePackage(files));
    expect(first).toMatchObject({ uploaded: 60, reused: 0 });
    const second = await push(registry, samplePackage(files));
    expect(second).toMatchObject({ uploaded: 0, reused: 60, topHash: first.topHash });
    expect(second.requests).toBeLessThanOrEqual(5);
    expect(await hashesOf(registry)).toEqual([first.topHash]);
    const third = await push(registry, samplePackage({ ...files, 'f/7': 'other' }));
    expect(third).toMatchObject({ uploaded: 1, reused: 59 });
    expect(await hashesOf(registry)).toEqual([third.topHash, first.topHash]);
  });

  it('keeps the same bytes once, under however many keys and names', async () => {
    const registry = await fresh();
    const twice = samplePackage({ a: 'same', b: 'same' });
    expect(await push(registry, twice, 'user/one')).toMatchObject({ uploaded: 1 });
    expect(await push(registry, samplePackage({ c: 'same' }), 'user/two')).toMatchObject({
      uploaded: 0,
      reused: 1,
    });
    expect(await push(registry, twice, 'other/one')).toMatchObject({ uploaded: 0 });
    expect((await listPackages(registry)).map(({ name }) => name)).toEqual([
      'other/one',
      'user/one',
      'user/two',
    ]);
  });

  it('keeps two revisions of one second in the history, newest first', async () => {
    const registry = await fresh();
    const runtime = testRuntime({ clock: { ...systemClock, now: () => 1_750_000_000_999 } });
    const hashes: string[] = [];
    for (const message of ['one', 'two', 'three']) {
      const { pkg, open } = samplePackage(FILES, message);
      const options = { name: 'user/name', open, tag: undefined };
      hashes.push((await pushPackage(runtime, registry, pkg, options)).topHash);
    }
    const history = await readHistory(registry, 'user/name');
    expect(history.map((revision) => revision.topHash)).toEqual([...hashes].reverse());
    expect(history.at(-1)?.pushedAt).toEqual(new Date(1_750_000_000_000));
    expect(await resolve(registry, 'user/name')).toBe(hashes[2]);
  });

  it('moves a tag to the revision it was last given to', async () => {
    const registry = await fresh();
    const { topHash: one } = await push(registry, samplePackage(FILES, '1'), 'user/name', 'good');
    const { topHash: two } = await push(registry, samplePackage(FILES, '2'));
    expect(await resolve(registry, 'user/name:good')).toBe(one);
    await push(registry, samplePackage(FILES, '2'), 'user/name', 'good');
    expect(await resolve(registry, 'user/name:good')).toBe(two);
  });

  it('pushes an earlier revision again as the newest', async () => {
    const registry = await fresh();
    const { topHash: one } = await push(registry, samplePackage(FILES, '1'));
    const { topHash: two } = await push(registry, samplePackage(FILES, '2'));
    await push(registry, samplePackage(FILES, '1'));
    expect(await resolve(registry, 'user/name')).toBe(one);
    expect(await hashesOf(registry)).toEqual([one, two, one]);
  });

  it('ends each of several pushes at once in the history or in a conflict', async () => {
    const connect = await setup();
    const samples = ['one', 'two', 'three', 'four'].map((message) => samplePackage(FILES, message));
    for (const round of [1, 2, 3]) {
      const name = `user/round-${String(round)}`;
      if (round > 1) await push(await connect(), samplePackage(FILES, 'before'), name);
      const outcomes = await Promise.allSettled(
        samples.map(async (sample) => await push(await connect(), sample, name)),
      );
      const registry = await connect();
      const history = new Set(await hashesOf(registry, name));
      const done = outcomes.flatMap((outcome) =>
        outcome.status === 'fulfilled' ? [outcome.value.topHash] : [],
      );
      expect(done.length).toBeGreaterThan(0);
      expect(done).toContain(await resolve(registry, name));
      for (const [index, outcome] of outcomes.entries()) {
        const { pkg } = samples[index] ?? { pkg: packageOf(headerOf(null), []) };
        expect(history.has(topHash(pkg))).toBe(outcome.status === 'fulfilled');
        if (outcome.status === 'fulfilled') continue;
        expect(outcome.reason).toBeInstanceOf(PkgError);
        expect(outcome.reason).toMatchObject({ code: 'conflict' });
      }
    }
  });

  it('loses to a push that moved latest while its objects were on their way', async () => {
    const connect = await setup();
    const registry = await connect();
    await push(registry, samplePackage(FILES, 'before'));
    const mine = samplePackage({ ...FILES, mine: 'mine' });
    const theirs = samplePackage({ ...FILES, theirs: 'theirs' });
    const work = push(registry, {
      ...mine,
      async *open(digest, range) {
        await push(await connect(), theirs);
        yield* mine.open(digest, range);
      },
    });
    await expect(work).rejects.toMatchObject({ code: 'conflict' });
    expect(await resolve(registry, 'user/name')).toBe(topHash(theirs.pkg));
    expect(await hashesOf(registry)).not.toContain(topHash(mine.pkg));
    await push(registry, mine);
    expect((await hashesOf(registry))[0]).toBe(topHash(mine.pkg));
  });

  it('moves no pointer and writes no list when an object cannot be sent', async () => {
    const registry = await fresh();
    const sample = samplePackage(FILES);
    const failures = [
      () => {
        throw new PkgError('storage', 'the disk broke off');
      },
      async function* () {
        yield await Promise.resolve(Buffer.from('xxx'));
      },
    ];
    for (const open of failures) await failureOf(push(registry, { ...sample, open }));
    expect(await listPackages(registry)).toEqual([]);
    expect(await registry.head({ key: packageKey(topHash(sample.pkg)) })).toBeUndefined();
    await push(registry, sample);
    expect(await resolve(registry, 'user/name')).toBe(topHash(sample.pkg));
  });

  it('puts right an object that was cut short', async () => {
    const registry = await fresh();
    const key = objectKey(digestOf('aaa'));
    await push(registry, samplePackage(FILES));
    await plant(registry, key, 'aa');
    expect(await push(registry, samplePackage(FILES))).toMatchObject({ uploaded: 1, reused: 3 });
    expect((await registry.head({ key }))?.sizeBytes).toBe(3);
  });
}

/** The contract of pushing: what is sent, what is kept, and several pushes at once. */
import { expect, it } from 'vitest';
import { packageKey } from '../../src/objects/layout.ts';
import { findSettings } from '../../src/objects/settings.ts';
import { packageOf } from '../../src/package/package.ts';
import { topHash } from '../../src/package/top-hash.ts';
import { readPackage } from '../../src/registry/lists.ts';
import type { Parent } from '../../src/registry/pointers.ts';
import { pushPackage } from '../../src/registry/push.ts';
import { listPackages, readHistory } from '../../src/registry/revisions.ts';
import { PkgError } from '../../src/runtime/errors.ts';
import { systemClock } from '../../src/runtime/runtime.ts';
import { testRuntime } from '../support/runtime.ts';
import { asFound, filesBelow, headerOf, noise, samplePackage } from '../support/sample-packages.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { install } from './install-contract.ts';
import { failureOf, push, type Setup } from './registry-contract.ts';
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

  it('costs one request where nothing changed, and names a further tag all the same', async () => {
    const registry = await fresh();
    const { topHash: hash } = await push(registry, samplePackage(FILES));
    expect((await push(registry, samplePackage(FILES))).requests).toBe(1);
    await push(registry, samplePackage(FILES), 'user/name', 'good');
    expect(await resolve(registry, 'user/name:good')).toBe(hash);
  });

  it('pushes on top of a parent only where that is the latest', async () => {
    const registry = await fresh();
    const pushOn = async (message: string, parent: Parent) => {
      const { pkg, open } = samplePackage(FILES, message);
      const options = { name: 'user/name', open, tag: undefined, parent };
      return (await pushPackage(testRuntime(), registry, pkg, options)).topHash;
    };
    const one = await pushOn('1', { kind: 'exactly', topHash: undefined });
    const two = await pushOn('2', { kind: 'exactly', topHash: one });
    for (const parent of [undefined, one]) {
      const refused = pushOn('3', { kind: 'exactly', topHash: parent });
      await expect(refused).rejects.toMatchObject({ code: 'conflict' });
    }
    expect(await hashesOf(registry)).toEqual([two, one]);
  });

  it('goes on top of whatever came meanwhile when forced, and loses nothing', async () => {
    const connect = await setup();
    const pushForced = async (message: string) => {
      const { pkg, open } = samplePackage(FILES, message);
      const options = { name: 'user/name', open, tag: undefined, parent: { kind: 'any' } as const };
      return (await pushPackage(testRuntime(), await connect(), pkg, options)).topHash;
    };
    const hashes = await Promise.all(['1', '2', '3', '4'].map(pushForced));
    const registry = await connect();
    expect([...(await hashesOf(registry))].sort()).toEqual([...hashes].sort());
    expect(hashes).toContain(await resolve(registry, 'user/name'));
  });

  it('keeps a large file and its next version, whatever is inserted', async () => {
    const registry = await fresh();
    const large = noise(20 * 2 ** 20, 11);
    const at = 7_000_000;
    const next = Buffer.concat([large.subarray(0, at), noise(1000, 12), large.subarray(at)]);
    await push(registry, samplePackage({ large }));
    const { sentBytes } = await push(registry, samplePackage({ large: next, small: 'x' }));
    const isPacked = (await findSettings(registry))?.policy === 'packs';
    if (isPacked) expect(sentBytes).toBeLessThan(1_500_000);
    for (const [reference, content] of [
      ['user/name', next],
      [`user/name@${topHash(samplePackage({ large }).pkg)}`, large],
    ] as const) {
      const folder = await temporaryFolder();
      await install(registry, folder, { reference, paths: ['large'] });
      expect(await filesBelow(folder)).toEqual(asFound({ large: content }));
    }
  });

  it('keeps a long list that hardly changed as what it changed by', async () => {
    const registry = await fresh();
    const files = Object.fromEntries(
      Array.from({ length: 2000 }, (_, index) => [`f/${String(index)}`, String(index)]),
    );
    const one = await push(registry, samplePackage(files));
    const { 'f/3': _, ...fewer } = files;
    const changed = samplePackage({ ...fewer, 'f/7': 'other', 'f/7a': 'new' }, 'changed');
    const two = await push(registry, changed);
    const isPacked = (await findSettings(registry))?.policy === 'packs';
    expect((await registry.head({ key: packageKey(two.topHash) })) === undefined).toBe(isPacked);
    if (isPacked) expect(two.sentBytes).toBeLessThan(20_000);
    const read = await readPackage(registry, two.topHash);
    expect(topHash(read)).toBe(topHash(changed.pkg));
    expect(await resolve(registry, `user/name@${two.topHash.slice(0, 12)}`)).toBe(two.topHash);
    const three = await push(registry, samplePackage({ ...files, 'f/9': 'third' }));
    expect(topHash(await readPackage(registry, three.topHash))).toBe(three.topHash);
    expect(await hashesOf(registry)).toEqual([three.topHash, two.topHash, one.topHash]);
    const folder = await temporaryFolder();
    await install(registry, folder, { paths: ['f/9'] });
    expect(await filesBelow(folder)).toEqual({ 'f/9': 'third' });
  });
}

/** What is remembered of files is what they hold, however they change, and never from a damaged file. */
import { readdir, readFile, rename, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readFolder } from '../../src/package/folder.ts';
import { type FileStats, StatCache } from '../../src/package/stat-cache.ts';
import { topHash } from '../../src/package/top-hash.ts';
import { type Clock, systemClock } from '../../src/runtime/runtime.ts';
import { digestOf } from '../../src/store/digest.ts';
import { testRuntime } from '../support/runtime.ts';
import { noise, writeFiles } from '../support/sample-packages.ts';
import { temporaryFolder } from '../support/temporary.ts';

/** A clock so far ahead that every file has settled. */
const LATER: Clock = { ...systemClock, now: () => systemClock.now() + 60_000 };

const STATS: FileStats = { dev: 1n, ino: 2n, size: 3n, mtimeNs: 4n, ctimeNs: 5n };

function contentOf(text: string, stats = STATS) {
  return {
    digest: digestOf(text),
    sizeBytes: Number(stats.size),
    chunkedHash: Buffer.from(digestOf(`chunked ${text}`), 'hex').toString('base64'),
  };
}

async function cachePath(): Promise<string> {
  return join(await temporaryFolder(), 'below', 'stat-cache');
}

describe('StatCache', () => {
  it('gives back what was noted once it is saved and opened again, for the same stats only', async () => {
    const path = await cachePath();
    const first = await StatCache.open(path, systemClock);
    first.note('a', STATS, contentOf('a'));
    first.note('b', STATS, contentOf('old'));
    first.note('b', { ...STATS, ino: 9n }, contentOf('b'));
    await first.save();
    const second = await StatCache.open(path, systemClock);
    expect(second.find('a', STATS)).toEqual(contentOf('a'));
    expect(second.find('b', { ...STATS, ino: 9n })).toEqual(contentOf('b'));
    expect(second.find('b', STATS)).toBeUndefined();
    expect(second.find('c', STATS)).toBeUndefined();
    for (const name of ['dev', 'ino', 'size', 'mtimeNs', 'ctimeNs'] as const) {
      expect(second.find('a', { ...STATS, [name]: STATS[name] + 1n })).toBeUndefined();
    }
  });

  it('is like a map of keys to what was noted last, over any number of runs', async () => {
    const anyNote = fc.record({
      key: fc.oneof(fc.constantFrom('a', 'b', 'a/b', ''), fc.string({ unit: 'binary' })),
      ino: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      text: fc.string(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(anyNote), { maxLength: 4 }), async (runs) => {
        const path = await cachePath();
        const expected = new Map<string, (typeof runs)[number][number]>();
        for (const notes of runs) {
          const cache = await StatCache.open(path, systemClock);
          for (const { key, ino, text } of notes) {
            cache.note(key, { ...STATS, ino }, contentOf(text));
          }
          for (const note of notes) expected.set(note.key, note);
          await cache.save();
        }
        const cache = await StatCache.open(path, systemClock);
        for (const { key, ino, text } of expected.values()) {
          expect(cache.find(key, { ...STATS, ino })).toEqual(contentOf(text));
        }
      }),
      { numRuns: 50 },
    );
  });

  it('does not note what was changed less than two seconds ago, or later than now', async () => {
    const now = 1_700_000_000_000;
    const path = await cachePath();
    const cache = await StatCache.open(path, { ...systemClock, now: () => now });
    const at = (ms: number) => ({ ...STATS, ctimeNs: BigInt(now + ms) * 1_000_000n });
    cache.note('old', at(-2001), contentOf('x'));
    for (const ms of [-2000, -1, 0, 5000]) cache.note(`at ${String(ms)}`, at(ms), contentOf('x'));
    await cache.save();
    const saved = await StatCache.open(path, systemClock);
    expect(saved.find('old', at(-2001))).toBeDefined();
    for (const ms of [-2000, -1, 0, 5000]) {
      expect(saved.find(`at ${String(ms)}`, at(ms))).toBeUndefined();
    }
  });

  it('drops what was neither found nor noted, when it is told to', async () => {
    const path = await cachePath();
    const first = await StatCache.open(path, systemClock);
    for (const key of ['found', 'noted', 'neither']) first.note(key, STATS, contentOf(key));
    await first.save();
    const second = await StatCache.open(path, systemClock);
    second.find('found', STATS);
    second.note('noted', STATS, contentOf('other'));
    await second.save({ prune: true });
    const third = await StatCache.open(path, systemClock);
    expect(third.find('found', STATS)).toEqual(contentOf('found'));
    expect(third.find('noted', STATS)).toEqual(contentOf('other'));
    expect(third.find('neither', STATS)).toBeUndefined();
  });

  it('writes its file only if something changed, and leaves no other file behind', async () => {
    const path = await cachePath();
    await (await StatCache.open(path, systemClock)).save({ prune: true });
    expect(await readdir(join(path, '../..'))).toEqual([]);
    const first = await StatCache.open(path, systemClock);
    first.note('a', STATS, contentOf('a'));
    await first.save();
    const before = await stat(path);
    const second = await StatCache.open(path, systemClock);
    second.find('a', STATS);
    await second.save({ prune: true });
    expect((await stat(path)).ino).toBe(before.ino);
    expect(await readdir(join(path, '..'))).toEqual(['stat-cache']);
  });

  it('holds more records than are written at once', async () => {
    const path = await cachePath();
    const first = await StatCache.open(path, systemClock);
    for (let index = 0; index < 20_000; index++) first.note(String(index), STATS, contentOf('x'));
    await first.save();
    const second = await StatCache.open(path, systemClock);
    for (let index = 0; index < 20_000; index++) {
      if (second.find(String(index), STATS) === undefined) throw new Error(`lost ${String(index)}`);
    }
  });

  it('is empty where any byte of its file is other, or missing', async () => {
    const path = await cachePath();
    const first = await StatCache.open(path, systemClock);
    first.note('a', STATS, contentOf('a'));
    await first.save();
    const good = await readFile(path);
    for (let at = 0; at < good.length; at++) {
      const flipped = Buffer.from(good);
      flipped[at] = (flipped[at] ?? 0) ^ 1;
      for (const bad of [
        flipped,
        good.subarray(0, at),
        Buffer.concat([good, good.subarray(0, at + 1)]),
      ]) {
        await writeFile(path, bad);
        expect((await StatCache.open(path, systemClock)).find('a', STATS)).toBeUndefined();
      }
    }
    await writeFile(path, good);
    expect((await StatCache.open(path, systemClock)).find('a', STATS)).toBeDefined();
  });
});

describe('readFolder with a cache', () => {
  const FILES = { a: '1', 'b/c': '22', 'b/empty': '', 'large.bin': noise(9 * 2 ** 20, 1) };

  async function read(folder: string, path: string) {
    const runtime = testRuntime({ clock: LATER });
    const cache = await StatCache.open(path, LATER);
    const { pkg } = await readFolder(runtime, folder, cache);
    await cache.save({ prune: true });
    return pkg;
  }

  it('reads the same package, whatever happened to the files between', async () => {
    const folder = await temporaryFolder();
    const path = await cachePath();
    await writeFiles(folder, FILES);
    expect(await read(folder, path)).toEqual((await readFolder(testRuntime(), folder)).pkg);
    expect(await read(folder, path)).toEqual((await readFolder(testRuntime(), folder)).pkg);
    const { atime, mtime } = await stat(join(folder, 'b/c'));
    await writeFile(join(folder, 'b/c'), '33');
    await utimes(join(folder, 'b/c'), atime, mtime);
    await rename(join(folder, 'a'), join(folder, 'b/empty'));
    expect(await read(folder, path)).toEqual((await readFolder(testRuntime(), folder)).pkg);
  });

  it('does not read files again that were not touched', async () => {
    const folder = await temporaryFolder();
    const path = await cachePath();
    await writeFiles(folder, FILES);
    const cache = await StatCache.open(path, LATER);
    const planted = contentOf('planted');
    for (const key of Object.keys(FILES)) {
      const stats = await stat(join(folder, key), { bigint: true });
      cache.note(key, stats, { ...planted, sizeBytes: Number(stats.size) });
    }
    await cache.save();
    const pkg = await read(folder, path);
    expect(new Set(Array.from(pkg.entries, ({ hash }) => hash.value))).toEqual(
      new Set([planted.chunkedHash]),
    );
    expect(topHash(pkg)).not.toBe(topHash((await readFolder(testRuntime(), folder)).pkg));
  });
});

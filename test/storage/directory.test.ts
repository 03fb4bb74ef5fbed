/** What only storage in a folder has: locks, temporary files, and addresses that are paths. */
import { spawn } from 'node:child_process';
import { mkdir, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { PkgError } from '../../src/runtime/errors.ts';
import { DirectoryStorage } from '../../src/storage/directory.ts';
import { takeLock } from '../../src/storage/directory-lock.ts';
import { openStorage } from '../../src/storage/open.ts';
import type { WriteCondition } from '../../src/storage/storage.ts';
import { testRuntime } from '../support/runtime.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { contentAt, failureOf, keysOf, put, textAt, uploadOf } from './uploads.ts';

const ACCESS = { endpoint: undefined, region: 'us-east-1' };

/** Storage with one file, and the condition to write over it. */
async function withFile(signal?: AbortSignal) {
  const root = await temporaryFolder();
  const storage = new DirectoryStorage(testRuntime(signal === undefined ? {} : { signal }), root);
  await put(storage, 'a', 'one');
  const etag = (await storage.head({ key: 'a' }))?.etag ?? '';
  const condition: WriteCondition = { kind: 'if-match', etag };
  return { root, storage, condition, lock: join(root, '.a.lock') };
}

/** The text of a lock that this process holds. */
async function lockText(): Promise<string> {
  const path = join(await temporaryFolder(), 'x');
  const held = await takeLock(testRuntime(), path);
  const text = await readFile(join(path, '..', '.x.lock'), 'utf8');
  await held.release();
  return text;
}

/** The id of a process that has ended. */
async function deadProcess(): Promise<number> {
  const child = spawn(process.execPath, ['-e', ''], { stdio: 'ignore' });
  await new Promise((resolve) => child.once('exit', resolve));
  return child.pid ?? 0;
}

describe('the lock of a file', () => {
  it('is broken at once where its process of this machine is gone', async () => {
    const { root, storage, condition, lock } = await withFile();
    const dead = (await lockText()).replace(/"pid":\d+/, `"pid":${String(await deadProcess())}`);
    await writeFile(lock, dead);
    const startMs = Date.now();
    expect(await storage.write('a', uploadOf('two'), condition)).toBe('written');
    expect(Date.now() - startMs).toBeLessThan(10_000);
    expect(await readdir(root)).toEqual(['a']);
  });

  it.runIf(process.platform === 'linux')(
    'is broken at once where its process id belongs to a later process',
    async () => {
      const { storage, condition, lock } = await withFile();
      await writeFile(lock, (await lockText()).replace(/"started":"\d+"/, '"started":"1"'));
      expect(await storage.write('a', uploadOf('two'), condition)).toBe('written');
    },
  );

  it.each([
    ['a killed writer of long ago', ''],
    ['another machine, long ago', `{"machine":"${'0'.repeat(64)}","pid":1,"nonce":"x"}`],
  ])('is broken when it is too old: %s', async (_, text) => {
    const { root, storage, condition, lock } = await withFile();
    await writeFile(lock, text);
    await utimes(lock, new Date(0), new Date(0));
    expect(await storage.write('a', uploadOf('two'), condition)).toBe('written');
    expect(await readdir(root)).toEqual(['a']);
  });

  it.each([
    ['a process that lives', lockText],
    [
      'a process of another machine',
      async () => (await lockText()).replace(/"[0-9a-f]{64}"/, `"${'0'.repeat(64)}"`),
    ],
    ['whoever wrote nothing into it yet', () => Promise.resolve('')],
  ])('is waited for while it is held by %s, until told to stop', async (_, textOf) => {
    const controller = new AbortController();
    const { storage, condition, lock } = await withFile(controller.signal);
    const text = await textOf();
    await writeFile(lock, text);
    const waiting = storage.write('a', uploadOf('two'), condition);
    await new Promise((later) => setTimeout(later, 100));
    expect(await textAt(storage, 'a')).toBe('one');
    await rm(lock);
    expect(await waiting).toBe('written');
    await writeFile(lock, text);
    const given = storage.write('a', uploadOf('three'), condition);
    controller.abort(new PkgError('interrupted', 'interrupted'));
    expect(await failureOf(given)).toMatchObject({ code: 'interrupted' });
    expect(await readFile(lock, 'utf8')).toBe(text);
  });

  it('is known to be lost by who held it, and not given up twice', async () => {
    const path = join(await temporaryFolder(), 'a');
    const first = await takeLock(testRuntime(), path);
    expect(await first.isHeld()).toBe(true);
    await rm(join(path, '..', '.a.lock'));
    const second = await takeLock(testRuntime(), path);
    expect(await first.isHeld()).toBe(false);
    await first.release();
    expect(await second.isHeld()).toBe(true);
    await second.release();
    expect(await readdir(join(path, '..'))).toEqual([]);
  });

  it('is held by one of many at a time', async () => {
    const path = join(await temporaryFolder(), 'a');
    let holders = 0;
    await Promise.all(
      Array.from({ length: 20 }, async () => {
        const held = await takeLock(testRuntime(), path);
        expect(++holders).toBe(1);
        await new Promise((later) => setTimeout(later, 2));
        holders--;
        await held.release();
      }),
    );
  });
});

describe('storage in a folder', () => {
  it('gives up what killed writers left, and only what is old enough', async () => {
    const { root, storage } = await withFile();
    const folder = join(root, 'objects/ab');
    await mkdir(folder, { recursive: true });
    const left = [
      join(folder, '.0b4bd6a2-2b8b-4c1c-9d6e-1b0f8f5f3c11.tmp'),
      join(root, '.quilt/named_packages/u/n/.latest.lock'),
    ];
    await mkdir(join(root, '.quilt/named_packages/u/n'), { recursive: true });
    const others = join(root, '.others.lock');
    await writeFile(others, 'not ours');
    await utimes(others, new Date(1000), new Date(1000));
    for (const path of left) await writeFile(path, 'left');
    await writeFile(join(folder, '.0b4bd6a2-2b8b-4c1c-9d6e-1b0f8f5f3c12.tmp'), 'new');
    for (const path of left) await utimes(path, new Date(1000), new Date(1000));
    expect(await keysOf(storage, '')).toEqual(['a']);
    expect(await storage.abandonUploads(60_000, 'count')).toBe(2);
    expect(await storage.abandonUploads(60_000, 'remove')).toBe(2);
    expect(await storage.abandonUploads(60_000, 'count')).toBe(0);
    expect((await readdir(folder)).length).toBe(1);
    expect(await storage.abandonUploads(Date.now() + 60_000, 'remove')).toBe(1);
    expect(await keysOf(storage, '')).toEqual(['a']);
  });

  it('leaves no temporary file and no lock behind', async () => {
    const { root, storage, condition } = await withFile();
    await storage.write('a', uploadOf('two'), condition);
    await storage.write('a', uploadOf('three'), condition);
    await storage.write('a', uploadOf('four'), { kind: 'if-absent' });
    await storage.copy({ address: { key: 'a' }, range: { start: 1, end: 2 } }, 'x/y/b');
    await failureOf(storage.copy({ address: { key: 'a' }, range: { start: 1, end: 9 } }, 'c'));
    await storage.remove(['x/y/b']);
    const names = await readdir(root, { recursive: true });
    expect(names.sort()).toEqual(['a', 'x', 'x/y']);
  });

  it('keeps the file of a copy apart from its source', async () => {
    const { root, storage } = await withFile();
    await storage.copy({ address: { key: 'a' }, range: { start: 0, end: 3 } }, 'b');
    await writeFile(join(root, 'a'), 'two');
    expect(await textAt(storage, 'b')).toBe('one');
    expect((await stat(join(root, 'b'))).nlink).toBe(1);
  });
});

describe('openStorage', () => {
  it('takes a path and a file: URL, and makes the folder that is to be written', async () => {
    const root = join(await temporaryFolder(), 'with space/and another');
    const made = await openStorage(testRuntime(), pathToFileURL(root).href, ACCESS, 'write');
    await put(made, 'a', 'one');
    const storage = await openStorage(testRuntime(), root, ACCESS, 'read');
    expect((await contentAt(storage, 'a'))?.toString()).toBe('one');
  });

  it.each(['https://example.org', 's3://', 's3://bucket/prefix', 's3://bucket?x=1', 'gs://bucket'])(
    'refuses the address %s',
    async (address) => {
      const error = await failureOf(openStorage(testRuntime(), address, ACCESS, 'read'));
      expect(error).toMatchObject({ code: 'usage' });
      expect(String(error)).toContain(address);
    },
  );

  it('refuses a file: URL of another machine', async () => {
    const address = 'file://elsewhere/registry';
    const error = await failureOf(openStorage(testRuntime(), address, ACCESS, 'read'));
    expect(error).toMatchObject({ code: 'usage' });
  });
});

/** The store keeps bytes whole under their digest, or not at all. */
import { mkdir, readdir, readFile, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PkgError } from '../../src/runtime/errors.ts';
import { digestOf, parseDigest, streamOf } from '../../src/store/digest.ts';
import { openStore, Store } from '../../src/store/store.ts';
import { temporaryFolder } from '../support/temporary.ts';

/** All files of a store, by path. */
async function filesOf(root: string): Promise<readonly string[]> {
  const items = await readdir(root, { recursive: true, withFileTypes: true });
  return items.filter((item) => item.isFile()).map((item) => join(item.parentPath, item.name));
}

async function emptyStore(): Promise<Store> {
  return new Store(join(await temporaryFolder(), 'not yet there'));
}

describe('an object', () => {
  it('is kept under its SHA-256 and read back, whether it came as a stream or as bytes', async () => {
    const store = await emptyStore();
    const digest = digestOf('hello');
    expect(digest).toBe('2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824');
    expect(await store.has({ digest, sizeBytes: 5 })).toBe(false);
    expect(await store.hasDigest(digest)).toBe(false);
    expect(await store.put(streamOf('hello'))).toEqual({ digest, sizeBytes: 5 });
    expect(await store.putBytes(Buffer.from('hello'))).toEqual({ digest, sizeBytes: 5 });
    expect(await store.has({ digest, sizeBytes: 5 })).toBe(true);
    expect(await store.hasDigest(digest)).toBe(true);
    expect((await store.read(digest)).toString()).toBe('hello');
    expect(await readFile(store.path(digest), 'utf8')).toBe('hello');
    expect(await filesOf(store.root)).toEqual([store.path(digest)]);
  });

  it('may be empty, and may be a text beyond ASCII, measured in bytes', async () => {
    const store = await emptyStore();
    const nothing = await store.put((async function* () {})());
    expect(nothing).toEqual({ digest: digestOf(''), sizeBytes: 0 });
    expect((await store.read(nothing.digest)).length).toBe(0);
    const text = await store.putBytes('é😀');
    expect(text.sizeBytes).toBe(6);
    expect(await store.readText(text.digest)).toBe('é😀');
  });

  it('that was cut off does not count as being here, and is put right by the next put', async () => {
    const store = await emptyStore();
    const descriptor = await store.putBytes('hello');
    await truncate(store.path(descriptor.digest), 3);
    expect(await store.has(descriptor)).toBe(false);
    await store.putBytes('hello');
    expect((await store.read(descriptor.digest)).toString()).toBe('hello');
  });

  it('that was damaged is found by read, reported as an integrity error and removed', async () => {
    const store = await emptyStore();
    const { digest } = await store.putBytes('hello');
    await writeFile(store.path(digest), 'hellO');
    const error: unknown = await store.read(digest).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(PkgError);
    expect(error).toMatchObject({ code: 'integrity' });
    expect(String(error)).toContain(digest);
    expect(await store.hasDigest(digest)).toBe(false);
    await store.putBytes('hello');
    expect(await store.readText(digest)).toBe('hello');
  });

  it('that is absent is an integrity error that names it', async () => {
    const store = await emptyStore();
    await expect(store.read(digestOf('x'))).rejects.toMatchObject({ code: 'integrity' });
    await expect(store.read(digestOf('x'))).rejects.toThrow(digestOf('x'));
  });

  it('is put by two stores on one folder at once without harm to either', async () => {
    const root = await temporaryFolder();
    const stores = [new Store(root), new Store(root)];
    const chunks = Array.from({ length: 40 }, (_, index) => Buffer.alloc(10_000, index));
    async function* slowly(): AsyncGenerator<Uint8Array> {
      for (const chunk of chunks) {
        await new Promise((later) => setImmediate(later));
        yield chunk;
      }
    }
    const puts = stores.flatMap((store) => [
      store.put(slowly()),
      store.putBytes(Buffer.concat(chunks)),
      store.put(slowly()),
    ]);
    const descriptors = await Promise.all(puts);
    const digest = digestOf(Buffer.concat(chunks));
    expect(new Set(descriptors.map((descriptor) => descriptor.digest))).toEqual(new Set([digest]));
    expect((await stores[0]?.read(digest))?.length).toBe(400_000);
    expect(await filesOf(root)).toHaveLength(1);
  });

  it('is not kept where the disk refuses, and the error says so in words', async () => {
    const root = join(await temporaryFolder(), 'a file');
    await writeFile(root, '');
    const store = new Store(join(root, 'below'));
    await expect(store.putBytes('x')).rejects.toMatchObject({ code: 'storage' });
    await expect(store.put(streamOf('x'))).rejects.toThrow(root);
  });
});

describe('a record', () => {
  const key = digestOf('key');

  it('survives in another store on the same folder, each kind apart', async () => {
    const root = await temporaryFolder();
    const value = { a: [1, null, 'é'], b: { c: true } };
    await new Store(root).writeRecord('steps', key, value);
    expect(await new Store(root).findRecord('steps', key)).toEqual(value);
    expect(await new Store(root).findRecord('files', key)).toBeUndefined();
    expect(await new Store(root).findRecord('steps', digestOf('other'))).toBeUndefined();
  });

  it('is replaced by a later one', async () => {
    const store = await emptyStore();
    await store.writeRecord('steps', key, 1);
    await store.writeRecord('steps', key, 2);
    expect(await store.findRecord('steps', key)).toBe(2);
    expect(await filesOf(store.root)).toHaveLength(1);
  });

  it.each(['', '{', '{"a": 1', 'nonsense', '\0\0\0\0'])(
    'that was damaged to %j counts as absent and can be written again',
    async (damage) => {
      const store = await emptyStore();
      await store.writeRecord('steps', key, { a: 1 });
      const [path = ''] = await filesOf(store.root);
      await writeFile(path, damage);
      expect(await store.findRecord('steps', key)).toBeUndefined();
      await store.writeRecord('steps', key, { a: 2 });
      expect(await store.findRecord('steps', key)).toEqual({ a: 2 });
    },
  );
});

describe('openStore', () => {
  it('removes what a killed command left more than a day ago, and nothing younger', async () => {
    const root = await temporaryFolder();
    const scratch = await new Store(root).scratchFolder('tmp');
    const partial = await new Store(root).scratchFolder('partial');
    const kept = await new Store(root).putBytes('object');
    const nowMs = Date.now();
    for (const [folder, name, ageHours] of [
      [scratch, 'old.tmp', 25],
      [scratch, 'young.tmp', 23],
      [partial, 'old partial', 25],
    ] as const) {
      const path = join(folder, name);
      await writeFile(path, 'x');
      const then = new Date(nowMs - ageHours * 3_600_000);
      await utimes(path, then, then);
    }
    await mkdir(join(scratch, 'old folder', 'in it'), { recursive: true });
    await utimes(join(scratch, 'old folder'), new Date(0), new Date(0));
    const store = await openStore(root, nowMs);
    expect(await readdir(scratch)).toEqual(['young.tmp']);
    expect(await readdir(partial)).toEqual(['old partial']);
    expect(await store.has(kept)).toBe(true);
  });

  it('makes the folder, and says which one cannot be made', async () => {
    const folder = await temporaryFolder();
    const store = await openStore(join(folder, 'new/store'), 0);
    expect((await stat(store.root)).isDirectory()).toBe(true);
    await writeFile(join(folder, 'file'), '');
    await expect(openStore(join(folder, 'file'), 0)).rejects.toMatchObject({ code: 'storage' });
  });
});

describe('parseDigest', () => {
  it.each(['', 'abc', 'A'.repeat(64), 'g'.repeat(64), `${'a'.repeat(64)}\n`, '../'.repeat(22)])(
    'refuses %j',
    (text) => {
      expect(() => parseDigest(text)).toThrow('is not a SHA-256 digest');
    },
  );
});

/** The contract of storage: whole writes, conditions, ranges, listings, copies and what is given up. */
import { expect, it } from 'vitest';
import { PkgError } from '../../src/runtime/errors.ts';
import { ALWAYS, IF_ABSENT } from '../../src/storage/storage.ts';
import { digestOf } from '../../src/store/digest.ts';
import { chunkedHash, noise } from '../support/sample-packages.ts';
import { contentAt, failureOf, keysOf, put, type Setup, textAt, uploadOf } from './uploads.ts';

const CHUNK_BYTES = 8 * 2 ** 20;

export function storageContract(setup: Setup): void {
  const fresh = async () => await (await setup())();

  it('keeps what was written, tells its size, and removes it', async () => {
    const storage = await fresh();
    expect(await storage.head({ key: 'a/b' })).toBeUndefined();
    expect(await storage.read({ key: 'a/b' })).toBeUndefined();
    expect(await storage.write('a/b', uploadOf('hello'), ALWAYS)).toBe('written');
    expect((await storage.head({ key: 'a/b' }))?.sizeBytes).toBe(5);
    expect((await contentAt(storage, 'a/b'))?.toString()).toBe('hello');
    await storage.write('a/b', uploadOf('hello again'), ALWAYS);
    expect((await contentAt(storage, 'a/b'))?.toString()).toBe('hello again');
    await storage.remove(['a/b']);
    expect(await storage.head({ key: 'a/b' })).toBeUndefined();
    expect(await contentAt(storage, 'a/b')).toBeUndefined();
    await storage.remove(['a/b']);
  });

  it('shows what one connection wrote to another', async () => {
    const connect = await setup();
    await (await connect()).write('a', uploadOf('hello'), ALWAYS);
    expect((await contentAt(await connect(), 'a'))?.toString()).toBe('hello');
  });

  it('counts its requests', async () => {
    const storage = await fresh();
    const before = storage.requests;
    await storage.write('a', uploadOf('x'), ALWAYS);
    await storage.head({ key: 'a' });
    await storage.read({ key: 'a' });
    expect(storage.requests - before).toBe(3);
  });

  it('takes keys with spaces, signs and letters beyond ASCII', async () => {
    const storage = await fresh();
    const key = "odd/é e\u0301 #?%+&=;@$,!'()*[]~ 😀/%41 日本";
    await storage.write(key, uploadOf('odd'), ALWAYS);
    expect((await contentAt(storage, key))?.toString()).toBe('odd');
    expect(await keysOf(storage, 'odd/')).toEqual([key]);
    expect(storage.addressOf(storage.physicalKey(key))).toEqual({ key });
  });

  it.each([
    ['0 bytes', 0],
    ['8 MiB', CHUNK_BYTES],
    ['8 MiB and a byte', CHUNK_BYTES + 1],
    ['20 MiB', 20 * 2 ** 20],
  ])('keeps an object of %s byte for byte', async (_, sizeBytes) => {
    const storage = await fresh();
    const data = noise(sizeBytes, 7);
    const upload = uploadOf(data, { chunkedHash: chunkedHash(data) });
    expect(await storage.write('large', upload, ALWAYS)).toBe('written');
    expect((await storage.head({ key: 'large' }))?.sizeBytes).toBe(sizeBytes);
    expect((await contentAt(storage, 'large'))?.equals(data)).toBe(true);
  });

  it('reads ranges, the end excluded', async () => {
    const storage = await fresh();
    await storage.write('a', uploadOf('0123456789'), ALWAYS);
    for (const [start, end] of [
      [0, 1],
      [3, 7],
      [9, 10],
      [0, 10],
      [5, 100],
    ] as const) {
      const found = await storage.read({ key: 'a' }, { start, end });
      const chunks: Uint8Array[] = [];
      for await (const chunk of found?.bytes ?? []) chunks.push(chunk);
      expect(Buffer.concat(chunks).toString()).toBe('0123456789'.slice(start, end));
    }
    expect(await storage.read({ key: 'absent' }, { start: 0, end: 5 })).toBeUndefined();
  });

  it('lists keys in order of their UTF-8 bytes, below a prefix, from after a key', async () => {
    const storage = await fresh();
    const keys = ['p/B', 'p/a b', 'p/a-b', 'p/a/x', 'p/a/y/z', 'p/a0', 'p/é', 'p/\uff5e', 'p/😀'];
    for (const key of ['q/other', 'o', ...[...keys].reverse()]) {
      await storage.write(key, uploadOf(key), ALWAYS);
    }
    expect(await keysOf(storage, 'p/')).toEqual(keys);
    expect(await keysOf(storage, 'p/a')).toEqual(keys.slice(1, 6));
    expect(await keysOf(storage, 'p/a/')).toEqual(['p/a/x', 'p/a/y/z']);
    expect(await keysOf(storage, 'absent/')).toEqual([]);
    for (const [index, key] of keys.entries()) {
      expect(await keysOf(storage, 'p/', key)).toEqual(keys.slice(index + 1));
    }
    expect(await keysOf(storage, 'p/', 'p/a.')).toEqual(keys.slice(3));
    for await (const { key, sizeBytes } of storage.list('p/')) {
      expect(sizeBytes).toBe(Buffer.byteLength(key));
    }
  });

  it('lists nothing of empty storage', async () => {
    expect(await keysOf(await fresh(), '')).toEqual([]);
  });

  it('writes if absent only where there is nothing', async () => {
    const storage = await fresh();
    expect(await storage.write('a', uploadOf('one'), IF_ABSENT)).toBe('written');
    expect(await storage.write('a', uploadOf('two'), IF_ABSENT)).toBe('conflict');
    expect((await contentAt(storage, 'a'))?.toString()).toBe('one');
  });

  it('holds the condition for an object in several parts as well', async () => {
    const storage = await fresh();
    await storage.write('a', uploadOf('one'), ALWAYS);
    const large = noise(CHUNK_BYTES + 1, 3);
    const upload = uploadOf(large, { chunkedHash: chunkedHash(large) });
    expect(await storage.write('a', upload, IF_ABSENT)).toBe('conflict');
    expect((await contentAt(storage, 'a'))?.toString()).toBe('one');
  });

  it.each(['if absent', 'if match'])(
    'lets exactly one of 16 writers at once write %s',
    async (when) => {
      const connect = await setup();
      const connections = await Promise.all([connect(), connect()]);
      await connections[0].write('race', uploadOf('before'), ALWAYS);
      const etag = (await connections[0].read({ key: 'race' }))?.etag ?? '';
      if (when === 'if absent') await connections[0].remove(['race']);
      const condition = when === 'if absent' ? IF_ABSENT : ({ kind: 'if-match', etag } as const);
      const outcomes = await Promise.all(
        Array.from({ length: 16 }, async (_, index) => {
          const storage = connections[index % 2] ?? connections[0];
          return await storage.write('race', uploadOf(`writer ${String(index)}`), condition);
        }),
      );
      const winners = outcomes.flatMap((outcome, index) => (outcome === 'written' ? [index] : []));
      expect(winners).toHaveLength(1);
      const content = (await contentAt(connections[0], 'race'))?.toString();
      expect(content).toBe(`writer ${String(winners[0])}`);
    },
  );

  it('writes if match over the content that was read, and over no other', async () => {
    const storage = await fresh();
    await storage.write('a', uploadOf('one'), ALWAYS);
    const etag = (await storage.read({ key: 'a' }))?.etag ?? '';
    const over = { kind: 'if-match', etag } as const;
    expect(await storage.write('a', uploadOf('two'), over)).toBe('written');
    expect(await storage.write('a', uploadOf('three'), over)).toBe('conflict');
    expect((await contentAt(storage, 'a'))?.toString()).toBe('two');
    expect(await storage.write('absent', uploadOf('x'), over)).toBe('conflict');
    expect(await storage.head({ key: 'absent' })).toBeUndefined();
  });

  it('gives an etag by which to write if match to head as well as to read', async () => {
    const storage = await fresh();
    await storage.write('a', uploadOf('one'), ALWAYS);
    const etag = (await storage.head({ key: 'a' }))?.etag ?? '';
    expect(await storage.write('a', uploadOf('two'), { kind: 'if-match', etag })).toBe('written');
    expect((await storage.head({ key: 'a' }))?.etag).not.toBe(etag);
  });

  it.each([
    ['small', 5],
    ['in several parts', CHUNK_BYTES + 5],
  ])('stores nothing of bytes that differ from their digest: %s', async (_, sizeBytes) => {
    const storage = await fresh();
    const promised = noise(sizeBytes, 1);
    const upload = uploadOf(noise(sizeBytes, 2), {
      digest: digestOf(promised),
      chunkedHash: chunkedHash(promised),
    });
    const error = await failureOf(storage.write('objects/x', upload, ALWAYS));
    expect(await storage.head({ key: 'objects/x' })).toBeUndefined();
    expect(await keysOf(storage, '')).toEqual([]);
    expect(error).toBeInstanceOf(PkgError);
    expect(error).toMatchObject({ code: 'integrity' });
  });

  it.each([
    ['small', 5],
    ['in several parts', CHUNK_BYTES + 5],
  ])('keeps the good bytes at a key when others are refused there: %s', async (_, sizeBytes) => {
    const storage = await fresh();
    const good = noise(sizeBytes, 1);
    const claims = { digest: digestOf(good), chunkedHash: chunkedHash(good) };
    await storage.write('objects/x', uploadOf(good, claims), ALWAYS);
    const bad = uploadOf(noise(sizeBytes, 2), claims);
    expect(await failureOf(storage.write('objects/x', bad, ALWAYS))).toBeInstanceOf(PkgError);
    expect((await contentAt(storage, 'objects/x'))?.equals(good)).toBe(true);
  });

  it.each([
    ['small', 5],
    ['in several parts', CHUNK_BYTES + 5],
  ])('stores nothing of bytes that break off: %s', async (_, sizeBytes) => {
    const storage = await fresh();
    const data = noise(sizeBytes, 1);
    const upload = uploadOf(data, {
      async *open({ start, end }) {
        yield await Promise.resolve(data.subarray(start, end - 2));
        if (end === sizeBytes) throw new PkgError('storage', 'the disk broke off');
      },
    });
    await failureOf(storage.write('objects/x', upload, ALWAYS));
    expect(await keysOf(storage, '')).toEqual([]);
  });

  it('removes many keys, and does not mind those that are not there', async () => {
    const storage = await fresh();
    const keys = Array.from(
      { length: 40 },
      (_, index) => `k/${String(index).padStart(3, '0')} é&<`,
    );
    for (const key of keys) await put(storage, key, key);
    await put(storage, 'k/kept', 'kept');
    await storage.remove([...keys, 'k/never', 'k/kept/below a file', 'absent/altogether']);
    expect(await keysOf(storage, '')).toEqual(['k/kept']);
    await storage.remove([]);
    expect(await textAt(storage, 'k/kept')).toBe('kept');
  });

  it('says when what it lists was written', async () => {
    const storage = await fresh();
    const beforeMs = Date.now();
    await put(storage, 'a', 'a');
    for await (const { modifiedMs } of storage.list('')) {
      // Servers tell whole seconds, file systems have clocks of their own grain.
      expect(modifiedMs).toBeGreaterThanOrEqual(beforeMs - 2000);
      expect(modifiedMs).toBeLessThanOrEqual(Date.now() + 2000);
    }
  });

  it('counts the bytes it sends', async () => {
    const storage = await fresh();
    const before = storage.sentBytes;
    await put(storage, 'a', 'hello');
    const large = noise(CHUNK_BYTES + 100, 5);
    await put(storage, 'b', large);
    await storage.read({ key: 'a' });
    await storage.remove(['a']);
    expect(storage.sentBytes - before).toBe(5 + large.length);
  });

  it('writes a large object in one request where it is told to', async () => {
    const storage = await fresh();
    const data = noise(16 * 2 ** 20, 9);
    const before = storage.requests;
    expect(await storage.write('pack', uploadOf(data, { inOneRequest: true }), IF_ABSENT)).toBe(
      'written',
    );
    expect(storage.requests - before).toBe(1);
    expect((await contentAt(storage, 'pack'))?.equals(data)).toBe(true);
    const wrong = uploadOf(data, { inOneRequest: true, digest: digestOf('others') });
    expect(await failureOf(storage.write('wrong', wrong, ALWAYS))).toMatchObject({
      code: 'integrity',
    });
    expect(await keysOf(storage, '')).toEqual(['pack']);
  });

  it('checks a large object against its digest where no other hash is stated', async () => {
    const storage = await fresh();
    const data = noise(CHUNK_BYTES + 9, 12);
    const { sizeBytes, digest, open } = uploadOf(data);
    expect(await storage.write('a', { sizeBytes, digest, open }, ALWAYS)).toBe('written');
    expect((await contentAt(storage, 'a'))?.equals(data)).toBe(true);
    const wrong = { sizeBytes, digest: digestOf('others'), open };
    expect(await failureOf(storage.write('b', wrong, ALWAYS))).toMatchObject({ code: 'integrity' });
    expect(await keysOf(storage, '')).toEqual(['a']);
  });

  it('reads past the end of an object as nothing, and tells the whole size of a range', async () => {
    const storage = await fresh();
    await put(storage, 'a', '0123456789');
    await put(storage, 'empty', '');
    expect((await contentAt(storage, 'a', { start: 10, end: 20 }))?.toString()).toBe('');
    expect((await contentAt(storage, 'a', { start: 4, end: 4 }))?.toString()).toBe('');
    expect((await contentAt(storage, 'empty', { start: 0, end: 5 }))?.toString()).toBe('');
    const found = await storage.read({ key: 'a' }, { start: 2, end: 4 });
    expect(found?.sizeBytes).toBe(10);
    const chunks: Uint8Array[] = [];
    for await (const chunk of found?.bytes ?? []) chunks.push(chunk);
    expect(Buffer.concat(chunks).toString()).toBe('23');
  });

  it.each([
    ['all of a small object', 1000, 0, 1000],
    ['the middle of a small object', 1000, 100, 200],
    ['one byte', 1000, 999, 1000],
    ['nothing', 1000, 5, 5],
    ['all of a large object', 20 * 2 ** 20, 0, 20 * 2 ** 20],
    ['the beginning of a large object', 20 * 2 ** 20, 0, 70_000],
    ['the middle of a large object', 20 * 2 ** 20, 3_000_001, 15_000_017],
    ['the end of a large object', 20 * 2 ** 20, 20 * 2 ** 20 - 3, 20 * 2 ** 20],
  ])('copies %s', async (_, sizeBytes, start, end) => {
    const storage = await fresh();
    const data = noise(sizeBytes, 11);
    await put(storage, 'from/é &+ a', data);
    await storage.copy({ address: { key: 'from/é &+ a' }, range: { start, end } }, 'to/ü #? b');
    const copied = await contentAt(storage, 'to/ü #? b');
    expect(copied?.equals(data.subarray(start, end))).toBe(true);
    expect((await contentAt(storage, 'from/é &+ a'))?.equals(data)).toBe(true);
    expect(await keysOf(storage, '')).toEqual(['from/é &+ a', 'to/ü #? b']);
  });

  it.each([[0], [5]])('says that what is to be copied from byte %i is not there', async (start) => {
    const storage = await fresh();
    await put(storage, 'other', 'other');
    const source = { address: { key: 'absent' }, range: { start, end: 10 } };
    const error = await failureOf(storage.copy(source, 'to'));
    expect(error).toMatchObject({ code: 'integrity' });
    expect(String(error)).toContain('absent');
    expect(await keysOf(storage, '')).toEqual(['other']);
  });

  it('makes nothing of a range that goes beyond the end', async () => {
    const storage = await fresh();
    await put(storage, 'a', noise(100, 1));
    for (const start of [0, 50]) {
      const source = { address: { key: 'a' }, range: { start, end: 101 } };
      expect(await failureOf(storage.copy(source, 'to'))).toMatchObject({ code: 'integrity' });
    }
    expect(await keysOf(storage, '')).toEqual(['a']);
  });

  it('has no uploads to give up after writes that ended', async () => {
    const storage = await fresh();
    await put(storage, 'large', noise(CHUNK_BYTES + 1, 1));
    await storage.copy({ address: { key: 'large' }, range: { start: 1, end: 8_000_000 } }, 'to');
    expect(await storage.abandonUploads(Date.now() + 60_000, 'count')).toBe(0);
  });
}

/** The contract of a registry's storage: whole writes, conditions, ranges and listings. */
import { expect, it } from 'vitest';
import { ALWAYS, type Registry } from '../../src/registry/registry.ts';
import { PkgError } from '../../src/runtime/errors.ts';
import { digestOf } from '../../src/store/digest.ts';
import { chunkedHash, noise } from '../support/sample-packages.ts';
import { contentAt, failureOf, type Setup, uploadOf } from './registry-contract.ts';

const IF_ABSENT = { kind: 'if-absent' } as const;
const CHUNK_BYTES = 8 * 2 ** 20;

export function storageContract(setup: Setup): void {
  const fresh = async () => await (await setup())();

  it('keeps what was written, tells its size, and removes it', async () => {
    const registry = await fresh();
    expect(await registry.head({ key: 'a/b' })).toBeUndefined();
    expect(await registry.read({ key: 'a/b' })).toBeUndefined();
    expect(await registry.write('a/b', uploadOf('hello'), ALWAYS)).toBe('written');
    expect((await registry.head({ key: 'a/b' }))?.sizeBytes).toBe(5);
    expect((await contentAt(registry, 'a/b'))?.toString()).toBe('hello');
    await registry.write('a/b', uploadOf('hello again'), ALWAYS);
    expect((await contentAt(registry, 'a/b'))?.toString()).toBe('hello again');
    await registry.remove('a/b');
    expect(await registry.head({ key: 'a/b' })).toBeUndefined();
    expect(await contentAt(registry, 'a/b')).toBeUndefined();
    await registry.remove('a/b');
  });

  it('shows what one connection wrote to another', async () => {
    const connect = await setup();
    await (await connect()).write('a', uploadOf('hello'), ALWAYS);
    expect((await contentAt(await connect(), 'a'))?.toString()).toBe('hello');
  });

  it('counts its requests', async () => {
    const registry = await fresh();
    const before = registry.requests;
    await registry.write('a', uploadOf('x'), ALWAYS);
    await registry.head({ key: 'a' });
    await registry.read({ key: 'a' });
    expect(registry.requests - before).toBe(3);
  });

  it('takes keys with spaces, signs and letters beyond ASCII', async () => {
    const registry = await fresh();
    const key = "odd/é e\u0301 #?%+&=;@$,!'()*[]~ 😀/%41 日本";
    await registry.write(key, uploadOf('odd'), ALWAYS);
    expect((await contentAt(registry, key))?.toString()).toBe('odd');
    expect(await keysOf(registry, 'odd/')).toEqual([key]);
    expect(registry.addressOf(registry.physicalKey(key))).toEqual({ key });
  });

  it.each([
    ['0 bytes', 0],
    ['8 MiB', CHUNK_BYTES],
    ['8 MiB and a byte', CHUNK_BYTES + 1],
    ['20 MiB', 20 * 2 ** 20],
  ])('keeps an object of %s byte for byte', async (_, sizeBytes) => {
    const registry = await fresh();
    const data = noise(sizeBytes, 7);
    const upload = uploadOf(data, { chunkedHash: chunkedHash(data) });
    expect(await registry.write('large', upload, ALWAYS)).toBe('written');
    expect((await registry.head({ key: 'large' }))?.sizeBytes).toBe(sizeBytes);
    expect((await contentAt(registry, 'large'))?.equals(data)).toBe(true);
  });

  it('reads ranges, the end excluded', async () => {
    const registry = await fresh();
    await registry.write('a', uploadOf('0123456789'), ALWAYS);
    for (const [start, end] of [
      [0, 1],
      [3, 7],
      [9, 10],
      [0, 10],
      [5, 100],
    ] as const) {
      const found = await registry.read({ key: 'a' }, { start, end });
      const chunks: Uint8Array[] = [];
      for await (const chunk of found?.bytes ?? []) chunks.push(chunk);
      expect(Buffer.concat(chunks).toString()).toBe('0123456789'.slice(start, end));
    }
    expect(await registry.read({ key: 'absent' }, { start: 0, end: 5 })).toBeUndefined();
  });

  it('lists keys in order of their UTF-8 bytes, below a prefix, from after a key', async () => {
    const registry = await fresh();
    const keys = ['p/B', 'p/a b', 'p/a-b', 'p/a/x', 'p/a/y/z', 'p/a0', 'p/é', 'p/\uff5e', 'p/😀'];
    for (const key of ['q/other', 'o', ...[...keys].reverse()]) {
      await registry.write(key, uploadOf(key), ALWAYS);
    }
    expect(await keysOf(registry, 'p/')).toEqual(keys);
    expect(await keysOf(registry, 'p/a')).toEqual(keys.slice(1, 6));
    expect(await keysOf(registry, 'p/a/')).toEqual(['p/a/x', 'p/a/y/z']);
    expect(await keysOf(registry, 'absent/')).toEqual([]);
    for (const [index, key] of keys.entries()) {
      expect(await keysOf(registry, 'p/', key)).toEqual(keys.slice(index + 1));
    }
    expect(await keysOf(registry, 'p/', 'p/a.')).toEqual(keys.slice(3));
    for await (const { key, sizeBytes } of registry.list('p/')) {
      expect(sizeBytes).toBe(Buffer.byteLength(key));
    }
  });

  it('lists nothing of an empty registry', async () => {
    expect(await keysOf(await fresh(), '')).toEqual([]);
  });

  it('writes if absent only where there is nothing', async () => {
    const registry = await fresh();
    expect(await registry.write('a', uploadOf('one'), IF_ABSENT)).toBe('written');
    expect(await registry.write('a', uploadOf('two'), IF_ABSENT)).toBe('conflict');
    expect((await contentAt(registry, 'a'))?.toString()).toBe('one');
  });

  it('holds the condition for an object in several parts as well', async () => {
    const registry = await fresh();
    await registry.write('a', uploadOf('one'), ALWAYS);
    const large = noise(CHUNK_BYTES + 1, 3);
    const upload = uploadOf(large, { chunkedHash: chunkedHash(large) });
    expect(await registry.write('a', upload, IF_ABSENT)).toBe('conflict');
    expect((await contentAt(registry, 'a'))?.toString()).toBe('one');
  });

  it.each(['if absent', 'if match'])(
    'lets exactly one of 16 writers at once write %s',
    async (when) => {
      const connect = await setup();
      const registries = await Promise.all([connect(), connect()]);
      await registries[0].write('race', uploadOf('before'), ALWAYS);
      const etag = (await registries[0].read({ key: 'race' }))?.etag ?? '';
      if (when === 'if absent') await registries[0].remove('race');
      const condition = when === 'if absent' ? IF_ABSENT : ({ kind: 'if-match', etag } as const);
      const outcomes = await Promise.all(
        Array.from({ length: 16 }, async (_, index) => {
          const registry = registries[index % 2] ?? registries[0];
          return await registry.write('race', uploadOf(`writer ${String(index)}`), condition);
        }),
      );
      const winners = outcomes.flatMap((outcome, index) => (outcome === 'written' ? [index] : []));
      expect(winners).toHaveLength(1);
      const content = (await contentAt(registries[0], 'race'))?.toString();
      expect(content).toBe(`writer ${String(winners[0])}`);
    },
  );

  it('writes if match over the content that was read, and over no other', async () => {
    const registry = await fresh();
    await registry.write('a', uploadOf('one'), ALWAYS);
    const etag = (await registry.read({ key: 'a' }))?.etag ?? '';
    const over = { kind: 'if-match', etag } as const;
    expect(await registry.write('a', uploadOf('two'), over)).toBe('written');
    expect(await registry.write('a', uploadOf('three'), over)).toBe('conflict');
    expect((await contentAt(registry, 'a'))?.toString()).toBe('two');
    expect(await registry.write('absent', uploadOf('x'), over)).toBe('conflict');
    expect(await registry.head({ key: 'absent' })).toBeUndefined();
  });

  it('gives an etag by which to write if match to head as well as to read', async () => {
    const registry = await fresh();
    await registry.write('a', uploadOf('one'), ALWAYS);
    const etag = (await registry.head({ key: 'a' }))?.etag ?? '';
    expect(await registry.write('a', uploadOf('two'), { kind: 'if-match', etag })).toBe('written');
    expect((await registry.head({ key: 'a' }))?.etag).not.toBe(etag);
  });

  it.each([
    ['small', 5],
    ['in several parts', CHUNK_BYTES + 5],
  ])('stores nothing of bytes that differ from their digest: %s', async (_, sizeBytes) => {
    const registry = await fresh();
    const promised = noise(sizeBytes, 1);
    const upload = uploadOf(noise(sizeBytes, 2), {
      digest: digestOf(promised),
      chunkedHash: chunkedHash(promised),
    });
    const error = await failureOf(registry.write('objects/x', upload, ALWAYS));
    expect(await registry.head({ key: 'objects/x' })).toBeUndefined();
    expect(await keysOf(registry, '')).toEqual([]);
    expect(error).toBeInstanceOf(PkgError);
    expect(error).toMatchObject({ code: 'integrity' });
  });

  it.each([
    ['small', 5],
    ['in several parts', CHUNK_BYTES + 5],
  ])('keeps the good bytes at a key when others are refused there: %s', async (_, sizeBytes) => {
    const registry = await fresh();
    const good = noise(sizeBytes, 1);
    const claims = { digest: digestOf(good), chunkedHash: chunkedHash(good) };
    await registry.write('objects/x', uploadOf(good, claims), ALWAYS);
    const bad = uploadOf(noise(sizeBytes, 2), claims);
    expect(await failureOf(registry.write('objects/x', bad, ALWAYS))).toBeInstanceOf(PkgError);
    expect((await contentAt(registry, 'objects/x'))?.equals(good)).toBe(true);
  });

  it.each([
    ['small', 5],
    ['in several parts', CHUNK_BYTES + 5],
  ])('stores nothing of bytes that break off: %s', async (_, sizeBytes) => {
    const registry = await fresh();
    const data = noise(sizeBytes, 1);
    const upload = uploadOf(data, {
      async *open({ start, end }) {
        yield await Promise.resolve(data.subarray(start, end - 2));
        if (end === sizeBytes) throw new PkgError('storage', 'the disk broke off');
      },
    });
    await failureOf(registry.write('objects/x', upload, ALWAYS));
    expect(await keysOf(registry, '')).toEqual([]);
  });
}

async function keysOf(
  registry: Registry,
  prefix: string,
  startAfter?: string,
): Promise<readonly string[]> {
  const keys: string[] = [];
  for await (const { key } of registry.list(prefix, startAfter)) keys.push(key);
  return keys;
}

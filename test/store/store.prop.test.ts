/** Whatever breaks a write, the store never shows a part of it and keeps no temporary file. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../../src/store/digest.ts';
import { Store } from '../../src/store/store.ts';
import { temporaryFolder } from '../support/temporary.ts';

const anyChunks = fc.array(fc.uint8Array({ maxLength: 3000 }), { maxLength: 6 });

async function filesOf(root: string): Promise<readonly string[]> {
  const items = await readdir(root, { recursive: true, withFileTypes: true });
  return items.filter((item) => item.isFile()).map((item) => join(item.parentPath, item.name));
}

async function* stream(chunks: readonly Uint8Array[], brokenAt?: number) {
  for (const [index, chunk] of chunks.entries()) {
    if (index === brokenAt) throw new Error('the line went dead');
    yield await Promise.resolve(chunk);
  }
  if (brokenAt === chunks.length) throw new Error('the line went dead');
}

describe('the store', () => {
  it('reads back what was put, in whatever pieces it came', async () => {
    const store = new Store(await temporaryFolder());
    await fc.assert(
      fc.asyncProperty(anyChunks, async (chunks) => {
        const whole = Buffer.concat(chunks);
        const descriptor = await store.put(stream(chunks));
        expect(descriptor).toEqual({ digest: digestOf(whole), sizeBytes: whole.length });
        expect(await store.putBytes(whole)).toEqual(descriptor);
        expect((await store.read(descriptor.digest)).equals(whole)).toBe(true);
      }),
    );
  });

  it('keeps nothing of a put that broke off, and what was there before stays', async () => {
    const store = new Store(await temporaryFolder());
    const before = await store.putBytes('was here before');
    await fc.assert(
      fc.asyncProperty(anyChunks, fc.nat(), async (chunks, at) => {
        const brokenAt = at % (chunks.length + 1);
        await expect(store.put(stream(chunks, brokenAt))).rejects.toThrow('the line went dead');
        expect(await filesOf(store.root)).toEqual([store.path(before.digest)]);
      }),
    );
    expect(await store.readText(before.digest)).toBe('was here before');
  });

  it('gives a record back as it was written', async () => {
    const store = new Store(await temporaryFolder());
    await fc.assert(
      fc.asyncProperty(fc.string(), fc.jsonValue(), async (name, value) => {
        await store.writeRecord('answers', digestOf(name), value as never);
        const expected: unknown = JSON.parse(JSON.stringify(value));
        expect(await store.findRecord('answers', digestOf(name))).toEqual(expected);
      }),
    );
  });
});

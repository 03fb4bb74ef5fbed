/** Long lists of entries are what short ones are: in hashing order, whatever order they came in. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Entry } from '../../src/package/entry.ts';
import { EntryBlocks } from '../../src/package/entry-blocks.ts';
import { EntryListBuilder } from '../../src/package/entry-list.ts';
import { encodeJsonl, formatJsonl, jsonlChunks, parseJsonl } from '../../src/package/jsonl.ts';
import { mapEntries, type Package, packageOf } from '../../src/package/package.ts';
import { topHash } from '../../src/package/top-hash.ts';
import { PkgError } from '../../src/runtime/errors.ts';
import { anyEntries, anyEntry } from '../support/package-arbitraries.ts';
import { entryOf, headerOf } from '../support/sample-packages.ts';

function listOf(entries: readonly Entry[], shortLength: number): readonly Entry[] {
  const builder = new EntryListBuilder(shortLength);
  for (const entry of entries) builder.add(entry);
  const list = builder.finish();
  const twice = [[...list], [...list]];
  expect(twice[1]).toEqual(twice[0]);
  expect(list.length).toBe(entries.length);
  return twice[0] ?? [];
}

function outcome(work: () => readonly Entry[]): readonly Entry[] | string {
  try {
    return work();
  } catch (error) {
    if (error instanceof PkgError) return error.code;
    throw error;
  }
}

/** As many made-up entries, in hashing order. */
function madeUp(count: number): readonly Entry[] {
  return Array.from({ length: count }, (_, index) =>
    entryOf(
      `d/${String(index).padStart(9, '0')}`,
      Buffer.from(String(index)),
      `s3://b/${String(index)}`,
    ),
  );
}

function shuffled<T>(items: readonly T[]): readonly T[] {
  return items.map((_, index) => items[(index * 7919) % items.length] as T);
}

async function* pieces(data: Uint8Array, pieceBytes: number): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < data.length; start += pieceBytes) {
    yield await Promise.resolve(data.subarray(start, start + pieceBytes));
  }
}

describe('EntryListBuilder', () => {
  it('gives the same list however few entries it keeps as an array', () => {
    const shuffledEntries = anyEntries.chain((entries) =>
      fc.shuffledSubarray([...entries], { minLength: entries.length }),
    );
    fc.assert(
      fc.property(shuffledEntries, fc.integer({ min: 1, max: 5 }), (entries, shortLength) => {
        expect(listOf(entries, shortLength)).toEqual(listOf(entries, 1000));
      }),
    );
  });

  it('refuses the same keys however few entries it keeps as an array', () => {
    const key = fc.constantFrom('a', 'a/b', 'a/b/c', 'a b', 'b', 'c', 'd/e', 'd', '..', '');
    const entries = fc.array(fc.tuple(anyEntry, key), { maxLength: 6 });
    fc.assert(
      fc.property(entries, fc.integer({ min: 1, max: 3 }), (pairs, shortLength) => {
        const list = pairs.map(([entry, logicalKey]) => ({ ...entry, logicalKey }));
        expect(outcome(() => listOf(list, shortLength))).toEqual(outcome(() => listOf(list, 100)));
      }),
      { numRuns: 500 },
    );
  });
});

describe('EntryBlocks', () => {
  it('gives every entry back, over blocks closed by their number of entries or by their length', () => {
    const blocks = new EntryBlocks();
    const entries = madeUp(1000).map((entry, index) =>
      index % 100 === 0 ? { ...entry, meta: new Map([['x', 'é\n'.repeat(200_000)]]) } : entry,
    );
    for (const entry of entries) blocks.add(entry);
    expect(blocks).toHaveLength(1000);
    expect([...blocks]).toEqual(entries);
    expect([...blocks.drain()]).toEqual(entries);
    expect(blocks).toHaveLength(0);
  });
});

describe('a package of 50,000 entries', () => {
  const entries = madeUp(50_000);
  const short: Package = { header: headerOf('m'), entries, folders: [] };
  const hash = topHash(short);

  it.each([
    ['in order', entries],
    ['out of order', shuffled(entries)],
  ])('made of entries that come %s has their top hash and lines', (_, given) => {
    const long = packageOf(headerOf('m'), given);
    expect(topHash(long)).toBe(hash);
    expect(encodeJsonl(long).equals(encodeJsonl(short))).toBe(true);
  });

  it.each([1 << 20, 65_537, 1000])('reads back from pieces of %i bytes', async (pieceBytes) => {
    const read = await parseJsonl(pieces(encodeJsonl(short), pieceBytes), 'list');
    expect(Array.isArray(read.entries)).toBe(false);
    expect(read.entries).toHaveLength(entries.length);
    expect(topHash(read)).toBe(hash);
    expect(encodeJsonl(read).equals(encodeJsonl(short))).toBe(true);
  });

  it('reads back from lines in any order', async () => {
    const [header = '', ...lines] = formatJsonl(short);
    const text = Buffer.from([header, ...shuffled(lines)].join(''));
    expect(topHash(await parseJsonl(pieces(text, 1 << 20), 'list'))).toBe(hash);
  });

  it('is refused with the line at fault, or the key', async () => {
    const lines = [...formatJsonl(short)];
    const broken = Buffer.from(
      [...lines.slice(0, 40_000), '{}\n', ...lines.slice(40_000)].join(''),
    );
    await expect(parseJsonl(pieces(broken, 1 << 20), 'list')).rejects.toThrow(/^list:40001: /);
    const twice = Buffer.from([...lines, lines[7]].join(''));
    await expect(parseJsonl(pieces(twice, 1 << 20), 'list')).rejects.toThrow('"d/000000006"');
  });

  it('is given as chunks of about 1 MiB', () => {
    const chunks = [...jsonlChunks(short)];
    expect(chunks.length).toBeGreaterThan(5);
    expect(Buffer.concat(chunks).equals(Buffer.from([...formatJsonl(short)].join('')))).toBe(true);
    for (const chunk of chunks) expect(chunk.length).toBeLessThan(1.1 * 2 ** 20);
  });
});

describe('mapEntries', () => {
  it('gives changed entries, every time it is gone through', () => {
    const list = mapEntries(madeUp(3), (entry) => ({ ...entry, physicalKey: 'x' }));
    expect(list).toHaveLength(3);
    for (let time = 0; time < 2; time++) {
      expect([...list]).toEqual(madeUp(3).map((entry) => ({ ...entry, physicalKey: 'x' })));
    }
  });
});

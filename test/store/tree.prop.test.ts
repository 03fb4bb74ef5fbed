/** Trees: text and value are the same thing, and the order of making does not matter. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../../src/store/digest.ts';
import {
  entryAt,
  formatTree,
  parseTree,
  type TreeEntry,
  treeDigest,
  treeOf,
} from '../../src/store/tree.ts';

const anyPath = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.constantFrom('a b', 'a\nb', '"', '\\', '__proto__', 'a/b', '\u2028'),
);

const anyEntries: fc.Arbitrary<TreeEntry[]> = fc.uniqueArray(
  fc.record({
    path: anyPath,
    digest: fc.string().map((text) => digestOf(text)),
    sizeBytes: fc.maxSafeNat(),
  }),
  { selector: ({ path }) => path, maxLength: 10 },
);

describe('a tree', () => {
  it('reads back from its text', () => {
    fc.assert(
      fc.property(anyEntries, (entries) => {
        const tree = treeOf(entries);
        expect(parseTree(formatTree(tree))).toEqual(tree);
      }),
    );
  });

  it('is the same, with the same digest, from entries in any order', () => {
    fc.assert(
      fc.property(anyEntries, (entries) => {
        const tree = treeOf(entries);
        expect(treeOf([...entries].reverse())).toEqual(tree);
        expect(treeDigest(treeOf([...entries].reverse()))).toBe(treeDigest(tree));
        expect(treeDigest(tree)).toBe(digestOf(formatTree(tree)));
      }),
    );
  });

  it('has a line an entry, sorted by UTF-16 code unit', () => {
    fc.assert(
      fc.property(anyEntries, (entries) => {
        const tree = treeOf(entries);
        expect(formatTree(tree).split('\n')).toHaveLength(tree.length + 1);
        expect(tree.map(({ path }) => path)).toEqual(entries.map(({ path }) => path).sort());
      }),
    );
  });

  it('has another digest when a path, a digest or a size is another', () => {
    const some = anyEntries.filter((entries) => entries.length > 0);
    fc.assert(
      fc.property(some, (entries) => {
        const [first, ...rest] = treeOf(entries);
        if (first === undefined) return;
        const others = [
          { ...first, path: `${first.path}\u0001` },
          { ...first, digest: digestOf(first.digest) },
          { ...first, sizeBytes: first.sizeBytes === 0 ? 1 : first.sizeBytes - 1 },
        ].map((entry) => [...rest, entry]);
        const free = others.filter(
          (list) => new Set(list.map(({ path }) => path)).size === list.length,
        );
        const digests = free.map((list) => treeDigest(treeOf(list)));
        expect(new Set([treeDigest(treeOf(entries)), ...digests]).size).toBe(free.length + 1);
      }),
    );
  });

  it('finds an entry by its path, and refuses one that is not there or stands twice', () => {
    const entry = { path: 'a', digest: digestOf('a'), sizeBytes: 1 };
    expect(entryAt(treeOf([entry]), 'a')).toBe(entry);
    expect(() => entryAt(treeOf([entry]), 'b')).toThrow('no b');
    expect(() => treeOf([entry, { ...entry, sizeBytes: 2 }])).toThrow('two entries at a');
  });

  it.each([
    'nonsense\n',
    `${'a'.repeat(63)} 1 "x"\n`,
    `${'a'.repeat(64)} -1 "x"\n`,
    `${'a'.repeat(64)} 1 x\n`,
    `${'a'.repeat(64)} 1 5\n`,
    `${'a'.repeat(64)} 1 "x"`,
    '\n',
  ])('is not read from %j', (text) => {
    expect(() => parseTree(text)).toThrow();
  });
});

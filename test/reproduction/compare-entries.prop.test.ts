/** Entries of two packages are the same where their bytes are, and each other one is named once. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Entry } from '../../src/package/entry.ts';
import { compareEntries } from '../../src/reproduction/compare-entries.ts';

const entry = (logicalKey: string, content: string): Entry => ({
  logicalKey,
  physicalKey: 'file:///nowhere',
  size: BigInt(content.length),
  sizeBytes: content.length,
  hash: { type: 'SHA256', value: content },
  meta: new Map(),
});

const entriesOf = (files: ReadonlyMap<string, string>) =>
  [...files].map(([logicalKey, content]) => entry(logicalKey, content));

const files = fc
  .dictionary(fc.constantFrom('a', 'b/c', 'b/d', 'images/1', 'models/x'), fc.constantFrom('1', '2'))
  .map((record) => new Map(Object.entries(record)));

describe('two lists of entries', () => {
  it('differ where bytes do, by logical key, counted by top folder', () => {
    const published = [entry('README.md', '1'), entry('images/a', '1'), entry('images/b', '2')];
    const rebuilt = [entry('images/a', '2'), entry('images/c', '3'), entry('README.md', '1')];
    expect(compareEntries(published, rebuilt)).toEqual({
      files: [
        { kind: '', same: 1, differs: 0, missing: 0, extra: 0 },
        { kind: 'images', same: 0, differs: 1, missing: 1, extra: 1 },
      ],
      differences: [
        { logicalKey: 'images/a', kind: 'differs' },
        { logicalKey: 'images/b', kind: 'missing' },
        { logicalKey: 'images/c', kind: 'extra' },
      ],
    });
  });

  it('are the same to the last one, or differ in as many as are told', () => {
    fc.assert(
      fc.property(files, files, (a, b) => {
        const { files: kinds, differences } = compareEntries(entriesOf(a), entriesOf(b));
        const all = new Set([...a.keys(), ...b.keys()]);
        const other = [...all].filter((key) => a.get(key) !== b.get(key));
        expect(differences.map(({ logicalKey }) => logicalKey)).toEqual(other.sort());
        const counted = kinds.reduce(
          (sum, { same, differs, missing, extra }) => sum + same + differs + missing + extra,
          0,
        );
        expect(counted).toBe(all.size);
      }),
    );
  });
});

/** Files of two packages: what is the same, changed, added, removed and moved. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Entry } from '../../src/package/entry.ts';
import { samplePackage } from '../support/sample-packages.ts';
import { compare, sideOf } from './sides.ts';

/** The counts of kinds by state, without states that have none. */
function countsOf({ files }: Awaited<ReturnType<typeof compare>>) {
  return Object.fromEntries(
    files.kinds.map(({ kind, ...states }) => [
      kind,
      Object.fromEntries(
        Object.entries(states)
          .filter(([, sum]) => sum.files > 0)
          .map(([state, sum]) => [state, [sum.files, sum.sizeBytes]]),
      ),
    ]),
  );
}

function unreadable(): never {
  throw new Error('the bytes were read');
}

describe('files', () => {
  it('are counted by kind and state, with their bytes', async () => {
    const found = await compare(
      { 'README.md': 'one', 'images/a.jpg': 'aaaa', 'images/b.jpg': 'bbbb', 'models/m': 'mm' },
      { 'README.md': 'other', 'images/a.jpg': 'aaaa', 'images/c.jpg': 'ccccc', 'x/y': 'mm' },
    );
    expect(countsOf(found)).toEqual({
      '': { changed: [1, 5] },
      images: { same: [1, 4], added: [1, 5], removed: [1, 4] },
      x: { moved: [1, 2] },
    });
    expect(found.same).toBe(false);
    expect(found.files.changed).toEqual([
      { kind: '', logicalKey: 'README.md', sizeBytes: 5, sizeBytesBefore: 3 },
    ]);
    expect(found.files.added).toEqual([
      { kind: 'images', logicalKey: 'images/c.jpg', sizeBytes: 5 },
    ]);
    expect(found.files.removed.map(({ logicalKey }) => logicalKey)).toEqual(['images/b.jpg']);
    expect(found.files.moved).toEqual([
      { kind: 'x', logicalKey: 'x/y', sizeBytes: 2, from: 'models/m' },
    ]);
    expect([found.a.files, found.a.sizeBytes, found.b.sizeBytes]).toEqual([4, 13, 16]);
  });

  it('of equal revisions have no difference', async () => {
    const found = await compare({ 'a/b': '1', c: '2' }, { 'a/b': '1', c: '2' });
    expect(found.same).toBe(true);
    expect(countsOf(found)).toEqual({ a: { same: [1, 1] }, '': { same: [1, 1] } });
  });

  it('move once each, in their order; the rest is added or removed', async () => {
    const found = await compare({ a: 'x', b: 'x' }, { c: 'x', d: 'x', e: 'x' });
    expect(found.files.moved.map(({ from, logicalKey }) => [from, logicalKey])).toEqual([
      ['a', 'c'],
      ['b', 'd'],
    ]);
    expect(found.files.added.map(({ logicalKey }) => logicalKey)).toEqual(['e']);
    expect(found.files.removed).toEqual([]);
  });

  it('that are empty do not move: they are alike by chance', async () => {
    const found = await compare({ a: '' }, { b: '' });
    expect(countsOf(found)).toEqual({ '': { added: [1, 0], removed: [1, 0] } });
  });

  it('are walked in hashing order, where a folder comes before names that go on', async () => {
    const keys = ['a/x', 'a b', 'a-b', 'a.b', 'A', 'z', '\u{1F600}', '\uFF5E'];
    const before = Object.fromEntries(keys.map((key) => [key, key]));
    const { 'a b': _, ...after } = before;
    const found = await compare(before, after);
    expect(found.files.removed.map(({ logicalKey }) => logicalKey)).toEqual(['a b']);
    expect(found.files.added).toEqual([]);
  });

  it('are named up to a number of each kind and state, and counted beyond it', async () => {
    const names = Array.from({ length: 30 }, (_, index) => String(index).padStart(2, '0'));
    const filesIn = (folder: string) =>
      names.map((name) => [`${folder}/${name}`, folder + name] as const);
    const found = await compare({}, Object.fromEntries([...filesIn('a'), ...filesIn('b')]), 3);
    expect(found.files.added.map(({ logicalKey }) => logicalKey)).toEqual([
      ...['a/00', 'a/01', 'a/02'],
      ...['b/00', 'b/01', 'b/02'],
    ]);
    expect(countsOf(found)['a']).toEqual({ added: [30, 90] });
  });

  it('in very many top folders do not make very many kinds', async () => {
    const folders = Array.from(
      { length: 500 },
      (_, index) => [`folder${String(index)}/x`, 'x'] as const,
    );
    const found = await compare({}, Object.fromEntries(folders));
    expect(found.files.kinds.length).toBeLessThan(50);
    expect(found.files.kinds.reduce((sum, { added }) => sum + added.files, 0)).toBe(500);
  });

  it('with the same bytes under other metadata are named', async () => {
    const { entries } = samplePackage({ a: 'x', b: 'y' }).pkg;
    const marked = [...entries].map((entry) =>
      entry.logicalKey === 'a' ? { ...entry, meta: new Map([['user_meta', 'new']]) } : entry,
    );
    const b = sideOf({ a: 'x', b: 'y' }, { entries: marked, header: new Map() });
    const found = await compare(sideOf({ a: 'x', b: 'y' }, { header: new Map() }), b);
    expect(found.files.otherMeta).toEqual({ files: 1, names: ['a'] });
    const folder = await compare(sideOf({ a: 'x', b: 'y' }, { meta: 'unknown' }), b);
    expect(folder.files.otherMeta.files).toBe(0);
  });
});

describe('hashes of other types', () => {
  const content = 'the same bytes';
  const rehashed = (type: string, value: string, files = { a: content }) => {
    const entries = [...samplePackage(files).pkg.entries].map(
      (entry): Entry => ({ ...entry, hash: { type, value }, meta: new Map() }),
    );
    return sideOf(files, { entries, meta: 'unknown' });
  };
  const plain = createHash('sha256').update(content).digest('hex');

  it('are compared without a look at the bytes where one follows from the other', async () => {
    const a = rehashed('SHA256', plain);
    const unread = { ...a, open: unreadable };
    expect((await compare(unread, { a: content })).files.changed).toEqual([]);
    const other = await compare(unread, { a: 'the same length'.slice(0, content.length) });
    expect(other.files.changed.length).toBe(1);
  });

  it('are compared by the bytes where they say nothing of each other', async () => {
    const crc = rehashed('CRC64NVME', 'AAAAAAAAAAA=');
    expect((await compare(crc, { a: content })).files.changed).toEqual([]);
    expect((await compare({ a: content }, crc)).files.changed.length).toBe(1);
  });

  it('that nobody can check make files changed, unless they are the same words', async () => {
    const odd = rehashed('ROT13', 'abc');
    expect((await compare({ a: content }, odd)).files.changed.length).toBe(1);
    expect((await compare(odd, odd)).files.changed).toEqual([]);
  });
});

describe('parts of packages', () => {
  it('are compared where both sides have a say, and the rest is told to be left aside', async () => {
    const a = sideOf({ 'images/a': '1', 'models/m': '2', top: '3' });
    const part = { words: 'images', covers: (key: string) => key.startsWith('images/') };
    const b = sideOf({ 'images/a': '1' }, { where: 'folder', part });
    const { topHash: _, ...folder } = b;
    const found = await compare(a, folder);
    expect(countsOf(found)).toEqual({ images: { same: [1, 1] } });
    expect(found.same).toBe(true);
    expect(found.notes).toEqual([
      'B, in folder, is images of its package; the rest is not compared',
    ]);
  });
});

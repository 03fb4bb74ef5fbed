/** Deltas of lists: what they hold, and what they make of their base. */
import { describe, expect, it } from 'vitest';
import { formatJsonl } from '../../src/package/jsonl.ts';
import { chunkedFromDigest } from '../../src/package/object-hash.ts';
import { fileEntry, type Package, packageOf } from '../../src/package/package.ts';
import { topHash } from '../../src/package/top-hash.ts';
import { applyDelta, DeltaMaker, makeDelta } from '../../src/registry/list-delta.ts';
import { digestOf } from '../../src/store/digest.ts';

/** A package of files, given by keys and texts. */
function packageWith(files: Readonly<Record<string, string>>): Package {
  const entries = Object.entries(files).map(([key, text]) => {
    const digest = digestOf(text);
    const chunkedHash = chunkedFromDigest(digest, text.length) ?? '';
    return fileEntry(key, `/${key}`, { digest, sizeBytes: text.length, chunkedHash });
  });
  return packageOf(new Map([['version', 'v0']]), entries);
}

const base = packageWith({ 'a/b': '1', 'a-b': '2', c: '3', e: '5' });
const changed = packageWith({ 'a/a': '0', 'a/b': '1', c: 'three', d: '4' });

function deltaOf(pkg: Package): Package {
  const made = makeDelta(topHash(base), base, pkg);
  if (made === undefined) throw new Error('no delta');
  return made.delta;
}

describe('a delta', () => {
  it('holds the entries that are new or other, and the keys that are gone', () => {
    const { header, entries } = deltaOf(changed);
    expect([...entries].map(({ logicalKey }) => logicalKey)).toEqual(['a/a', 'c', 'd']);
    expect(header.get('removed')).toEqual(['a-b', 'e']);
  });

  it('makes of its base what it was made of, as often as that is gone through', () => {
    const made = applyDelta(base, deltaOf(changed));
    expect(made.entries.length).toBe(changed.entries.length);
    expect([...formatJsonl(made)]).toEqual([...formatJsonl(changed)]);
    expect(topHash(made)).toBe(topHash(changed));
  });

  it('is not made to a base that is out of order', () => {
    const maker = new DeltaMaker(changed);
    for (const entry of [...base.entries].reverse()) maker.takeBase(entry);
    expect(maker.finish(topHash(base))).toBeUndefined();
  });

  it('is refused where it makes a file and a folder of one key', () => {
    const delta = deltaOf(packageWith({ 'e/f': '6' }));
    const header = new Map([...delta.header, ['removed', []]]);
    expect(() => applyDelta(base, { ...delta, header })).toThrow('both a file and a folder');
  });
});

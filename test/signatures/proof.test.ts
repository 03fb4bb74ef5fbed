/** One entry proven under a signed root, and everything else that pretends to be one refused. */
import { describe, expect, it } from 'vitest';
import type { Entry } from '../../src/package/entry.ts';
import { type Package, parseTopHash } from '../../src/package/package.ts';
import { topHash } from '../../src/package/top-hash.ts';
import { buildTree, inclusionPath } from '../../src/signatures/merkle.ts';
import {
  checkProof,
  type EntryProof,
  formatProof,
  packageTree,
  parseProof,
  proveEntry,
} from '../../src/signatures/proof.ts';
import { signRelease } from '../../src/signatures/signatures.ts';
import { digestOf } from '../../src/store/digest.ts';
import { headerOf, samplePackage } from '../support/sample-packages.ts';

const { pkg } = samplePackage({
  'README.md': 'read me',
  'data/a.txt': 'aaaa',
  'data/é 😀 "name"': 'odd',
  'data/empty': '',
});
const NAME = 'test/sample';
const { statement, tree } = signRelease({ name: NAME, topHash: topHash(pkg) }, pkg, []);
const proofs = [...pkg.entries].map((entry, position) =>
  proveEntry(statement, tree, entry, position),
);
const [first] = proofs as [EntryProof];

describe('a proof', () => {
  it('shows each entry of a package as it stands there, but for where its bytes are', () => {
    const shown = proofs.map((proof) =>
      checkProof(parseProof(formatProof(proof), 'it'), statement),
    );
    expect(shown).toEqual([...pkg.entries].map(({ physicalKey: _, ...entry }) => entry));
  });

  it('covers the header too, and not the legacy top hash in it', () => {
    const other: Package = { ...pkg, header: headerOf('other') };
    expect(packageTree(other).root).not.toBe(tree.root);
    const legacy: Package = { ...pkg, header: new Map([...pkg.header, ['top_hash', 'x']]) };
    expect(packageTree(legacy).root).toBe(tree.root);
  });

  it('has one spelling', () => {
    const text = formatProof(first);
    expect(Object.keys(JSON.parse(text) as object)).toEqual([
      ...['version', 'name', 'topHash', 'entry', 'index', 'leaves', 'path'],
    ]);
    expect(formatProof(parseProof(text, 'it'))).toBe(text);
  });

  it('of another package is refused, by name, top hash and root', () => {
    const hash = parseTopHash('b'.repeat(64));
    expect(() => checkProof({ ...first, name: 'test/other' }, statement)).toThrow(
      `is about test/other@${statement.topHash}`,
    );
    expect(() => checkProof({ ...first, topHash: hash }, statement)).toThrow(`@${hash}`);
    expect(() => checkProof(first, { ...statement, merkleRoot: digestOf('x') })).toThrow(
      'does not lead to the signed root',
    );
    expect(() => checkProof(first, { ...statement, entries: 5 })).toThrow(
      'does not lead to the signed root',
    );
  });

  it('shows no header, and nothing that is spelt otherwise than the top hash spells entries', () => {
    const leaf = first.entry;
    const wrong = [
      '{"message":null,"version":"v0"}',
      leaf.replace('"size":7', '"size": 7'),
      leaf.replace('README.md', '../README.md'),
      leaf.replace('"size":7', '"size":-7'),
      leaf.replace('"size":7', '"size":7.5'),
      leaf.replace('"size":7', '"size":"7"'),
      leaf.replace('"size":7', '"size":7,"x":1'),
      leaf.replace(/"meta":\{.*?\}\},/, '"meta":null,'),
      leaf.replace('"hash":{', '"hash":{"more":1,'),
      'not JSON',
    ];
    for (const text of wrong) {
      expect(text).not.toBe(leaf);
      const crooked = buildTree(['{}', text]);
      const path = inclusionPath(crooked, 1);
      const about = { ...statement, entries: 1, merkleRoot: crooked.root };
      const proof = { ...first, entry: text, index: 1, leafCount: 2, path };
      expect(() => checkProof(proof, about)).toThrow('is about something that is no entry');
      const header = buildTree([leaf, '{}']);
      const asHeader = { ...first, index: 0, leafCount: 2, path: inclusionPath(header, 0) };
      expect(() => checkProof(asHeader, { ...about, merkleRoot: header.root })).toThrow(
        'does not lead to the signed root',
      );
    }
  });

  it.each([
    ['another version', { version: 2 }, 'version'],
    ['an unknown key', { more: 1 }, 'more'],
    ['the place of the header', { index: 0 }, 'index'],
    ['a place that is none', { index: 1.5 }, 'index'],
    ['far too many leaves', { leaves: 2 ** 31 }, 'leaves'],
    ['a path that is too long', { path: Array(31).fill(`${'A'.repeat(43)}=`) }, 'path'],
    ['a short hash', { path: ['AAAA'] }, 'path.0: expected 32 bytes in base64'],
    ['no entry', { entry: undefined }, 'entry'],
    ['a top hash that is none', { topHash: 'x' }, 'topHash: expected a top hash'],
  ])('with %s is refused', (_what, change, where) => {
    const text = JSON.stringify({ ...(JSON.parse(formatProof(first)) as object), ...change });
    expect(() => parseProof(text, 'it')).toThrow('it is not a proof of an entry');
    expect(() => parseProof(text, 'it')).toThrow(where);
  });

  it('of over 8 MiB is refused', () => {
    expect(() => parseProof(' '.repeat(8 * 2 ** 20 + 1), 'it')).toThrow('it is over 8 MiB');
  });
});

describe('a package of a million entries', () => {
  const COUNT = 1_000_000;
  const entryAt = (index: number): Entry => {
    const digest = String(index).padStart(64, '0');
    return {
      logicalKey: `images_cropped/Sandwich/${digest.slice(48)}_${digest.slice(0, 32)}.jpg`,
      physicalKey: '',
      size: 51_234n,
      sizeBytes: 51_234,
      hash: { type: 'sha2-256-chunked', value: Buffer.from(digest, 'hex').toString('base64') },
      meta: new Map([['pkg', new Map([['sha256', digest]])]]),
    };
  };
  const million: Package = {
    header: headerOf(null),
    folders: [],
    entries: {
      length: COUNT,
      *[Symbol.iterator]() {
        for (let index = 0; index < COUNT; index++) yield entryAt(index);
      },
    },
  };

  it('has proofs of under 2 kB each', () => {
    const release = { name: NAME, topHash: parseTopHash('c'.repeat(64)) };
    const signed = signRelease(release, million, []);
    expect(signed.tree.leafCount).toBe(COUNT + 1);
    for (const position of [0, 1, 499_999, 524_287, 524_288, COUNT - 1]) {
      const entry = entryAt(position);
      const text = formatProof(proveEntry(signed.statement, signed.tree, entry, position));
      expect(Buffer.byteLength(text)).toBeLessThan(2000);
      expect(checkProof(parseProof(text, 'it'), signed.statement).logicalKey).toBe(
        entry.logicalKey,
      );
    }
  });
});

/** Trees and paths follow RFC 9162 for every size, and a path proves one leaf at one place only. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildTree, inclusionPath, verifyInclusion } from '../../src/signatures/merkle.ts';
import { parseDigest } from '../../src/store/digest.ts';

const leafOf = (index: number) => `leaf ${String(index)}`;
const leavesOf = (count: number) => Array.from({ length: count }, (_, index) => leafOf(index));

const hashes = new Map<string, Buffer>();

/** The definition, word for word, over the leaves from one to before another: RFC 9162, section 2.1.1. */
function referenceHash(from: number, to: number): Buffer {
  const known = hashes.get(`${String(from)} ${String(to)}`);
  if (known !== undefined) return known;
  const split = from + splitOf(to - from);
  const hash =
    to - from === 1
      ? createHash('sha256').update('\0').update(leafOf(from))
      : createHash('sha256')
          .update('\u0001')
          .update(referenceHash(from, split))
          .update(referenceHash(split, to));
  const result = hash.digest();
  hashes.set(`${String(from)} ${String(to)}`, result);
  return result;
}

/** RFC 9162, section 2.1.3.1. */
function referencePath(index: number, from: number, to: number): readonly Buffer[] {
  if (to - from === 1) return [];
  const split = from + splitOf(to - from);
  return index < split
    ? [...referencePath(index, from, split), referenceHash(split, to)]
    : [...referencePath(index, split, to), referenceHash(from, split)];
}

function splitOf(count: number): number {
  let split = 1;
  while (2 * split < count) split *= 2;
  return split;
}

describe('a tree', () => {
  it('of 1 to 70 leaves has the root and the paths of the definition, and each path proves its leaf', () => {
    for (let leafCount = 1; leafCount <= 70; leafCount++) {
      const leaves = leavesOf(leafCount);
      const tree = buildTree(leaves);
      expect(tree.root).toBe(referenceHash(0, leafCount).toString('hex'));
      for (const [index, leaf] of leaves.entries()) {
        const path = inclusionPath(tree, index);
        expect(Buffer.concat(path)).toEqual(Buffer.concat(referencePath(index, 0, leafCount)));
        expect(verifyInclusion(leaf, { index, leafCount, path }, tree.root)).toBe(true);
      }
    }
  });

  it.each([2 ** 15 - 1, 2 ** 15, 2 ** 15 + 1, 2 ** 15 + 17, 2 ** 16 + 1])(
    'of %i leaves, about where its memory is cut, is as the definition says',
    (leafCount) => {
      const leaves = leavesOf(leafCount);
      const tree = buildTree(leaves);
      expect(tree.root).toBe(referenceHash(0, leafCount).toString('hex'));
      for (const index of [0, 15, 16, 2 ** 14, 2 ** 15 - 2, 2 ** 15, leafCount - 1]) {
        if (index >= leafCount) continue;
        const path = inclusionPath(tree, index);
        expect(verifyInclusion(leafOf(index), { index, leafCount, path }, tree.root)).toBe(true);
      }
    },
  );

  it('needs a leaf, and has no path for a leaf that is not there', () => {
    expect(() => buildTree([])).toThrow('a tree needs a leaf');
    const tree = buildTree(['a', 'b']);
    for (const index of [-1, 2, 0.5, Number.NaN]) {
      expect(() => inclusionPath(tree, index)).toThrow('the tree has no leaf');
    }
  });

  it('hashes a node other than a leaf of the same bytes', () => {
    const inner = Buffer.concat(
      ['a', 'b'].map((leaf) => Buffer.from(buildTree([leaf]).root, 'hex')),
    );
    expect(buildTree([inner]).root).not.toBe(buildTree(['a', 'b']).root);
  });
});

describe('a path', () => {
  const anyPlace = fc
    .integer({ min: 1, max: 70 })
    .chain((leafCount) =>
      fc.record({ leafCount: fc.constant(leafCount), index: fc.nat(leafCount - 1) }),
    );

  it('proves nothing at another place, in a tree of another size, of another leaf or under another root', () => {
    fc.assert(
      fc.property(anyPlace, fc.nat(80), fc.nat(80), ({ leafCount, index }, other, size) => {
        const leaves = leavesOf(leafCount);
        const tree = buildTree(leaves);
        const path = inclusionPath(tree, index);
        const leaf = leaves[index] ?? '';
        const proves = (text: string, place: number, count: number, root = tree.root) =>
          verifyInclusion(text, { index: place, leafCount: count, path }, root);
        if (other !== index) {
          expect(proves(leaf, other, leafCount)).toBe(false);
          expect(proves(leafOf(other), index, leafCount)).toBe(false);
        }
        // A path of the same shape may fit a tree of another size: sizes are signed for that.
        if (size > index && referencePath(index, 0, size).length !== path.length) {
          expect(proves(leaf, index, size)).toBe(false);
        }
        const root = parseDigest(buildTree([...leaves, 'more']).root);
        expect(proves(leaf, index, leafCount, root)).toBe(false);
      }),
    );
  });

  it('proves nothing with a bit flipped, a hash more, less or cut, or two exchanged', () => {
    fc.assert(
      fc.property(anyPlace, fc.nat(), fc.nat(7), ({ leafCount, index }, at, bit) => {
        const leaves = leavesOf(leafCount);
        const tree = buildTree(leaves);
        const path = inclusionPath(tree, index);
        const proves = (changed: readonly Uint8Array[]) =>
          verifyInclusion(leaves[index] ?? '', { index, leafCount, path: changed }, tree.root);
        expect(proves([...path, Buffer.alloc(32)])).toBe(false);
        expect(proves([Buffer.alloc(32), ...path])).toBe(false);
        if (path.length === 0) return;
        expect(proves(path.slice(1))).toBe(false);
        expect(proves(path.slice(0, -1))).toBe(false);
        expect(proves(path.map((hash) => hash.subarray(1)))).toBe(false);
        const flipped = Buffer.concat(path);
        const place = at % flipped.length;
        flipped[place] = (flipped[place] ?? 0) ^ (1 << bit);
        expect(proves(path.map((_, level) => flipped.subarray(32 * level, 32 * level + 32)))).toBe(
          false,
        );
        if (path.length > 1) expect(proves([...path].reverse())).toBe(false);
      }),
    );
  });

  it('is refused at places that are no numbers of a place', () => {
    const tree = buildTree(['a', 'b']);
    const path = inclusionPath(tree, 1);
    for (const index of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 32 + 1]) {
      expect(verifyInclusion('b', { index, leafCount: 2, path }, tree.root)).toBe(false);
      expect(verifyInclusion('b', { index: 1, leafCount: index, path }, tree.root)).toBe(false);
    }
  });
});

/** Logical keys: which are refused, and in which order the others stand. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareLogicalKeys, logicalKeyProblem } from '../../src/package/logical-key.ts';
import { packageOf } from '../../src/package/package.ts';
import { goodKey } from '../support/package-arbitraries.ts';

/** The order by its definition: part by part, each by code point. */
function compareByParts(a: string, b: string): number {
  const left = a.split('/').map(codePoints);
  const right = b.split('/').map(codePoints);
  return compareLists(left, right, (x, y) => compareLists(x, y, (m, n) => m - n));
}

function codePoints(text: string): number[] {
  return Array.from(text, (character) => character.codePointAt(0) ?? 0);
}

function compareLists<T>(
  a: readonly T[],
  b: readonly T[],
  compare: (x: T, y: T) => number,
): number {
  for (const [index, item] of a.entries()) {
    const other = b[index];
    if (other === undefined) return 1;
    const order = compare(item, other);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

describe('logicalKeyProblem', () => {
  const badPart = fc.constantFrom('', '.', '..');

  it('refuses a key with an empty, "." or ".." part at any place', () => {
    const around = fc.array(goodKey, { maxLength: 2 });
    fc.assert(
      fc.property(around, badPart, around, (before, bad, after) => {
        expect(logicalKeyProblem([...before, bad, ...after].join('/'))).toBeTypeOf('string');
      }),
    );
  });

  it('refuses a key that begins or ends with "/", or holds a NUL', () => {
    fc.assert(
      fc.property(goodKey, fc.nat(), (key, at) => {
        const cut = at % (key.length + 1);
        expect(logicalKeyProblem(`/${key}`)).toBeTypeOf('string');
        expect(logicalKeyProblem(`${key}/`)).toBeTypeOf('string');
        expect(logicalKeyProblem(`${key.slice(0, cut)}\0${key.slice(cut)}`)).toBeTypeOf('string');
      }),
    );
  });

  it('accepts every other relative path', () => {
    fc.assert(
      fc.property(goodKey, (key) => {
        expect(logicalKeyProblem(key)).toBeUndefined();
      }),
    );
  });

  it('is asked for every entry of a package', () => {
    const bad = fc.tuple(goodKey, badPart).map(([key, part]) => `${key}/${part}/x`);
    fc.assert(
      fc.property(bad, (logicalKey) => {
        const entry = {
          logicalKey,
          physicalKey: 's3://b/k',
          size: 0n,
          sizeBytes: 0,
          hash: { type: 'SHA256', value: '' },
          meta: new Map(),
        };
        expect(() => packageOf(new Map(), [entry])).toThrow(/is refused/);
      }),
    );
  });
});

describe('compareLogicalKeys', () => {
  it('orders as comparing part by part by code point does', () => {
    fc.assert(
      fc.property(goodKey, goodKey, (a, b) => {
        expect(Math.sign(compareLogicalKeys(a, b))).toBe(Math.sign(compareByParts(a, b)));
      }),
      { numRuns: 1000 },
    );
  });

  it('is a total order: antisymmetric, transitive, and 0 only for equal keys', () => {
    fc.assert(
      fc.property(goodKey, goodKey, goodKey, (a, b, c) => {
        expect(Math.sign(compareLogicalKeys(a, b))).toBe(0 - Math.sign(compareLogicalKeys(b, a)));
        expect(compareLogicalKeys(a, b) === 0).toBe(a === b);
        if (compareLogicalKeys(a, b) < 0 && compareLogicalKeys(b, c) < 0) {
          expect(compareLogicalKeys(a, c)).toBeLessThan(0);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('keeps the content of a folder together, before names that continue its name', () => {
    const keys = ['a0', 'a.b', 'a-b', 'a b', 'a/z', 'a/x/y', 'A', '\u{1f600}', '\uff5e'];
    expect(keys.sort(compareLogicalKeys)).toEqual([
      ...['A', 'a/x/y', 'a/z', 'a b', 'a-b', 'a.b', 'a0', '\uff5e', '\u{1f600}'],
    ]);
  });
});

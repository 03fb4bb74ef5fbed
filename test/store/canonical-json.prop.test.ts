/** Canonical JSON: one value, one spelling. */
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson, type Json, toPlainJson } from '../../src/store/canonical-json.ts';

const anyJson: fc.Arbitrary<Json> = fc.jsonValue({ maxDepth: 4 }) as fc.Arbitrary<Json>;

/** The same value, the keys of its objects put in the other way round. */
function reversed(value: Json): Json {
  if (Array.isArray(value)) return value.map(reversed);
  if (value === null || typeof value !== 'object') return value;
  const members = Object.entries(value).map(([key, member]) => [key, reversed(member)] as const);
  return Object.fromEntries(members.reverse());
}

describe('canonicalJson', () => {
  it('does not depend on the order in which keys were put in', () => {
    fc.assert(
      fc.property(anyJson, (value) => {
        expect(canonicalJson(reversed(value))).toBe(canonicalJson(value));
      }),
    );
  });

  it('reads back to the same value', () => {
    fc.assert(
      fc.property(anyJson, (value) => {
        // JSON has no -0.
        const plain: unknown = JSON.parse(JSON.stringify(value));
        expect(JSON.parse(canonicalJson(value))).toEqual(plain);
      }),
    );
  });

  it('is the same for two values exactly if they are equal', () => {
    const plain = (value: Json): unknown => JSON.parse(JSON.stringify(value));
    const pairs = fc.oneof(
      fc.tuple(anyJson, anyJson),
      anyJson.map((value) => [value, reversed(value)] as const),
    );
    fc.assert(
      fc.property(pairs, ([a, b]) => {
        const equal = isDeepStrictEqual(plain(a), plain(b));
        expect(canonicalJson(a) === canonicalJson(b)).toBe(equal);
      }),
    );
  });

  it('sorts keys by UTF-16 code unit at every depth, and has no white space', () => {
    const value = {
      b: { '10': 1, '9': 2 },
      a: [{ z: null, y: true }],
      '\u{1f600}': 1,
      '\uff5e': 'x y',
    };
    expect(canonicalJson(value)).toBe(
      '{"a":[{"y":true,"z":null}],"b":{"10":1,"9":2},"\u{1f600}":1,"\uff5e":"x y"}',
    );
  });

  it('spells numbers as RFC 8785 does', () => {
    // From the samples of RFC 8785, appendix B, and section 3.2.2.
    expect(
      canonicalJson([
        333333333.33333329, 1e30, 4.5, 2e-3, 1e-27, -0, 5e-324, 9007199254740992, 1e21,
      ]),
    ).toBe('[333333333.3333333,1e+30,4.5,0.002,1e-27,0,5e-324,9007199254740992,1e+21]');
  });

  it('spells strings as RFC 8785 does', () => {
    expect(canonicalJson('\u20ac$\u000f\nA\'B"\\\\"/')).toBe(
      '"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"',
    );
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    'refuses %d, for which JSON has no word',
    (value) => {
      expect(() => canonicalJson({ a: [value] })).toThrow('has no JSON form');
    },
  );
});

describe('toPlainJson', () => {
  it('leaves absent members out', () => {
    expect(canonicalJson(toPlainJson({ b: undefined, a: 1 }))).toBe('{"a":1}');
  });
});

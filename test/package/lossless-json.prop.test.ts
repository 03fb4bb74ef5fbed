/** Lossless JSON: what is written reads back the same, and the canonical form is one of its spellings. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isJsonObject, parseJson } from '../../src/package/lossless-json.ts';
import { canonicalQuiltJson, formatQuiltJson } from '../../src/package/quilt-json.ts';
import { anyJson, anyJsonObject, reverseKeys } from '../support/package-arbitraries.ts';

describe('lossless JSON', () => {
  it('reads back what formatQuiltJson wrote', () => {
    fc.assert(
      fc.property(anyJson, (value) => {
        expect(parseJson(formatQuiltJson(value))).toEqual(value);
      }),
      { numRuns: 500 },
    );
  });

  it('keeps the order in which the keys of an object were written', () => {
    fc.assert(
      fc.property(anyJsonObject, (object) => {
        const read = parseJson(formatQuiltJson(object));
        expect(isJsonObject(read) ? [...read.keys()] : undefined).toEqual([...object.keys()]);
      }),
    );
  });

  it('reads back what canonicalQuiltJson wrote, and writes that again', () => {
    fc.assert(
      fc.property(anyJson, (value) => {
        const canonical = canonicalQuiltJson(value);
        expect(canonical).toMatch(/^[\x20-\x7e]*$/);
        expect(canonicalQuiltJson(parseJson(canonical))).toBe(canonical);
        expect(canonicalQuiltJson(reverseKeys(value))).toBe(canonical);
      }),
      { numRuns: 500 },
    );
  });

  it('says of plain JSON what JSON.parse says', () => {
    fc.assert(
      fc.property(
        fc.jsonValue({ noUnicodeString: false }),
        fc.constantFrom(0, 2),
        (value, indent) => {
          const text = JSON.stringify(value, null, indent);
          expect(JSON.parse(formatQuiltJson(parseJson(text)))).toEqual(JSON.parse(text));
        },
      ),
    );
  });

  it('accepts a text exactly when JSON.parse does', () => {
    const nearlyJson = fc
      .array(
        fc.constantFrom(...'{}[]:," 10.-eE+\\ut\n'.split(''), 'true', 'null', '"a"', '1.5', 'NaN'),
        { maxLength: 6 },
      )
      .map((tokens) => tokens.join(''));
    fc.assert(
      fc.property(nearlyJson, (text) => {
        expect(accepts(() => parseJson(text))).toBe(accepts(() => JSON.parse(text) as unknown));
      }),
      { numRuns: 3000 },
    );
  });
});

function accepts(parse: () => unknown): boolean {
  try {
    parse();
    return true;
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}

/** The quick ways of reading, writing and hashing an entry give what the general ones give. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Entry } from '../../src/package/entry.ts';
import {
  formatEntryLine,
  parseEntry,
  parseEntryLine,
  parseObject,
  parseUsualEntry,
} from '../../src/package/entry-line.ts';
import type { JsonValue } from '../../src/package/lossless-json.ts';
import { canonicalQuiltJson, formatQuiltJson } from '../../src/package/quilt-json.ts';
import { hashedForm } from '../../src/package/top-hash.ts';
import { anyEntry } from '../support/package-arbitraries.ts';

const SHA256 = 'ab'.repeat(32);

const USUAL =
  '{"logical_key": "a/b", "physical_keys": ["s3://b/k"], "size": 12, ' +
  `"hash": {"type": "SHA256", "value": "${SHA256}"}, "meta": {"pkg": {"sha256": "${SHA256}"}}}`;

function valueOf({ logicalKey, physicalKey, size, hash, meta }: Entry): JsonValue {
  return new Map<string, JsonValue>([
    ['logical_key', logicalKey],
    ['physical_keys', [physicalKey]],
    ['size', size],
    ['hash', new Map(Object.entries(hash))],
    ['meta', meta],
  ]);
}

/** What a line is in general: the entry, or nothing where it is refused. */
function slowly(line: string): Entry | undefined {
  try {
    return parseEntry(parseObject(line));
  } catch {
    return undefined;
  }
}

function expectSame(line: string): void {
  const usual = parseUsualEntry(line);
  if (usual !== undefined) expect(usual).toEqual(slowly(line));
}

/** Lines with something cut out, put in or doubled. */
const brokenLine: fc.Arbitrary<string> = fc
  .tuple(
    fc.oneof(fc.constant(USUAL), anyEntry.map(formatEntryLine)),
    fc.nat(),
    fc.nat({ max: 30 }),
    fc.oneof(
      fc.constantFrom('', ' ', '"', '\\', '\\"', '{', '}', ', "meta": {}', ', "size": 1', '0'),
      fc.constantFrom('-', '.5', 'e3', '\u0001', '\n', '\u2028', '\u{1f600}', '[]', 'null'),
      fc.string({ unit: 'binary', maxLength: 3 }),
    ),
  )
  .map(([line, at, cut, text]) => {
    const start = at % (line.length + 1);
    return line.slice(0, start) + text + line.slice(start + cut);
  });

describe('a line of an entry', () => {
  it('is what the general form writes, and reads back to the same entry', () => {
    fc.assert(
      fc.property(anyEntry, (entry) => {
        const line = formatEntryLine(entry);
        expect(line).toBe(formatQuiltJson(valueOf(entry)));
        expect(parseEntryLine(line)).toEqual(entry);
        expectSame(line);
      }),
    );
  });

  it('is read quickly only to what reading it in general gives, also when it is broken', () => {
    fc.assert(fc.property(brokenLine, expectSame), { numRuns: 3000 });
  });

  it('is read quickly where it is spelt as usual', () => {
    for (const meta of [
      '{}',
      `{"pkg": {"sha256": "${SHA256}"}}`,
      '{"user_meta": {"x": [1, 2.0]}}',
    ]) {
      const line = USUAL.replace(/"meta": .*/, `"meta": ${meta}}`);
      expect(parseUsualEntry(line)).toBeDefined();
      expectSame(line);
    }
  });

  it.each([
    ['a member twice', USUAL.replace(/\}$/, ', "meta": {"x": 1}}')],
    ['another member twice', USUAL.replace('"size": 12', '"size": 12, "size": 13')],
    ['a member more', USUAL.replace(/\}$/, ', "x": 1}')],
    ['text behind it', `${USUAL} x`],
    ['two values', `${USUAL}${USUAL}`],
    ['two values with a comma', `${USUAL}, ${USUAL}`],
    ['a key twice in metadata', USUAL.replace(/"pkg": .*/, '"a": 1, "a": 2}}')],
    ['__proto__ in metadata', USUAL.replace(/"pkg": .*/, '"__proto__": {"x": 1}}}')],
    ['__proto__ as a key', USUAL.replace('a/b', '__proto__')],
    ['an escaped key', USUAL.replace('a/b', 'a\\u002fb')],
    ['a size of 20 digits', USUAL.replace('12,', '12345678901234567890,')],
    ['a size of 16 digits', USUAL.replace('12,', '9007199254740991,')],
    ['a size with a zero first', USUAL.replace('12,', '012,')],
    ['a negative size', USUAL.replace('12,', '-12,')],
    ['a size as a float', USUAL.replace('12,', '12.0,')],
    ['two physical keys', USUAL.replace('["s3://b/k"]', '["s3://b/k", "x"]')],
    ['metadata nested 199 deep', USUAL.replace(/"pkg": .*/, `"x": ${nested(198)}}}`)],
    ['metadata nested 200 deep', USUAL.replace(/"pkg": .*/, `"x": ${nested(199)}}}`)],
    ['metadata nested 201 deep', USUAL.replace(/"pkg": .*/, `"x": ${nested(200)}}}`)],
    ['metadata nested 202 deep', USUAL.replace(/"pkg": .*/, `"x": ${nested(201)}}}`)],
  ])('with %s is read to the same in both ways, or by neither', (_, line) => {
    expectSame(line);
    const general = slowly(line);
    if (general === undefined) expect(() => parseEntryLine(line)).toThrow();
    else expect(parseEntryLine(line)).toEqual(general);
  });
});

describe('the hashed form of an entry', () => {
  it('is the canonical JSON of its hash, logical key, metadata and size', () => {
    fc.assert(
      fc.property(anyEntry, (entry) => {
        const value = new Map<string, JsonValue>([
          ['size', entry.size],
          ['meta', entry.meta],
          ['logical_key', entry.logicalKey],
          ['hash', new Map(Object.entries(entry.hash))],
        ]);
        expect(hashedForm(entry)).toBe(canonicalQuiltJson(value));
      }),
    );
  });
});

function nested(levels: number): string {
  return `${'['.repeat(levels)}${']'.repeat(levels)}`;
}

/** Arbitrary packages and JSON values for property tests. */
import fc from 'fast-check';
import type { Entry } from '../../src/package/entry.ts';
import type { JsonObject, JsonValue } from '../../src/package/lossless-json.ts';
import { type Package, packageOf } from '../../src/package/package.ts';

/** Any text, with the characters that JSON and sorting treat apart. */
const anyText: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: fc.string({ unit: 'binary', maxLength: 8 }) },
  fc.constantFrom('', '__proto__', 'constructor', '10', '9', '1', '\u007f', '\uff5e', '\u{1f600}'),
  fc.constantFrom('"\\/\b\f\n\r\t', '\u2028\u2029', '\u0000', 'e\u0301', '\u00e9'),
);

/** Values that JSON can say without loss: integers of any size, finite floats, any keys. */
export const anyJson: fc.Arbitrary<JsonValue> = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constant(null),
    fc.boolean(),
    anyText,
    fc.bigInt({ min: -(2n ** 80n), max: 2n ** 80n }),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.array(fc.tuple(anyText, tie('value')), { maxLength: 4 }).map((items) => new Map(items)),
  ),
})).value;

export const anyJsonObject: fc.Arbitrary<JsonObject> = fc
  .array(fc.tuple(anyText, anyJson), { maxLength: 5 })
  .map((items) => new Map(items));

const keyPart = fc
  .oneof(
    {
      weight: 3,
      arbitrary: fc.constantFrom('a', 'b', 'a b', 'a-b', 'a.b', 'a0', 'A', '..a', '.a'),
    },
    fc.constantFrom('\uff5e', '\u{1f600}', '\u{10ffff}', 'e\u0301', '\u00e9', '__proto__'),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 4 }),
  )
  .filter((part) => !/[/\0]/.test(part) && part !== '.' && part !== '..');

/** Keys that a package may have. */
export const goodKey: fc.Arbitrary<string> = fc
  .array(keyPart, { minLength: 1, maxLength: 4 })
  .map((parts) => parts.join('/'));

export const anyEntry: fc.Arbitrary<Entry> = fc
  .record({
    logicalKey: goodKey,
    physicalKey: anyText,
    sizeBytes: fc.oneof(fc.nat(), fc.maxSafeNat()),
    asFloat: fc.boolean(),
    hash: fc.record({ type: fc.constantFrom('sha2-256-chunked', 'SHA256', 'x'), value: anyText }),
    meta: anyJsonObject,
  })
  .map(({ asFloat, ...entry }) => ({
    ...entry,
    size: asFloat ? entry.sizeBytes : BigInt(entry.sizeBytes),
  }));

/** Entries in any order whose keys can stand in one package. */
export const anyEntries: fc.Arbitrary<readonly Entry[]> = fc
  .uniqueArray(anyEntry, { selector: ({ logicalKey }) => logicalKey, maxLength: 8 })
  .map((entries) =>
    entries.filter(
      ({ logicalKey }) => !entries.some((other) => other.logicalKey.startsWith(`${logicalKey}/`)),
    ),
  );

export const anyPackage: fc.Arbitrary<Package> = fc
  .record({
    header: anyJsonObject,
    entries: anyEntries,
    folders: fc.array(fc.record({ logicalKey: goodKey.map((key) => `${key}/`), meta: anyJson }), {
      maxLength: 2,
    }),
  })
  .map(({ header, entries, folders }) => packageOf(header, entries, folders));

/** The same value with the keys of every object in reverse order. */
export function reverseKeys(value: JsonValue): JsonValue {
  if (value instanceof Map) return reverseObject(value);
  if (Array.isArray(value)) return value.map(reverseKeys);
  return value;
}

export function reverseObject(object: JsonObject): JsonObject {
  return new Map([...object].reverse().map(([key, member]) => [key, reverseKeys(member)]));
}

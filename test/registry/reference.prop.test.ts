/** References: what is formatted reads back, and nothing else is a reference. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatReference, parseReference, type Reference } from '../../src/registry/reference.ts';
import { PkgError } from '../../src/runtime/errors.ts';

const oneOf = (letters: string) => fc.constantFrom(...Array.from(letters));

const word = (first: string, rest: string, maxLength = 12) =>
  fc
    .tuple(oneOf(first), fc.string({ unit: oneOf(rest), maxLength: maxLength - 1 }))
    .map((parts) => parts.join(''));

const LETTERS = 'abcxyzABCXYZ0189_-';
const name = fc
  .tuple(word(LETTERS, LETTERS), word(LETTERS, LETTERS))
  .map((parts) => parts.join('/'));

const anyReference: fc.Arbitrary<Reference> = fc.record({
  name,
  revision: fc.oneof(
    word('abcXYZ', `${LETTERS}.`).map((tag) => ({ kind: 'tag' as const, tag })),
    fc.constant({ kind: 'tag' as const, tag: 'latest' }),
    fc
      .string({ unit: oneOf('0123456789abcdef'), minLength: 6, maxLength: 64 })
      .map((prefix) => ({ kind: 'hash' as const, prefix })),
  ),
});

describe('a reference', () => {
  it('reads back from how it is written', () => {
    fc.assert(
      fc.property(anyReference, (reference) => {
        expect(parseReference(formatReference(reference))).toEqual(reference);
      }),
    );
  });

  it('means latest where it says nothing more', () => {
    expect(parseReference('user/name').revision).toEqual({ kind: 'tag', tag: 'latest' });
  });

  it.each([
    ...['', 'name', 'a/b/c', '/b', 'a/', 'a//b', '../b', 'a/..', 'a.b/c', 'a/b c', 'ü/ñ', 'a/b\n'],
    ...['a/b@', 'a/b:', 'a/b@12345', `a/b@${'0'.repeat(65)}`, 'a/b@ABCDEF', 'a/b@123456:x'],
    ...['a/b:x/y', 'a/b:x@123456', ' a/b', 'a/b:x\0', 's3://a/b'],
  ])('is not %j', (text) => {
    expect(() => parseReference(text)).toThrow(PkgError);
    expect(() => parseReference(text)).toThrow(/is not a (reference|top hash)/);
  });

  it('never leaves the folder of its name', () => {
    const hostile = fc.array(fc.constantFrom('a', '/', '.', '..', ':', '@', '\\', '\0'), {
      maxLength: 8,
    });
    fc.assert(
      fc.property(hostile, (parts) => {
        const text = `a/b:${parts.join('')}`;
        let reference: Reference;
        try {
          reference = parseReference(text);
        } catch (error) {
          expect(error).toBeInstanceOf(PkgError);
          return;
        }
        const { revision } = reference;
        if (revision.kind === 'tag') expect(revision.tag).not.toMatch(/^\.{1,2}$|[/\\\0]/);
      }),
      { numRuns: 500 },
    );
  });
});

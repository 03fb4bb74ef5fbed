/** The place in a pack that a physical key states reads back, and nothing else is taken for one. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  formatPackFragment,
  formatPhysicalKey,
  type PackFragment,
  parsePackFragment,
  parsePhysicalKey,
} from '../../src/package/physical-key.ts';
import { digestOf } from '../../src/store/digest.ts';

const PACK = digestOf('pack');

const anyFragment: fc.Arbitrary<PackFragment> = fc
  .record({
    kind: fc.constantFrom('whole' as const, 'chunked' as const),
    pack: fc.string().map(digestOf),
    offset: fc.maxSafeNat(),
    share: fc.double({ min: 0, max: 1, noNaN: true }),
  })
  .map(({ share, ...rest }) => ({
    ...rest,
    sizeBytes: Math.floor(share * (Number.MAX_SAFE_INTEGER - rest.offset)),
  }));

const anyPath = fc.string({ unit: 'binary', minLength: 1 }).filter((path) => !path.includes('\0'));

describe('the fragment of a physical key', () => {
  it('reads back to what it was formatted from, behind any key, which reads as without it', () => {
    fc.assert(
      fc.property(anyFragment, anyPath, (fragment, key) => {
        const bare = formatPhysicalKey({ scheme: 's3', bucket: 'b', key, versionId: undefined });
        const text = `${bare}${formatPackFragment(fragment)}`;
        expect(parsePackFragment(text)).toEqual(fragment);
        expect(parsePhysicalKey(text)).toEqual(parsePhysicalKey(bare));
      }),
    );
  });

  it('is found in no text but the one that it is formatted to', () => {
    const almost = fc
      .tuple(anyFragment.map(formatPackFragment), fc.nat(), fc.string({ maxLength: 2 }))
      .map(
        ([text, at, other]) =>
          text.slice(0, at % text.length) + other + text.slice(at % text.length),
      );
    fc.assert(
      fc.property(fc.oneof(almost, fc.string()), (fragment) => {
        const found = parsePackFragment(`s3://b/k${fragment}`);
        if (found !== undefined)
          expect(`s3://b/k${fragment}`.endsWith(formatPackFragment(found))).toBe(true);
      }),
    );
  });

  it.each([
    '',
    's3://b/k',
    's3://b/k#',
    `s3://b/k${PACK}:0+1`,
    `s3://b/k#${PACK}`,
    `s3://b/k#${PACK}:0`,
    `s3://b/k#${PACK}:0-1`,
    `s3://b/k#${PACK}:-1+1`,
    `s3://b/k#${PACK}:0+`,
    `s3://b/k#${PACK}:00+1`,
    `s3://b/k#${PACK}:1e3+1`,
    `s3://b/k#${PACK}:0+1 `,
    `s3://b/k#${PACK}:0+1\n`,
    `s3://b/k#x#${PACK}:0+1`,
    `s3://b/k#${PACK}:0+1#`,
    `s3://b/k#${PACK.toUpperCase()}:0+1`,
    `s3://b/k#${PACK.slice(1)}:0+1`,
    `s3://b/k#Chunked:${PACK}:0+1`,
    `s3://b/k#chunked:chunked:${PACK}:0+1`,
    `s3://b/k#${PACK}:9007199254740991+1`,
    `s3://b/k#${PACK}:0+9007199254740992`,
    `s3://b/k#${PACK}:99999999999999999999+1`,
  ])('is not seen in %j', (physicalKey) => {
    expect(parsePackFragment(physicalKey)).toBeUndefined();
  });
});

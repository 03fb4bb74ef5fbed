/** What is signed of a release, byte for byte, and what is not taken for it. */
import { describe, expect, it } from 'vitest';
import { parseTopHash } from '../../src/package/package.ts';
import { PkgError } from '../../src/runtime/errors.ts';
import { formatReleaseStatement, parseReleaseStatement } from '../../src/signatures/statement.ts';
import { digestOf } from '../../src/store/digest.ts';

const STATEMENT = {
  name: 'quilt/open_images',
  topHash: parseTopHash('a'.repeat(64)),
  merkleRoot: digestOf('root'),
  entries: 5000,
  sizeBytes: 250_000_000,
};
const TEXT =
  '{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"quilt/open_images",' +
  `"digest":{"sha256":"${'a'.repeat(64)}"}}],"predicateType":"urn:pkg:release:v1",` +
  `"predicate":{"merkleRoot":"${digestOf('root')}","entries":5000,"sizeBytes":250000000}}`;

describe('a release statement', () => {
  it('has one spelling', () => {
    expect(formatReleaseStatement(STATEMENT).toString()).toBe(TEXT);
  });

  it('reads back, in this spelling and in others', () => {
    expect(parseReleaseStatement(Buffer.from(TEXT))).toEqual(STATEMENT);
    const spaced = JSON.stringify(JSON.parse(TEXT), null, 2);
    expect(parseReleaseStatement(Buffer.from(spaced))).toEqual(STATEMENT);
  });

  it.each([
    ['another statement type', 'Statement/v1', 'Statement/v0.1'],
    ['another predicate type', 'urn:pkg:release:v1', 'https://slsa.dev/provenance/v1'],
    ['no subject', /"subject":\[.*?\],/, '"subject":[],'],
    ['two subjects', /"subject":\[(.*?)\],/, '"subject":[$1,$1],'],
    ['another digest too', '{"sha256":', '{"sha512":"x","sha256":'],
    ['a top hash cut short', 'aaa"', '"'],
    ['a top hash in capitals', 'aaa"', 'AAA"'],
    ['a negative count', '"entries":5000', '"entries":-1'],
    ['a count that is none', '"entries":5000', '"entries":0.5'],
    ['a root that is none', /"merkleRoot":"./, '"merkleRoot":"'],
    ['an unknown key', '{"merkleRoot"', '{"expires":1,"merkleRoot"'],
    ['no name', '"name":"quilt/open_images"', '"name":""'],
    ['text behind it', /$/, 'x'],
  ])('with %s is refused', (_what, from, to) => {
    const changed = TEXT.replace(from, to);
    expect(changed).not.toBe(TEXT);
    expect(() => parseReleaseStatement(Buffer.from(changed))).toThrow(PkgError);
    expect(() => parseReleaseStatement(Buffer.from(changed))).toThrow(
      'the signed payload is not a release statement: ',
    );
  });
});

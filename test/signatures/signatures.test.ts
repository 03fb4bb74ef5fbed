/** A signature counts for one name and one top hash, by a trusted key, and for nothing else. */
import { describe, expect, it } from 'vitest';
import { parseTopHash } from '../../src/package/package.ts';
import { topHash } from '../../src/package/top-hash.ts';
import { IN_TOTO_PAYLOAD_TYPE, signEnvelope } from '../../src/signatures/dsse.ts';
import { checkSignature, signRelease } from '../../src/signatures/signatures.ts';
import { formatReleaseStatement } from '../../src/signatures/statement.ts';
import { samplePackage } from '../support/sample-packages.ts';
import { freshKey, KEY_A, KEY_B } from '../support/signing-keys.ts';

const { pkg } = samplePackage({ 'a.txt': 'a', 'b/c.txt': 'cc' });
const RELEASE = { name: 'test/sample', topHash: topHash(pkg) };
const { envelope, statement } = signRelease(RELEASE, pkg, [KEY_A]);
const trusted = [KEY_B.publicKey, KEY_A.publicKey];

describe('checkSignature', () => {
  it('finds the statement of a trusted key, and says whose it is', () => {
    expect(checkSignature(RELEASE, [envelope], trusted)).toEqual({
      keyid: KEY_A.publicKey.keyid,
      statement,
    });
    expect(statement).toMatchObject({ entries: 2, sizeBytes: 3 });
  });

  it('passes over envelopes by strangers, about other things and of other kinds', () => {
    const stranger = signRelease(RELEASE, pkg, [freshKey()]).envelope;
    const other = signRelease({ ...RELEASE, name: 'test/other' }, pkg, [KEY_B]).envelope;
    const provenance = signEnvelope(IN_TOTO_PAYLOAD_TYPE, Buffer.from('{}'), [KEY_A]);
    const foreign = signEnvelope('text/plain', formatReleaseStatement(statement), [KEY_A]);
    const all = [stranger, other, provenance, foreign, envelope];
    expect(checkSignature(RELEASE, all, trusted).statement).toEqual(statement);
  });

  it('says why nothing counts', () => {
    const check = (release: typeof RELEASE, envelopes = [envelope], keys = trusted) => {
      return () => checkSignature(release, envelopes, keys);
    };
    const keyid = KEY_A.publicKey.keyid;
    const hash = parseTopHash('d'.repeat(64));
    const none = 'has no signature by a trusted key';
    expect(check({ ...RELEASE, name: 'test/other' })).toThrow(
      `test/other@${RELEASE.topHash} ${none}: key ${keyid} signed test/sample@${RELEASE.topHash} instead`,
    );
    expect(check({ ...RELEASE, topHash: hash })).toThrow(`signed test/sample@${RELEASE.topHash}`);
    expect(check(RELEASE, [])).toThrow(`${none}: it is not signed`);
    expect(check(RELEASE, [envelope], [])).toThrow(`${none}: no key is trusted for it`);
    expect(check(RELEASE, [envelope], [KEY_B.publicKey])).toThrow(
      `${none}: it is signed by "${keyid}", which no trusted key bears out`,
    );
    const foreign = signEnvelope('text/plain', formatReleaseStatement(statement), [KEY_A]);
    expect(check(RELEASE, [foreign])).toThrow(`what key ${keyid} signed is no release statement`);
    expect(check(RELEASE, [])).toThrow(expect.objectContaining({ code: 'integrity' }));
  });

  it('repeats no control characters of an envelope', () => {
    const signatures = [{ keyid: '\u001b[2J', sig: Buffer.alloc(64) }];
    expect(() => checkSignature(RELEASE, [{ ...envelope, signatures }], trusted)).toThrow(
      'it is signed by an unnamed key, which',
    );
  });
});

/**
 * Envelopes as others define and sign them: the examples of DSSE's protocol.md, and signatures from its
 * test vectors (testvectors/vectors.json), made with other software and the keys of RFC 8032.
 */
import { describe, expect, it } from 'vitest';
import {
  IN_TOTO_PAYLOAD_TYPE,
  parseEnvelope,
  preAuthEncoding,
  signEnvelope,
  verifyEnvelope,
} from '../../src/signatures/dsse.ts';
import { KEY_A, KEY_B } from '../support/signing-keys.ts';

const STATEMENT = 'eyJfdHlwZSI6Imh0dHBzOi8vaW4tdG90by5pby9TdGF0ZW1lbnQvdjEifQ==';
const BY_A =
  '2WAfaHm5jluo0w+0rk8uVkluELJYWjSmU9x7EUzx+AyteDGJ4/nqyJXfmAUVFIAoQafWm7AxBZNw5M9ixNHiCA==';
const BY_B =
  'c1+67/aT0yqEpwx8PsVY3MLHsj9D0CZ014/Fv/QlG59P+9CobUZ7xECJ/V3USG0Ob9CiE5LjReEZUzNF2l7eBw==';
const KEYS = [KEY_A.publicKey, KEY_B.publicKey];

function idsOf(document: object): readonly string[] {
  return verifyEnvelope(parseEnvelope(JSON.stringify(document), 'vector'), KEYS);
}

describe('the bytes that are signed', () => {
  it.each([
    [
      'http://example.com/HelloWorld',
      'hello world',
      'DSSEv1 29 http://example.com/HelloWorld 11 hello world',
    ],
    ['', '', 'DSSEv1 0  0 '],
    ['application/vnd.exämple+json', 'ä', 'DSSEv1 29 application/vnd.exämple+json 2 ä'],
  ])('of type %j and payload %j are as in the protocol', (type, payload, expected) => {
    expect(preAuthEncoding(type, Buffer.from(payload)).toString()).toBe(expected);
  });
});

describe('signatures of the test vectors', () => {
  it.each([
    ['a statement', STATEMENT, IN_TOTO_PAYLOAD_TYPE, BY_A],
    [
      'URL-safe base64',
      '-_-_Pj8=',
      IN_TOTO_PAYLOAD_TYPE,
      'P-_KHICeR7tI6S_YyejJTRtrXhcQyQ2LYPaL8h90KjC9qN8HU_svOQ6TuDOT1HIrsGW886DbWNWcCmX5twLrAw==',
    ],
    [
      'a type beyond ASCII',
      STATEMENT,
      'application/vnd.exämple+json',
      'xmSk/ug66ysT7ayhkCIjhAq42zgZXSsEWuzUaNL7w2eGAdF/NU6/fRXPtmfN+5DNSAs5/i2lUnHjbbjPsu0tAw==',
    ],
    [
      'an empty payload',
      '',
      IN_TOTO_PAYLOAD_TYPE,
      'gSggCAaTLTYyRH6FIDBem6meyIynsYy8RTHVzwx9tnTb7Bg/1jMWnuVgI/gffqmbsC2VX5/jHfkkDqsj7CDbDg==',
    ],
  ])('over %s are borne out, and made alike', (_what, payload, payloadType, sig) => {
    expect(idsOf({ payload, payloadType, signatures: [{ keyid: 'A', sig }] })).toEqual([
      KEY_A.publicKey.keyid,
    ]);
    const ours = signEnvelope(payloadType, Buffer.from(payload, 'base64'), [KEY_A]);
    expect(ours.signatures[0]?.sig).toEqual(Buffer.from(sig, 'base64'));
  });

  it('are refused under another type, and under none', () => {
    const signatures = [{ keyid: 'A', sig: BY_A }];
    const other = { payload: STATEMENT, payloadType: 'application/vnd.example.other+json' };
    expect(idsOf({ ...other, signatures })).toEqual([]);
    expect(() => idsOf({ ...other, payloadType: '', signatures })).toThrow('payloadType');
  });

  it('count once a key, with and without names of keys', () => {
    const both = { payload: STATEMENT, payloadType: IN_TOTO_PAYLOAD_TYPE };
    const ids = KEYS.map(({ keyid }) => keyid);
    expect(idsOf({ ...both, signatures: [{ sig: BY_B }, { sig: BY_A }] })).toEqual(ids);
    expect(idsOf({ ...both, signatures: [{ sig: BY_A }, { sig: BY_A }] })).toEqual([ids[0]]);
  });
});

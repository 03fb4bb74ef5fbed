/** Envelopes from others are read strictly and within limits. */
import { describe, expect, it } from 'vitest';
import {
  formatEnvelope,
  IN_TOTO_PAYLOAD_TYPE,
  parseEnvelope,
  signEnvelope,
  verifyEnvelope,
} from '../../src/signatures/dsse.ts';
import { freshKey, KEY_A, KEY_B } from '../support/signing-keys.ts';

const envelope = signEnvelope(IN_TOTO_PAYLOAD_TYPE, Buffer.from('{"a":1}'), [KEY_A, KEY_B]);
const document = JSON.parse(formatEnvelope(envelope)) as {
  payload: string;
  payloadType: string;
  signatures: { keyid: string; sig: string }[];
};

function reading(change: object): () => unknown {
  return () => parseEnvelope(JSON.stringify({ ...document, ...change }), 'it');
}

describe('an envelope', () => {
  it('is the same text whenever the same keys sign the same', () => {
    const again = signEnvelope(IN_TOTO_PAYLOAD_TYPE, Buffer.from('{"a":1}'), [KEY_A, KEY_B]);
    expect(formatEnvelope(again)).toBe(formatEnvelope(envelope));
    expect(formatEnvelope(envelope)).toMatch(
      /^\{"payload":".*","payloadType":".*","signatures":\[/,
    );
  });

  it('reads back to what was signed', () => {
    const read = parseEnvelope(formatEnvelope(envelope), 'it');
    expect(read).toEqual(envelope);
    const keys = [freshKey().publicKey, KEY_B.publicKey, KEY_A.publicKey];
    expect(verifyEnvelope(read, keys)).toEqual([keys[1]?.keyid, keys[2]?.keyid]);
    expect(verifyEnvelope(read, [])).toEqual([]);
  });

  it('is not believed about which key signed it', () => {
    const stranger = freshKey();
    const forged = signEnvelope(IN_TOTO_PAYLOAD_TYPE, Buffer.from('{}'), [stranger]);
    const signatures = forged.signatures.map((signature) => ({
      ...signature,
      keyid: KEY_A.publicKey.keyid,
    }));
    expect(verifyEnvelope({ ...forged, signatures }, [KEY_A.publicKey])).toEqual([]);
  });

  it('may have keys that a later version adds, and signatures of other lengths', () => {
    const signatures = [
      { sig: '', keyid: null, cert: 'x' },
      { sig: 'AAAA' },
      ...document.signatures,
    ];
    const read = parseEnvelope(JSON.stringify({ ...document, signatures, more: 1 }), 'it');
    expect(verifyEnvelope(read, [KEY_A.publicKey])).toEqual([KEY_A.publicKey.keyid]);
  });

  it.each([
    ['no signatures', { signatures: [] }, 'signatures'],
    ['too many signatures', { signatures: Array(65).fill({ sig: 'AAAA' }) }, 'signatures'],
    ['no payload', { payload: undefined }, 'payload'],
    ['no payload type', { payloadType: undefined }, 'payloadType'],
    ['a number for a payload', { payload: 5 }, 'payload'],
    ['a signature without bytes', { signatures: [{ keyid: 'x' }] }, 'signatures.0.sig'],
    ['a number for a key', { signatures: [{ keyid: 7, sig: 'AAAA' }] }, 'signatures.0.keyid'],
    ['white space in base64', { payload: 'AAAA\n' }, 'payload: expected base64'],
    ['padding left out', { payload: '+A' }, 'payload: expected base64'],
    ['bits behind the last byte', { payload: 'AB==' }, 'payload: expected base64'],
    ['both alphabets at once', { payload: '-/8=' }, 'payload: expected base64'],
    ['text behind the padding', { payload: 'AA==AAAA' }, 'payload: expected base64'],
  ])('with %s is refused', (_what, change, where) => {
    expect(reading(change)).toThrow(`it is not a signature envelope: ${where}`);
  });

  it.each(['', '[]', 'null', '"x"', '{', '{}', '\ufeff{}', '['.repeat(100_000)])(
    'is not %j',
    (text) => {
      expect(() => parseEnvelope(text, 'it')).toThrow('it is not a signature envelope');
    },
  );

  it('of over 1 MiB is refused before it is parsed', () => {
    expect(reading({ payload: 'A'.repeat(1 << 20) })).toThrow('it is over 1 MiB');
  });
});

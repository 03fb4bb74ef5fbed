/** What is signed of a reproduction, byte for byte, and what is not taken for it. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseTopHash } from '../../src/package/package.ts';
import { IN_TOTO_PAYLOAD_TYPE, signEnvelope, verifyEnvelope } from '../../src/signatures/dsse.ts';
import {
  formatReceiptStatement,
  parseReceiptStatement,
  type Receipt,
  receiptIn,
  signReceipt,
} from '../../src/signatures/receipt.ts';
import { digestOf } from '../../src/store/digest.ts';
import { differingReceipt, sameReceipt } from '../support/receipts.ts';
import { KEY_A, KEY_B } from '../support/signing-keys.ts';

const release = { name: 'quilt/open_images', topHash: parseTopHash('a'.repeat(64)) };
const SAME = { release, receipt: sameReceipt() };
const DIFFERS = { release, receipt: differingReceipt() };
const HEAD =
  '{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"quilt/open_images",' +
  `"digest":{"sha256":"${'a'.repeat(64)}"}}],"predicateType":"urn:pkg:receipt:v1","predicate":`;
const TAIL =
  '"scope":"all","entries":7,"toolchainSame":true,"node":"20.20.2","platform":"linux",' +
  '"arch":"x64","tool":"pkg 0.1.0"}}';
const TEXT =
  `${HEAD}{"result":"differs","firstDifference":{"step":"train",` +
  `"logicalKey":"models/weights.bin"},${TAIL}`;

describe('a receipt', () => {
  it('has one spelling', () => {
    expect(formatReceiptStatement(SAME).toString()).toBe(`${HEAD}{"result":"same",${TAIL}`);
    expect(formatReceiptStatement(DIFFERS).toString()).toBe(TEXT);
    const turned = Object.fromEntries(Object.entries(DIFFERS.receipt).reverse()) as never;
    expect(formatReceiptStatement({ release, receipt: turned }).toString()).toBe(TEXT);
  });

  it('reads back, in this spelling and in others', () => {
    expect(parseReceiptStatement(Buffer.from(TEXT))).toEqual(DIFFERS);
    const spaced = JSON.stringify(JSON.parse(TEXT), null, 2);
    expect(parseReceiptStatement(Buffer.from(spaced))).toEqual(DIFFERS);
  });

  it('reads back as it was, whatever it says', () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 });
    const parts = fc.record({
      scope: fc.constantFrom('all' as const, 'data' as const),
      entries: fc.maxSafeNat(),
      toolchainSame: fc.boolean(),
      ...{ node: text, platform: text, arch: text, tool: text },
    });
    const firstDifference = fc.record(
      { step: text, logicalKey: text },
      { requiredKeys: [], noNullPrototype: true },
    );
    const anyReceipt: fc.Arbitrary<Receipt> = fc.oneof(
      parts.map((all) => ({ ...all, result: 'same' as const })),
      parts.map((all) => ({ ...all, result: 'differs' as const })),
      fc
        .tuple(parts, firstDifference)
        .map(([all, first]) => ({ ...all, result: 'differs' as const, firstDifference: first })),
    );
    fc.assert(
      fc.property(anyReceipt, text, (receipt, name) => {
        const about = { name, topHash: parseTopHash(digestOf(name)) };
        const statement = { release: about, receipt };
        expect(parseReceiptStatement(formatReceiptStatement(statement))).toEqual(statement);
      }),
    );
  });

  it.each([
    ['another statement type', 'Statement/v1', 'Statement/v0.1'],
    ['another predicate type', 'urn:pkg:receipt:v1', 'urn:pkg:release:v1'],
    ['no subject', /"subject":\[.*?\],/, '"subject":[],'],
    ['two subjects', /"subject":\[(.*?)\],/, '"subject":[$1,$1],'],
    ['another digest too', '{"sha256":', '{"sha512":"x","sha256":'],
    ['a top hash cut short', 'aaa"', '"'],
    ['no name', '"name":"quilt/open_images"', '"name":""'],
    ['another result', '"differs"', '"nearly the same"'],
    ['a difference of what is the same', '"differs"', '"same"'],
    ['no scope', '"scope":"all",', ''],
    ['another scope', '"all"', '"none"'],
    ['a negative count', '"entries":7', '"entries":-7'],
    ['a count that is none', '"entries":7', '"entries":0.5'],
    ['words for a truth value', 'true', '"yes"'],
    ['a step without end', '"train"', `"${'x'.repeat(5000)}"`],
    ['an unknown key', '{"result"', '{"unless":"it rains","result"'],
    ['an unknown key of the difference', '{"step"', '{"x":1,"step"'],
    ['text behind it', /$/, 'x'],
  ])('with %s is refused', (_what, from, to) => {
    const changed = TEXT.replace(from, to);
    expect(changed).not.toBe(TEXT);
    expect(() => parseReceiptStatement(Buffer.from(changed))).toThrow(
      'the signed payload is not a receipt: ',
    );
    const envelope = signEnvelope(IN_TOTO_PAYLOAD_TYPE, Buffer.from(changed), [KEY_A]);
    expect(receiptIn(envelope)).toBeUndefined();
  });
});

describe('a signed receipt', () => {
  it('is borne out by its keys and by no other', () => {
    const envelope = signReceipt(SAME, [KEY_A]);
    const keys = [KEY_A.publicKey, KEY_B.publicKey];
    expect(verifyEnvelope(envelope, keys)).toEqual([KEY_A.publicKey.keyid]);
    expect(receiptIn(envelope)).toEqual(SAME);
    const payload = Buffer.from(
      envelope.payload.toString().replace('"same"', '"sama"').replace('"sama"', '"same" '),
    );
    expect(verifyEnvelope({ ...envelope, payload }, keys)).toEqual([]);
  });

  it('is not one under another payload type', () => {
    const envelope = signEnvelope('text/plain', formatReceiptStatement(SAME), [KEY_A]);
    expect(receiptIn(envelope)).toBeUndefined();
  });

  it('is not made of what no reader would take', () => {
    const receipt = { ...differingReceipt(), result: 'same' as const };
    expect(() => signReceipt({ release, receipt }, [KEY_A])).toThrow('firstDifference');
  });
});

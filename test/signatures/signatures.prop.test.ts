/** No byte of what was signed, or of a signature or proof, can be another one. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseTopHash } from '../../src/package/package.ts';
import { topHash } from '../../src/package/top-hash.ts';
import { PkgError } from '../../src/runtime/errors.ts';
import { formatEnvelope, parseEnvelope } from '../../src/signatures/dsse.ts';
import { checkProof, formatProof, parseProof, proveEntry } from '../../src/signatures/proof.ts';
import { checkSignature, signRelease } from '../../src/signatures/signatures.ts';
import { formatReleaseStatement, parseReleaseStatement } from '../../src/signatures/statement.ts';
import { digestOf } from '../../src/store/digest.ts';
import { anyPackage } from '../support/package-arbitraries.ts';
import { samplePackage } from '../support/sample-packages.ts';
import { KEY_A } from '../support/signing-keys.ts';

const { pkg } = samplePackage({ 'a.txt': 'a', 'b/c.txt': 'cc', 'b/d.txt': 'ddd' });
const RELEASE = { name: 'test/sample', topHash: topHash(pkg) };
const { envelope, statement, tree } = signRelease(RELEASE, pkg, [KEY_A]);
const trusted = [KEY_A.publicKey];

function flipped(bytes: Uint8Array, at: number, bit: number): Buffer {
  const changed = Buffer.from(bytes);
  changed[at] = (changed[at] ?? 0) ^ (1 << bit);
  return changed;
}

describe('an envelope', () => {
  it('with any bit of payload or signature flipped counts no more', () => {
    const [signature] = envelope.signatures;
    const sig = signature?.sig ?? Buffer.alloc(0);
    for (let bit = 0; bit < 8; bit++) {
      for (let at = 0; at < envelope.payload.length; at++) {
        const changed = { ...envelope, payload: flipped(envelope.payload, at, bit) };
        expect(() => checkSignature(RELEASE, [changed], trusted)).toThrow(PkgError);
      }
      for (let at = 0; at < sig.length; at++) {
        const signatures = [{ keyid: undefined, sig: flipped(sig, at, bit) }];
        expect(() => checkSignature(RELEASE, [{ ...envelope, signatures }], trusted)).toThrow(
          PkgError,
        );
      }
    }
  });

  it('whose text has any byte changed is refused, or still says what was signed', () => {
    const text = formatEnvelope(envelope);
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.integer({ min: 32, max: 126 }), (at, code) => {
        const changed = text.slice(0, at) + String.fromCharCode(code) + text.slice(at + 1);
        try {
          const found = checkSignature(RELEASE, [parseEnvelope(changed, 'it')], trusted);
          expect(found.statement).toEqual(statement);
        } catch (error) {
          expect(error).toMatchObject({ code: 'integrity' });
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('a proof', () => {
  it('whose text has any byte changed is refused, or still shows the same entry', () => {
    const entry = [...pkg.entries][1];
    if (entry === undefined) throw new Error('the sample has no second entry');
    const text = formatProof(proveEntry(statement, tree, entry, 1));
    const { physicalKey: _, ...proven } = entry;
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.integer({ min: 32, max: 126 }), (at, code) => {
        const changed = text.slice(0, at) + String.fromCharCode(code) + text.slice(at + 1);
        try {
          expect(checkProof(parseProof(changed, 'it'), statement)).toEqual(proven);
        } catch (error) {
          expect(error).toMatchObject({ code: 'integrity' });
        }
      }),
      { numRuns: 5000 },
    );
  });

  it('of each entry of any package holds, through its text', () => {
    fc.assert(
      fc.property(anyPackage, (any) => {
        const signed = signRelease({ name: 'a/b', topHash: topHash(any) }, any, [KEY_A]);
        for (const [position, entry] of [...any.entries].entries()) {
          const text = formatProof(proveEntry(signed.statement, signed.tree, entry, position));
          const { physicalKey: _, ...proven } = entry;
          expect(checkProof(parseProof(text, 'it'), signed.statement)).toEqual(proven);
        }
      }),
    );
  });
});

describe('a statement', () => {
  it('reads back to the same whatever it holds', () => {
    const anyStatement = fc.record({
      name: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 50 }),
      topHash: fc.string().map((text) => parseTopHash(digestOf(text))),
      merkleRoot: fc.string().map((text) => digestOf(text)),
      entries: fc.maxSafeNat(),
      sizeBytes: fc.maxSafeNat(),
    });
    fc.assert(
      fc.property(anyStatement, (any) => {
        expect(parseReleaseStatement(formatReleaseStatement(any))).toEqual(any);
      }),
    );
  });
});

/** Provenance reads back as it was, has one spelling, and is refused in one way. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseProvenance } from '../../src/provenance/parse-provenance.ts';
import { formatProvenance } from '../../src/provenance/provenance.ts';
import { anyProvenance, SAMPLE } from './provenances.ts';
import { validate } from './schemas.ts';

/** The same value, with the keys of every object turned round. */
function turned<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(turned) as T;
  const entries = Object.entries(value).reverse();
  return Object.fromEntries(entries.map(([key, member]) => [key, turned(member)])) as T;
}

describe('provenance', () => {
  it('reads back as it was, and is a statement as in-toto and SLSA define it', () => {
    fc.assert(
      fc.property(anyProvenance, (any) => {
        const text = formatProvenance(any);
        const { fetchRecord, ...others } = parseProvenance(text, 'it');
        expect({ ...others, fetchRecord }).toEqual(any);
        expect(formatProvenance({ ...others, fetchRecord })).toBe(text);
        expect(validate(JSON.parse(text))).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  it('has one spelling, whatever order keys come in', () => {
    fc.assert(
      fc.property(anyProvenance, (any) => {
        expect(formatProvenance(turned(any))).toBe(formatProvenance(any));
      }),
    );
  });

  it('is refused with the code integrity, and not otherwise, when it is damaged', () => {
    const text = formatProvenance(SAMPLE);
    const damage = fc.tuple(fc.nat(text.length), fc.nat(30), fc.string({ maxLength: 4 }));
    fc.assert(
      fc.property(damage, ([at, cut, put]) => {
        try {
          parseProvenance(text.slice(0, at) + put + text.slice(at + cut), 'provenance.json');
        } catch (error) {
          expect(error).toMatchObject({ code: 'integrity' });
          expect(String(error)).toContain('provenance.json is not the provenance of a package: ');
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('keeps no secret of an address', () => {
    const secret = fc.stringMatching(/^[A-Za-z0-9]{12,20}$/).map((some) => `Zq9${some}`);
    const part = fc.constantFrom(
      (some: string) => `https://ada:${some}@host/x.csv`,
      (some: string) => `https://host/x.csv?X-Amz-Signature=${some}&a=b`,
      (some: string) => `https://host/x.csv?token=${some}`,
    );
    fc.assert(
      fc.property(secret, part, (some, spell) => {
        const url = spell(some);
        const text = formatProvenance({
          ...SAMPLE,
          parameters: { code: { repository: url }, list: [{ url }] },
          sources: SAMPLE.sources.map((source) => ({ ...source, url })),
          ...(SAMPLE.code === undefined ? {} : { code: { ...SAMPLE.code, repository: url } }),
        });
        expect(text).not.toContain(some);
        expect(text).toContain('***');
        expect(validate(JSON.parse(text))).toEqual([]);
      }),
    );
  });
});

/** Packs: what is written is found again, and hostile tables are refused. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PACK_FOOTER_BYTES, packTailBytes, parsePackTable } from '../../src/packs/pack-file.ts';
import { digestOf } from '../../src/store/digest.ts';
import { anyDamage, anyMembers, damage, packOf, parseHostile } from './pack-arbitraries.ts';

describe('a pack', () => {
  it('names its members, whose bytes lie where its table says', () => {
    fc.assert(
      fc.property(anyMembers, (members) => {
        const pack = packOf(members);
        const found = parsePackTable(pack.data, pack);
        expect(found).toEqual(pack.members);
        expect(found.map(({ kind, digest }) => ({ kind, digest }))).toEqual(
          members.map(({ kind, digest }) => ({ kind, digest })),
        );
        for (const [index, { offset, sizeBytes }] of found.entries()) {
          const body = pack.data.subarray(offset, offset + sizeBytes);
          expect(body.equals(members[index]!.data)).toBe(true);
        }
        expect(pack.digest).toBe(digestOf(pack.data));
        expect(pack.sizeBytes).toBe(pack.data.length);
      }),
    );
  });

  it('is read from as much of its end as its footer asks for', () => {
    fc.assert(
      fc.property(anyMembers, (members) => {
        const pack = packOf(members);
        const needed = packTailBytes(pack.data.subarray(-PACK_FOOTER_BYTES), pack);
        expect(parsePackTable(pack.data.subarray(-needed), pack)).toEqual(pack.members);
        expect(() => parsePackTable(pack.data.subarray(1 - needed), pack)).toThrow('cut short');
      }),
    );
  });

  it('that is damaged gives an integrity error, or members that fill it to the table', () => {
    fc.assert(
      fc.property(anyMembers, anyDamage, (members, harm) => {
        const pack = packOf(members);
        const data = damage(pack.data, harm);
        const claimed = { digest: pack.digest, sizeBytes: data.length };
        const found = parseHostile(() => parsePackTable(data, claimed)) ?? [];
        let end = 0;
        for (const { offset, sizeBytes } of found) {
          expect(offset).toBe(end);
          end += sizeBytes;
        }
        expect(end).toBeLessThanOrEqual(data.length);
      }),
      { numRuns: 1000 },
    );
  });
});

/** Splits: shares, and who moves when photos are added. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { groupDuplicates, type LookedAt } from '../../src/images/near-duplicates.ts';
import { type SplitName, splitOf } from '../../src/steps/split.ts';
import { digestOf } from '../../src/store/digest.ts';

const share = fc.integer({ min: 0, max: 49 }).map((percent) => percent / 100);
const params = fc.record({ seed: fc.nat(), validation: share, test: share });

/** Looks of few kinds, so that copies are common. */
const pictures = fc.array(fc.nat(15), { maxLength: 40 }).map((kinds) =>
  kinds.map(
    (kind, index): LookedAt => ({
      digest: digestOf(`${String(index)} of ${String(kind)}`),
      hash: digestOf(`look ${String(kind)}`),
      colours: Buffer.alloc(192, 10 * kind).toString('hex'),
    }),
  ),
);

function splits(
  list: readonly LookedAt[],
  shares: Parameters<typeof splitOf>[1],
): ReadonlyMap<string, { readonly group: string; readonly split: SplitName }> {
  const groups = groupDuplicates(list);
  return new Map(
    list.map(({ digest }, index) => {
      const group = groups[index] ?? '';
      return [digest, { group, split: splitOf(group, shares) }];
    }),
  );
}

describe('splitOf', () => {
  it.each([
    { validation: 0.2, test: 0 },
    { validation: 0.15, test: 0.25 },
    { validation: 0, test: 0.5 },
    { validation: 0, test: 0 },
  ])('gives each split about its share: %j', ({ validation, test }) => {
    const total = 20_000;
    const counts = { train: 0, validation: 0, test: 0 };
    for (let index = 0; index < total; index++) {
      counts[splitOf(digestOf(String(index)), { seed: 42, validation, test })]++;
    }
    // Five standard deviations of a binomial count.
    const slack = (p: number) => 5 * Math.sqrt((p * (1 - p)) / total);
    for (const [name, p] of Object.entries({ validation, test, train: 1 - validation - test })) {
      const found = counts[name as SplitName] / total;
      expect(Math.abs(found - p)).toBeLessThanOrEqual(slack(p));
    }
  });

  it('depends on the group, the seed and the shares alone', () => {
    fc.assert(
      fc.property(params, fc.string(), (shares, group) => {
        expect(splitOf(group, { ...shares })).toBe(splitOf(group, shares));
      }),
    );
    const groups = Array.from({ length: 200 }, (_, index) => digestOf(String(index)));
    const under = (seed: number) =>
      groups.map((group) => splitOf(group, { seed, validation: 0.5, test: 0 }));
    expect(under(1)).not.toEqual(under(2));
  });

  it('never takes a photo out of test or train when only validation changes its share', () => {
    fc.assert(
      fc.property(params, share, fc.string(), (shares, validation, group) => {
        const before = splitOf(group, shares);
        const after = splitOf(group, { ...shares, validation });
        expect(after === 'test').toBe(before === 'test');
      }),
    );
  });
});

describe('photos and their copies', () => {
  it('share a split', () => {
    fc.assert(
      fc.property(pictures, params, (list, shares) => {
        const byLook = new Map<string, Set<SplitName>>();
        const found = splits(list, shares);
        for (const { digest, hash } of list) {
          const split = found.get(digest)?.split ?? 'train';
          byLook.set(hash, (byLook.get(hash) ?? new Set()).add(split));
        }
        for (const names of byLook.values()) expect(names.size).toBe(1);
      }),
    );
  });

  it('stay in their split when others are added, unless these are copies of them', () => {
    fc.assert(
      fc.property(pictures, pictures, params, (list, added, shares) => {
        const more = added.map((one, index) => ({ ...one, digest: digestOf(`+${String(index)}`) }));
        const looks = new Set(more.map(({ hash }) => hash));
        const before = splits(list, shares);
        const after = splits([...more, ...list], shares);
        for (const { digest, hash } of list) {
          if (looks.has(hash)) continue;
          expect(after.get(digest)).toEqual(before.get(digest));
        }
      }),
    );
  });
});

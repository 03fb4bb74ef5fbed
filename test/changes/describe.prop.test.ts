/** No difference between lockfiles goes without a sentence, and none is made up. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { describeLockChanges } from '../../src/changes/describe.ts';
import { stepsOf } from '../../src/changes/effects.ts';
import { parseLockfile } from '../../src/lockfile/lockfile.ts';
import { canonicalJson, toPlainJson } from '../../src/store/canonical-json.ts';
import { edited, rootLockfile, someEdits } from '../support/lock-edits.ts';
import { lockfileValues } from '../support/lockfiles.ts';

const root = rootLockfile();
const anyLockfile = lockfileValues.map((values) => parseLockfile(JSON.stringify(values), 'any'));
const relatedPair = fc.tuple(someEdits, someEdits).map(([before, after]) => {
  const first = edited(root, before);
  return [first, edited(first, after)] as const;
});
const pairs = fc.oneof(relatedPair, fc.tuple(anyLockfile, anyLockfile));

describe('describeLockChanges', () => {
  it('finds something exactly where the lockfiles differ in more than ETags', () => {
    const plain = (lockfile: object) =>
      canonicalJson(
        toPlainJson(
          JSON.parse(
            JSON.stringify(lockfile, (key, value: unknown) => (key === 'etag' ? undefined : value)),
          ) as object,
        ),
      );
    fc.assert(
      fc.property(pairs, ([before, after]) => {
        const isSame = plain(before) === plain(after);
        expect(describeLockChanges(before, after).length === 0).toBe(isSame);
        expect(describeLockChanges(before, before)).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  it('finds as much the other way round, of the same sections', () => {
    const sectionsOf = (changes: ReturnType<typeof describeLockChanges>) => [
      ...new Set(changes.map(({ section }) => section)),
    ];
    fc.assert(
      fc.property(relatedPair, ([before, after]) => {
        const [there, back] = [
          describeLockChanges(before, after),
          describeLockChanges(after, before),
        ];
        expect(sectionsOf(back)).toEqual(sectionsOf(there));
      }),
    );
  });

  it('names steps of the second lockfile only, in their order, and says one short line a change', () => {
    fc.assert(
      fc.property(pairs, ([before, after]) => {
        const planned = stepsOf(after);
        for (const { sentence, effect, steps } of describeLockChanges(before, after)) {
          expect(planned.filter((step) => steps.includes(step))).toEqual(steps);
          expect(effect).not.toBe('');
          expect(sentence.length).toBeLessThan(1000);
        }
      }),
    );
  });
});

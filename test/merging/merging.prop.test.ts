/** Merged lockfiles keep to what their sides say, whatever the sides did. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { differencesOf } from '../../src/changes/json-difference.ts';
import { formatLockfile, type Lockfile, parseLockfile } from '../../src/lockfile/lockfile.ts';
import { questionsOf } from '../../src/lockfile/questions.ts';
import { toDocument } from '../../src/merging/document.ts';
import { markConflicts, readingOf } from '../../src/merging/marked-text.ts';
import { mergeLockfiles } from '../../src/merging/merging.ts';
import { canonicalJson, toPlainJson } from '../../src/store/canonical-json.ts';
import { EDITS, edited, rootLockfile, someEdits } from '../support/lock-edits.ts';
import { lockfileValues } from '../support/lockfiles.ts';

const root = rootLockfile();

const anyLockfile = lockfileValues.map((values) => parseLockfile(JSON.stringify(values), 'any'));

/** Three versions that have something to do with each other, or nothing at all. */
const versions = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(someEdits, someEdits, someEdits).map(related) },
  {
    weight: 1,
    arbitrary: fc.record({ base: anyLockfile, ours: anyLockfile, theirs: anyLockfile }),
  },
);

function related([before, mine, yours]: readonly (readonly [string, number][])[]) {
  const base = edited(root, before ?? []);
  return { base, ours: edited(base, mine ?? []), theirs: edited(base, yours ?? []) };
}

/** Without what may be either side's: the manifest's digest, ETags, the order of keys and bases. */
function plain(lockfile: Lockfile): string {
  const bare = formatLockfile({ ...lockfile, manifest: root.manifest });
  const keep = (key: string, value: unknown): unknown => (key === 'etag' ? undefined : value);
  const document = [toDocument(parseLockfile(bare, 'x')), lockfile.fetch];
  return canonicalJson(toPlainJson(JSON.parse(JSON.stringify(document, keep)) as object));
}

describe('mergeLockfiles', () => {
  it('takes what only one side did, and what both did alike, to the byte', () => {
    fc.assert(
      fc.property(versions, ({ base, ours, theirs }) => {
        for (const [three, expected] of [
          [{ base, ours, theirs: ours }, ours],
          [{ base, ours, theirs: base }, ours],
          [{ base, ours: base, theirs }, theirs],
          [{ base: undefined, ours, theirs: ours }, ours],
        ] as const) {
          const merged = mergeLockfiles(three);
          expect(merged.conflicts).toEqual([]);
          expect(formatLockfile(merged.ours)).toBe(formatLockfile(expected));
          expect(formatLockfile(merged.theirs)).toBe(formatLockfile(expected));
        }
      }),
    );
  });

  it('gives the same with the sides exchanged', () => {
    fc.assert(
      fc.property(versions, ({ base, ours, theirs }) => {
        const merged = mergeLockfiles({ base, ours, theirs });
        const turned = mergeLockfiles({ base, ours: theirs, theirs: ours });
        const sorted = (keys: readonly { readonly key: string }[]) =>
          keys.map(({ key }) => key).sort();
        expect(sorted(turned.conflicts)).toEqual(sorted(merged.conflicts));
        expect(plain(turned.theirs)).toBe(plain(merged.ours));
        expect(plain(turned.ours)).toBe(plain(merged.theirs));
      }),
    );
  });

  it('leaves one lockfile where nothing is in conflict, and else two that differ', () => {
    fc.assert(
      fc.property(versions, (three) => {
        const { ours, theirs, conflicts } = mergeLockfiles(three);
        expect(formatLockfile(ours) === formatLockfile(theirs)).toBe(conflicts.length === 0);
        const marked = markConflicts(formatLockfile(ours), formatLockfile(theirs));
        if (conflicts.length === 0) expect(marked).toBe(formatLockfile(ours));
        else {
          expect(readingOf(marked, 'ours')).toBe(formatLockfile(ours));
          expect(readingOf(marked, 'theirs')).toBe(formatLockfile(theirs));
        }
      }),
    );
  });

  it('has no value that neither side has', () => {
    fc.assert(
      fc.property(versions, (three) => {
        const [mine, yours] = [toDocument(three.ours), toDocument(three.theirs)];
        const merged = mergeLockfiles(three);
        for (const reading of [toDocument(merged.ours), toDocument(merged.theirs)]) {
          for (const { path, was: value } of differencesOf(reading, mine)) {
            if (value === undefined || path.join('.') === 'parameters.model.layers') continue;
            if (path.join('.') === 'parameters.query.classes') continue;
            const elsewhere = differencesOf(reading, yours).some(
              (other) => other.path.join('.') === path.join('.'),
            );
            expect([path, elsewhere]).toEqual([path, false]);
          }
        }
      }),
    );
  });

  it('keeps pins with what they are pinned for, and records with their questions', () => {
    fc.assert(
      fc.property(fc.tuple(someEdits, someEdits, someEdits).map(related), (three) => {
        const merged = mergeLockfiles(three);
        for (const reading of [merged.ours, merged.theirs]) {
          const { source, code, model } = reading.parameters as Record<
            string,
            Record<string, unknown>
          >;
          const { sources, bases = [] } = reading;
          expect(sources?.boxes.map(({ url }) => url)).toEqual(source?.['boxes']);
          expect(reading.code?.revision).toBe(code?.['revision']);
          const [base] = bases;
          expect(model?.['base']).toMatchObject({ package: `user/base@${String(base?.topHash)}` });
          if (reading.fetch === undefined) continue;
          const sides = [three.ours, three.theirs].filter(
            (side) => questionsOf(side) === questionsOf(reading),
          );
          expect(sides.map(({ fetch }) => fetch)).toContainEqual(reading.fetch);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('makes of edits of different sections what the edits make one after the other', () => {
    fc.assert(
      fc.property(someEdits, someEdits, (mine, yours) => {
        const sectionOf = ([name]: readonly [string, number]) => EDITS[name]?.section;
        const known = new Set(mine.map(sectionOf));
        fc.pre(!yours.some((edit) => known.has(sectionOf(edit))));
        const [ours, theirs] = [edited(root, mine), edited(root, yours)];
        const { conflicts, ...merged } = mergeLockfiles({ base: root, ours, theirs });
        expect(conflicts).toEqual([]);
        const both = edited(edited(root, mine), yours);
        expect({ ...merged.ours, fetch: undefined, manifest: '' }).toEqual({
          ...both,
          fetch: undefined,
          manifest: '',
        });
      }),
      { numRuns: 300 },
    );
  });
});

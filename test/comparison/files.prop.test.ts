/** Laws of comparing files, for any two packages. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { compare } from './sides.ts';

/** Few keys and few contents, so that files stay, change and move. */
const filesArbitrary = fc.dictionary(
  fc.constantFrom('a/1', 'a/2', 'a b', 'a-b', 'b/1', 'b/2/3', 'z', '\u{1F600}', '\uFF5E'),
  fc.constantFrom('', 'x', 'y', 'zz'),
);

const sumsOf = ({ files }: Awaited<ReturnType<typeof compare>>) => {
  const sums = { same: 0, changed: 0, added: 0, removed: 0, moved: 0 };
  for (const { kind: _, ...states } of files.kinds) {
    for (const state of ['same', 'changed', 'added', 'removed', 'moved'] as const) {
      sums[state] += states[state].files;
    }
  }
  return sums;
};

it('each file is in one state, and exchanging the sides exchanges added and removed', async () => {
  await fc.assert(
    fc.asyncProperty(filesArbitrary, filesArbitrary, async (before, after) => {
      const there = await compare(before, after);
      const sums = sumsOf(there);
      const back = sumsOf(await compare(after, before));
      expect(sums.same + sums.changed + sums.removed + sums.moved).toBe(Object.keys(before).length);
      expect(sums.same + sums.changed + sums.added + sums.moved).toBe(Object.keys(after).length);
      expect(back).toEqual({ ...sums, added: sums.removed, removed: sums.added });
      const { changed, added, removed, moved } = there.files;
      for (const { from, logicalKey } of moved) expect(before[from]).toBe(after[logicalKey]);
      for (const { logicalKey } of added) expect(before).not.toHaveProperty([logicalKey]);
      for (const { logicalKey } of removed) expect(after).not.toHaveProperty([logicalKey]);
      for (const { logicalKey } of changed) expect(before[logicalKey]).not.toBe(after[logicalKey]);
      expect(there.same).toBe(JSON.stringify(sorted(before)) === JSON.stringify(sorted(after)));
    }),
  );
});

function sorted(files: Record<string, string>) {
  return Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1));
}

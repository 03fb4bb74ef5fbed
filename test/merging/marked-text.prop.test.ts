/** Two texts under git's markers can be had back, each to the byte. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { markConflicts, readingOf } from '../../src/merging/marked-text.ts';

const lines = fc.array(fc.constantFrom('{', '  "a": 1,', '  "b": 2', '}', ''), { maxLength: 12 });
const texts = lines.map((list) => list.join('\n'));

describe('markConflicts', () => {
  it('holds both texts, and nothing else', () => {
    fc.assert(
      fc.property(texts, texts, (ours, theirs) => {
        const marked = markConflicts(ours, theirs);
        if (ours === theirs) {
          expect(marked).toBe(ours);
          expect(readingOf(marked, 'ours')).toBeUndefined();
        } else {
          expect(readingOf(marked, 'ours')).toBe(ours);
          expect(readingOf(marked, 'theirs')).toBe(theirs);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('marks no line that both have alike in the same place', () => {
    expect(markConflicts('{\n1\n2\n3\n}', '{\n1\n5\n3\n}')).toBe(
      '{\n1\n<<<<<<< ours (pkg git-merge)\n2\n=======\n5\n>>>>>>> theirs (pkg git-merge)\n3\n}',
    );
  });

  it('does with many lines what it can in good time', () => {
    const long = (text: string) =>
      Array.from({ length: 50_000 }, (_, line) => `${text} ${String(line)}`).join('\n');
    const marked = markConflicts(long('ours'), long('theirs'));
    expect(readingOf(marked, 'theirs')).toBe(long('theirs'));
  });

  it('does not know the markers of a merge by lines for its own', () => {
    expect(readingOf('<<<<<<< HEAD\na\n=======\nb\n>>>>>>> x', 'ours')).toBeUndefined();
    expect(readingOf('<<<<<<< ours (pkg git-merge)\na\n=======\nb', 'ours')).toBeUndefined();
  });
});

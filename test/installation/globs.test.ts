/** What patterns for files fit. */
import { expect, it } from 'vitest';
import { globTest } from '../../src/installation/globs.ts';

const CASES: readonly (readonly [pattern: string, fits: string[], not: string[]])[] = [
  ['*.jpg', ['a.jpg', 'x/y/a.jpg', '.jpg', 'a\nb.jpg'], ['a.jpeg', 'ajpg', 'a.jpg.txt']],
  ['/*.jpg', ['a.jpg'], ['x/a.jpg']],
  ['images', ['images', 'images/a', 'x/images/y/z'], ['images2', 'x/myimages']],
  ['images/', ['images/a', 'x/images/y/z'], ['images', 'x/images']],
  ['images/*', ['images/a', 'images/a/b'], ['x/images/a', 'images']],
  ['images/*.csv', ['images/a.csv'], ['images/a/b.csv']],
  ['images/**', ['images/a', 'images/a/b'], ['images', 'x/images/a']],
  ['**/a.csv', ['a.csv', 'x/a.csv', 'x/y/a.csv'], ['ba.csv', 'x/ba.csv']],
  ['x/**/y', ['x/y', 'x/a/y', 'x/a/b/y', 'x/y/z'], ['xy', 'ax/y']],
  ['**', ['a', 'a/b', '.hidden'], []],
  ['a**b', ['ab', 'axxb'], ['a/b']],
  ['a?c', ['abc', 'a😀c', 'x/abc'], ['ac', 'a/c', 'abbc']],
  ['[a-cx]1', ['a1', 'x1'], ['d1', '-1']],
  ['[!a-c]1', ['d1', '!1'], ['a1', '/1']],
  ['[^a]1', ['b1'], ['a1']],
  ['[]]1', [']1'], ['a1']],
  ['[z-a]1', [], ['a1', 'z1']],
  ['a[1', ['a[1'], ['a1']],
  ['{a,b}.c', ['a.c', 'b.c'], ['ab.c', '{a,b}.c']],
  ['{a,{b,c}d}/x', ['a/x', 'bd/x', 'cd/x'], ['b/x']],
  ['a{,b}', ['a', 'ab'], ['abb']],
  ['a{b', ['a{b'], ['ab']],
  ['images/{train,test}/**/*.jpg', ['images/train/a.jpg', 'images/test/x/a.jpg'], ['images/a.jpg']],
  ['\\*.jpg', ['*.jpg'], ['a.jpg']],
  ['photo (1)+$^.jpg', ['photo (1)+$^.jpg'], ['photo 1.jpg']],
  ['!a', ['!a'], ['a', 'b']],
];

it.each(CASES)('fits what %s says, and nothing else', (pattern, fits, not) => {
  const test = globTest(pattern);
  expect(fits.filter((key) => !test(key))).toEqual([]);
  expect(not.filter(test)).toEqual([]);
});

it.each(['', '/', 'a'.repeat(5000)])('refuses %s', (pattern) => {
  expect(() => globTest(pattern)).toThrow(expect.objectContaining({ code: 'usage' }));
});

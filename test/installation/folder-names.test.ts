/** Keys that are one name on some disks. */
import { expect, it } from 'vitest';
import { findClash } from '../../src/installation/folder-names.ts';
import { refuseOwnKey } from '../../src/installation/folder-paths.ts';
import { samplePackage } from '../support/sample-packages.ts';

it.each([
  { keys: ['a', 'b', 'A/x'], clash: undefined },
  { keys: ['a/B', 'A/b'], clash: ['A/b', 'a/B'] },
  { keys: ['é', 'e\u0301'], clash: ['e\u0301', 'é'] },
  { keys: ['straße', 'STRASSE'], clash: undefined },
])('finds that $keys clash: $clash', ({ keys, clash }) => {
  const { pkg } = samplePackage(Object.fromEntries(keys.map((key) => [key, ''])));
  expect(findClash(pkg.entries)).toEqual(clash);
});

it.each(['.pkg', '.pkg/installed.json', '.PKG/lock', '.p\u200bkg/x', '\u200d.pKg'])(
  'refuses %s',
  (key) => {
    expect(() => refuseOwnKey(key)).toThrow(expect.objectContaining({ code: 'integrity' }));
  },
);

it.each(['.pkgs', 'a/.pkg', '.gitignore', 'pkg'])('takes %s', (key) => {
  expect(() => refuseOwnKey(key)).not.toThrow();
});

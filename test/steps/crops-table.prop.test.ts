/** Folder names of classes: harmless on every file system, and one for each class. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { classFolders } from '../../src/steps/crops-table.ts';

const folders = (...classes: string[]) => Object.fromEntries(classFolders(classes));

describe('classFolders', () => {
  it('keeps plain names as they are', () => {
    expect(folders('Apple', 'Human face', 'Café', '漢字', 'T-shirt (red)')).toEqual({
      Apple: 'Apple',
      'Human face': 'Human face',
      Café: 'Café',
      漢字: '漢字',
      'T-shirt (red)': 'T-shirt (red)',
    });
  });

  it.each([
    ['Salt/Pepper', 'Salt_Pepper'],
    ['../../etc', '__.._etc'],
    ['.', '_'],
    ['..', '_'],
    ['.hidden', '_hidden'],
    ['dot.', 'dot_'],
    [' blank ', '_blank_'],
    ['a\\b:c*d?e"f<g>h|i', 'a_b_c_d_e_f_g_h_i'],
    ['a\0b\nc', 'a_b_c'],
    ['', '_'],
  ])('makes of %j the folder %s', (name, folder) => {
    expect(folders(name)).toEqual({ [name]: folder });
  });

  it('tells names apart that differ in case alone, or not at all when written', () => {
    expect(folders('apple', 'Apple', 'APPLE')).toEqual({
      APPLE: 'APPLE',
      Apple: 'Apple_2',
      apple: 'apple_3',
    });
    expect(folders('a/b', 'a_b', 'a:b')).toEqual({ 'a/b': 'a_b', 'a:b': 'a_b_2', a_b: 'a_b_3' });
    const composed = 'Caf\u{e9}';
    const decomposed = 'Cafe\u{301}';
    expect(new Set(Object.values(folders(composed, decomposed)))).toEqual(
      new Set([composed, `${composed}_2`]),
    );
  });

  it('does not depend on the order of the classes', () => {
    expect(folders('b', 'B', 'a/c', 'a_c')).toEqual(folders('a_c', 'a/c', 'B', 'b'));
  });

  it('gives names that any disk and any logical key can hold, each once', () => {
    const name = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 150 }),
      fc.string({ unit: 'binary', minLength: 90, maxLength: 150 }),
      fc.string({ unit: fc.constantFrom('a', 'A', '/', '.', ' ', '_', '2', '\u{301}', '😀') }),
    );
    fc.assert(
      fc.property(fc.array(name, { maxLength: 12 }), (classes) => {
        const named = classFolders(classes);
        expect(new Set(named.keys())).toEqual(new Set(classes));
        const all = [...named.values()];
        expect(new Set(all.map((folder) => folder.toLowerCase())).size).toBe(all.length);
        for (const folder of all) {
          expect(folder).not.toMatch(/[\\/:*?"<>|\p{Cc}]|^\.|^ |[. ]$|^$/u);
          expect(folder.normalize('NFC')).toBe(folder);
          expect(Buffer.from(folder, 'utf8').toString('utf8')).toBe(folder);
          expect(Buffer.byteLength(folder)).toBeLessThanOrEqual(255);
        }
      }),
      { numRuns: 500 },
    );
  });
});

/** Patterns made of anything: none breaks, and what is escaped means itself. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { globTest } from '../../src/installation/globs.ts';

const name = fc
  .string({ unit: 'binary', minLength: 1, maxLength: 12 })
  .map((text) => text.replaceAll('/', '_'));

it('is a test of keys for every pattern', () => {
  const characters = fc.constantFrom(...'ab/*?[]{}!^-,\\.+()|$é😀'.split(''), '**', '**/');
  const pattern = fc
    .array(characters, { minLength: 1, maxLength: 20 })
    .map((parts) => `a${parts.join('')}`);
  fc.assert(
    fc.property(pattern, name, (glob, key) => {
      expect(typeof globTest(glob)(key)).toBe('boolean');
    }),
  );
});

it('takes every character literally behind a backslash', () => {
  fc.assert(
    fc.property(fc.array(name, { minLength: 1, maxLength: 3 }), name, (parts, other) => {
      const key = parts.join('/');
      const test = globTest(
        `/${parts.map((part) => Array.from(part, (c) => `\\${c}`).join('')).join('/')}`,
      );
      expect(test(key)).toBe(true);
      expect(test(`${key}/${other}`)).toBe(true);
      expect(test(key + other)).toBe(false);
    }),
  );
});

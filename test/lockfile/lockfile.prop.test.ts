/** Lockfiles survive being written and read, and nothing but lockfiles is read. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatLockfile, parseLockfile } from '../../src/lockfile/lockfile.ts';
import { PkgError } from '../../src/runtime/errors.ts';
import { lockfileValues, someLockfile } from '../support/lockfiles.ts';

const parse = (text: string) => parseLockfile(text, 'x.lock.json');

describe('a lockfile', () => {
  it('reads back as it was written, to the byte', () => {
    fc.assert(
      fc.property(lockfileValues, (values) => {
        const lockfile = parse(JSON.stringify(values));
        expect(lockfile).toEqual(values);
        const text = formatLockfile(lockfile);
        expect(parse(text)).toEqual(lockfile);
        expect(formatLockfile(parse(text))).toBe(text);
      }),
      { numRuns: 300 },
    );
  });

  it('is written in one key order, whatever the order it came in', () => {
    fc.assert(
      fc.property(lockfileValues, (values) => {
        const turned = Object.fromEntries(Object.entries(values).reverse());
        expect(formatLockfile(parse(JSON.stringify(turned)))).toBe(
          formatLockfile(parse(JSON.stringify(values))),
        );
      }),
    );
  });

  it('is refused as a lockfile, and not otherwise, when it is damaged', () => {
    const text = formatLockfile(someLockfile());
    const damage = fc.tuple(fc.nat(text.length), fc.nat(30), fc.string({ maxLength: 4 }));
    fc.assert(
      fc.property(damage, ([at, cut, put]) => {
        try {
          parse(text.slice(0, at) + put + text.slice(at + cut));
        } catch (error) {
          if (!(error instanceof PkgError)) throw error;
          expect([error.code, error.exitCode]).toEqual(['lockfile', 11]);
          expect(error.message).toContain('x.lock.json');
          expect(error.hint).toContain('pkg lock --update');
        }
      }),
      { numRuns: 500 },
    );
  });
});

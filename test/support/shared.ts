/** The shared test data beside the checkout, and a loud word where it is missing. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, it } from 'vitest';

export const ROOT = resolve(import.meta.dirname, '../..');
const SHARED = resolve(ROOT, process.env['PKG_SHARED'] ?? '../shared');

/** A path inside the shared data. */
export function shared(...parts: string[]): string {
  return join(SHARED, ...parts);
}

/** Makes a suite of a name and a function that fills it. */
export type Suite = (name: string, fill: () => void) => void;

/**
 * Runs a suite if something it needs is there; else the suite is skipped and says why, and nothing of
 * it is looked at, since it may read what is missing already while it is filled.
 */
export function describeWith(needed: string, path: string | undefined): Suite {
  if (path !== undefined && path !== '' && existsSync(path)) return describe;
  process.stderr.write(
    `SKIPPED: ${needed} is missing (${path ?? 'not set'}); run the tests by npm test.\n`,
  );
  return (name) => {
    describe.skip(name, () => {
      it(`needs ${needed}`, () => undefined);
    });
  };
}

/** Runs a suite if the shared data has this path. */
export function describeWithShared(...parts: string[]): Suite {
  return describeWith(`shared test data ${parts.join('/')}`, shared(...parts));
}

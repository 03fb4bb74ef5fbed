/** The shared test data beside the checkout, and a loud word where it is missing. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe } from 'vitest';

export const ROOT = resolve(import.meta.dirname, '../..');
const SHARED = resolve(ROOT, process.env['PKG_SHARED'] ?? '../shared');

/** A path inside the shared data. */
export function shared(...parts: string[]): string {
  return join(SHARED, ...parts);
}

/** Runs a suite if something it needs is there; else the suite is skipped and says why. */
export function describeWith(needed: string, path: string | undefined): typeof describe.skip {
  if (path !== undefined && path !== '' && existsSync(path)) return describe;
  process.stderr.write(
    `SKIPPED: ${needed} is missing (${path ?? 'not set'}); run the tests by npm test.\n`,
  );
  return describe.skip;
}

/** Runs a suite if the shared data has this path. */
export function describeWithShared(...parts: string[]): typeof describe.skip {
  return describeWith(`shared test data ${parts.join('/')}`, shared(...parts));
}

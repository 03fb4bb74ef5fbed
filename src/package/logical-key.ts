/** Logical keys: which can stand in a package, and in which order. */
import { PkgError } from '../runtime/errors.ts';
import { compareCodePoints } from './quilt-json.ts';

/**
 * Why a text cannot be a logical key, or undefined where it can: keys are relative paths of parts
 * that are not empty, `.` or `..`, so that no key leaves the folder it is installed to.
 */
export function logicalKeyProblem(key: string): string | undefined {
  if (key === '') return 'it is empty';
  if (key.includes('\0')) return 'it holds a NUL character';
  if (key.startsWith('/')) return 'it is an absolute path';
  if (!/(?:^|\/)(?:\.{0,2})(?:\/|$)/.test(key)) return undefined;
  const parts = key.split('/');
  if (parts.includes('..')) return 'it holds ".."';
  if (parts.includes('.')) return 'it holds "."';
  return 'it holds an empty part';
}

/**
 * Compares logical keys in hashing order: part by part, each by code point, so that a folder's
 * content stands together (`a/x` before `a b` and `a-b`).
 */
export function compareLogicalKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) {
    if (a.charCodeAt(index) === b.charCodeAt(index)) continue;
    if (a[index] === '/') return -1;
    if (b[index] === '/') return 1;
    return compareCodePoints(a.slice(index), b.slice(index));
  }
  return a.length - b.length;
}

/**
 * Checks a key that comes after `before` in hashing order, or first.
 * @throws PkgError `integrity` for an impossible key, one that stands twice, or one that is both a
 * file and a folder.
 */
export function requireKey(key: string, before: string | undefined): void {
  const problem = logicalKeyProblem(key);
  if (problem !== undefined) throw keyError(key, problem);
  if (before === undefined) return;
  if (key === before) throw keyError(key, 'it stands twice');
  if (key[before.length] === '/' && key.startsWith(before)) {
    throw keyError(before, 'it is both a file and a folder');
  }
}

function keyError(key: string, problem: string): PkgError {
  return new PkgError('integrity', `logical key ${JSON.stringify(key)} is refused: ${problem}`, {
    hint: 'The package is broken or hostile; ask whoever pushed it.',
  });
}

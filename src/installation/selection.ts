/** Selections: which part of a package is wanted, by paths and by patterns. */
import type { EntryList } from '../package/entry.ts';
import type { Package } from '../package/package.ts';
import { PkgError } from '../runtime/errors.ts';

/**
 * A part of a package: what is at or below `paths` (anywhere for none), and of that what a pattern of
 * `include` fits (all for none) and no pattern of `exclude` does.
 */
export interface Part {
  /** Logical keys or folders, without a slash at the end. */
  readonly paths: readonly string[];
  readonly include: readonly string[];
  readonly exclude: readonly string[];
}

/** What is at or below `paths`, and what `globbed` parts hold; the whole package where both are empty. */
export interface Selection {
  readonly paths: readonly string[];
  readonly globbed: readonly Part[];
}

export type KeyTest = (logicalKey: string) => boolean;

const EVERYTHING: Selection = { paths: [], globbed: [] };

/** The part that somebody asked for. */
export function partOf(
  paths: readonly string[],
  include: readonly string[],
  exclude: readonly string[],
): Part {
  return { paths: paths.map((path) => path.replace(/\/+$/, '')), include, exclude };
}

/**
 * What is wanted after a part was asked for: parts asked for before stay asked for, and all of a
 * package swallows any part. Nothing asked for means all, or what patterns chose before.
 */
export function joinSelection(before: Selection | undefined, asked: Part): Selection {
  const hasGlobs = asked.include.length > 0 || asked.exclude.length > 0;
  if (!hasGlobs && asked.paths.length === 0) {
    return before !== undefined && before.globbed.length > 0 ? before : EVERYTHING;
  }
  if (before !== undefined && isEverything(before)) return before;
  const { paths, globbed } = before ?? EVERYTHING;
  if (!hasGlobs) return { paths: [...new Set([...paths, ...asked.paths])].sort(), globbed };
  const isKnown = globbed.some((part) => JSON.stringify(part) === JSON.stringify(asked));
  return { paths, globbed: isKnown ? globbed : [...globbed, asked] };
}

function isEverything({ paths, globbed }: Selection): boolean {
  return paths.length === 0 && globbed.length === 0;
}

/** A test for the logical keys of a selection. */
export async function selectionTest(selection: Selection): Promise<KeyTest> {
  if (isEverything(selection)) return () => true;
  const { paths } = selection;
  const tests = await Promise.all(selection.globbed.map(partTest));
  if (paths.length > 0) tests.push((key) => isBelowAny(key, paths));
  return (key) => tests.some((test) => test(key));
}

async function partTest({ paths, include, exclude }: Part): Promise<KeyTest> {
  const { globTest } = await import('./globs.ts');
  const included = include.map(globTest);
  const excluded = exclude.map(globTest);
  return (key) =>
    (paths.length === 0 || isBelowAny(key, paths)) &&
    (included.length === 0 || included.some((test) => test(key))) &&
    !excluded.some((test) => test(key));
}

/** The entries of a selection, in their order. */
export async function selectedEntries(pkg: Package, selection: Selection): Promise<EntryList> {
  if (isEverything(selection)) return pkg.entries;
  return filterEntries(pkg.entries, await selectionTest(selection));
}

/**
 * Refuses a part of which the package has nothing.
 * @throws PkgError `not-found` that names the path or pattern.
 */
export async function requirePart(pkg: Package, part: Part): Promise<void> {
  requirePaths(pkg, part.paths);
  if (part.include.length === 0 && part.exclude.length === 0) return;
  for (const pattern of part.include) {
    const test = await partTest({ paths: part.paths, include: [pattern], exclude: [] });
    if (!hasEntry(pkg, test)) throw nothing(`that fits --include ${pattern}`);
  }
  if (!hasEntry(pkg, await partTest(part))) throw nothing('that is left after --exclude');
}

function hasEntry({ entries }: Package, test: KeyTest): boolean {
  for (const { logicalKey } of entries) if (test(logicalKey)) return true;
  return false;
}

function requirePaths({ entries }: Package, paths: readonly string[]): void {
  const left = new Set(paths);
  if (left.size === 0) return;
  for (const { logicalKey } of entries) {
    for (const path of left) if (isBelow(logicalKey, path)) left.delete(path);
    if (left.size === 0) return;
  }
  throw nothing(`at ${[...left].join(', ')}`);
}

function nothing(where: string): PkgError {
  return new PkgError('not-found', `the package has nothing ${where}`, {
    hint: 'See what it holds with: pkg ls user/name',
  });
}

/**
 * The entries at or below the given paths; all for none.
 * @throws PkgError `not-found` for a path at which there is nothing.
 */
export function selectEntries(pkg: Package, paths: readonly string[]): EntryList {
  requirePaths(pkg, paths);
  return entriesBelow(pkg, paths);
}

/** The entries at or below the paths that a package still has; all for none. */
function entriesBelow(pkg: Package, paths: readonly string[]): EntryList {
  if (paths.length === 0) return pkg.entries;
  return filterEntries(pkg.entries, (key) => isBelowAny(key, paths));
}

function isBelowAny(key: string, paths: readonly string[]): boolean {
  return paths.some((path) => isBelow(key, path));
}

function isBelow(key: string, path: string): boolean {
  return key.startsWith(path) && (key.length === path.length || key[path.length] === '/');
}

/** The entries whose keys pass a test; they are looked for again each time, and so take no memory. */
function filterEntries(entries: EntryList, test: KeyTest): EntryList {
  let length = 0;
  for (const { logicalKey } of entries) if (test(logicalKey)) length++;
  return {
    length,
    *[Symbol.iterator]() {
      for (const entry of entries) if (test(entry.logicalKey)) yield entry;
    },
  };
}

/** Two lockfiles on disk compared. */
import { readLockfile } from '../lockfile/lock-file.ts';
import type { LockChange, LockedStep } from './changes.ts';
import { describeLockChanges } from './describe.ts';
import { stepsOf } from './effects.ts';

export interface LockComparison {
  readonly a: LockSide;
  readonly b: LockSide;
  /** Whether both pin the same; ETags and the order of keys aside. */
  readonly same: boolean;
  readonly changes: readonly LockChange[];
  /** The steps of `b` in order: those that run again after a build of `a`, and those taken from the cache. */
  readonly steps: { readonly again: readonly LockedStep[]; readonly cached: readonly LockedStep[] };
}

export interface LockSide {
  /** As given. */
  readonly path: string;
  /** Of the package. */
  readonly name: string;
}

/**
 * Says what differs between two lockfiles, each given by its path or by that of its manifest.
 * @throws PkgError `lockfile` where there is none, or it is broken.
 */
export async function compareLockfiles(pathA: string, pathB: string): Promise<LockComparison> {
  const [before, after] = [await readLockfile(pathA), await readLockfile(pathB)];
  const changes = describeLockChanges(before, after);
  const again = new Set(changes.flatMap(({ steps }) => steps));
  const planned = stepsOf(after);
  return {
    a: { path: pathA, name: before.name },
    b: { path: pathB, name: after.name },
    same: changes.length === 0,
    changes,
    steps: {
      again: planned.filter((step) => again.has(step)),
      cached: planned.filter((step) => !again.has(step)),
    },
  };
}

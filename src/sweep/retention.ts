/** Retention: which revisions of a registry go because newer ones are enough. */

import { LATEST, pointerKey } from '../objects/layout.ts';
import type { TopHash } from '../package/package.ts';
import { readPointer } from '../registry/pointers.ts';
import { listPackages, readHistory } from '../registry/revisions.ts';
import { invariant } from '../runtime/errors.ts';
import type { Storage } from '../storage/storage.ts';

/** How many of the newest revisions of each name are kept. */
export interface Retention {
  /** At least one. */
  readonly keepLast: number;
  /** Whether older revisions are kept too where a tag names them. */
  readonly keepTagged: boolean;
  /** The names meant; all of the registry where there are none. */
  readonly names: readonly string[];
}

/** A pointer that is to be removed: a revision's time, or a tag of a revision that goes. */
export interface RemovedPointer {
  readonly name: string;
  readonly pointer: string;
  readonly topHash: TopHash;
}

/**
 * The pointers of all revisions that are beyond the newest ones of their names. What `latest` names
 * is kept in any case. Nothing is changed.
 * @throws PkgError `not-found` for a name that the registry does not have.
 */
export async function planRetention(
  registry: Storage,
  { keepLast, keepTagged, names }: Retention,
): Promise<readonly RemovedPointer[]> {
  invariant(Number.isInteger(keepLast) && keepLast >= 1, 'at least one revision is kept');
  const all = names.length > 0 ? names : (await listPackages(registry)).map(({ name }) => name);
  const removed: RemovedPointer[] = [];
  for (const name of new Set(all)) {
    const history = await readHistory(registry, name);
    const latest = await readPointer(registry, name, LATEST);
    const kept = new Set(history.slice(0, keepLast).map(({ topHash }) => topHash));
    if (latest !== undefined) kept.add(latest.topHash);
    const tagged = new Set<TopHash>();
    for (const { topHash, pushedAt, tags } of history.slice(keepLast)) {
      if (kept.has(topHash) || (keepTagged && tags.length > 0)) continue;
      const seconds = String(pushedAt.getTime() / 1000).padStart(10, '0');
      const ofRevision = tagged.has(topHash) ? [] : tags;
      tagged.add(topHash);
      for (const pointer of [...ofRevision, seconds]) removed.push({ name, pointer, topHash });
    }
  }
  return removed;
}

export function keyOfPointer({ name, pointer }: RemovedPointer): string {
  return pointerKey(name, pointer);
}

/** Plans in figures: how many files and bytes come from where, and what stands against it. */
import type { Entry } from '../package/entry.ts';
import { PkgError } from '../runtime/errors.ts';
import { FETCH, FROM_STORE, KEEP, type Plan, type Tally } from './plan.ts';

export interface PlanSummary {
  /** From the registry; the bytes are those of the files. */
  readonly toFetch: Tally;
  readonly fromStore: Tally;
  readonly unchanged: Tally;
  /** Files of the revision before that the new one does not have. */
  readonly toRemove: Tally;
  /** Keys at which there are local changes or other things, which only `--force` overwrites. */
  readonly inTheWay: readonly string[];
}

const MAX_NAMED = 5;

export function summarizePlan(plan: Plan): PlanSummary {
  return {
    toFetch: tally(entriesAt(plan, FETCH)),
    fromStore: tally(entriesAt(plan, FROM_STORE)),
    unchanged: tally(entriesAt(plan, KEEP)),
    toRemove: plan.leaving,
    inTheWay: [...plan.changed, ...plan.blocked].sort(),
  };
}

/** The entries with which a step is to happen. */
function* entriesAt({ selected, steps }: Plan, step: number): Generator<Entry> {
  let index = 0;
  for (const entry of selected) if (steps[index++] === step) yield entry;
}

/**
 * Refuses a plan that cannot do without the registry.
 * @throws PkgError `unreachable` that names the first of the files.
 */
export function requireInStore(plan: Plan): void {
  requireNone([...firstOf(entriesAt(plan, FETCH), MAX_NAMED)], tally(entriesAt(plan, FETCH)));
}

function requireNone(first: readonly Entry[], { files, sizeBytes }: Tally): void {
  if (files === 0) return;
  const named = first.map(({ logicalKey }) => logicalKey).join(', ');
  const more = files > first.length ? ` and ${String(files - first.length)} more` : '';
  const what = `${String(files)} files (${String(sizeBytes)} bytes)`;
  throw new PkgError('unreachable', `${what} need the network: ${named}${more}`, {
    hint: 'Install without --offline, or name the store that has them with --store.',
  });
}

function* firstOf<T>(items: Iterable<T>, count: number): Generator<T> {
  let left = count;
  for (const item of items) {
    if (left-- === 0) return;
    yield item;
  }
}

function tally(entries: Iterable<Entry>): Tally {
  let files = 0;
  let sizeBytes = 0;
  for (const entry of entries) {
    files++;
    sizeBytes += entry.sizeBytes;
  }
  return { files, sizeBytes };
}

/** The fetch record of a merged lockfile: only answers to the questions that it asks. */
import { sameJson } from '../changes/json-difference.ts';
import type { FetchRecord, Lockfile } from '../lockfile/lockfile.ts';
import { questionsOf } from '../lockfile/questions.ts';

/** The record of either reading of a merge; absent where it is dropped. */
export interface PickedRecord {
  readonly ours: FetchRecord | undefined;
  readonly theirs: FetchRecord | undefined;
  /** Whether both sides recorded other answers to the same questions. */
  readonly isConflict: boolean;
  /** Whether a record was there on a side, and none holds for the merged lockfile. */
  readonly isDropped: boolean;
}

/**
 * A record is taken from a side that asks what the merged lockfile asks; where both do, by what changed since the
 * base, if that asks the same. Where the readings of the merge ask different things, none holds for both.
 */
export function pickRecord(
  base: Lockfile | undefined,
  ours: Lockfile,
  theirs: Lockfile,
  readings: { readonly ours: Lockfile; readonly theirs: Lockfile },
): PickedRecord {
  const question = questionsOf(readings.ours);
  const none = { ours: undefined, theirs: undefined, isConflict: false };
  const asks = (side: Lockfile) => questionsOf(side) === question;
  const [mine, yours] = [ours.fetch, theirs.fetch];
  const isDropped = mine !== undefined || yours !== undefined;
  if (questionsOf(readings.theirs) !== question) return { ...none, isDropped };
  const agreed = (record: FetchRecord | undefined): PickedRecord => ({
    ours: record,
    theirs: record,
    isConflict: false,
    isDropped: false,
  });
  if (asks(ours) && asks(theirs)) {
    if (sameRecord(mine, yours)) return agreed(mine);
    if (base !== undefined && asks(base)) {
      if (sameRecord(base.fetch, mine)) return agreed(yours);
      if (sameRecord(base.fetch, yours)) return agreed(mine);
    } else if (mine === undefined || yours === undefined) {
      return agreed(mine ?? yours);
    }
    return { ours: mine, theirs: yours, isConflict: true, isDropped: false };
  }
  if (asks(ours)) return agreed(mine);
  if (asks(theirs)) return agreed(yours);
  return { ...none, isDropped };
}

function sameRecord(a: FetchRecord | undefined, b: FetchRecord | undefined): boolean {
  return sameJson(a, b);
}

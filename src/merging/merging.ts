/** Merging: the lockfiles of two branches made one, or where that cannot be done without a guess. */
import { isList, jsonAt, membersOf, sameJson } from '../changes/json-difference.ts';
import type { FetchRecord, Lockfile } from '../lockfile/lockfile.ts';
import { type Json, toPlainJson } from '../store/canonical-json.ts';
import { type Coupling, couplingsOf, isHeld, isPartOf, takeParts } from './coupling.ts';
import { fromDocument, inOrderOf, toDocument } from './document.ts';
import { type PickedRecord, pickRecord } from './record.ts';
import { type MergeRules, mergeValues, type ValueConflict } from './values.ts';

/** Three versions of a lockfile; there is no `base` where both branches added it. */
export interface LockVersions {
  readonly base: Lockfile | undefined;
  readonly ours: Lockfile;
  readonly theirs: Lockfile;
}

/** A key that both sides changed, each in its own way; a value is absent on a side that removed it. */
export interface LockConflict {
  /** Such as `query.where`, `sources.boxes`, `code` or `fetch`. */
  readonly key: string;
  readonly ours: Json | undefined;
  readonly theirs: Json | undefined;
}

/** A merge in two readings, valid lockfiles both, which are one but for what is in conflict. */
export interface MergedLockfile {
  readonly ours: Lockfile;
  readonly theirs: Lockfile;
  readonly conflicts: readonly LockConflict[];
  /** Whether a side had a fetch record, and none holds for the merged lockfile. */
  readonly isRecordDropped: boolean;
}

/** Whole are the tables of a kind, the code, a base, and a file of the environment. */
const RULES: MergeRules = {
  isWhole: ([section, part]) =>
    section === 'code' ||
    (part !== undefined &&
      (section === 'sources' || section === 'bases' || section === 'environment')),
  // An ETag only saves transfers.
  isSame: ([section, kind], a, b) =>
    section === 'sources' &&
    kind !== undefined &&
    a !== undefined &&
    b !== undefined &&
    sameJson(withoutEtags(a), withoutEtags(b)),
};

/**
 * What one side changed is taken, and what both changed alike. What belongs together is taken from one side:
 * a pin with what the manifest asks for, a fetch record with the questions that it answers; a record that
 * answers other questions is dropped. The digest of the manifest's text stays ours where both changed it, since
 * the merged text is not known here; locking follows it.
 */
export function mergeLockfiles({ base, ours, theirs }: LockVersions): MergedLockfile {
  const former = base === undefined ? undefined : toDocument(base);
  const [mine, yours] = [toDocument(ours), toDocument(theirs)];
  const merged = mergeValues({ base: former, ours: mine, theirs: yours }, RULES);
  const sides = [mine, yours];
  const broken = couplingsOf(mine, yours).filter(
    (coupling) =>
      !isHeld(coupling, merged.ours ?? {}, sides) || !isHeld(coupling, merged.theirs ?? {}, sides),
  );
  const readingOf = (document: Json, side: Json) => {
    const taken = broken.reduce((held, coupling) => takeParts(coupling, held, side), document);
    return fromDocument(inOrderOf(taken, sides), manifest);
  };
  const manifest = base?.manifest === ours.manifest ? theirs.manifest : ours.manifest;
  const readings = {
    ours: readingOf(merged.ours ?? {}, mine),
    theirs: readingOf(merged.theirs ?? {}, yours),
  };
  const record = pickRecord(base, ours, theirs, readings);
  return {
    ours: withRecord(readings.ours, record.ours),
    theirs: withRecord(readings.theirs, record.theirs),
    conflicts: [
      ...merged.conflicts
        .filter(({ path }) => !broken.some((coupling) => isPartOf(path, coupling)))
        .map(toConflict),
      ...broken.map((coupling) => conflictOver(coupling, mine, yours)),
      ...recordConflict(record),
    ],
    isRecordDropped: record.isDropped,
  };
}

function withRecord(lockfile: Lockfile, record: FetchRecord | undefined): Lockfile {
  return record === undefined ? lockfile : { ...lockfile, fetch: record };
}

function toConflict({ path, ours, theirs }: ValueConflict): LockConflict {
  const key = path[0] === 'parameters' && path.length > 1 ? path.slice(1) : path;
  return { key: key.join('.'), ours, theirs };
}

/** The pins of a coupling as each side has them, or what is asked for where neither has one. */
function conflictOver({ key, parts }: Coupling, mine: Json, yours: Json): LockConflict {
  const told = [...parts]
    .reverse()
    .find((path) => !sameJson(jsonAt(mine, ...path), jsonAt(yours, ...path)));
  return { key, ours: jsonAt(mine, ...(told ?? [])), theirs: jsonAt(yours, ...(told ?? [])) };
}

function recordConflict({ ours, theirs, isConflict }: PickedRecord): readonly LockConflict[] {
  if (!isConflict) return [];
  const shorten = (record: FetchRecord | undefined) => record && toPlainJson(record.record);
  return [{ key: 'fetch', ours: shorten(ours), theirs: shorten(theirs) }];
}

function withoutEtags(source: Json | undefined): Json | undefined {
  if (isList(source)) return source.map((item) => withoutEtags(item) ?? null);
  return Object.fromEntries([...membersOf(source)].filter(([key]) => key !== 'etag'));
}

/** Three versions of a JSON value merged, leaf by leaf. */
import { isList, isObject, membersOf, sameJson } from '../changes/json-difference.ts';
import type { Json } from '../store/canonical-json.ts';

/** A place where both sides changed, each in its own way; absent on a side that removed it. */
export interface ValueConflict {
  readonly path: readonly string[];
  readonly ours: Json | undefined;
  readonly theirs: Json | undefined;
}

/** Two readings of one merge, which are the same but where the sides are in conflict. */
export interface MergedValue {
  readonly ours: Json | undefined;
  readonly theirs: Json | undefined;
  readonly conflicts: readonly ValueConflict[];
}

/** Three versions of a value; `base` is what both sides began with, absent where there was none. */
export interface Versions {
  readonly base: Json | undefined;
  readonly ours: Json | undefined;
  readonly theirs: Json | undefined;
}

/** What is merged as a whole, and what counts as the same although it is spelt otherwise. */
export interface MergeRules {
  isWhole(path: readonly string[]): boolean;
  isSame(path: readonly string[], a: Json | undefined, b: Json | undefined): boolean;
}

/**
 * What one side changed is taken, and what both changed alike; objects are merged member by member, lists where
 * the sides changed different parts of them. Anything else is a conflict.
 */
export function mergeValues(
  versions: Versions,
  rules: MergeRules,
  path: readonly string[] = [],
): MergedValue {
  const { base, ours, theirs } = versions;
  if (sameJson(ours, theirs) || sameJson(base, theirs)) return agreed(ours);
  if (sameJson(base, ours)) return agreed(theirs);
  if (rules.isSame(path, ours, theirs)) return agreed(ours);
  if (!rules.isWhole(path)) {
    if (isObject(ours) && isObject(theirs)) return mergeObjects(versions, rules, path);
    if (isList(base) && isList(ours) && isList(theirs))
      return mergeLists(base, ours, theirs, rules, path);
  }
  return inConflict(path, ours, theirs);
}

function agreed(value: Json | undefined): MergedValue {
  return { ours: value, theirs: value, conflicts: [] };
}

function inConflict(
  path: readonly string[],
  ours: Json | undefined,
  theirs: Json | undefined,
): MergedValue {
  return { ours, theirs, conflicts: [{ path, ours, theirs }] };
}

function mergeObjects(
  { base, ours, theirs }: Versions,
  rules: MergeRules,
  path: readonly string[],
): MergedValue {
  const [before, mine, yours] = [membersOf(base), membersOf(ours), membersOf(theirs)];
  const merged = mergeOrders([...mine.keys()], [...yours.keys()]).map((key) => {
    const versions = { base: before.get(key), ours: mine.get(key), theirs: yours.get(key) };
    return [key, mergeValues(versions, rules, [...path, key])] as const;
  });
  const reading = (side: 'ours' | 'theirs'): Json =>
    Object.fromEntries(
      merged.flatMap(([key, { [side]: value }]) =>
        value === undefined ? [] : [[key, value] as const],
      ),
    );
  return {
    ours: reading('ours'),
    theirs: reading('theirs'),
    conflicts: merged.flatMap(([, { conflicts }]) => conflicts),
  };
}

/** The keys of both, each that only the second has behind the one it follows there. */
function mergeOrders(mine: readonly string[], yours: readonly string[]): readonly string[] {
  const order = [...mine];
  const known = new Set(mine);
  for (const [index, key] of yours.entries()) {
    if (known.has(key)) continue;
    const before = yours[index - 1];
    order.splice(before === undefined ? 0 : order.indexOf(before) + 1, 0, key);
    known.add(key);
  }
  return order;
}

/** Lists of one length item by item; else what each side put in place of a part, where the parts do not touch. */
function mergeLists(
  base: readonly Json[],
  ours: readonly Json[],
  theirs: readonly Json[],
  rules: MergeRules,
  path: readonly string[],
): MergedValue {
  if (ours.length === base.length && theirs.length === base.length) {
    const items = base.map((item, index) =>
      mergeValues({ base: item, ours: ours[index], theirs: theirs[index] }, rules, [
        ...path,
        String(index),
      ]),
    );
    const reading = (side: 'ours' | 'theirs') =>
      items.map(({ [side]: value }) => value).filter((value) => value !== undefined);
    return {
      ours: reading('ours'),
      theirs: reading('theirs'),
      conflicts: items.flatMap(({ conflicts }) => conflicts),
    };
  }
  const [mine, yours] = [replacedPart(base, ours), replacedPart(base, theirs)];
  if (mine.end < yours.start) return agreed(splice(splice(base, yours), mine));
  if (yours.end < mine.start) return agreed(splice(splice(base, mine), yours));
  return inConflict(path, ours, theirs);
}

/** Items of a list, from `start` to before `end`, and what stands in their place. */
interface Replacement {
  readonly start: number;
  readonly end: number;
  readonly items: readonly Json[];
}

function replacedPart(base: readonly Json[], changed: readonly Json[]): Replacement {
  const shorter = Math.min(base.length, changed.length);
  let start = 0;
  while (start < shorter && sameJson(base[start], changed[start])) start++;
  let kept = 0;
  while (kept < shorter - start && sameJson(base.at(-1 - kept), changed.at(-1 - kept))) kept++;
  return { start, end: base.length - kept, items: changed.slice(start, changed.length - kept) };
}

function splice(list: readonly Json[], { start, end, items }: Replacement): readonly Json[] {
  return list.toSpliced(start, end - start, ...items);
}

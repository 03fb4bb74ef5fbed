/** Values and figures of two JSON documents that differ, under dotted keys. */
import {
  isJsonArray,
  isJsonObject,
  type JsonObject,
  type JsonValue,
} from '../package/lossless-json.ts';
import { canonicalJson, type Json } from '../store/canonical-json.ts';
import type { MetricChange, ValueChange } from './comparison.ts';

/**
 * What differs between two objects. Lists of objects are compared item by item, with items that were
 * put in or taken out told as such; other lists, and what only one side has, are told whole.
 */
export function compareValues(before: JsonObject, after: JsonObject): readonly ValueChange[] {
  return [...changesAt('', before, after)];
}

type Maybe = JsonValue | undefined;

function* changesAt(key: string, before: Maybe, after: Maybe): Generator<ValueChange> {
  if (isJsonObject(before) && isJsonObject(after)) {
    for (const name of new Set([...before.keys(), ...after.keys()])) {
      yield* changesAt(join(key, name), before.get(name), after.get(name));
    }
  } else if (isListOfObjects(before) && isListOfObjects(after)) {
    yield* changedItems(key, before, after);
  } else if (spell(before) !== spell(after)) {
    yield {
      key,
      ...(before === undefined ? {} : { before: toPlain(before) }),
      ...(after === undefined ? {} : { after: toPlain(after) }),
    };
  }
}

/** What lies between the items that both lists begin and end with. */
function* changedItems(
  key: string,
  before: readonly JsonValue[],
  after: readonly JsonValue[],
): Generator<ValueChange> {
  const [was, is] = [before.map(spell), after.map(spell)];
  const shorter = Math.min(was.length, is.length);
  let start = 0;
  while (start < shorter && was[start] === is[start]) start++;
  let end = 0;
  while (end < shorter - start && was.at(-1 - end) === is.at(-1 - end)) end++;
  if (before.length === after.length) {
    for (let index = start; index < before.length - end; index++) {
      yield* changesAt(join(key, String(index)), before[index], after[index]);
    }
    return;
  }
  for (let index = start; index < before.length - end; index++) {
    yield* changesAt(join(key, String(index)), before[index], undefined);
  }
  for (let index = start; index < after.length - end; index++) {
    yield* changesAt(join(key, String(index)), undefined, after[index]);
  }
}

function isListOfObjects(value: Maybe): value is readonly JsonValue[] {
  return isJsonArray(value) && value.length > 0 && value.every(isJsonObject);
}

function spell(value: Maybe): string | undefined {
  return value === undefined ? undefined : canonicalJson(toPlain(value));
}

/** As plain JSON; integers that a number cannot hold are told as text. */
function toPlain(value: JsonValue): Json {
  if (isJsonObject(value)) {
    return Object.fromEntries([...value].map(([name, member]) => [name, toPlain(member)]));
  }
  if (isJsonArray(value)) return value.map(toPlain);
  if (typeof value !== 'bigint') return value;
  return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
}

/**
 * The numbers of two `models/evaluation.json` that differ, overall figures before those of parts.
 * Numbers in lists count only where the items name their class: a matrix or a bin has no name.
 */
export function compareMetrics(before: JsonObject, after: JsonObject): readonly MetricChange[] {
  const [was, is] = [figuresOf(before), figuresOf(after)];
  return [...new Set([...was.keys(), ...is.keys()])]
    .map((key) => ({ key, before: was.get(key), after: is.get(key) }))
    .filter((change) => change.before !== change.after)
    .map(({ key, before: old, after: now }) => ({
      key,
      ...(old === undefined ? {} : { before: old }),
      ...(now === undefined ? {} : { after: now }),
    }))
    .sort((a, b) => depthOf(a.key) - depthOf(b.key));
}

function depthOf(key: string): number {
  return key.split('.').length;
}

function figuresOf(evaluation: JsonObject): ReadonlyMap<string, number> {
  const splits = evaluation.get('splits');
  return new Map(numbersAt('', isJsonObject(splits) ? splits : evaluation));
}

function* numbersAt(key: string, value: JsonValue): Generator<readonly [string, number]> {
  if (typeof value === 'number' || typeof value === 'bigint') {
    yield [key, Number(value)];
  } else if (isJsonObject(value)) {
    for (const [name, member] of value) yield* numbersAt(join(key, name), member);
  } else if (isJsonArray(value)) {
    for (const item of value) {
      const name = isJsonObject(item) ? item.get('class') : undefined;
      if (typeof name === 'string') yield* numbersAt(join(key, name), item);
    }
  }
}

function join(key: string, name: string): string {
  return key === '' ? name : `${key}.${name}`;
}

/** Two JSON values told apart: where they differ, and how a value reads in a sentence. */
import { canonicalJson, type Json } from '../store/canonical-json.ts';

/** A place where two values differ; absent on one side where only the other has it. */
export interface JsonDifference {
  /** From the root; empty where the values themselves differ. */
  readonly path: readonly string[];
  readonly was: Json | undefined;
  readonly is: Json | undefined;
}

/** Of a text or list in a sentence. */
const MAX_SHOWN = 80;

/** Of a digest or commit in a sentence. */
const DIGEST_DIGITS = 12;

/** The members of an object, by their own keys; none where the value is no object. */
export function membersOf(value: Json | undefined): ReadonlyMap<string, Json> {
  return new Map(isObject(value) ? Object.entries(value) : []);
}

/** The member of a member and so on; undefined where there is none. */
export function jsonAt(value: Json | undefined, ...path: readonly string[]): Json | undefined {
  let found = value;
  for (const key of path) found = membersOf(found).get(key);
  return found;
}

export function isObject(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !isList(value);
}

export function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

/** A list of texts, or undefined for any other value. */
export function textsOf(value: Json | undefined): readonly string[] | undefined {
  if (!isList(value)) return undefined;
  const texts = value.filter((item) => typeof item === 'string');
  return texts.length === value.length ? texts : undefined;
}

/** Whether two values are one, whatever the order of their keys; nothing equals only nothing. */
export function sameJson(a: Json | undefined, b: Json | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a === b || canonicalJson(a) === canonicalJson(b);
}

/**
 * Every place where two values differ, in the order of the first one's keys. Lists differ as a whole, and so
 * do variants: objects of one key each, such as `{ adam: … }` in place of `{ sgd: … }`.
 */
export function differencesOf(
  was: Json | undefined,
  is: Json | undefined,
  path: readonly string[] = [],
): readonly JsonDifference[] {
  const [before, after] = [membersOf(was), membersOf(is)];
  if (!isObject(was) || !isObject(is) || areVariants(before, after)) {
    return sameJson(was, is) ? [] : [{ path, was, is }];
  }
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((key) =>
    differencesOf(before.get(key), after.get(key), [...path, key]),
  );
}

function areVariants(before: ReadonlyMap<string, Json>, after: ReadonlyMap<string, Json>): boolean {
  const [[key, value] = [], [otherKey, otherValue] = []] = [...before, ...after];
  if (before.size !== 1 || after.size !== 1 || key === otherKey) return false;
  return isObject(value) && isObject(otherValue);
}

/** A value as a sentence shows it: texts bare, digests by their first digits, all of it short. */
export function shown(value: Json | undefined): string {
  if (value === undefined) return 'not set';
  if (isObject(value)) return shortened([...membersOf(value)].map(memberText).join(', ') || '{}');
  if (isList(value)) return shortened(value.map(shown).join(', ') || 'none');
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return /^[0-9a-f]{40,64}$/.test(text) ? text.slice(0, DIGEST_DIGITS) : shortened(text);
}

/** `was -> is`. */
export function change({ was, is }: Pick<JsonDifference, 'was' | 'is'>): string {
  return `${shown(was)} -> ${shown(is)}`;
}

/** Some of many names, and how many more there are. */
export function someNames(names: readonly string[], most = 5): string {
  const rest = names.length - most;
  const few = names.slice(0, most).map(shortened).join(', ');
  return rest > 0 ? `${few} and ${String(rest)} more` : few;
}

/** A key of code in words: `learningRate` is `learning rate`. */
export function inWords(key: string): string {
  return key.replace(/(?<=[a-z0-9])[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function memberText([key, value]: readonly [string, Json]): string {
  if (!isObject(value)) return `${inWords(key)} ${shown(value)}`;
  return membersOf(value).size === 0 ? inWords(key) : `${inWords(key)} (${shown(value)})`;
}

function shortened(text: string): string {
  return text.length <= MAX_SHOWN ? text : `${text.slice(0, MAX_SHOWN - 1)}…`;
}

/** One value, one spelling: the JSON that step keys and tree digests are taken of. */

export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json };

/** A text as plain JSON; throws a SyntaxError where it is none. */
function parsePlainJson(text: string): Json {
  return JSON.parse(text) as Json;
}

/** A value as plain JSON: absent members are left out, as JSON has no word for them. */
export function toPlainJson(value: object): Json {
  return parsePlainJson(JSON.stringify(value));
}

/**
 * JSON without white space, object keys sorted by UTF-16 code unit at every depth, numbers and
 * strings as ECMAScript spells them (RFC 8785). Throws where a number is not finite, since JSON
 * has no word for it.
 */
export function canonicalJson(value: Json): string {
  if (typeof value === 'number' && !Number.isFinite(value)) {
    throw new Error(`${String(value)} has no JSON form`);
  }
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (isList(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const members = Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`);
  return `{${members.join(',')}}`;
}

function isList(
  value: readonly Json[] | { readonly [key: string]: Json },
): value is readonly Json[] {
  return Array.isArray(value);
}

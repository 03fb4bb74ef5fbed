/** JSON texts of others as typed values, with one sentence about the first thing that is wrong. */
import type { z } from 'zod';
import { messageOf, type PkgError } from '../runtime/errors.ts';

/**
 * Parses a JSON text and checks it. Where it is not what the schema wants, what `fail` makes of the
 * reason is thrown; the reason names the key, as in `signatures.0.sig: expected base64`.
 */
export function parseJsonAs<T>(
  schema: z.ZodType<T>,
  text: string,
  fail: (reason: string, cause: unknown) => PkgError,
): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw fail(`it is not JSON (${messageOf(error)})`, error);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw fail(parsed.error.issues.slice(0, 1).map(describeIssue).join(), parsed.error);
}

function describeIssue(issue: z.core.$ZodIssue): string {
  const isUnknownKey = issue.code === 'unrecognized_keys';
  const path = [...issue.path, ...(isUnknownKey ? issue.keys.slice(0, 1) : [])];
  const key = shorten(path.map(String).join('.'));
  const what = isUnknownKey ? 'unknown key' : issue.message;
  return key === '' ? what : `${key}: ${what}`;
}

/** Keys of others may be of any length. */
function shorten(text: string): string {
  return text.length <= MAX_KEY_LENGTH ? text : `${text.slice(0, MAX_KEY_LENGTH)}...`;
}

const MAX_KEY_LENGTH = 100;

/**
 * The bytes that a base64 text of RFC 4648 stands for, in the standard alphabet with padding or the URL
 * and file name safe one with or without it; undefined where it is anything else, or where another
 * text is the one spelling of these bytes.
 */
export function decodeBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  const standard = bytes.toString('base64');
  const urlSafe = standard.replaceAll('+', '-').replaceAll('/', '_');
  const spellings = [standard, urlSafe, urlSafe.replace(/=+$/, '')];
  return spellings.includes(text) ? bytes : undefined;
}

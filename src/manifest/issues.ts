/** What a schema has against a manifest, as sentences with the place of each problem. */
import type { z } from 'zod';
import { PkgError } from '../runtime/errors.ts';
import { didYouMean } from '../runtime/suggest.ts';
import { type KeyPath, knownKeys } from './known-keys.ts';
import { manifestSchema } from './manifest.ts';

/** One error for all problems: the first is its message, the others its hint. */
export function issuesError(
  issues: readonly z.core.$ZodIssue[],
  value: unknown,
  locate: (path: KeyPath, at?: 'key') => string,
): PkgError {
  // A misspelt key also leaves its right name missing, so it is the one to speak of first.
  const isUnknownKey = (issue: z.core.$ZodIssue) => issue.code === 'unrecognized_keys';
  const described = [
    ...issues.filter(isUnknownKey),
    ...issues.filter((issue) => !isUnknownKey(issue)),
  ].map((issue) => describeIssue(issue, value, locate));
  const [first, ...others] = described;
  const more = others.map((other) => other.sentence);
  const hints = [first?.hint, ...more].filter((hint) => hint !== undefined);
  return new PkgError(
    'manifest',
    first?.sentence ?? 'the manifest is invalid',
    hints.length === 0 ? {} : { hint: hints.join('\n') },
  );
}

interface DescribedIssue {
  readonly sentence: string;
  readonly hint?: string | undefined;
}

function describeIssue(
  issue: z.core.$ZodIssue,
  value: unknown,
  locate: (path: KeyPath, at?: 'key') => string,
): DescribedIssue {
  const path = issue.path.map((part) => (typeof part === 'number' ? part : String(part)));
  if (issue.code === 'unrecognized_keys') {
    const unknown = issue.keys[0] ?? '';
    const full = [...path, unknown];
    return {
      sentence: `${locate(full, 'key')}: ${shortText(full.join('.'))}: unknown key`,
      hint: didYouMean(unknown, knownKeys(manifestSchema, path)),
    };
  }
  const inner = innermostIssue(issue);
  if (inner !== issue) {
    return describeIssue({ ...inner, path: [...issue.path, ...inner.path] }, value, locate);
  }
  const key = path.length === 0 ? 'manifest' : path.join('.');
  const found = valueAt(value, path);
  const sentence = `${locate(path)}: ${key}: ${expectation(issue, found)}`;
  if (issue.code === 'invalid_value' && typeof found === 'string') {
    return { sentence, hint: didYouMean(found, issue.values.map(String)) };
  }
  return { sentence };
}

/** For a union, the problem of the member that got furthest with a value of the right kind. */
function innermostIssue(issue: z.core.$ZodIssue): z.core.$ZodIssue {
  if (issue.code !== 'invalid_union') return issue;
  const deeper = issue.errors
    .flat()
    .find((candidate) => candidate.path.length > 0 || candidate.code !== 'invalid_type');
  return deeper ?? issue;
}

function expectation(issue: z.core.$ZodIssue, found: unknown): string {
  const got = found === undefined ? 'it is missing' : `found ${shortJson(found)}`;
  switch (issue.code) {
    case 'invalid_type':
      return `expected ${issue.expected}, ${got}`;
    case 'invalid_value':
      return `expected ${issue.values.map((value) => JSON.stringify(value)).join(' or ')}, ${got}`;
    case 'too_small':
      if (issue.origin === 'string') return issue.message;
      return `expected ${issue.inclusive === true ? 'at least' : 'more than'} ${String(issue.minimum)}, ${got}`;
    case 'too_big':
      return `expected ${issue.inclusive === true ? 'at most' : 'less than'} ${String(issue.maximum)}, ${got}`;
    case 'invalid_union':
      return `expected ${kindsOf(issue.errors)}, ${got}`;
    case 'unrecognized_keys':
    case 'invalid_format':
    case 'not_multiple_of':
    case 'invalid_key':
    case 'invalid_element':
    case 'custom':
      return issue.message;
  }
}

function valueAt(value: unknown, path: KeyPath): unknown {
  let found: unknown = value;
  for (const part of path) {
    if (typeof found !== 'object' || found === null) return undefined;
    found = Object.entries(found).find(([key]) => key === String(part))?.[1];
  }
  return found;
}

/** What the members of a union would take. */
function kindsOf(members: readonly (readonly z.core.$ZodIssue[])[]): string {
  const kinds = members
    .flat()
    .flatMap((issue) => (issue.code === 'invalid_type' ? [issue.expected] : []));
  return kinds.length === 0 ? 'another kind of value' : [...new Set(kinds)].join(' or ');
}

function shortJson(value: unknown): string {
  try {
    return shortText(JSON.stringify(value));
  } catch (error) {
    if (error instanceof TypeError) return 'a value that holds itself';
    throw error;
  }
}

function shortText(text: string): string {
  return text.length <= 120 ? text : `${text.slice(0, 117)}...`;
}

/** From YAML text to a manifest, with the place of every problem. */
import { isMap, LineCounter, type Node, type ParsedNode, parseDocument } from 'yaml';
import type { z } from 'zod';
import { messageOf, PkgError } from '../runtime/errors.ts';
import { didYouMean } from '../runtime/suggest.ts';
import { type Manifest, manifestSchema } from './manifest.ts';

/** A longer text is refused before it is parsed; real manifests stay under 10 kB. */
export const MAX_MANIFEST_BYTES = 1 << 20;

/** Aliases may repeat small parts; more than this many resolved is an attack on memory. */
const MAX_ALIASES = 100;

/** Deeper nesting than any key of the manifest has, and far from the parser's own stack. */
const MAX_DEPTH = 100;

/** A manifest with the text it came from. */
export interface ManifestSource {
  readonly manifest: Manifest;
  readonly text: string;
  readonly file: string;
  /** `file:line:column` of a key such as `data.query.classes.0`, or of the nearest one above it. */
  locate(key: string): string;
}

type KeyPath = readonly (string | number)[];

/**
 * Parses and checks a manifest; `file` only names it in messages.
 * @throws PkgError `manifest` with file:line:column, the key, what was expected and, for a misspelt
 * word, the nearest known one.
 */
export function parseManifest(text: string, file: string): ManifestSource {
  if (Buffer.byteLength(text) > MAX_MANIFEST_BYTES) {
    throw new PkgError(
      'manifest',
      `${file}:1:1: the manifest is larger than ${String(MAX_MANIFEST_BYTES)} bytes`,
      { hint: 'Is this the right file? A manifest is a short recipe.' },
    );
  }
  const { root, value, place } = parseYaml(text, file);
  const locatePath = (path: KeyPath, at: 'key' | 'value' = 'value') =>
    place(findOffset(root, path, at));
  const parsed = manifestSchema.safeParse(value);
  if (!parsed.success) throw issuesError(parsed.error.issues, value, locatePath);
  return {
    manifest: parsed.data,
    text,
    file,
    locate: (key) => locatePath(key.split('.')),
  };
}

/** Adds the place in the manifest to a `manifest` error that names only a key. */
export function withPlace(source: ManifestSource, error: unknown): unknown {
  if (!(error instanceof PkgError) || error.code !== 'manifest' || error.key === undefined) {
    return error;
  }
  return new PkgError('manifest', `${source.locate(error.key)}: ${error.key}: ${error.message}`, {
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    cause: error,
  });
}

function parseYaml(text: string, file: string) {
  const lineCounter = new LineCounter();
  const place = (offset: number) => {
    const { line, col } = lineCounter.linePos(offset);
    return `${file}:${String(Math.max(1, line))}:${String(Math.max(1, col))}`;
  };
  refuseDeepNesting(text, file);
  const document = parseDocument(text, {
    lineCounter,
    prettyErrors: false,
    uniqueKeys: true,
    stringKeys: true,
  });
  const problem = document.errors[0] ?? document.warnings[0];
  if (problem !== undefined) {
    throw new PkgError('manifest', `${place(problem.pos[0])}: not valid YAML: ${problem.message}`);
  }
  try {
    const value: unknown = document.toJS({ maxAliasCount: MAX_ALIASES });
    return { root: document.contents, value, place };
  } catch (error) {
    if (!(error instanceof ReferenceError)) throw error;
    throw new PkgError('manifest', `${place(0)}: not valid YAML: ${messageOf(error)}`, {
      hint: 'Write the repeated parts out instead of using aliases.',
      cause: error,
    });
  }
}

/** Bounds how deep brackets and indentation can nest before a recursive parser sees the text. */
function refuseDeepNesting(text: string, file: string): void {
  const fail = (line: number, column: number) => {
    throw new PkgError('manifest', `${file}:${String(line)}:${String(column)}: nested too deeply`);
  };
  let depth = 0;
  for (const [index, line] of text.split('\n').entries()) {
    const steps = /^(?:[ \t]|- |\? )*/.exec(line)?.[0].length ?? 0;
    if (steps > 4 * MAX_DEPTH) fail(index + 1, steps);
    for (let column = 0; column < line.length; column++) {
      const character = line[column];
      if (character === '[' || character === '{') depth++;
      if (character === ']' || character === '}') depth--;
      if (depth > MAX_DEPTH) fail(index + 1, column + 1);
    }
  }
}

function findOffset(root: ParsedNode | Node | null, path: KeyPath, at: 'key' | 'value'): number {
  let node: unknown = root;
  let offset = root?.range?.[0] ?? 0;
  for (const [depth, part] of path.entries()) {
    if (isMap(node)) {
      const pair = node.items.find((item) => String(item.key) === String(part));
      if (pair === undefined) return offset;
      const atKey = at === 'key' && depth === path.length - 1;
      offset = rangeStart(atKey ? pair.key : pair.value) ?? rangeStart(pair.key) ?? offset;
      node = pair.value;
    } else {
      const item = typeof node === 'object' && node !== null && 'items' in node ? node.items : [];
      const found: unknown = Array.isArray(item) ? item[Number(part)] : undefined;
      if (found === undefined) return offset;
      offset = rangeStart(found) ?? offset;
      node = found;
    }
  }
  return offset;
}

function rangeStart(node: unknown): number | undefined {
  if (typeof node !== 'object' || node === null || !('range' in node)) return undefined;
  const range = node.range;
  return Array.isArray(range) && typeof range[0] === 'number' ? range[0] : undefined;
}

function issuesError(
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
      sentence: `${locate(full, 'key')}: ${full.join('.')}: unknown key`,
      hint: didYouMean(unknown, knownKeys(path)),
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
      return `expected ${issue.inclusive === true ? 'at least' : 'more than'} ${String(issue.minimum)}, ${got}`;
    case 'too_big':
      return `expected ${issue.inclusive === true ? 'at most' : 'less than'} ${String(issue.maximum)}, ${got}`;
    case 'invalid_union':
      return `expected another kind of value, ${got}`;
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

function shortJson(value: unknown): string {
  const json = JSON.stringify(value);
  return json.length <= 60 ? json : `${json.slice(0, 57)}...`;
}

/** The keys the schema knows at a path, found by walking its definition. */
function knownKeys(path: KeyPath): readonly string[] {
  let schema: unknown = manifestSchema;
  for (const part of path) {
    const unwrapped = unwrap(schema);
    if (typeof unwrapped !== 'object' || unwrapped === null) return [];
    if ('element' in unwrapped) schema = unwrapped.element;
    else schema = shapeOf(unwrapped)[String(part)];
  }
  return Object.keys(shapeOf(unwrap(schema)));
}

function shapeOf(schema: unknown): Readonly<Record<string, unknown>> {
  if (typeof schema !== 'object' || schema === null || !('shape' in schema)) return {};
  return typeof schema.shape === 'object' && schema.shape !== null ? { ...schema.shape } : {};
}

/** Strips optional, default, pipe and preprocess wrappers off a schema. */
function unwrap(schema: unknown): unknown {
  let inner = schema;
  for (let i = 0; i < 10; i++) {
    const definition = definitionOf(inner);
    const next =
      definition['innerType'] ?? (definition['type'] === 'pipe' ? pipeEnd(definition) : undefined);
    if (next === undefined) return inner;
    inner = next;
  }
  return inner;
}

function pipeEnd(definition: Readonly<Record<string, unknown>>): unknown {
  const input = definitionOf(definition['in'])['type'];
  return input === 'transform' ? definition['out'] : definition['in'];
}

function definitionOf(schema: unknown): Readonly<Record<string, unknown>> {
  if (typeof schema !== 'object' || schema === null || !('def' in schema)) return {};
  return typeof schema.def === 'object' && schema.def !== null ? { ...schema.def } : {};
}

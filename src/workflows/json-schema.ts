/** JSON Schema of draft 7 without references, checked as quilt3 checks it. */
import type { Ajv, ErrorObject } from 'ajv';
import { isJsonArray, isJsonObject, type JsonValue, parseJson } from '../package/lossless-json.ts';
import { messageOf, PkgError } from '../runtime/errors.ts';
import type { Json } from '../store/canonical-json.ts';
import { DRAFT_7, isObject, openAjv, openMetaSchema } from './draft-7.ts';
import { pythonRegExp } from './python-regex.ts';
import { MAX_CHECK_MS, withinTime } from './time-limit.ts';

/** The largest schema that is read; the rules of a package are a few kilobytes. */
const MAX_SCHEMA_BYTES = 1 << 20;

/** Keywords whose value is a schema, or an array of schemas. */
const SCHEMA_KEYWORDS = new Set([
  ...['additionalItems', 'additionalProperties', 'allOf', 'anyOf', 'contains', 'else', 'if'],
  ...['items', 'not', 'oneOf', 'propertyNames', 'then'],
]);

/** Keywords whose value is an object of schemas by name. */
const NAMED_SCHEMA_KEYWORDS = new Set([
  ...['definitions', 'dependencies', 'patternProperties', 'properties'],
]);

const VALUE_KEYWORDS = new Set([
  ...['const', 'enum', 'exclusiveMaximum', 'exclusiveMinimum', 'maxItems', 'maxLength'],
  ...['maxProperties', 'maximum', 'minItems', 'minLength', 'minProperties', 'minimum'],
  ...['multipleOf', 'pattern', 'required', 'type', 'uniqueItems'],
]);

type JsonMembers = Readonly<Record<string, Json>>;

/** What a schema has to obey itself, compiled once. */
let metaSchema: Promise<Ajv> | undefined;

/** The first rule that a value breaks. */
export interface Violation {
  /** Keys and indexes from the value's root to the part at fault. */
  readonly path: readonly string[];
  /** The rule in the schema, as `#/properties/label/type`. */
  readonly rule: string;
  /** What must be, as `must be string`. */
  readonly message: string;
}

export interface JsonSchema {
  /**
   * The first violation by a plain value, or undefined where it obeys.
   * @throws PkgError `usage` where the check takes too long.
   */
  check(value: Json): Violation | undefined;
}

/**
 * Reads a schema; `name` is what messages call it. Formats are not checked, patterns are Python's and
 * keywords beyond draft 7 mean nothing, as in quilt3.
 * @throws PkgError `usage` where the text is no schema of draft 7, is too large or uses `$ref`.
 */
export async function parseJsonSchema(
  text: string,
  name: string,
  maxCheckMs = MAX_CHECK_MS,
): Promise<JsonSchema> {
  const fail = (why: string, cause?: unknown) =>
    new PkgError('usage', `the schema ${name} cannot be used: ${why}`, {
      hint: 'Ask whoever keeps the registry to correct the schema.',
      cause,
    });
  if (Buffer.byteLength(text) > MAX_SCHEMA_BYTES) {
    throw fail(`it is larger than ${String(MAX_SCHEMA_BYTES)} bytes`);
  }
  metaSchema ??= openMetaSchema();
  const [meta, ajv] = [await metaSchema, await openAjv()];
  const compile = () => {
    const schema = parseJson(text);
    refuseOtherDialects(schema);
    const plain = plainJson(schema);
    if (typeof plain !== 'boolean' && !isObject(plain)) throw new Error('it is no schema');
    if (meta.validateSchema(plain) !== true) {
      const { path, message } = violationOf(meta.errors?.[0]);
      throw new Error(`/${path.join('/')} ${message}`);
    }
    return ajv.compile(draft7Only(schema, ''));
  };
  try {
    const validate = withinTime(compile, maxCheckMs);
    return {
      check: (value) => {
        const obeys = withinTime(() => validate(value), maxCheckMs, name);
        return obeys ? undefined : violationOf(validate.errors?.[0]);
      },
    };
  } catch (error) {
    if (error instanceof PkgError) throw error;
    throw fail(messageOf(error), error);
  }
}

/**
 * A value as JavaScript's own objects and numbers; integers beyond 2^53 lose their last digits.
 */
export function plainJson(value: JsonValue): Json {
  if (isJsonObject(value)) {
    return objectOf([...value].map(([key, member]) => [key, plainJson(member)]));
  }
  if (isJsonArray(value)) return value.map(plainJson);
  return typeof value === 'bigint' ? Number(value) : value;
}

function refuseOtherDialects(schema: JsonValue): void {
  refuseReferences(schema);
  if (!isJsonObject(schema) || !schema.has('$schema')) return;
  const dialect = schema.get('$schema');
  if (dialect !== DRAFT_7) throw new Error(`its $schema is not ${DRAFT_7}`);
}

function refuseReferences(value: JsonValue): void {
  if (isJsonArray(value)) for (const item of value) refuseReferences(item);
  if (!isJsonObject(value)) return;
  if (value.has('$ref')) throw new Error('$ref is not supported');
  for (const member of value.values()) refuseReferences(member);
}

/**
 * The schema without what is not of draft 7, so that no keyword of another dialect takes effect.
 * @throws Error where a pattern is wrong.
 */
function draft7Only(schema: JsonValue, path: string): boolean | JsonMembers {
  if (!isJsonObject(schema)) return schema === true;
  const kept: (readonly [string, Json])[] = [];
  for (const [keyword, value] of schema) {
    const at = `${path}/${keyword}`;
    if (keyword === 'pattern' && typeof value === 'string') checkPattern(value, at);
    if (VALUE_KEYWORDS.has(keyword)) kept.push([keyword, plainJson(value)]);
    if (SCHEMA_KEYWORDS.has(keyword)) kept.push([keyword, subschemas(value, at)]);
    if (!NAMED_SCHEMA_KEYWORDS.has(keyword) || !isJsonObject(value)) continue;
    const members = [...value].map(([name, member]) => {
      if (keyword === 'patternProperties') checkPattern(name, at);
      return [name, subschemas(member, `${at}/${name}`)] as const;
    });
    kept.push([keyword, objectOf(members)]);
  }
  return objectOf(kept);
}

/** A schema, an array of schemas, or the array of names that a dependency may be. */
function subschemas(value: JsonValue, path: string): Json {
  if (typeof value === 'string') return value;
  if (!isJsonArray(value)) return draft7Only(value, path);
  return value.map((item, index) => subschemas(item, `${path}/${String(index)}`));
}

function checkPattern(pattern: string, path: string): void {
  try {
    pythonRegExp(pattern);
  } catch (error) {
    throw new Error(`the pattern ${JSON.stringify(pattern)} at ${path}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** An object of any keys, `__proto__` among them. */
function objectOf(members: Iterable<readonly [string, Json]>): JsonMembers {
  return Object.fromEntries(members);
}

function violationOf(error: ErrorObject | undefined): Violation {
  if (error === undefined) return { path: [], rule: '#', message: 'is not what it must be' };
  const path = error.instancePath.split('/').slice(1);
  return {
    path: path.map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~')),
    rule: error.schemaPath,
    message: sentenceOf(error),
  };
}

function sentenceOf({ keyword, schema, params, message }: ErrorObject): string {
  if (keyword === 'const') return `must be ${shortJson(schema)}`;
  if (keyword === 'enum') return `must be one of ${shortJson(schema)}`;
  if (keyword === 'uniqueItems') return 'must not hold an item twice';
  const name: unknown = params['additionalProperty'] ?? params['propertyName'];
  const sentence = message ?? 'is not what it must be';
  return name === undefined ? sentence : `${sentence}: ${shortJson(name)}`;
}

/** Long lists of what would be right help nobody. */
function shortJson(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 200 ? `${text.slice(0, 200)}...` : text;
}

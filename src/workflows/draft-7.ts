/** Ajv, set up to read JSON Schema of draft 7 as quilt3 reads it. */
import type { Ajv, FuncKeywordDefinition } from 'ajv';
import { canonicalJson, type Json } from '../store/canonical-json.ts';
import { pythonRegExp } from './python-regex.ts';

const META_SCHEMA = 'http://json-schema.org/draft-07/schema';
/** How a schema says that it is of this draft. */
export const DRAFT_7 = `${META_SCHEMA}#`;

/** Ajv's way to regular expressions; `code` would only be read where it writes code to files. */
const REGULAR_EXPRESSIONS = Object.assign((pattern: string) => pythonRegExp(pattern), {
  code: 'pythonRegExp',
});

/** Keywords by equality; Ajv's own fall over objects that have a key such as `toString`. */
const EQUALITY_KEYWORDS: readonly FuncKeywordDefinition[] = [
  {
    keyword: 'const',
    compile: (wanted: Json) => {
      const spelling = canonicalJson(wanted);
      return (data: Json) => canonicalJson(data) === spelling;
    },
  },
  {
    keyword: 'enum',
    schemaType: 'array',
    compile: (wanted: readonly Json[]) => {
      const spellings = new Set(wanted.map(canonicalJson));
      return (data: Json) => spellings.has(canonicalJson(data));
    },
  },
  {
    keyword: 'uniqueItems',
    type: 'array',
    schemaType: 'boolean',
    compile: (wanted: boolean) => (data: readonly Json[]) =>
      !wanted || new Set(data.map(canonicalJson)).size === data.length,
  },
];

/** A validator that knows by `validateSchema` what a schema of draft 7 is. */
export async function openMetaSchema(): Promise<Ajv> {
  const ajv = await openAjv();
  const standard: unknown = ajv.schemas[META_SCHEMA]?.schema;
  if (!isObject(standard) || !isObject(standard['properties'])) {
    throw new Error('ajv has no schema of draft 7');
  }
  // Ajv's copy asks more of an enum than the draft does: that it has values, and each once.
  const properties = { ...standard['properties'], enum: { type: 'array' } };
  ajv.removeSchema(META_SCHEMA);
  ajv.addMetaSchema({ ...standard, properties }, META_SCHEMA, false);
  return ajv;
}

/** A validator that takes neither formats nor inherited properties for rules. */
export async function openAjv(): Promise<Ajv> {
  const library = await import('ajv');
  const ajv = new library.Ajv({
    strict: false,
    validateFormats: false,
    validateSchema: false,
    ownProperties: true,
    verbose: true,
    logger: false,
    code: { regExp: REGULAR_EXPRESSIONS },
  });
  for (const definition of EQUALITY_KEYWORDS) {
    ajv.removeKeyword(String(definition.keyword));
    ajv.addKeyword(definition);
  }
  return ajv;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

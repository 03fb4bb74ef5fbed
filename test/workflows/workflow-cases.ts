/** Configs, packages, patterns and schemas that quilt3 and `pkg` have to judge alike. */
import fc from 'fast-check';

export interface WorkflowCase {
  /** Texts in the registry by key; REGISTRY in them stands for its URL. */
  readonly files: Readonly<Record<string, string>>;
  readonly name: string;
  readonly message: string | null;
  /** The workflow named, null for none on purpose, absent where nothing is said. */
  readonly workflow?: string | null;
  /** Absent where the package's metadata was never set. */
  readonly meta?: unknown;
  /** Metadata of each file. */
  readonly entries: Readonly<Record<string, unknown>>;
  readonly refused?: true;
}

const SCHEMA_FILES = {
  'schemas/meta.json': JSON.stringify({
    $schema: 'http://json-schema.org/draft-07/schema#',
    $id: 'https://example.org/meta',
    type: 'object',
    properties: { species: { type: 'string', pattern: '^(?P<kind>cat|dog)$' } },
    required: ['species'],
  }),
  'schemas/entries é #+.json': JSON.stringify({
    type: 'array',
    minItems: 1,
    items: {
      properties: {
        logical_key: { pattern: '\\.txt$' },
        size: { maximum: 7 },
        meta: { required: ['label'] },
      },
    },
  }),
  'schemas/ref.json': '{"properties": {"a": {"$ref": "#"}}}',
  'schemas/draft4.json': '{"$schema": "http://json-schema.org/draft-04/schema#"}',
  'schemas/bad.json': '{"type": "txt"}',
  'schemas/text.json': 'no JSON',
  'schemas/any.json': 'true',
};

const CONFIG = `
version: "1"
default_workflow: alpha
workflows:
  alpha:
    name: Alpha
    description: the usual
    is_message_required: yes
  names: {name: Names, handle_pattern: '^a/(?P<rest>\\w+)$'}
  unanchored: {name: Unanchored, handle_pattern: team}
  meta: {name: Metadata, metadata_schema: meta}
  entries: {name: Entries, entries_schema: entries}
  both: {name: Both, metadata_schema: meta, entries_schema: entries}
  same: {name: Same, metadata_schema: any, entries_schema: again}
  ref: {name: Reference, metadata_schema: ref}
  draft4: {name: Draft 4, metadata_schema: draft4}
  bad: {name: Bad, metadata_schema: bad}
  text: {name: Text, metadata_schema: text}
  gone: {name: Gone, metadata_schema: gone}
  unknown: {name: Unknown, metadata_schema: nowhere}
  empty: {name: Empty, metadata_schema: '', handle_pattern: ''}
  pattern: {name: Pattern, handle_pattern: '('}
  catalog: {name: Catalog, catalog: {anything: [1, 2]}}
schemas:
  meta: {url: REGISTRY/schemas/meta.json}
  any: {url: REGISTRY/schemas/any.json}
  again: {url: REGISTRY/schemas/any.json, note: further keys are fine here}
  entries: {url: REGISTRY/schemas/entries%20%C3%A9%20%23%2B.json}
  ref: {url: REGISTRY/schemas/ref.json}
  draft4: {url: REGISTRY/schemas/draft4.json}
  bad: {url: REGISTRY/schemas/bad.json}
  text: {url: REGISTRY/schemas/text.json}
  gone: {url: REGISTRY/schemas/gone.json}
  web: {url: "https://example.org/schema.json"}
successors:
  s3://other: {title: Other, copy_data: false}
catalog: {any: thing}
`;

const OPTIONAL = `
version: {base: "1.1.0", catalog: "1"}
is_workflow_required: off
workflows:
  y: {name: "y is no boolean to PyYAML"}
  web: {name: Web, metadata_schema: web}
schemas: {web: {url: "https://example.org/schema.json"}}
`;

const KEY = '.quilt/workflows/config.yml';
const FULL = { ...SCHEMA_FILES, [KEY]: CONFIG };
const GOOD = { 'a.txt': { label: 'x' }, 'b/c.txt': { label: 1 } };

/** A case with what differs from a good one. */
function workflowCase(differs: Partial<WorkflowCase>): WorkflowCase {
  return { files: FULL, name: 'a/b', message: 'why', entries: GOOD, ...differs };
}

const withConfig = (text: string, differs: Partial<WorkflowCase> = {}): WorkflowCase =>
  workflowCase({ files: { ...SCHEMA_FILES, [KEY]: text }, ...differs });

const MINIMAL = 'version: "1"\nworkflows: {alpha: {name: Alpha}}\n';

export const WORKFLOW_CASES: Readonly<Record<string, WorkflowCase>> = {
  'no config, nothing said': workflowCase({ files: {} }),
  'no config, a workflow named': workflowCase({ files: {}, workflow: 'alpha', refused: true }),
  'no config, none on purpose': workflowCase({ files: {}, workflow: null, refused: true }),
  'the default': workflowCase({}),
  'the default without a message': workflowCase({ message: null, refused: true }),
  'the default with an empty message': workflowCase({ message: '', refused: true }),
  'none on purpose where one is needed': workflowCase({ workflow: null, refused: true }),
  'none on purpose': withConfig(OPTIONAL, { workflow: null }),
  'nothing said where none is needed': withConfig(OPTIONAL),
  'nothing said where one is needed': withConfig(MINIMAL, { refused: true }),
  'an id that YAML 1.1 might take for a boolean': withConfig(OPTIONAL, { workflow: 'y' }),
  'a schema on the web': withConfig(OPTIONAL, { workflow: 'web', refused: true }),
  'an unknown workflow': workflowCase({ workflow: 'alhpa', refused: true }),
  'an inherited property as a workflow': workflowCase({ workflow: 'toString', refused: true }),
  'a name that matches': workflowCase({ workflow: 'names', name: 'a/b_9' }),
  'a name that does not match': workflowCase({ workflow: 'names', name: 'b/c', refused: true }),
  'a name that matches in the middle': workflowCase({ workflow: 'unanchored', name: 'my/teams' }),
  'a name without the word': workflowCase({ workflow: 'unanchored', refused: true }),
  'good metadata': workflowCase({ workflow: 'meta', meta: { species: 'cat', more: 1 } }),
  'metadata that breaks a pattern': workflowCase({
    ...{ workflow: 'meta', meta: { species: 'cats' }, refused: true },
  }),
  'metadata that was never set': workflowCase({ workflow: 'meta', refused: true }),
  'metadata that is null': workflowCase({ workflow: 'meta', meta: null, refused: true }),
  'good files': workflowCase({ workflow: 'entries' }),
  'a file of another kind': workflowCase({
    ...{ workflow: 'entries', entries: { ...GOOD, 'd.csv': { label: 'x' } }, refused: true },
  }),
  'a file without metadata': workflowCase({
    ...{ workflow: 'entries', entries: { 'a.txt': null }, refused: true },
  }),
  'no files': workflowCase({ workflow: 'entries', entries: {}, refused: true }),
  'two schemas': workflowCase({ workflow: 'both', meta: { species: 'dog' } }),
  'one schema under two ids': workflowCase({ workflow: 'same' }),
  'a schema with a reference': workflowCase({ workflow: 'ref', refused: true }),
  'a schema of another draft': workflowCase({ workflow: 'draft4', refused: true }),
  'a schema that is none': workflowCase({ workflow: 'bad', refused: true }),
  'a schema that is not JSON': workflowCase({ workflow: 'text', refused: true }),
  'a schema that is gone': workflowCase({ workflow: 'gone', refused: true }),
  'a schema without an entry': workflowCase({ workflow: 'unknown', refused: true }),
  'empty texts for schema and pattern': workflowCase({ workflow: 'empty' }),
  'a pattern that is none': workflowCase({ workflow: 'pattern', refused: true }),
  'settings of the catalog': workflowCase({ workflow: 'catalog' }),
  'an empty config': withConfig('', { refused: true }),
  'a config that is no map': withConfig('- a\n', { refused: true }),
  'a config that is not YAML': withConfig('a: [', { refused: true }),
  'a version without quotes': withConfig(MINIMAL.replace('"1"', '1'), { refused: true }),
  'a version with a point and no quotes': withConfig(MINIMAL.replace('"1"', '1.0'), {
    refused: true,
  }),
  'a newer version': withConfig(MINIMAL.replace('"1"', '"1.2"'), { refused: true }),
  'a newer patch': withConfig(MINIMAL.replace('"1"', '"1.1.1"'), { refused: true }),
  'a shorter version': withConfig(MINIMAL.replace('"1"', '"1.1"'), { workflow: 'alpha' }),
  'an older patch': withConfig(MINIMAL.replace('"1"', '"1.0.9"'), { workflow: 'alpha' }),
  'a key of a newer time': withConfig(`${MINIMAL}is_workflow_requred: false\n`, { refused: true }),
  'a key twice': withConfig(`${MINIMAL}default_workflow: no-such\ndefault_workflow: alpha\n`),
  'no workflows': withConfig('version: "1"\nworkflows: {}\n', { refused: true }),
  'an id with a space': withConfig('version: "1"\nworkflows: {a b: {name: A}}\n', {
    refused: true,
  }),
  'a workflow without a name': withConfig('version: "1"\nworkflows: {alpha: {}}\n', {
    refused: true,
  }),
  'a name that is a date': withConfig('version: "1"\nworkflows: {alpha: {name: 2020-01-01}}\n', {
    refused: true,
  }),
  'a name with an exponent but no point': withConfig(
    'version: "1"\nworkflows: {alpha: {name: 1e3}}\n',
    { workflow: 'alpha' },
  ),
  'an anchor and a merged map': withConfig(
    'version: "1"\nworkflows:\n  a: &a {name: A}\n  alpha: {<<: *a, is_message_required: true}\n',
    { workflow: 'alpha' },
  ),
  'no schemas in schemas': withConfig(`${MINIMAL}schemas: {}\n`, { refused: true }),
  'a default that does not exist': withConfig(`${MINIMAL}default_workflow: beta\n`, {
    refused: true,
  }),
};

export const PATTERNS: readonly string[] = [
  ...['', 'a', '^a', 'a$', '\\Aa\\Z', '.', '^.$', '(?s)^.$', '(?i)ABC', '^\\w+/\\w+$', '^\\w+$'],
  ...['\\d', '^\\D+$', '\\s', '^\\S+$', '\\W', '\\bcat\\b', '\\Bat', '^\\b', '[\\w-]+/[\\w-]+$'],
  ...['(?P<x>a)(?P=x)', '(a|b)\\1', '(?:a|b)c', '(?=a)a', 'a(?!b)', '(?<=a)b', '(?<!a)b'],
  ...['a{2}', 'a{2,}', '^a{,2}$', 'a{1,2}?b', 'x{', 'x{a}', 'x{}', '}', ']', 'a]', '[]a]', '[^]a]'],
  ...['[a-c]', '[a\\-c]', '[a-]', '[-a]', '[.]', '[$^]', '[\\]]', '[\\[]', '[[]', '[&&]', '[a--]'],
  ...['[\\b]', '\\x41', '\\u00e9', '\\U0001F600', '[\\U0001F600-\\U0001F64F]', '\\n', '\\t', '\\/'],
  ...['\\-', '\\ ', '\\.', '\\$', '\\0', '\\101', '[\\W\\d]', '[^\\W\\d]', '[^\\s]', '(?#note)a'],
  ...['^(instruments|team)/(production|staging)$', 'é', '[à-ü]', '^😀$', '^[😀]$', 'a|', '(|a)b'],
  ...['^[^/]+/[^/]+$', '(a*)*b', '(?:)', 'a??b', '\\\\', '_', '[_]', '#', '-', '&', '~', '@', '"'],
  ...['(?i)é', '(?iu)straße', '(?is)a.b', '\\$\\{x\\}', '[{}]', '[|]', '[()]', '[/]', '\\ba'],
];

export const SUBJECTS: readonly string[] = [
  ...['', 'a', 'A', 'aa', 'aaa', 'ab', 'ac', 'ba', 'b', 'a\n', '\na', 'a\nb', 'abc', 'ABC', 'Abc'],
  ...[
    'user/pkg',
    'ü/ñ',
    'a-b/c_d',
    'a b',
    'a\tb',
    'cat',
    'cats',
    'a cat',
    'bat',
    '9',
    '٣',
    '²',
    'Ⅷ',
  ],
  ...[
    'instruments/staging',
    'team/production',
    'e\u0301',
    'é',
    'É',
    '😀',
    '😀😀',
    'x{',
    'x{a}',
    'x{}',
  ],
  ...['}', ']', '[', 'a]', '$', '^', '.', '-', '&', '&&', '\b', '\0', '\u00a0', '\ufeff', '\u0085'],
  ...['\u001c', '\u2028', '\r', '\n', '\\', '_', '#', '@', '~', '"', '/', '|', '(', '{', '日本/語'],
  ...['STRASSE', 'straße', 'a|b', 'A\nB', 'ccat', '\u200b', '${x}', 'aab', 'abb', '中', 'a\u0301'],
];

/** Schemas that speak of what the two languages treat apart. */
export const SCHEMAS: readonly string[] = [
  ...['true', 'false', '{}', 'null', '[]', '1', '"x"', '{"$ref": "#"}', '{"enum": [{"$ref": 1}]}'],
  ...['{"type": "integer"}', '{"type": "number"}', '{"type": ["null", "string"]}', '{"type": []}'],
  ...['{"type": "string", "nullable": true}', '{"type": "any"}', '{"type": null}', '{"enum": []}'],
  ...['{"const": 1}', '{"const": true}', '{"const": 0}', '{"const": false}', '{"enum": [1, "a"]}'],
  ...['{"const": {"a": [1, {"b": null}]}}', '{"const": {}}', '{"const": []}', '{"const": null}'],
  ...['{"required": ["toString"]}', '{"required": ["__proto__"]}', '{"required": ["constructor"]}'],
  ...['{"properties": {"toString": false}}', '{"properties": {"$id": {"type": "string"}}}'],
  ...['{"$async": true, "type": "string"}', '{"id": "x", "type": "string"}', '{"$id": "a#b"}'],
  ...['{"$id": "http://json-schema.org/draft-07/schema#"}', '{"$defs": 1}', '{"format": "email"}'],
  ...['{"allOf": [{"$id": "x"}, {"$id": "x", "type": "string"}]}', '{"format": "no such"}'],
  ...['{"minLength": 2}', '{"maxLength": 1}', '{"minLength": 1.0}', '{"minLength": "1"}'],
  ...['{"pattern": "^\\\\w$"}', '{"pattern": "("}', '{"pattern": "a$"}', '{"pattern": "\\\\d"}'],
  ...['{"definitions": {"x": {"pattern": "("}}}', '{"patternProperties": {"(": true}}'],
  ...['{"patternProperties": {"^a": {"type": "integer"}}, "additionalProperties": false}'],
  ...['{"propertyNames": {"pattern": "^[a-z]$"}}', '{"propertyNames": false}'],
  ...['{"multipleOf": 0.1}', '{"multipleOf": 2}', '{"multipleOf": 0}', '{"multipleOf": 1.5}'],
  ...['{"uniqueItems": true}', '{"contains": {"type": "string"}}', '{"contains": true}'],
  ...['{"contains": {"type": "integer"}, "minContains": 2}', '{"dependentRequired": {"a": ["b"]}}'],
  ...['{"prefixItems": [{"type": "string"}]}', '{"unevaluatedProperties": false}'],
  ...['{"items": [{"type": "string"}], "additionalItems": false}', '{"items": []}'],
  ...['{"additionalItems": false}', '{"items": {}, "additionalItems": false}', '{"items": true}'],
  ...['{"then": false}', '{"if": {"type": "string"}, "then": {"minLength": 2}, "else": false}'],
  ...['{"dependencies": {"a": ["b"]}}', '{"dependencies": {"a": {"required": ["b"]}}}'],
  ...[
    '{"dependencies": {"a": false}}',
    '{"minimum": 1, "exclusiveMaximum": 2}',
    '{"minimum": "1"}',
  ],
  ...['{"exclusiveMinimum": true}', '{"maxProperties": 1}', '{"minProperties": 1}', '{"not": {}}'],
  ...['{"oneOf": [{"type": "number"}, {"type": "integer"}]}', '{"anyOf": []}', '{"allOf": [1]}'],
  ...['{"required": ["a", "a"]}', '{"required": []}', '{"required": "a"}', '{"title": 1}'],
];

export const VALUES: readonly string[] = [
  ...['null', 'true', 'false', '0', '1', '1.0', '-1', '1.5', '0.3', '3', '1e3', '9007199254740992'],
  ...['""', '"a"', '"ab"', '"😀"', '"a\\n"', '"é"', '"٣"', '[]', '[1]', '[1, 1]', '[1, 1.0]'],
  ...['[1, true]', '[0, false]', '["a", 1]', '["a", "b"]', '[{}, {}]', '[{"a": 1}, {"a": 1.0}]'],
  ...['{}', '{"a": 1}', '{"a": "x"}', '{"b": 1}', '{"a": 1, "b": 2}', '{"ab": 1}', '{"A": 1}'],
  ...['{"a": [1, {"b": null}]}', '{"toString": 1}', '{"__proto__": 1}', '{"constructor": 1}'],
  ...['{"$id": 1}', '{"$id": "x"}', '{"valueOf": 1}', '[[1], [1]]', '[null, null]'],
];

const scalar = fc.oneof(
  fc.constantFrom(null, true, false, 0, 1, 2, 1.5, -1, 10),
  fc.constantFrom('', 'a', 'b', 'ab', 'é', '😀', 'A1'),
);

/** Values of few distinct parts, so that schemas say something of them. */
export const ANY_VALUE: fc.Arbitrary<unknown> = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    scalar,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('a', 'b', 'ab'), tie('value'), { maxKeys: 3 }),
  ),
})).value;

const TYPES = ['array', 'boolean', 'integer', 'null', 'number', 'object', 'string'] as const;

/** Schemas of all keywords of draft 7. */
export const ANY_SCHEMA: fc.Arbitrary<unknown> = fc.letrec<{ schema: unknown }>((tie) => {
  const schema = tie('schema');
  const some = fc.array(schema, { minLength: 1, maxLength: 3 });
  const names = fc.uniqueArray(fc.constantFrom('a', 'b', 'ab'), { maxLength: 2 });
  const named = (keys: readonly string[]) =>
    fc.dictionary(fc.constantFrom(...keys), schema, { maxKeys: 2 });
  const small = fc.nat({ max: 3 });
  const keywords: Record<string, fc.Arbitrary<unknown>> = {
    type: fc.oneof(
      fc.constantFrom(...TYPES),
      fc.uniqueArray(fc.constantFrom(...TYPES), { minLength: 1, maxLength: 3 }),
    ),
    ...{ const: ANY_VALUE, enum: fc.array(ANY_VALUE, { minLength: 1, maxLength: 4 }) },
    multipleOf: fc.constantFrom(1, 2, 0.5),
    ...{ maximum: small, minimum: small, exclusiveMaximum: small, exclusiveMinimum: small },
    ...{ maxLength: small, minLength: small, maxItems: small, minItems: small },
    ...{ maxProperties: small, minProperties: small },
    pattern: fc.constantFrom('a', '^a', 'b$', '^\\w*$', '\\d', '^.$'),
    ...{ uniqueItems: fc.boolean(), required: names },
    items: fc.oneof(schema, some),
    ...{ additionalItems: schema, contains: schema, additionalProperties: schema },
    properties: named(['a', 'b']),
    patternProperties: named(['^a', 'b', '\\w']),
    dependencies: fc.dictionary(fc.constantFrom('a', 'b'), fc.oneof(names, schema), { maxKeys: 2 }),
    ...{ propertyNames: schema, if: schema, then: schema, else: schema },
    ...{ allOf: some, anyOf: some, oneOf: some, not: schema },
  };
  return {
    schema: fc.oneof(
      { depthSize: 'small' },
      fc.boolean(),
      fc
        .tuple(
          fc.uniqueArray(fc.constantFrom(...Object.keys(keywords)), { minLength: 1, maxLength: 3 }),
          fc.record(keywords),
        )
        .map(([kept, all]) => Object.fromEntries(kept.map((keyword) => [keyword, all[keyword]]))),
    ),
  };
}).schema;

/** What a registry's workflows ask of a package, and in which words they refuse it. */
import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../../src/package/lossless-json.ts';
import type { Package } from '../../src/package/package.ts';
import { parseJsonSchema } from '../../src/workflows/json-schema.ts';
import { pythonRegExp } from '../../src/workflows/python-regex.ts';
import { withinTime } from '../../src/workflows/time-limit.ts';
import { parseWorkflowConfig } from '../../src/workflows/workflow-config.ts';
import { applyWorkflow, WORKFLOW_CONFIG_KEY } from '../../src/workflows/workflows.ts';
import { samplePackage } from '../support/sample-packages.ts';

const URL = 's3://bucket/.quilt/workflows/config.yml?versionId=1';

const CONFIG = `version: "1"
workflows:
  strict:
    name: Strict
    handle_pattern: ^team/
    is_message_required: true
    metadata_schema: meta
    entries_schema: files
  free: {name: Free}
schemas:
  meta: {url: "s3://bucket/meta.json"}
  files: {url: "s3://bucket/files.json"}
  local: {url: "file:///meta.json"}
`;

const TEXTS: Readonly<Record<string, string>> = {
  's3://bucket/meta.json': '{"properties": {"kind": {"enum": ["cat", "dog"]}}}',
  's3://bucket/files.json': '{"items": {"properties": {"size": {"maximum": 3}}}}',
};

interface Push {
  readonly config?: string;
  readonly name?: string;
  readonly message?: string | null;
  readonly meta?: JsonValue;
  readonly files?: Readonly<Record<string, string>>;
  readonly workflow?: string | null | undefined;
}

async function push({
  config = CONFIG,
  name = 'team/a',
  workflow,
  ...push_
}: Push): Promise<Package> {
  const { pkg } = samplePackage(push_.files ?? { 'a/b': 'abc' }, push_.message ?? null);
  const header = new Map(pkg.header);
  if (push_.meta !== undefined) header.set('user_meta', push_.meta);
  return await applyWorkflow({
    ...{ registryUrl: 's3://bucket', name, workflow, pkg: { ...pkg, header } },
    read: (key) =>
      Promise.resolve(
        key === WORKFLOW_CONFIG_KEY && config !== ''
          ? { text: config, physicalKey: URL }
          : undefined,
      ),
    readUrl: (url) => {
      const text = TEXTS[url];
      return Promise.resolve(text === undefined ? undefined : { text, physicalKey: `${url}?v` });
    },
  });
}

describe('a push to a registry with workflows', () => {
  it('gets the workflow, its config and its schemas into the header', async () => {
    const { header } = await push({ workflow: 'strict', message: 'why' });
    const schemas = new Map([
      ['meta', 's3://bucket/meta.json?v'],
      ['files', 's3://bucket/files.json?v'],
    ]);
    const expected = new Map<string, JsonValue>([
      ['id', 'strict'],
      ['config', URL],
    ]);
    expect(header.get('workflow')).toEqual(expected.set('schemas', schemas));
  });

  it('gets no schemas where the workflow has none, and loses an old workflow without a config', async () => {
    const pushed = await push({ workflow: 'free' });
    expect(pushed.header.get('workflow')).toEqual(
      new Map([
        ['id', 'free'],
        ['config', URL],
      ]),
    );
    expect((await push({ config: '' })).header.has('workflow')).toBe(false);
  });

  const strict = { workflow: 'strict', message: 'why' };
  const refusals: Readonly<Record<string, readonly [Push, string]>> = {
    'has no message': [
      { workflow: 'strict' },
      `the push has no message (${URL}:6:26: workflows.strict.is_message_required)`,
    ],
    'has another name': [
      { ...strict, name: 'other/a' },
      `the name other/a does not match "^team/" (${URL}:5:21: workflows.strict.handle_pattern)`,
    ],
    'has metadata that the schema forbids': [
      { ...strict, meta: new Map([['kind', 'cow']]) },
      'the package\'s metadata: user_meta.kind must be one of ["cat","dog"] ' +
        '(schema "meta", s3://bucket/meta.json?v#/properties/kind/enum)',
    ],
    'has a file that the schema forbids': [
      { ...strict, files: { a: 'abc', 'b/c': 'abcd' } },
      'file "b/c": size must be <= 3 ' +
        '(schema "files", s3://bucket/files.json?v#/items/properties/size/maximum)',
    ],
    'names an unknown workflow': [
      { workflow: 'strickt' },
      `s3://bucket has no workflow "strickt" (${URL}:3:3: workflows)`,
    ],
    'names none': [
      {},
      `s3://bucket takes packages only by a workflow (${URL}:1:1: is_workflow_required)`,
    ],
    'names one where there are none': [
      { config: '', workflow: 'a' },
      's3://bucket has no workflows',
    ],
  };

  for (const [title, [what, message]] of Object.entries(refusals)) {
    it(`is refused where it ${title}`, async () => {
      await expect(push(what)).rejects.toMatchObject({ code: 'usage', message });
    });
  }

  it('is refused where its schema is local, on the web or gone', async () => {
    const config = (url: string) => CONFIG.replace('s3://bucket/meta.json', url);
    for (const url of ['file:///meta.json', 'https://example.org/x', 's3://bucket/gone.json']) {
      const refused = push({ ...strict, config: config(url) });
      await expect(refused).rejects.toMatchObject({ code: 'usage' });
      await expect(refused).rejects.toThrow(':11:15: schemas.meta.url: ');
    }
  });
});

describe('a config', () => {
  const refusals: Readonly<Record<string, readonly [string, string]>> = {
    'a misspelt key': [
      'version: "1"\nworkflow: {}\nworkflows: {a: {name: A}}\n',
      '2:11: workflow: unknown key',
    ],
    'a number as version': [
      'version: 1\nworkflows: {a: {name: A}}\n',
      '1:10: version: expected "1"',
    ],
    'a newer version': [
      'version: "2"\nworkflows: {a: {name: A}}\n',
      '1:10: version: version 2 is not',
    ],
    'broken YAML': ['version: "1"\nworkflows: [\n', 'not valid YAML'],
    'brackets without end': ['['.repeat(1000), 'it is nested too deeply'],
    'dashes without end': ['- '.repeat(1000), 'it is nested too deeply'],
    'a huge text': [`#${'x'.repeat(2 ** 18)}`, 'it is larger than'],
    'aliases that grow': [
      Array.from({ length: 9 }, (_, n) => {
        const before = n === 0 ? 'x' : `*a${String(n - 1)}`;
        return `a${String(n)}: &a${String(n)} [${Array(9).fill(before).join(', ')}]\n`;
      }).join(''),
      'not valid YAML: Excessive alias count',
    ],
  };

  for (const [title, [text, message]] of Object.entries(refusals)) {
    it(`is refused with its place for ${title}`, () => {
      expect(() => parseWorkflowConfig(text, 'config.yml')).toThrow(message);
    });
  }
});

describe('a schema', () => {
  it('is refused in words for what it may not hold', async () => {
    const texts: Readonly<Record<string, string>> = {
      '{': 'not JSON',
      '{"$ref": "#"}': '$ref is not supported',
      '{"$schema": "http://json-schema.org/draft-04/schema#"}': 'its $schema is not',
      '{"type": "txt"}': '/type must be',
      '{"properties": {"a": {"pattern": "("}}}': 'the pattern "(" at /properties/a/pattern',
      '{"pattern": "(?>a)"}': 'a group that begins with "(?>a" is not supported',
      [`{"title": "${'x'.repeat(2 ** 20)}"}`]: 'it is larger than 1048576 bytes',
      [`${'{"not":'.repeat(300)}{}${'}'.repeat(300)}`]: 'nested too deeply',
    };
    for (const [text, message] of Object.entries(texts)) {
      const refused = parseJsonSchema(text, '"s"');
      await expect(refused).rejects.toThrow(`the schema "s" cannot be used: `);
      await expect(refused).rejects.toThrow(message);
    }
  });

  it('cannot keep the process busy for ever', async () => {
    const schema = await parseJsonSchema('{"pattern": "^(a+)+$"}', '"s"', 50);
    expect(() => schema.check(`${'a'.repeat(60)}b`)).toThrow(
      'checking by "s" takes over 0.05 seconds',
    );
    expect(schema.check('aaa')).toBeUndefined();
  });
});

describe('work within a time', () => {
  it('returns what it returns and throws what it throws', () => {
    expect(withinTime(() => false)).toBe(false);
    const error = new RangeError('own');
    expect(() =>
      withinTime(() => {
        throw error;
      }),
    ).toThrow(error);
  });
});

describe("a pattern of Python's", () => {
  it('is refused where JavaScript has no word for it', () => {
    for (const pattern of [
      '(?x)a',
      '(?i:a)',
      '(?P<1>a)',
      '(?(1)a)',
      '\\N{DASH}',
      '\\Z*',
      'a{2}{3}',
    ]) {
      expect(() => pythonRegExp(pattern), pattern).toThrow();
    }
    expect(() => pythonRegExp('a'.repeat(1001))).toThrow('longer than 1000 characters');
  });
});

/** Real quilt3 and `pkg` take and refuse the same packages by workflows, with the same header. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import fc from 'fast-check';
import { beforeAll, expect, it } from 'vitest';
import { parseJsonl } from '../../src/package/jsonl.ts';
import { type JsonValue, parseJson } from '../../src/package/lossless-json.ts';
import { parsePhysicalKey } from '../../src/package/physical-key.ts';
import { topHash } from '../../src/package/top-hash.ts';
import { PkgError } from '../../src/runtime/errors.ts';
import { streamOf } from '../../src/store/digest.ts';
import { parseJsonSchema, plainJson } from '../../src/workflows/json-schema.ts';
import { pythonRegExp } from '../../src/workflows/python-regex.ts';
import { applyWorkflow, type StoredText } from '../../src/workflows/workflows.ts';
import { withServer } from '../registry/interop-server.ts';
import { QUILT3_PYTHON, runQuilt3 } from '../support/quilt3-python.ts';
import { makeBucket } from '../support/s3-buckets.ts';
import { writeFiles } from '../support/sample-packages.ts';
import { describeWith } from '../support/shared.ts';
import { temporaryFolder } from '../support/temporary.ts';
import {
  ANY_SCHEMA,
  ANY_VALUE,
  PATTERNS,
  SCHEMAS,
  SUBJECTS,
  VALUES,
  WORKFLOW_CASES,
  type WorkflowCase,
} from './workflow-cases.ts';

/**
 * For each case: puts its config and schemas where they belong, lists the package without a workflow,
 * then builds it by the workflow. Answers with the list, and the top hash and header or the error.
 */
const BUILD_EACH = `
import io
from quilt3.data_transfer import put_bytes
from quilt3.packages import PackageEntry
from quilt3.util import PhysicalKey
def build(case):
    registry = case['registry']
    for key, text in case['files'].items():
        put_bytes(text.encode(), PhysicalKey.from_url(registry).join(key))
    pkg = Package()
    for key, meta in case['entries'].items():
        pkg.set(key, args['file'], meta=meta)
    if 'meta' in case:
        pkg.set_meta(case['meta'])
    pkg._calculate_missing_hashes()
    pkg._set_commit_message(case['message'])
    listed = io.BytesIO()
    pkg.dump(listed)
    said = {'workflow': case['workflow']} if 'workflow' in case else {}
    try:
        hash = pkg.build(case['name'], registry=registry, message=case['message'], **said)
        header = Package.browse(case['name'], registry=registry, top_hash=hash)._meta
        answer = {'top_hash': hash, 'workflow': header.get('workflow')}
    except Exception as error:
        answer = {'error': repr(error)}
    return {'list': listed.getvalue().decode(), **answer}
say([build(case) for case in args['cases']])
`;

interface Built {
  readonly list: string;
  readonly top_hash?: string;
  readonly workflow?: unknown;
  readonly error?: string;
}

type ReadUrl = (url: string) => Promise<StoredText | undefined>;

async function readLocal(url: string): Promise<StoredText | undefined> {
  try {
    return { text: await readFile(fileURLToPath(url), 'utf8'), physicalKey: url };
  } catch {
    return undefined;
  }
}

function readS3(client: S3Client): ReadUrl {
  return async (url) => {
    const parsed = parsePhysicalKey(url);
    if (parsed.scheme === 'file') return await readLocal(url);
    try {
      const { bucket: Bucket, key: Key } = parsed;
      const found = await client.send(new GetObjectCommand({ Bucket, Key }));
      const version = found.VersionId === undefined ? '' : `?versionId=${found.VersionId}`;
      const text = (await found.Body?.transformToString()) ?? '';
      return { text, physicalKey: `${url.replace(/\?.*/, '')}${version}` };
    } catch {
      return undefined;
    }
  };
}

/** What we make of a package that quilt3 listed, in the words of quilt3's answer. */
async function applied(
  { name, workflow }: WorkflowCase,
  { list }: Built,
  registryUrl: string,
  readUrl: ReadUrl,
): Promise<Omit<Built, 'list'>> {
  const pkg = await parseJsonl(streamOf(Buffer.from(list)), 'the list');
  try {
    const result = await applyWorkflow({
      ...{ registryUrl, readUrl, name, workflow, pkg },
      read: (key) => readUrl(`${registryUrl}/${key}`),
    });
    const value = result.header.get('workflow');
    return {
      top_hash: topHash(result),
      workflow: value === undefined ? null : plainJson(value),
    };
  } catch (error) {
    if (!(error instanceof PkgError) || error.code !== 'usage') throw error;
    return { error: error.message };
  }
}

/** The cases that tell a bucket from a folder; each costs quilt3 seconds. */
const ON_BUCKETS = [
  ...['no config, nothing said', 'no config, none on purpose', 'none on purpose', 'good files'],
  ...['two schemas', 'metadata that breaks a pattern', 'a schema that is gone'],
];

/** A case with the registry that is its own. */
interface PlacedCase extends WorkflowCase {
  readonly title: string;
  readonly registry: string;
}

function placedCase(title: string, one: WorkflowCase, registry: string): PlacedCase {
  const files = Object.entries(one.files).map(
    ([key, text]) => [key, text.replaceAll('REGISTRY', registry)] as const,
  );
  return { ...one, title, registry, files: Object.fromEntries(files) };
}

async function expectAgreement(
  cases: readonly PlacedCase[],
  readUrl: ReadUrl,
  env: Readonly<Record<string, string>>,
): Promise<void> {
  const folder = await temporaryFolder();
  await writeFiles(folder, { file: 'content' });
  const args = { file: join(folder, 'file'), cases };
  const byQuilt3 = (await runQuilt3(BUILD_EACH, args, env)) as readonly Built[];
  for (const [index, one] of cases.entries()) {
    const built = byQuilt3[index];
    if (built === undefined) throw new Error('quilt3 did not build each');
    const { error } = built;
    const ours = await applied(one, built, one.registry, readUrl);
    const says = `${one.title}; quilt3: ${error ?? 'takes it'}; pkg: ${ours.error ?? 'takes it'}`;
    expect(ours.error !== undefined, says).toBe(error !== undefined);
    expect(one.refused ?? false, says).toBe(error !== undefined);
    if (error !== undefined) continue;
    expect(ours, one.title).toEqual({ top_hash: built.top_hash, workflow: built.workflow });
  }
}

describeWith('python with quilt3', QUILT3_PYTHON)('workflows of quilt3 and pkg', () => {
  const server = withServer();
  let readUrl: ReadUrl = () => Promise.resolve(undefined);

  beforeAll(() => {
    readUrl = readS3(server().owner);
  });

  it('take and refuse the same packages on a folder', async () => {
    const cases: PlacedCase[] = [];
    for (const [title, one] of Object.entries(WORKFLOW_CASES)) {
      cases.push(placedCase(title, one, pathToFileURL(await temporaryFolder()).href));
    }
    await expectAgreement(cases, readLocal, {});
  });

  for (const kind of ['unversioned', 'versioned'] as const) {
    const title = `take and refuse the same packages on an ${kind} bucket`;
    it(title.replace('an v', 'a v'), async () => {
      const cases: PlacedCase[] = [];
      for (const title of ON_BUCKETS) {
        const one = WORKFLOW_CASES[title];
        if (one === undefined) throw new Error(`there is no case "${title}"`);
        const bucket = await makeBucket(server().owner, kind);
        cases.push(placedCase(title, one, `s3://${bucket}`));
      }
      await expectAgreement(cases, readUrl, server().env);
    });
  }

  it('refuse a local schema on a bucket', async () => {
    const folder = await temporaryFolder();
    await writeFiles(folder, { 'meta.json': '{}' });
    const url = pathToFileURL(join(folder, 'meta.json')).href;
    const config = `
version: "1"
workflows: {alpha: {name: A, metadata_schema: m}}
schemas: {m: {url: "${url}"}}
`;
    const one: WorkflowCase = {
      files: { '.quilt/workflows/config.yml': config },
      ...{ name: 'a/b', message: null, workflow: 'alpha', entries: {}, refused: true },
    };
    const registry = `s3://${await makeBucket(server().owner)}`;
    await expectAgreement([placedCase('a local schema', one, registry)], readUrl, server().env);
  });

  it('find the same texts by the same patterns', async () => {
    const program = `
import re, warnings
warnings.simplefilter('ignore')
def found(pattern):
    try:
        compiled = re.compile(pattern)
    except re.error:
        return None
    return [compiled.search(subject) is not None for subject in args['subjects']]
say([found(pattern) for pattern in args['patterns']])
`;
    const args = { patterns: PATTERNS, subjects: SUBJECTS };
    const expected = (await runQuilt3(program, args, {})) as readonly Judged[];
    const found = PATTERNS.map(search);
    expect(differences(PATTERNS, SUBJECTS, expected, found)).toEqual([]);
  });

  it('judge values by schemas alike', async () => {
    const program = `
import warnings
warnings.simplefilter('ignore')
from quilt3 import workflows
from jsonschema import Draft7Validator
def judged(text):
    try:
        schema = workflows._load_schema_json(text)
        Draft7Validator.check_schema(schema)
    except Exception as error:
        return None
    validator = Draft7Validator(schema)
    return [validator.is_valid(json.loads(value)) for value in args['values']]
say([judged(text) for text in args['schemas']])
`;
    const sample = <T>(arbitrary: fc.Arbitrary<T>, count: number): readonly string[] =>
      fc.sample(arbitrary, { numRuns: count, seed: 1 }).map((value) => JSON.stringify(value));
    const schemas = [...SCHEMAS, ...sample(ANY_SCHEMA, 150)];
    const values = [...VALUES, ...sample(ANY_VALUE, 30)];
    const expected = (await runQuilt3(program, { schemas, values }, {})) as readonly Judged[];
    const parsed = values.map(parseJson);
    const judged: Judged[] = [];
    for (const text of schemas) judged.push(await judge(text, parsed));
    expect(differences(schemas, values, expected, judged)).toEqual([]);
  });
});

/** What a rule says of each value; null where it is no rule. */
type Judged = readonly boolean[] | null;

function search(pattern: string): Judged {
  try {
    const compiled = pythonRegExp(pattern);
    return SUBJECTS.map((subject) => compiled.test(subject));
  } catch {
    return null;
  }
}

async function judge(text: string, values: readonly JsonValue[]): Promise<Judged> {
  let schema: Awaited<ReturnType<typeof parseJsonSchema>>;
  try {
    schema = await parseJsonSchema(text, 'the schema');
  } catch (error) {
    if (!(error instanceof PkgError)) throw error;
    return null;
  }
  return values.map((value) => schema.check(plainJson(value)) === undefined);
}

/** Where two judge apart, a line for each rule and value. */
function differences(
  rules: readonly string[],
  values: readonly string[],
  byQuilt3: readonly (Judged | undefined)[],
  byPkg: readonly Judged[],
): readonly string[] {
  return rules.flatMap((rule, index) => {
    const [theirs, ours] = [byQuilt3[index] ?? null, byPkg[index] ?? null];
    if (theirs === null && ours === null) return [];
    if (theirs === null) return [`${rule}: a rule to pkg alone`];
    if (ours === null) return [`${rule}: a rule to quilt3 alone`];
    return values
      .filter((_, at) => theirs[at] !== ours[at])
      .map((value) => `${rule} on ${JSON.stringify(value)}: they judge apart`);
  });
}

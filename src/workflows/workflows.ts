/** Workflows: the rules by which a registry takes packages, obeyed before anything is written. */
import type { JsonObject, JsonValue } from '../package/lossless-json.ts';
import type { Package } from '../package/package.ts';
import { formatPhysicalKey, parsePhysicalKey } from '../package/physical-key.ts';
import { messageOf, PkgError } from '../runtime/errors.ts';
import { didYouMean } from '../runtime/suggest.ts';
import type { Json } from '../store/canonical-json.ts';
import { parseJsonSchema, plainJson, type Violation } from './json-schema.ts';
import { pythonRegExp } from './python-regex.ts';
import { withinTime } from './time-limit.ts';
import { type LocatedConfig, parseWorkflowConfig, type Workflow } from './workflow-config.ts';

/** Where a registry keeps its rules. */
export const WORKFLOW_CONFIG_KEY = '.quilt/workflows/config.yml';

/** A text of a registry with its full physical key, `?versionId=` included where it has versions. */
export interface StoredText {
  readonly text: string;
  readonly physicalKey: string;
}

export interface WorkflowOptions {
  /** How messages call the registry. */
  readonly registryUrl: string;
  /** The text under a key of the registry, or undefined where there is none. */
  readonly read: (key: string) => Promise<StoredText | undefined>;
  /** The text at a physical key anywhere, or undefined where there is none. */
  readonly readUrl: (url: string) => Promise<StoredText | undefined>;
  /** The name that is pushed to, `user/name`. */
  readonly name: string;
  /** The workflow that the user named; null for none on purpose, undefined where nothing was said. */
  readonly workflow: string | null | undefined;
  readonly pkg: Package;
}

interface LoadedSchema {
  readonly id: string;
  readonly physicalKey: string;
  readonly check: (value: Json) => Violation | undefined;
}

/**
 * Holds a package against the rules of the registry it is pushed to, and returns it with the header's
 * `workflow` as quilt3 writes it: `id` (text or null), `config` (URL) and, where the workflow has any,
 * `schemas` (URL by id); without that key where the registry has no rules.
 * Source: quilt3's workflows/__init__.py and https://docs.quilt.bio/workflows.
 * @throws PkgError `usage` for a broken rule, an unknown workflow, or rules that cannot be read.
 */
export async function applyWorkflow(options: WorkflowOptions): Promise<Package> {
  const { registryUrl, workflow, pkg } = options;
  const stored = await options.read(WORKFLOW_CONFIG_KEY);
  if (stored === undefined) {
    if (workflow === undefined) return withHeader(pkg, undefined);
    throw new PkgError('usage', `${registryUrl} has no workflows`, {
      hint: `It has no ${WORKFLOW_CONFIG_KEY}; push without naming a workflow.`,
    });
  }
  const located = parseWorkflowConfig(stored.text, stored.physicalKey);
  const id = workflow === undefined ? (located.config.default_workflow ?? null) : workflow;
  const rules = findWorkflow(located, id, registryUrl);
  const at = (key: string) => located.locate('workflows', id ?? '', key);
  checkMessage(rules, pkg, at);
  checkName(rules, options.name, at);
  const schemas = new Map<string, LoadedSchema>();
  const load = async (schemaId: string | undefined) => {
    // An empty id means no schema to quilt3.
    if (!schemaId) return undefined;
    const schema = schemas.get(schemaId) ?? (await loadSchema(options, located, stored, schemaId));
    schemas.set(schemaId, schema);
    return schema;
  };
  const forMetadata = await load(rules.metadata_schema);
  const forEntries = await load(rules.entries_schema);
  if (forMetadata !== undefined) checkMetadata(forMetadata, pkg);
  if (forEntries !== undefined) checkEntries(forEntries, pkg);
  const value = new Map<string, JsonValue>([
    ['id', id],
    ['config', stored.physicalKey],
  ]);
  if (schemas.size > 0) {
    const urls = [...schemas.values()].map((schema) => [schema.id, schema.physicalKey] as const);
    value.set('schemas', new Map(urls));
  }
  return withHeader(pkg, value);
}

function withHeader(pkg: Package, workflow: JsonObject | undefined): Package {
  const header = new Map([...pkg.header].filter(([key]) => key !== 'workflow'));
  if (workflow !== undefined) header.set('workflow', workflow);
  return { ...pkg, header };
}

function findWorkflow(
  { config, locate }: LocatedConfig,
  id: string | null,
  registryUrl: string,
): Partial<Workflow> {
  const ids = Object.keys(config.workflows);
  if (id === null) {
    if (config.is_workflow_required === false) return {};
    const where = locate('is_workflow_required');
    throw new PkgError('usage', `${registryUrl} takes packages only by a workflow (${where})`, {
      hint: `Name one of its workflows: ${ids.join(', ')}.`,
    });
  }
  const rules = Object.hasOwn(config.workflows, id) ? config.workflows[id] : undefined;
  if (rules !== undefined) return rules;
  throw new PkgError('usage', `${registryUrl} has no workflow "${id}" (${locate('workflows')})`, {
    hint: didYouMean(id, ids) ?? `Its workflows are: ${ids.join(', ')}.`,
  });
}

function checkMessage(
  rules: Partial<Workflow>,
  { header }: Package,
  at: (key: string) => string,
): void {
  if (rules.is_message_required !== true || header.get('message')) return;
  throw new PkgError('usage', `the push has no message (${at('is_message_required')})`, {
    hint: 'Say with a message what the revision is about.',
  });
}

function checkName(rules: Partial<Workflow>, name: string, at: (key: string) => string): void {
  const pattern = rules.handle_pattern;
  if (!pattern) return;
  if (withinTime(() => compilePattern(pattern, at).test(name), undefined, at('handle_pattern'))) {
    return;
  }
  const why = `the name ${name} does not match ${JSON.stringify(pattern)}`;
  throw new PkgError('usage', `${why} (${at('handle_pattern')})`, {
    hint: 'Push under another name, or by another workflow.',
  });
}

function compilePattern(pattern: string, at: (key: string) => string): RegExp {
  try {
    return pythonRegExp(pattern);
  } catch (error) {
    const why = `the pattern ${JSON.stringify(pattern)} cannot be used: ${messageOf(error)}`;
    throw new PkgError('usage', `${at('handle_pattern')}: ${why}`, {
      hint: 'Ask whoever keeps the registry to correct its config.',
      cause: error,
    });
  }
}

async function loadSchema(
  { registryUrl, readUrl }: WorkflowOptions,
  { config, locate }: LocatedConfig,
  { physicalKey }: StoredText,
  id: string,
): Promise<LoadedSchema> {
  const fail = (why: string, cause?: unknown) =>
    new PkgError('usage', why, {
      hint: `Ask whoever keeps ${registryUrl} to correct its config.`,
      cause,
    });
  const schemas = config.schemas ?? {};
  const entry = Object.hasOwn(schemas, id) ? schemas[id] : undefined;
  if (entry === undefined) throw fail(`${locate('schemas', id)}: there is no such schema`);
  const at = locate('schemas', id, 'url');
  const url = normalizedUrl(entry.url, (error) => fail(`${at}: ${messageOf(error)}`, error));
  if (url.startsWith('file:') && !physicalKey.startsWith('file:')) {
    throw fail(`${at}: a registry that others reach cannot use the local schema ${url}`);
  }
  const stored = await readUrl(url);
  if (stored === undefined) throw fail(`${at}: there is no schema at ${url}`);
  const schema = await parseJsonSchema(stored.text, `"${id}" (${stored.physicalKey})`);
  return { id, physicalKey: stored.physicalKey, check: (value) => schema.check(value) };
}

function normalizedUrl(url: string, fail: (error: unknown) => PkgError): string {
  try {
    return formatPhysicalKey(parsePhysicalKey(url));
  } catch (error) {
    throw fail(error);
  }
}

function checkMetadata(schema: LoadedSchema, { header }: Package): void {
  const violation = schema.check(plainJson(header.get('user_meta') ?? nullOrNothing(header)));
  if (violation === undefined) return;
  const where = ['user_meta', ...violation.path].join('.');
  throw violationError(schema, violation, `the package's metadata: ${where}`);
}

/** Metadata that was never set is an empty object to a schema, unlike metadata that is null. */
function nullOrNothing(header: JsonObject): JsonValue {
  return header.has('user_meta') ? null : new Map();
}

function checkEntries(schema: LoadedSchema, { entries }: Package): void {
  const nothing = {};
  const values = Array.from(entries, ({ logicalKey, size, meta }) => ({
    logical_key: logicalKey,
    size: Number(size),
    meta: meta.has('user_meta') ? plainJson(meta.get('user_meta') ?? null) : nothing,
  }));
  const violation = schema.check(values);
  if (violation === undefined) return;
  const [index, ...path] = violation.path;
  const key = index === undefined ? undefined : values[Number(index)]?.logical_key;
  if (key === undefined) throw violationError(schema, violation, "the list of the package's files");
  const where = path.length === 0 ? '' : `: ${path.join('.')}`;
  throw violationError(schema, violation, `file ${JSON.stringify(key)}${where}`);
}

function violationError(schema: LoadedSchema, violation: Violation, where: string): PkgError {
  const rule = `schema "${schema.id}", ${schema.physicalKey}${violation.rule}`;
  return new PkgError('usage', `${where} ${violation.message} (${rule})`, {
    hint: 'Nothing was pushed; correct the package, or push by another workflow.',
  });
}

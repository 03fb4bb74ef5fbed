/** `.quilt/workflows/config.yml`: which rules a registry has for the packages pushed to it. */
import { isNode, LineCounter, parseDocument, type Tags } from 'yaml';
import { z } from 'zod';
import { messageOf, PkgError } from '../runtime/errors.ts';
import { didYouMean } from '../runtime/suggest.ts';

/** A larger config is refused before it is parsed. */
const MAX_CONFIG_BYTES = 1 << 18;

/** Aliases may repeat small parts; more than this many resolved is an attack on memory. */
const MAX_ALIASES = 100;

/** Deeper nesting than any config has, and far from the parser's own stack. */
const MAX_DEPTH = 100;

const HINT = 'Nothing was pushed; ask whoever keeps the registry to correct its config.';

const versionSchema = z.string().regex(/^[1-9][0-9]*(\.(0|[1-9][0-9]*)){0,2}$/, {
  error: 'expected a version in quotes, as "1"',
});

const nameSchema = z.string().min(1, { error: 'expected a text that is not empty' });

const workflowSchema = z.strictObject({
  name: nameSchema,
  description: nameSchema.optional(),
  handle_pattern: z.string().optional(),
  metadata_schema: z.string().optional(),
  entries_schema: z.string().optional(),
  is_message_required: z.boolean().optional(),
  catalog: z.unknown().optional(),
});

const idSchema = z
  .string()
  .max(64)
  .regex(/^[A-Za-z_-][A-Za-z0-9_-]*$/);

/** Source: quilt3's workflows/config-1.schema.json, data version 1.1.0. */
const configSchema = z.strictObject({
  version: z.union([
    versionSchema,
    z.strictObject({ base: versionSchema, catalog: versionSchema.optional() }),
  ]),
  is_workflow_required: z.boolean().optional(),
  default_workflow: z.string().optional(),
  workflows: notEmpty(z.record(idSchema, workflowSchema)),
  schemas: notEmpty(z.record(z.string(), z.looseObject({ url: z.string() }))).optional(),
  successors: notEmpty(
    z.record(z.string(), z.looseObject({ title: nameSchema, copy_data: z.boolean().optional() })),
  ).optional(),
  catalog: z.unknown().optional(),
});

export type WorkflowConfig = z.infer<typeof configSchema>;
export type Workflow = z.infer<typeof workflowSchema>;

/** A config with the place of each of its keys. */
export interface LocatedConfig {
  readonly config: WorkflowConfig;
  /** `url:line:column: key` of a key or, where it is missing, of the nearest one above it. */
  readonly locate: (...key: string[]) => string;
}

/**
 * Reads a config as quilt3 does: YAML 1.1, where `yes` and `off` are booleans and the last of two
 * equal keys counts. `url` only names it in messages.
 * @throws PkgError `usage` with url:line:column of what the config must not hold.
 */
export function parseWorkflowConfig(text: string, url: string): LocatedConfig {
  refuseHugeText(text, url);
  const lineCounter = new LineCounter();
  const document = parseDocument(text, {
    lineCounter,
    prettyErrors: false,
    uniqueKeys: false,
    version: '1.1',
    customTags: tagsOfPyYaml,
  });
  const at = (offset: number) => {
    const { line, col } = lineCounter.linePos(offset);
    return `${url}:${String(Math.max(1, line))}:${String(Math.max(1, col))}`;
  };
  const locate = (...key: string[]) => {
    const nodes = key.map((_, index) => document.getIn(key.slice(0, index + 1), true));
    const node = nodes.findLast((found) => isNode(found));
    return `${at(node?.range?.[0] ?? 0)}: ${key.join('.')}`;
  };
  const problem = document.errors[0] ?? document.warnings[0];
  if (problem !== undefined) {
    const why = `${at(problem.pos[0])}: not valid YAML: ${problem.message}`;
    throw new PkgError('usage', why, { hint: HINT });
  }
  const parsed = configSchema.safeParse(
    valueOf(() => document.toJS({ maxAliasCount: MAX_ALIASES }), url),
  );
  if (!parsed.success) throw issueError(parsed.error.issues, locate);
  refuseNewerVersion(parsed.data, locate);
  return { config: parsed.data, locate };
}

function notEmpty<T extends z.ZodType<object>>(schema: T): T {
  return schema.refine((members) => Object.keys(members).length > 0, {
    error: 'expected at least one',
  });
}

/** PyYAML reads `y` and `n` as texts, and exponents only behind a point and with a sign. */
function tagsOfPyYaml(tags: Tags): Tags {
  return tags.map((tag) => {
    if (typeof tag === 'string' || tag.collection !== undefined) return tag;
    if (tag.tag === 'tag:yaml.org,2002:float' && tag.format === 'EXP') {
      return { ...tag, test: /^[-+]?[0-9][0-9_]*\.[0-9_]*[eE][-+][0-9]+$/ };
    }
    if (tag.tag !== 'tag:yaml.org,2002:bool' || tag.test === undefined) return tag;
    return { ...tag, test: new RegExp(tag.test.source.replace(/Y\|y\||N\|n\|/, '')) };
  });
}

/** Refuses what a recursive parser should not see: a text too long, or nested too deeply. */
function refuseHugeText(text: string, url: string): void {
  const fail = (why: string) => new PkgError('usage', `${url}: ${why}`, { hint: HINT });
  if (Buffer.byteLength(text) > MAX_CONFIG_BYTES) {
    throw fail(`it is larger than ${String(MAX_CONFIG_BYTES)} bytes`);
  }
  let depth = 0;
  for (const [bracket] of text.matchAll(/[[\]{}]/g)) {
    depth += bracket === '[' || bracket === '{' ? 1 : -1;
    if (depth > MAX_DEPTH) throw fail('it is nested too deeply');
  }
  if (new RegExp(`^(?:[ \\t]|[-?] ){${String(4 * MAX_DEPTH)}}`, 'm').test(text)) {
    throw fail('it is nested too deeply');
  }
}

function valueOf(read: () => unknown, url: string): unknown {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ReferenceError)) throw error;
    throw new PkgError('usage', `${url}: not valid YAML: ${messageOf(error)}`, {
      hint: HINT,
      cause: error,
    });
  }
}

function issueError(
  issues: readonly z.core.$ZodIssue[],
  locate: LocatedConfig['locate'],
): PkgError {
  const issue = issues.find(({ code }) => code === 'unrecognized_keys') ?? issues[0];
  const path = issue?.path.map(String) ?? [];
  if (issue?.code !== 'unrecognized_keys') {
    const why = issue?.code === 'invalid_union' ? 'expected "1" or {base: "1"}' : issue?.message;
    return new PkgError('usage', `${locate(...path)}: ${why ?? 'not a config'}`, { hint: HINT });
  }
  const [key = ''] = issue.keys;
  const known = path.length === 0 ? configSchema.shape : workflowSchema.shape;
  const guess = didYouMean(key, Object.keys(known));
  return new PkgError('usage', `${locate(...path, key)}: unknown key`, {
    hint: guess === undefined ? HINT : `${HINT} In its config: ${guess}`,
  });
}

function refuseNewerVersion({ version }: WorkflowConfig, locate: LocatedConfig['locate']): void {
  const base = typeof version === 'string' ? version : version.base;
  const [major, minor = 0, patch = 0] = base.split('.').map(Number);
  if (major === 1 && (minor === 0 || (minor === 1 && patch === 0))) return;
  throw new PkgError('usage', `${locate('version')}: version ${base} is not supported`, {
    hint: 'Configs up to version 1.1.0 are read; a newer pkg may know this one.',
  });
}

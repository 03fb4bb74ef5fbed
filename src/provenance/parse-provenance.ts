/** Provenance read back from its statement, which may be anybody's. */
import { z } from 'zod';
import { isTopHash, parseTopHash } from '../package/package.ts';
import { PkgError } from '../runtime/errors.ts';
import { parseJsonAs } from '../signatures/issues.ts';
import { STATEMENT_TYPE } from '../signatures/statement.ts';
import { type Digest, isDigest, parseDigest } from '../store/digest.ts';
import {
  BUILD_TYPE,
  PROVENANCE_PREDICATE_TYPE,
  type ProvenanceCode,
  type ProvenanceEnvironment,
  type ProvenanceInput,
  type ProvenanceStep,
  ROLES,
} from './provenance.ts';

/** Far above what a build with hundreds of sources writes. */
const MAX_PROVENANCE_BYTES = 4 << 20;
const MAX_DEPTH = 64;

const topHashSchema = z
  .string()
  .refine(isTopHash, { error: 'expected a top hash' })
  .transform(parseTopHash);
const digestSchema = z
  .string()
  .refine(isDigest, { error: 'expected a SHA-256 digest' })
  .transform(parseDigest);
const commitSchema = z
  .string()
  .regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/, { error: 'expected the id of a commit' });
const sha256Schema = z.object({ sha256: digestSchema });
const sizeSchema = z.int().min(0);

const fileSchema = z
  .object({
    name: z.string(),
    digest: sha256Schema,
    annotations: z.object({ sizeBytes: sizeSchema }),
  })
  .transform(({ name, digest, annotations: { sizeBytes } }) => ({
    path: name,
    content: { digest: digest.sha256, sizeBytes },
  }));

const sourceSchema = z
  .object({
    name: z.string(),
    uri: z.string().optional(),
    digest: sha256Schema,
    annotations: z.object({ sizeBytes: sizeSchema, location: z.string().optional() }),
  })
  .transform(({ name, uri, digest, annotations: { sizeBytes, location } }, context) => {
    const url = uri ?? location;
    if (url !== undefined) return { name, url, digest: digest.sha256, sizeBytes };
    context.addIssue('expected uri or annotations.location');
    return z.NEVER;
  });

const codeSchema = z.object({
  digest: z.object({ gitCommit: commitSchema }),
  annotations: z.object({
    repository: z.string(),
    revision: z.string(),
    dirty: z.literal(true).optional(),
  }),
});

const nodeSchema = z
  .object({ annotations: z.object({ version: z.string() }) })
  .transform(({ annotations }) => annotations.version);

const imageSchema = z.object({ name: z.string() }).transform(({ name }) => name);

const baseSchema = z
  .object({
    name: z.string(),
    digest: z.object({ sha256: topHashSchema }),
    annotations: z.object({ use: z.enum(['data', 'model']), path: z.string().optional() }),
  })
  .transform(({ name, digest, annotations: { use, path } }) => ({
    ...{ use, name, topHash: digest.sha256 },
    ...(path === undefined ? {} : { path }),
  }));

const outputSchema = z
  .object({
    name: z.string().regex(/^[^/]+\/./, { error: 'expected step/output' }),
    digest: sha256Schema,
    annotations: z.object({ stepKey: digestSchema, inputs: z.record(z.string(), digestSchema) }),
  })
  .transform(({ name, digest, annotations: { stepKey, inputs } }) => ({
    step: name.slice(0, name.indexOf('/')),
    output: name.slice(name.indexOf('/') + 1),
    digest: digest.sha256,
    ...{ key: stepKey, inputs },
  }));

const statementSchema = z.object({
  _type: z.literal(STATEMENT_TYPE),
  subject: z.tuple([
    z.object({ name: z.string().min(1), digest: z.object({ sha256: topHashSchema }) }),
  ]),
  predicateType: z.literal(PROVENANCE_PREDICATE_TYPE),
  predicate: z.object({
    buildDefinition: z.object({
      buildType: z.literal(BUILD_TYPE),
      externalParameters: z.record(z.string(), z.json()),
      internalParameters: z.object({ toolchain: z.record(z.string(), z.string()) }),
      resolvedDependencies: z.array(z.unknown()).default([]),
    }),
    runDetails: z.object({ byproducts: z.array(z.unknown()).default([]) }),
  }),
});

const documentSchema = z
  .unknown()
  .refine(isShallow, { error: `nested more than ${String(MAX_DEPTH)} deep` })
  .pipe(statementSchema);

type Fail = (why: string, cause?: unknown) => PkgError;

/**
 * Reads a `provenance.json` that `formatProvenance` wrote; `where` is what messages call it. Unknown fields
 * and roles are passed over, as in-toto's parsing rules demand.
 * @throws PkgError `integrity` where it is none, naming the key at fault.
 */
export function parseProvenance(text: string, where: string): ProvenanceInput {
  const fail: Fail = (why, cause) =>
    new PkgError('integrity', `${where} is not the provenance of a package: ${why}`, {
      hint: 'It was made by another tool, or it is broken or hostile; ask whoever pushed it.',
      cause,
    });
  if (Buffer.byteLength(text) > MAX_PROVENANCE_BYTES) throw fail('it is over 4 MiB');
  const { subject, predicate } = parseJsonAs(documentSchema, text, fail);
  const { externalParameters, internalParameters, resolvedDependencies } =
    predicate.buildDefinition;
  const found = new Resources(resolvedDependencies, 'resolvedDependencies', fail);
  const outputs = new Resources(predicate.runDetails.byproducts, 'byproducts', fail);
  const code = codeOf(found, fail);
  const environment = environmentOf(found);
  return {
    name: subject[0].name,
    contents: subject[0].digest.sha256,
    parameters: externalParameters,
    toolchain: internalParameters.toolchain,
    sources: found.all(ROLES.source, sourceSchema),
    fetchRecord: found.one(ROLES.fetchRecord, fileSchema)?.content,
    ...(code === undefined ? {} : { code }),
    ...(environment === undefined ? {} : { environment }),
    bases: found.all(ROLES.base, baseSchema),
    steps: groupOutputs(outputs.all(ROLES.output, outputSchema), fail),
  };
}

const roleSchema = z.object({ annotations: z.object({ role: z.string() }) });

/** Descriptors of a list, by their roles. */
class Resources {
  private readonly list: readonly { readonly role: string | undefined; readonly value: unknown }[];
  private readonly key: string;
  private readonly fail: Fail;

  constructor(list: readonly unknown[], key: string, fail: Fail) {
    this.list = list.map((value) => ({
      role: roleSchema.safeParse(value).data?.annotations.role,
      value,
    }));
    this.key = key;
    this.fail = fail;
  }

  all<T>(role: string, schema: z.ZodType<T>): readonly T[] {
    return this.list.flatMap((resource, index) => {
      if (resource.role !== role) return [];
      const parsed = schema.safeParse(resource.value);
      if (parsed.success) return [parsed.data];
      const { path = [], message = '' } = parsed.error.issues[0] ?? {};
      const key = [this.key, index, ...path].map(String).join('.');
      throw this.fail(`${key}: ${message}`, parsed.error);
    });
  }

  one<T>(role: string, schema: z.ZodType<T>): T | undefined {
    const [first, ...others] = this.all(role, schema);
    if (others.length === 0) return first;
    throw this.fail(`${this.key} has the role ${role} ${String(others.length + 1)} times`);
  }
}

function codeOf(found: Resources, fail: Fail): ProvenanceCode | undefined {
  const code = found.one(ROLES.code, codeSchema);
  const tar = found.one(ROLES.codeArchive, fileSchema)?.content;
  if (code === undefined) return undefined;
  if (tar === undefined) throw fail('it names a commit and no archive of it');
  const { repository, revision, dirty } = code.annotations;
  const commit = code.digest.gitCommit;
  return { repository, revision, commit, tar, ...(dirty === undefined ? {} : { dirty }) };
}

function environmentOf(found: Resources): ProvenanceEnvironment | undefined {
  const node = found.one(ROLES.node, nodeSchema);
  const lockfile = found.one(ROLES.lockfile, fileSchema);
  const dockerfile = found.one(ROLES.dockerfile, fileSchema);
  const baseImages = found.all(ROLES.baseImage, imageSchema);
  if (node === undefined && lockfile === undefined && dockerfile === undefined) return undefined;
  return {
    ...(node === undefined ? {} : { node }),
    ...(lockfile === undefined ? {} : { lockfile: { path: lockfile.path, ...lockfile.content } }),
    ...(dockerfile === undefined
      ? {}
      : { dockerfile: { path: dockerfile.path, ...dockerfile.content, baseImages } }),
  };
}

/** Outputs of one step key are those of one step; the first of them tells its place. */
function groupOutputs(
  outputs: readonly z.output<typeof outputSchema>[],
  fail: Fail,
): readonly ProvenanceStep[] {
  const steps = new Map<
    string,
    Omit<ProvenanceStep, 'outputs'> & { outputs: Map<string, Digest> }
  >();
  for (const { step, output, digest, key, inputs } of outputs) {
    const id = `${step}/${key}`;
    const known = steps.get(id) ?? { name: step, key, inputs, outputs: new Map() };
    if (known.outputs.has(output)) throw fail(`byproducts name ${step}/${output} twice`);
    known.outputs.set(output, digest);
    steps.set(id, known);
  }
  return [...steps.values()].map((step) => ({
    ...step,
    outputs: Object.fromEntries(step.outputs),
  }));
}

/** Whether brackets stand within brackets no deeper than a reader that calls itself can go. */
function isShallow(value: unknown): boolean {
  let level: readonly unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_DEPTH) return false;
    level = level.flatMap(membersOf);
  }
  return true;
}

function membersOf(value: unknown): readonly unknown[] {
  return typeof value === 'object' && value !== null ? Object.values(value) : [];
}

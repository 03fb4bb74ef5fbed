/** Provenance: how a package was made, as a statement inside it that knows no clock, host or user. */
import type { TopHash } from '../package/package.ts';
import { invariant, redactSecrets } from '../runtime/errors.ts';
import { STATEMENT_TYPE } from '../signatures/statement.ts';
import { canonicalJson, type Json } from '../store/canonical-json.ts';
import type { Descriptor, Digest } from '../store/digest.ts';
import {
  commitUri,
  imageResource,
  isResourceUri,
  type JsonRecord,
  nodeUri,
  type Resource,
  resourceJson,
} from './resource.ts';

/** Source: https://slsa.dev/spec/v1.1/provenance. */
export const PROVENANCE_PREDICATE_TYPE = 'https://slsa.dev/provenance/v1';

/**
 * A build from a lockfile: `externalParameters` are the lockfile's parameters, `internalParameters` has its
 * toolchain; `docs/format.md` says how to do it again.
 */
export const BUILD_TYPE = 'urn:pkg:build:v1';

/** Whoever ran it: nothing of a builder decides a byte, so all builders are this one. */
const BUILDER_ID = 'urn:pkg:builder:v1';

/** How a package was made; parameters and addresses come back without the secrets they had. */
export interface ProvenanceInput {
  /** `user/name`. */
  readonly name: string;
  /** The top hash of the package without its `provenance.json`. */
  readonly contents: TopHash;
  /** The lockfile's parameters. */
  readonly parameters: JsonRecord;
  readonly toolchain: Readonly<Record<string, string>>;
  readonly sources: readonly ProvenanceSource[];
  /** `metadata/images.csv`, what the network answered. */
  readonly fetchRecord: Descriptor | undefined;
  readonly code?: ProvenanceCode | undefined;
  readonly environment?: ProvenanceEnvironment | undefined;
  readonly bases: readonly ProvenanceBase[];
  /** In the order they ran; each has an output. */
  readonly steps: readonly ProvenanceStep[];
}

/** A source table: `name` is its place in the manifest, as `boxes`. */
export interface ProvenanceSource extends Descriptor {
  readonly name: string;
  readonly url: string;
}

export interface ProvenanceCode {
  readonly repository: string;
  /** The branch, tag or commit that was asked for. */
  readonly revision: string;
  /** 40 hex digits, or 64 in a repository of SHA-256. */
  readonly commit: string;
  /** Where files differ from the commit. */
  readonly dirty?: true | undefined;
  /** The archive of the files inside the package. */
  readonly tar: Descriptor;
}

/** A file of the environment; `path` is as the manifest has it. */
export interface EnvironmentFile extends Descriptor {
  readonly path: string;
}

/** What the manifest pins of the environment; at least one of the three. */
export interface ProvenanceEnvironment {
  readonly node?: string | undefined;
  readonly lockfile?: EnvironmentFile | undefined;
  readonly dockerfile?: (EnvironmentFile & { readonly baseImages: readonly string[] }) | undefined;
}

/** A package that was trained on, or whose model was started from. */
export interface ProvenanceBase {
  readonly use: 'data' | 'model';
  readonly name: string;
  readonly topHash: TopHash;
  /** The logical key of the model. */
  readonly path?: string | undefined;
}

export interface ProvenanceStep {
  readonly name: string;
  readonly key: Digest;
  /** Digests of trees by the names that the step has for them. */
  readonly inputs: Readonly<Record<string, Digest>>;
  readonly outputs: Readonly<Record<string, Digest>>;
}

/**
 * The text of `provenance.json`: an in-toto statement v1 with SLSA's predicate, as JSON with two spaces a
 * level, keys sorted by UTF-16 code unit at every depth, and a line end. Secrets are cut from addresses.
 * Source: https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md
 */
export function formatProvenance(input: ProvenanceInput): string {
  const { name, contents, parameters, toolchain } = input;
  return formatStatement({
    _type: STATEMENT_TYPE,
    subject: [{ name, digest: { sha256: contents } }],
    predicateType: PROVENANCE_PREDICATE_TYPE,
    predicate: {
      buildDefinition: {
        buildType: BUILD_TYPE,
        externalParameters: withoutSecrets(parameters),
        internalParameters: { toolchain },
        resolvedDependencies: dependenciesOf(input).map(resourceJson),
      },
      runDetails: {
        builder: { id: BUILDER_ID },
        byproducts: input.steps.flatMap(outputResources).map(resourceJson),
      },
    },
  });
}

/** A statement in the one spelling that it has here. */
export function formatStatement(statement: Json): string {
  return `${JSON.stringify(JSON.parse(canonicalJson(statement)), null, 2)}\n`;
}

/** What everything is for, in `annotations.role`; readers pass over other roles. */
export const ROLES = {
  source: 'source',
  fetchRecord: 'fetch-record',
  code: 'code',
  codeArchive: 'code-archive',
  node: 'node',
  lockfile: 'environment-lockfile',
  dockerfile: 'dockerfile',
  baseImage: 'base-image',
  base: 'base-package',
  output: 'step-output',
} as const;

function dependenciesOf(input: ProvenanceInput): readonly Resource[] {
  const { sources, fetchRecord, code, environment, bases } = input;
  const record = { name: 'metadata/images.csv', role: ROLES.fetchRecord };
  return [
    ...sources.map(sourceResource),
    ...(fetchRecord === undefined ? [] : [fileResource(record, fetchRecord)]),
    ...(code === undefined ? [] : codeResources(code)),
    ...(environment === undefined ? [] : environmentResources(environment)),
    ...bases.map(baseResource),
  ];
}

function sourceResource({ name, url, ...file }: ProvenanceSource): Resource {
  const address = redactSecrets(url);
  const { annotations, ...rest } = fileResource({ name, role: ROLES.source }, file);
  return isResourceUri(address)
    ? { ...rest, uri: address, annotations }
    : { ...rest, annotations: { ...annotations, location: address } };
}

function codeResources(code: ProvenanceCode): readonly Resource[] {
  const { revision, commit, dirty, tar } = code;
  const repository = redactSecrets(code.repository);
  const name = `code/${commit}.tar`;
  return [
    {
      name: 'code',
      uri: commitUri(repository, commit),
      digest: { gitCommit: commit },
      annotations: { role: ROLES.code, repository, revision, dirty },
    },
    fileResource({ name, role: ROLES.codeArchive }, tar),
  ];
}

function environmentResources(environment: ProvenanceEnvironment): readonly Resource[] {
  const { node, lockfile, dockerfile } = environment;
  const file = (role: string, { path, ...content }: EnvironmentFile) =>
    fileResource({ name: path, role }, content);
  const nodeResource = (version: string): Resource => ({
    name: 'node',
    uri: nodeUri(version),
    annotations: { role: ROLES.node, version },
  });
  return [
    ...(node === undefined ? [] : [nodeResource(node)]),
    ...(lockfile === undefined ? [] : [file(ROLES.lockfile, lockfile)]),
    ...(dockerfile === undefined ? [] : [file(ROLES.dockerfile, dockerfile)]),
    ...(dockerfile?.baseImages ?? []).map((image) => ({
      name: image,
      ...imageResource(image),
      annotations: { role: ROLES.baseImage },
    })),
  ];
}

function baseResource({ use, name, topHash, path }: ProvenanceBase): Resource {
  const annotations = { role: ROLES.base, use, path };
  return { name, digest: { sha256: topHash }, annotations };
}

function outputResources({ name, key, inputs, outputs }: ProvenanceStep): readonly Resource[] {
  const entries = Object.entries(outputs);
  invariant(entries.length > 0, `step ${name} has no output`);
  const annotations = { role: ROLES.output, stepKey: key, inputs };
  return entries
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([output, sha256]) => ({ name: `${name}/${output}`, digest: { sha256 }, annotations }));
}

function fileResource(
  { name, role }: { readonly name: string; readonly role: string },
  { digest, sizeBytes }: Descriptor,
): Resource {
  return { name, digest: { sha256: digest }, annotations: { role, sizeBytes } };
}

const ADDRESS = /^[a-z][a-z0-9+.-]*:\/\//i;

/** Parameters, with the secrets cut from those texts that are addresses. */
function withoutSecrets(value: Json): Json {
  if (typeof value === 'string') return ADDRESS.test(value) ? redactSecrets(value) : value;
  if (typeof value !== 'object' || value === null) return value;
  if (isList(value)) return value.map(withoutSecrets);
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [key, withoutSecrets(member)]),
  );
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

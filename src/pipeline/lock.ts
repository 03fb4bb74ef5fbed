/** Locking: a manifest and the lockfile beside it, made, checked or renewed. */
import { readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { createHttpClient } from '../http/client.ts';
import type { HttpClient } from '../http/http.ts';
import type { S3Settings } from '../http/s3-url.ts';
import { parameterDrift, sourceDrift, toolchainDrift } from '../lockfile/drift.ts';
import { formatLockfile, type Lockfile, parseLockfile } from '../lockfile/lockfile.ts';
import { findDrift, resolveLockfile, staleError } from '../lockfile/resolve.ts';
import type { Manifest } from '../manifest/manifest.ts';
import {
  MAX_MANIFEST_BYTES,
  type ManifestSource,
  parseManifest,
  withPlace,
} from '../manifest/parse.ts';
import { PkgError, storageError, systemErrorCode } from '../runtime/errors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { checkModel } from '../steps/network.ts';
import { checkQuery, resolveClasses } from '../steps/query.ts';
import { currentToolchain } from '../steps/toolchain.ts';
import { readTextIfPresent, writeFileAtomic } from '../store/atomic-file.ts';
import { canonicalJson, toPlainJson } from '../store/canonical-json.ts';
import { digestOf } from '../store/digest.ts';
import type { Store } from '../store/store.ts';
import { openSources } from './sources.ts';

/** What locking and building are given beside the manifest. */
export interface PipelineContext {
  readonly runtime: Runtime;
  readonly store: Store;
  readonly s3: S3Settings;
}

/** What is done about a lockfile: kept as long as it holds, or renewed from its sources. */
export type LockMode = 'keep' | 'update';

export interface Locked {
  readonly source: ManifestSource;
  readonly lockfile: Lockfile;
  /** Where the lockfile is. */
  readonly path: string;
  readonly state: 'written' | 'fresh' | 'renewed';
  /** What the renewal changed, a sentence each. */
  readonly drift: readonly string[];
}

/** `x.lock.json` beside `x.yaml`. */
function lockfilePath(manifestPath: string): string {
  return `${manifestPath.replace(/\.ya?ml$/i, '')}.lock.json`;
}

/**
 * Reads a manifest and its lockfile; writes the lockfile where it is absent or to be renewed.
 * @throws PkgError `lockfile` with what drifted, where it is stale and to be kept.
 */
export async function lockManifest(
  context: PipelineContext,
  manifestPath: string,
  mode: LockMode,
): Promise<Locked> {
  const source = await readManifest(manifestPath);
  const client = createSourceClient(context, source.manifest);
  try {
    return await lock(context, client, source, mode);
  } catch (error) {
    throw withPlace(source, error);
  } finally {
    await client.close();
  }
}

/** A client for a manifest's sources and photos, with its pace and patience. */
export function createSourceClient(context: PipelineContext, { data }: Manifest): HttpClient {
  const { concurrency, requestsPerSecond, retries, timeoutSeconds } = data.fetch;
  const limits = { concurrency, requestsPerSecond, retries, timeoutMs: timeoutSeconds * 1000 };
  return createHttpClient(context.runtime, limits, context.s3);
}

/**
 * Reads and parses a manifest.
 * @throws PkgError `manifest` where there is none or it is invalid.
 */
async function readManifest(path: string): Promise<ManifestSource> {
  try {
    const found = await stat(path);
    if (found.isFile() && found.size <= MAX_MANIFEST_BYTES) {
      return parseManifest(await readFile(path, 'utf8'), path);
    }
    const why = found.isFile() ? 'is larger than a manifest can be' : 'is not a file';
    throw new PkgError('manifest', `${path} ${why}`);
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT' && systemErrorCode(error) !== 'ENOTDIR') {
      throw storageError(error, `cannot read ${path}`);
    }
    throw new PkgError('manifest', `there is no manifest ${path}`, {
      hint: 'Name an existing file, or begin with: pkg init user/name',
      cause: error,
    });
  }
}

async function lock(
  context: PipelineContext,
  client: HttpClient,
  source: ManifestSource,
  mode: LockMode,
): Promise<Locked> {
  const { runtime, store } = context;
  const { model } = source.manifest;
  if (model?.engine === 'deterministic') checkModel(model);
  const path = lockfilePath(source.file);
  const text = await readTextIfPresent(path);
  const previous = text === undefined ? undefined : readPrevious(text, path, mode);
  const toolchain = currentToolchain();
  if (previous !== undefined && mode === 'keep') {
    const drift = await findDrift(runtime, store, source, toolchain, previous);
    if (drift.length > 0) throw staleError(drift);
    const lockfile = await followText(context, path, source, previous);
    return { source, lockfile, path, state: 'fresh', drift };
  }
  const { query } = source.manifest.data;
  if (query !== undefined) await checkQuery(runtime, store, query);
  const resolved = await resolveLockfile({ runtime, store, client }, source, toolchain, previous);
  const lockfile = withAnswers(resolved, previous);
  if (query !== undefined) {
    const folder = dirname(source.file);
    await resolveClasses(query, await openSources({ runtime, store, client }, folder, lockfile));
  }
  await writeFileAtomic(path, formatLockfile(lockfile));
  return {
    source,
    lockfile,
    path,
    state: previous === undefined ? 'written' : 'renewed',
    drift: previous === undefined ? [] : describeRenewal(previous, lockfile),
  };
}

/** What decides which photos are asked for, and what counts as an answer. */
function askedBy({ parameters, sources, toolchain }: Lockfile): string {
  const { source, query, fetch, seed } = parameters;
  const { query: queryVersion, fetch: fetchVersion, duckdb, sharp } = toolchain;
  const versions = { queryVersion, fetchVersion, duckdb, sharp };
  return canonicalJson(toPlainJson({ source, query, fetch, seed, sources, versions }));
}

/**
 * What the network answered stays recorded where something else is renewed: another model is no reason
 * to ask again. Where nothing else is, it is the answers that are to be renewed.
 */
function withAnswers(renewed: Lockfile, previous: Lockfile | undefined): Lockfile {
  if (previous?.fetch === undefined || askedBy(previous) !== askedBy(renewed)) return renewed;
  const inputs = ({ parameters, toolchain }: Lockfile) => canonicalJson({ parameters, toolchain });
  return inputs(previous) === inputs(renewed) ? renewed : { ...renewed, fetch: previous.fetch };
}

/** A lockfile that is to be renewed need not be readable. */
function readPrevious(text: string, path: string, mode: LockMode): Lockfile | undefined {
  try {
    return parseLockfile(text, path);
  } catch (error) {
    if (mode === 'update' && error instanceof PkgError && error.code === 'lockfile') {
      return undefined;
    }
    throw error;
  }
}

/** Comments, layout and pace are no inputs: the lockfile follows them without ado. */
async function followText(
  { runtime }: PipelineContext,
  path: string,
  source: ManifestSource,
  lockfile: Lockfile,
): Promise<Lockfile> {
  const manifest = digestOf(source.text);
  if (manifest === lockfile.manifest) return lockfile;
  const followed = { ...lockfile, manifest };
  await writeFileAtomic(path, formatLockfile(followed));
  runtime.report({
    kind: 'noted',
    message: `${path} follows a change of words or pace in the manifest; no input changed`,
  });
  return followed;
}

function describeRenewal(previous: Lockfile, renewed: Lockfile): readonly string[] {
  return [
    ...parameterDrift(previous.parameters, renewed.parameters),
    ...sourceDrift(previous.sources, renewed.sources),
    ...toolchainDrift(previous.toolchain, renewed.toolchain),
    ...(previous.fetch === undefined || renewed.fetch !== undefined
      ? []
      : ['the fetch record is dropped; the next build records anew']),
  ];
}

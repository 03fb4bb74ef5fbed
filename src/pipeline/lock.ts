/** Locking: a manifest and the lockfile beside it, made, checked or renewed. */
import { readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { createHttpClient } from '../http/client.ts';
import type { HttpClient } from '../http/http.ts';
import type { S3Settings } from '../http/s3-url.ts';
import { parameterDrift, sourceDrift, toolchainDrift } from '../lockfile/drift.ts';
import { lockfileBeside, parseLockfileText } from '../lockfile/lock-file.ts';
import { formatLockfile, type Lockfile } from '../lockfile/lockfile.ts';
import { questionsOf } from '../lockfile/questions.ts';
import { findDrift, lockedParameters, resolveLockfile, staleError } from '../lockfile/resolve.ts';
import type { Manifest } from '../manifest/manifest.ts';
import {
  MAX_MANIFEST_BYTES,
  type ManifestSource,
  parseManifest,
  withPlace,
} from '../manifest/parse.ts';
import { readingOf } from '../merging/marked-text.ts';
import type { BuildRecord } from '../provenance/build-record.ts';
import { PkgError, storageError, systemErrorCode } from '../runtime/errors.ts';
import { checkModel } from '../steps/network.ts';
import { checkQuery, resolveClasses } from '../steps/query.ts';
import { toolchainFor } from '../steps/toolchain.ts';
import { readTextIfPresent, writeFileAtomic } from '../store/atomic-file.ts';
import { canonicalJson, toPlainJson } from '../store/canonical-json.ts';
import { digestOf } from '../store/digest.ts';
import { type DirtyMode, type PinContext, pinAll, pinDrift, recordWorkTree } from './pins.ts';
import { stepNames } from './plan.ts';
import { openSources } from './sources.ts';

/** What locking and building are given beside the manifest. */
export interface PipelineContext extends PinContext {
  readonly s3: S3Settings;
  /** What builds, for the record that stands beside a package and never in it. */
  readonly builder: Pick<BuildRecord, 'tool' | 'host'>;
}

/** What is done about a lockfile: kept as long as it holds, or renewed from its sources. */
export type LockMode = 'keep' | 'update';

export interface LockOptions {
  readonly mode: LockMode;
  readonly dirty: DirtyMode;
}

export interface Locked {
  readonly source: ManifestSource;
  readonly lockfile: Lockfile;
  /** Where the lockfile is. */
  readonly path: string;
  readonly state: 'written' | 'fresh' | 'renewed';
  /** What the renewal changed, a sentence each. */
  readonly drift: readonly string[];
}

/**
 * Reads a manifest and its lockfile; writes the lockfile where it is absent or to be renewed.
 * @throws PkgError `lockfile` with what drifted, where it is stale and to be kept.
 */
export async function lockManifest(
  context: PipelineContext,
  manifestPath: string,
  options: LockOptions,
): Promise<Locked> {
  const source = await readManifest(manifestPath);
  const client = createSourceClient(context, source.manifest);
  try {
    return await lock(context, client, source, options);
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
  { mode, dirty }: LockOptions,
): Promise<Locked> {
  const { runtime, store } = context;
  const { model } = source.manifest;
  if (model?.engine === 'deterministic' && model.base === undefined) checkModel(model);
  const path = lockfileBeside(source.file);
  const text = await readTextIfPresent(path);
  const tree = { lockPath: path, dirty };
  const found = text === undefined ? undefined : readPrevious(text, path, mode);
  const previous =
    found === undefined || mode === 'update'
      ? found
      : await recordWorkTree(context, source, found, tree);
  const toolchain = toolchainFor(stepNames(source.manifest), model?.engine);
  if (previous !== undefined && mode === 'keep') {
    const drift = [
      ...(await findDrift(runtime, store, source, toolchain, previous)),
      ...(await pinDrift(context, source, previous, tree)),
    ];
    if (drift.length > 0) throw staleError(drift);
    const parameters = lockedParameters(source.manifest);
    const current = { ...previous, toolchain, parameters, manifest: digestOf(source.text) };
    const lockfile = await followText(context, path, { text, previous, current });
    return { source, lockfile, path, state: 'fresh', drift };
  }
  const { query } = source.manifest.data;
  if (query !== undefined) await checkQuery(runtime, store, query);
  const pins = await pinAll(context, source, tree);
  const further = { toolchain, pins };
  const resolved = await resolveLockfile({ runtime, store, client }, source, further, previous);
  const lockfile = withAnswers(resolved, previous);
  if (query !== undefined && lockfile.sources !== undefined) {
    const folder = dirname(source.file);
    const { sources } = lockfile;
    await resolveClasses(query, await openSources({ runtime, store, client }, folder, sources));
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

/**
 * What the network answered stays recorded where something else is renewed: another model is no reason
 * to ask again. Where nothing else is, it is the answers that are to be renewed.
 */
function withAnswers(renewed: Lockfile, previous: Lockfile | undefined): Lockfile {
  if (previous?.fetch === undefined || questionsOf(previous) !== questionsOf(renewed))
    return renewed;
  const inputs = ({ parameters, toolchain, bases, code, environment }: Lockfile) =>
    canonicalJson(toPlainJson({ parameters, toolchain, bases, code, environment }));
  return inputs(previous) === inputs(renewed) ? renewed : { ...renewed, fetch: previous.fetch };
}

/** A lockfile that is to be renewed need not be readable; of one with conflicts, ours is renewed. */
function readPrevious(text: string, path: string, mode: LockMode): Lockfile | undefined {
  const readable = mode === 'update' ? (readingOf(text, 'ours') ?? text) : text;
  try {
    return parseLockfileText(readable, path);
  } catch (error) {
    if (mode === 'update' && error instanceof PkgError && error.code === 'lockfile') {
      return undefined;
    }
    throw error;
  }
}

/**
 * Comments, layout, pace and the order of keys are no inputs: the lockfile follows them, and a recorded work
 * tree, without ado.
 */
async function followText(
  { runtime }: PipelineContext,
  path: string,
  { text, previous, current }: { text: string | undefined; previous: Lockfile; current: Lockfile },
): Promise<Lockfile> {
  const followed = formatLockfile(current);
  if (followed !== text) await writeFileAtomic(path, followed);
  if (current.manifest !== previous.manifest) {
    runtime.report({
      kind: 'noted',
      message: `${path} follows a change of words or pace in the manifest; no input changed`,
    });
  }
  return current;
}

function describeRenewal(previous: Lockfile, renewed: Lockfile): readonly string[] {
  return [
    ...parameterDrift(previous.parameters, renewed.parameters),
    ...sourceDrift(previous.sources, renewed.sources),
    ...toolchainDrift(previous.toolchain, renewed.toolchain),
    ...pinChanges(previous, renewed),
    ...(previous.fetch === undefined || renewed.fetch !== undefined
      ? []
      : ['the fetch record is dropped; the next build records anew']),
  ];
}

/** What of the pins is another now, a sentence each. */
function pinChanges(previous: Lockfile, renewed: Lockfile): readonly string[] {
  const pinsOf = ({ bases, code, environment }: Lockfile) =>
    toPlainJson({ bases, code, environment });
  return parameterDrift(pinsOf(previous), pinsOf(renewed));
}

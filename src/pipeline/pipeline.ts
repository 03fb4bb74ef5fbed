/** The pipeline: from a manifest to a package in the store, with its lockfile brought up to date. */
import { dirname } from 'node:path';
import type { HttpClient } from '../http/http.ts';
import {
  type FetchRecord,
  formatLockfile,
  type Lockfile,
  withoutHints,
} from '../lockfile/lockfile.ts';
import { withPlace } from '../manifest/parse.ts';
import { type Package, packageSizeBytes, type TopHash } from '../package/package.ts';
import { topHash } from '../package/top-hash.ts';
import { messageOf } from '../runtime/errors.ts';
import { countTables, type TableCounts } from '../steps/counts.ts';
import { type ByteSource, findExceptions, readImagesTable } from '../steps/fetch-record.ts';
import { indexTables, type QuerySources } from '../steps/query.ts';
import type { StepContext } from '../steps/steps.ts';
import { writeFileAtomic } from '../store/atomic-file.ts';
import { fileBytes } from '../store/digest.ts';
import { entryAt } from '../store/tree.ts';
import { assemblePackage, collectFiles, headerOf } from './assemble.ts';
import { findStepIdentities, rememberBuilt, type StepIdentities } from './built.ts';
import { explainStep } from './explain.ts';
import {
  createSourceClient,
  type Locked,
  type LockMode,
  lockManifest,
  type PipelineContext,
} from './lock.ts';
import { planSteps } from './plan.ts';
import { outputOf, type Run, runPlan, type StepRun } from './run.ts';
import { openSources, sourceTree } from './sources.ts';
import { identityJson } from './step-cache.ts';

export interface BuildOptions {
  readonly lock: LockMode;
  /** Ask again for photos that could not be had, or are not the promised ones. */
  readonly refetch: boolean;
  /** Where recorded bytes may be found besides the store, such as a registry. */
  readonly elsewhere: ByteSource;
}

export interface BuildResult extends TableCounts {
  readonly name: string;
  readonly topHash: TopHash;
  readonly entries: number;
  readonly sizeBytes: number;
  readonly steps: readonly Pick<StepRun, 'name' | 'key' | 'cached' | 'seconds'>[];
  /** Why each step ran or did not, a sentence each. */
  readonly explanations: readonly string[];
  /** Steps the manifest asks for that this version cannot do. */
  readonly unavailable: readonly string[];
  /** Whether images are missing although the manifest says `missing: fail`. */
  readonly incomplete: boolean;
}

/** No other place to find recorded bytes. */
export const nowhereElse: ByteSource = () => Promise.resolve(undefined);

/**
 * Builds the package of a manifest. Writes the lockfile where it is absent, and records in it what
 * the network answered. The package is kept in the store, under its name and top hash.
 * @throws PkgError as the steps do, `lockfile` where the lockfile is stale.
 */
export async function buildPackage(
  context: PipelineContext,
  manifestPath: string,
  options: BuildOptions,
): Promise<BuildResult> {
  const locked = await lockManifest(context, manifestPath, options.lock);
  const client = createSourceClient(context, locked.source.manifest);
  try {
    return await build(context, client, locked, options);
  } catch (error) {
    throw withPlace(locked.source, error);
  } finally {
    await client.close();
  }
}

async function build(
  context: PipelineContext,
  client: HttpClient,
  locked: Locked,
  options: BuildOptions,
): Promise<BuildResult> {
  const { runtime, store } = context;
  const { manifest } = locked.source;
  const { fetch: record, ...unrecorded } = locked.lockfile;
  const folder = dirname(locked.source.file);
  const openPinned = () => openSources({ runtime, store, client }, folder, locked.lockfile);
  const sources = openOnce(openPinned);
  const plan = planSteps(manifest);
  const steps = {
    runtime,
    store,
    client,
    folder,
    again: options.refetch,
    openSources: sources.open,
    checkSources: async () => {
      await openPinned();
    },
    record: options.refetch ? undefined : recordOf(record),
    elsewhere: options.elsewhere,
  };
  const run: StepRun[] = [];
  let indexing = Promise.resolve();
  try {
    for await (const step of runPlan(steps, plan, sourceTree(locked.lockfile))) {
      run.push(step);
      const tables = await sources.opened();
      if (step.name === 'query' && tables !== undefined)
        indexing = indexInBackground(context, tables);
    }
  } finally {
    await indexing;
  }
  const lockfile = { ...unrecorded, fetch: await recordFetch(context, run) };
  const text = formatLockfile(lockfile);
  if (text !== formatLockfile(locked.lockfile)) await writeFileAtomic(locked.path, text);
  const pkg = await assemble(context, locked, lockfile, run);
  const before = await findStepIdentities(store, manifest.name);
  const built = { name: manifest.name, topHash: topHash(pkg), pkg };
  await rememberBuilt(store, built, identitiesOf(run));
  const counts = await countTables(
    runtime,
    store,
    outputOf(run, 'fetch', 'images'),
    outputOf(run, 'split', 'crops'),
  );
  return {
    name: built.name,
    topHash: built.topHash,
    entries: pkg.entries.length,
    sizeBytes: packageSizeBytes(pkg),
    ...counts,
    steps: run.map(({ name, key, cached, seconds }) => ({ name, key, cached, seconds })),
    explanations: run.map((step) => explainStep(step, before)),
    unavailable: plan.unavailable.map(({ name, why }) => `${name}: not done, ${why}`),
    incomplete: manifest.data.fetch.missing === 'fail' && hasTombstones(counts),
  };
}

async function assemble(
  { runtime, store }: PipelineContext,
  { source }: Locked,
  lockfile: Lockfile,
  run: Run,
): Promise<Package> {
  const texts = { manifest: source.text, lockfile: formatLockfile(withoutHints(lockfile)) };
  const files = await collectFiles(store, run, texts);
  return await assemblePackage(runtime, store, files, headerOf(source.manifest));
}

/** Opens the sources at the first call only, and tells afterwards whether that was needed. */
function openOnce(open: () => Promise<QuerySources>) {
  let sources: Promise<QuerySources> | undefined;
  return {
    open: () => (sources ??= open()),
    opened: async () => await sources,
  };
}

/** Makes the next query on these tables instant; the answer of this one does not depend on it. */
async function indexInBackground(
  { runtime, store }: PipelineContext,
  sources: QuerySources,
): Promise<void> {
  try {
    await indexTables(runtime, store, sources);
  } catch (error) {
    if (runtime.signal.aborted) return;
    runtime.report({
      kind: 'warned',
      message: `the tables were not indexed, so the next query is no faster: ${messageOf(error)}`,
    });
  }
}

function recordOf(record: FetchRecord | undefined): StepContext['record'] {
  if (record === undefined) return undefined;
  return { table: record.record, exceptions: record.exceptions };
}

/** What the network answered, for the lockfile. */
async function recordFetch({ runtime, store }: PipelineContext, run: Run): Promise<FetchRecord> {
  const { digest, sizeBytes } = entryAt(outputOf(run, 'fetch', 'images'), 'images.csv');
  const rows = await readImagesTable(fileBytes(store.path(digest), runtime.signal));
  return { record: { digest, sizeBytes }, images: rows.length, exceptions: findExceptions(rows) };
}

function identitiesOf(run: Run): StepIdentities {
  return Object.fromEntries(run.map(({ name, identity }) => [name, identityJson(identity)]));
}

function hasTombstones({ images }: TableCounts): boolean {
  return images.selected > (images['ok'] ?? 0) + (images['changed'] ?? 0);
}

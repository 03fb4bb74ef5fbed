/** Making a package of a locked manifest: its steps run, its files assembled, how it was made stated. */
import { dirname } from 'node:path';
import { ENVIRONMENT_KEYS } from '../environment/environment.ts';
import type { HttpClient } from '../http/http.ts';
import { namedSources } from '../lockfile/drift.ts';
import {
  type FetchRecord,
  formatLockfile,
  type Lockfile,
  withoutHints,
} from '../lockfile/lockfile.ts';
import { lockedParameters } from '../lockfile/resolve.ts';
import type { ManifestSource } from '../manifest/parse.ts';
import { type Package, parseTopHash, type TopHash } from '../package/package.ts';
import { topHash } from '../package/top-hash.ts';
import { formatProvenance, type ProvenanceStep } from '../provenance/provenance.ts';
import { messageOf } from '../runtime/errors.ts';
import { inputOf, readBaseModel } from '../steps/base.ts';
import { type ByteSource, findExceptions, readImagesTable } from '../steps/fetch-record.ts';
import { checkModel } from '../steps/network.ts';
import { indexTables, type QuerySources } from '../steps/query.ts';
import type { StepContext } from '../steps/steps.ts';
import { checkEntry } from '../steps/tensorflow-training.ts';
import { fileBytes } from '../store/digest.ts';
import { entryAt, type Tree, type TreeEntry, treeDigest, treeOf } from '../store/tree.ts';
import {
  addFile,
  assemblePackage,
  collectFiles,
  dataFiles,
  headerOf,
  PROVENANCE,
} from './assemble.ts';
import type { GivenTrees } from './given.ts';
import type { PipelineContext } from './lock.ts';
import { type DataPlan, planData, planSteps } from './plan.ts';
import { outputOf, type Run, runPlan, type StepRun } from './run.ts';
import { openSources } from './sources.ts';

/** A locked manifest, and what it is given from outside. */
export interface Recipe extends GivenTrees {
  readonly source: ManifestSource;
  readonly lockfile: Lockfile;
  /** Images left out of the selection, by ImageID or author. */
  readonly without: readonly string[];
  /** Steps whose outputs were taken as a package has them, as its provenance states them. */
  readonly recorded?: readonly ProvenanceStep[];
}

export interface MakeOptions {
  /** Ask again for photos that could not be had, or are not the promised ones. */
  readonly refetch: boolean;
  /** Where recorded bytes may be found besides the store, such as a registry. */
  readonly elsewhere: ByteSource;
  /** Whether code that comes with the manifest may run. */
  readonly code: 'refuse' | 'run';
  readonly scope: Scope;
}

/** How much is made: the whole package, or its data set alone. */
export type Scope = 'all' | 'data';

export interface Made {
  readonly plan: DataPlan;
  readonly run: Run;
  /** With what the network answered. */
  readonly lockfile: Lockfile;
  readonly pkg: Package;
  readonly topHash: TopHash;
}

/** Runs the steps of a recipe and makes a package of what they leave. */
export async function makePackage(
  context: PipelineContext,
  client: HttpClient,
  recipe: Recipe,
  options: MakeOptions,
): Promise<Made> {
  const { source, without } = recipe;
  if (options.scope === 'all') await checkCode(context, recipe, options.code);
  const plan = await planOf(context, recipe, options.scope);
  const run = await runSteps(context, client, recipe, options, plan);
  const { fetch: _, ...unrecorded } = recipe.lockfile;
  const fetch = await recordFetch(context, run);
  const lockfile = {
    ...unrecorded,
    ...(without.length === 0 ? {} : { parameters: lockedParameters(source.manifest, without) }),
    ...(fetch === undefined ? {} : { fetch }),
  };
  const pkg = await packageOfRun(context, recipe, { plan, run, lockfile }, options.scope);
  return { plan, run, lockfile, pkg, topHash: topHash(pkg) };
}

/**
 * Makes the model of code that comes with a manifest, before anything is fetched for it: at a first build,
 * since afterwards it need not run again.
 */
async function checkCode(
  { runtime, store }: PipelineContext,
  { source: { manifest }, lockfile, given }: Recipe,
  code: MakeOptions['code'],
): Promise<void> {
  const { model, seed, data } = manifest;
  if (model?.entry === undefined || given.code === undefined) return;
  if (lockfile.fetch !== undefined || data.query === undefined) return;
  const commit = lockfile.code === undefined ? {} : { commit: lockfile.code.commit };
  const subject = { code: given.code, classes: data.query.classes };
  await checkEntry({ runtime, store, code, ...commit }, { ...model, seed }, subject);
}

async function planOf(
  { store }: PipelineContext,
  { source: { manifest }, given: { base }, without }: Recipe,
  scope: Scope,
): Promise<DataPlan> {
  if (scope === 'data') return planData(manifest, without);
  const found = base === undefined ? undefined : await readBaseModel(store, base);
  const { model } = manifest;
  if (found === undefined || model === undefined) {
    return planSteps(manifest, { without, baseInput: undefined });
  }
  checkModel(model, found);
  return planSteps(manifest, { without, baseInput: inputOf(model, found) });
}

async function packageOfRun(
  context: PipelineContext,
  recipe: Recipe,
  { plan, run, lockfile }: Pick<Made, 'plan' | 'run' | 'lockfile'>,
  scope: Scope,
): Promise<Package> {
  const { runtime, store } = context;
  const { text, manifest } = recipe.source;
  if (scope === 'data') {
    return await assemblePackage(runtime, store, dataFiles(plan, run), headerOf(manifest));
  }
  const files = await collectFiles(store, plan, run, {
    manifest: text,
    lockfile: formatLockfile(withoutHints(lockfile)),
    files: pinnedFiles(lockfile),
  });
  return await withProvenance(context, recipe, { lockfile, files, run });
}

async function runSteps(
  context: PipelineContext,
  client: HttpClient,
  { source, lockfile, given, openData }: Recipe,
  options: MakeOptions,
  plan: DataPlan,
): Promise<Run> {
  const { runtime, store } = context;
  const folder = dirname(source.file);
  const openPinned = async () => {
    if (lockfile.sources === undefined) throw new Error('a query has sources');
    return await openSources({ runtime, store, client }, folder, lockfile.sources);
  };
  const sources = openOnce(openPinned);
  const steps = {
    ...{ runtime, store, client, folder, openData },
    again: options.refetch,
    openSources: sources.open,
    checkSources: async () => {
      await openPinned();
    },
    record: options.refetch ? undefined : recordOf(lockfile.fetch),
    ...{ elsewhere: options.elsewhere, code: options.code },
    ...(lockfile.code === undefined ? {} : { commit: lockfile.code.commit }),
  };
  const run: StepRun[] = [];
  let indexing = Promise.resolve();
  try {
    for await (const step of runPlan(steps, plan, given)) {
      run.push(step);
      const tables = await sources.opened();
      if (step.name === 'query' && tables !== undefined)
        indexing = indexInBackground(context, tables);
    }
  } finally {
    await indexing;
  }
  return run;
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
  const { record: table, images, exceptions } = record;
  return { table, images, exceptions };
}

/** What the network answered, for the lockfile; undefined where nothing was fetched. */
async function recordFetch(
  { runtime, store }: PipelineContext,
  run: Run,
): Promise<FetchRecord | undefined> {
  if (run.every(({ name }) => name !== 'fetch')) return undefined;
  const images = outputOf(run, { step: 'fetch', output: 'images' });
  const { digest, sizeBytes } = entryAt(images, 'images.csv');
  const rows = await readImagesTable(fileBytes(store.path(digest), runtime.signal));
  return { record: { digest, sizeBytes }, images: rows.length, exceptions: findExceptions(rows) };
}

/** The files that a lockfile pins, under their logical keys: the code's archive and the environment's. */
export function pinnedFiles({ code, environment }: Lockfile): Tree {
  const files: TreeEntry[] = [];
  if (code !== undefined) files.push({ ...code.tar, path: `code/${code.commit}.tar` });
  for (const kind of ['lockfile', 'dockerfile'] as const) {
    const file = environment?.[kind];
    if (file === undefined) continue;
    const { digest, sizeBytes } = file;
    files.push({ digest, sizeBytes, path: ENVIRONMENT_KEYS[kind] });
  }
  return treeOf(files);
}

/** The package of the files, with the statement of how they were made among them. */
async function withProvenance(
  { runtime, store }: PipelineContext,
  { source, recorded = [] }: Recipe,
  { lockfile, files, run }: { lockfile: Lockfile; files: Tree; run: Run },
): Promise<Package> {
  const { manifest } = source;
  const stated = await assemblePackage(runtime, store, files, headerOf(manifest));
  const { parameters, toolchain, code, environment, bases = [], fetch } = lockfile;
  const text = formatProvenance({
    ...{ name: manifest.name, contents: topHash(stated) },
    ...{ parameters, toolchain, code, environment },
    sources: [...namedSources(lockfile.sources)].map(([name, pinned]) => ({ name, ...pinned })),
    fetchRecord: fetch?.record,
    bases: bases.map((base) => ({ ...base, topHash: parseTopHash(base.topHash) })),
    steps: run.map((step) => recorded.find(({ name }) => name === step.name) ?? stepOf(step)),
  });
  const statement = { path: PROVENANCE, ...(await store.putBytes(text)) };
  return await addFile(runtime, store, stated, statement);
}

/** A step as provenance states it. */
function stepOf({ name, key, identity, outputs }: StepRun): ProvenanceStep {
  const digests = Object.entries(outputs).map(
    ([output, tree]) => [output, treeDigest(tree)] as const,
  );
  return { name, key, inputs: identity.inputs, outputs: Object.fromEntries(digests) };
}

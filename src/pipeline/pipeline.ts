/** The pipeline: from a manifest to a package in the store, with its lockfile brought up to date. */
import { formatLockfile } from '../lockfile/lockfile.ts';
import { withPlace } from '../manifest/parse.ts';
import { packageSizeBytes, type TopHash } from '../package/package.ts';
import { countTables, type TableCounts } from '../steps/counts.ts';
import type { ByteSource } from '../steps/fetch-record.ts';
import { writeFileAtomic } from '../store/atomic-file.ts';
import { findStepIdentities, rememberBuilt, type StepIdentities } from './built.ts';
import { explainStep } from './explain.ts';
import { openGiven } from './given.ts';
import {
  createSourceClient,
  type Locked,
  type LockOptions,
  lockManifest,
  type PipelineContext,
} from './lock.ts';
import { type MakeOptions, makePackage } from './make.ts';
import { outputOf, type Run, type StepRun } from './run.ts';
import { identityJson } from './step-cache.ts';

export interface BuildOptions extends Omit<MakeOptions, 'scope'> {
  readonly lock: LockOptions;
  /**
   * Images left out of the selection, by ImageID or author: a package as it would be without them. The
   * lockfile stays as it is, and the package is found by its top hash alone.
   */
  readonly without: readonly string[];
}

export interface BuildResult extends TableCounts {
  readonly name: string;
  readonly topHash: TopHash;
  readonly entries: number;
  readonly sizeBytes: number;
  readonly steps: readonly Pick<StepRun, 'name' | 'key' | 'cached' | 'seconds'>[];
  /** Why each step ran or did not, a sentence each. */
  readonly explanations: readonly string[];
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
  client: ReturnType<typeof createSourceClient>,
  locked: Locked,
  options: BuildOptions,
): Promise<BuildResult> {
  const { runtime, store } = context;
  const { source } = locked;
  const { without } = options;
  const startedMs = runtime.clock.now();
  const trees = await openGiven(context, source, locked.lockfile);
  const recipe = { source, lockfile: locked.lockfile, without, ...trees };
  const making = { ...options, scope: 'all' as const };
  const { plan, run, lockfile, pkg, topHash } = await makePackage(context, client, recipe, making);
  const { name } = source.manifest;
  const before = await findStepIdentities(store, name);
  const record = {
    ...{ ...context.builder, workers: runtime.concurrency, steps: run.map(timing) },
    startedAt: new Date(startedMs).toISOString(),
    finishedAt: new Date(runtime.clock.now()).toISOString(),
  };
  const built = { name, topHash, pkg, record };
  if (without.length === 0) {
    const text = formatLockfile(lockfile);
    if (text !== formatLockfile(locked.lockfile)) await writeFileAtomic(locked.path, text);
    await rememberBuilt(store, built, identitiesOf(run), 'last');
  } else await rememberBuilt(store, built, identitiesOf(run), 'aside');
  const { images, table } = plan.refs;
  const counts = await countTables(runtime, store, outputOf(run, images), outputOf(run, table));
  return {
    ...{ name, topHash },
    entries: pkg.entries.length,
    sizeBytes: packageSizeBytes(pkg),
    ...counts,
    steps: run.map(timing),
    explanations: run.map((step) => explainStep(step, before)),
    incomplete: source.manifest.data.fetch.missing === 'fail' && hasTombstones(counts),
  };
}

function timing({ name, key, cached, seconds }: StepRun) {
  return { name, key, cached, seconds };
}

function identitiesOf(run: Run): StepIdentities {
  return Object.fromEntries(run.map(({ name, identity }) => [name, identityJson(identity)]));
}

function hasTombstones({ images }: TableCounts): boolean {
  return images.selected > (images['ok'] ?? 0) + (images['changed'] ?? 0);
}

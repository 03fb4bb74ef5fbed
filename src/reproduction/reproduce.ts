/** Reproducing: a published package built again in a fresh store, and held against what was published. */
import {
  checkEnvironment,
  type EnvironmentHere,
  type PinnedFile,
} from '../environment/environment.ts';
import type { OpenedPackage } from '../installation/opened-package.ts';
import { toolchainDrift } from '../lockfile/drift.ts';
import { isData } from '../pipeline/assemble.ts';
import { openBuilt } from '../pipeline/built.ts';
import type { PipelineContext } from '../pipeline/lock.ts';
import { stepNames } from '../pipeline/plan.ts';
import { toolchainFor } from '../steps/toolchain.ts';
import { withScratchStore } from '../store/scratch-store.ts';
import type { Store } from '../store/store.ts';
import { compareEntries } from './compare-entries.ts';
import { type Published, readPublished } from './published.ts';
import { type RebuildOptions, type Rebuilt, rebuild } from './rebuild.ts';
import type { Reproduction } from './reproduction.ts';
import { judgeSteps } from './step-verdicts.ts';
import { compareWithin } from './tolerance.ts';

export interface ReproduceOptions extends RebuildOptions {
  /** How far numbers below `models/` may be apart where bytes differ; undefined where bytes count. */
  readonly tolerance: number | undefined;
  readonly here: EnvironmentHere;
}

/**
 * Builds a package again from its own lockfile, in a store with nothing of it, and compares entry by entry.
 * @throws PkgError `integrity` where a file that is needed is damaged, or the package contradicts itself;
 * `not-found` where pkg did not build it; else as a build.
 */
export async function reproducePackage(
  context: PipelineContext,
  opened: OpenedPackage,
  options: ReproduceOptions,
): Promise<Reproduction> {
  const published = await readPublished(opened);
  return await withScratchStore(context.store, context.runtime.clock.now(), async (store) => {
    const fresh = { ...context, store };
    const rebuilt = await rebuild(fresh, context.store, published, options);
    return await compare(published, rebuilt, store, options);
  });
}

async function compare(
  published: Published,
  rebuilt: Rebuilt,
  store: Store,
  options: ReproduceOptions,
): Promise<Reproduction> {
  const { opened } = published;
  const { name, topHash, where } = opened;
  const { scope, tolerance } = options;
  const wanted = [...opened.pkg.entries].filter(
    ({ logicalKey }) => scope === 'all' || isData(logicalKey),
  );
  const { files, differences } = compareEntries(wanted, rebuilt.pkg.entries);
  const again = openBuilt(store, { name, topHash: rebuilt.topHash, pkg: rebuilt.pkg });
  const agreement =
    tolerance === undefined || differences.length === 0
      ? undefined
      : await compareWithin(tolerance, opened, again, differences);
  const isSame = scope === 'all' ? rebuilt.topHash === topHash : differences.length === 0;
  const drift = driftOfToolchain(published);
  const steps = judgeSteps(published.steps, rebuilt.run, rebuilt.recorded);
  const first = steps.find(({ verdict }) => verdict === 'differs')?.name;
  const logicalKey = differences[0]?.logicalKey;
  return {
    ...{ name, topHash, where, scope, files, differences, steps },
    ...(scope === 'all' ? { rebuilt: rebuilt.topHash } : {}),
    ...(isSame
      ? {}
      : {
          firstDifference: {
            ...(first === undefined ? {} : { step: first }),
            ...(logicalKey === undefined ? {} : { logicalKey }),
          },
        }),
    toolchainSame: drift.length === 0,
    environment: await environmentOf(published, store, options),
    ...(options.from === 'source' ? { sources: rebuilt.sources } : {}),
    notes: [
      ...published.notes,
      ...drift,
      ...(isSame || differences.length > 0
        ? []
        : ['every file is the same; the header or the metadata of entries differs']),
    ],
    ...(agreement === undefined ? {} : { agreement }),
    reproduced: isSame || agreement?.isWithin === true,
  };
}

/** What of the toolchain is not what the lockfile pins, a sentence each. */
function driftOfToolchain({ source: { manifest }, lockfile }: Published): readonly string[] {
  const here = toolchainFor(stepNames(manifest), manifest.model?.engine);
  const locked = Object.entries(lockfile.toolchain).filter(([part]) => part in here);
  return toolchainDrift(Object.fromEntries(locked), here);
}

async function environmentOf(
  { source: { manifest }, lockfile: { environment } }: Published,
  store: Store,
  { here }: ReproduceOptions,
): Promise<Reproduction['environment']> {
  if (environment === undefined) return [];
  const use = {
    engine: manifest.model?.engine,
    openPinned: async ({ digest }: PinnedFile) => await store.read(digest),
  };
  return await checkEnvironment(environment, use, here);
}

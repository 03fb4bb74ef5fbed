/** The training of a package, made ready to be done again: its data, its plan and what it claims. */

import type { Engine } from '../classifier/engine.ts';
import { type FitData, iterationsOf } from '../classifier/fit.ts';
import { keepEntries } from '../installation/kept-entries.ts';
import { entryUnder, type OpenedPackage } from '../installation/opened-package.ts';
import { parseManifest } from '../manifest/parse.ts';
import type { Model } from '../models/models.ts';
import { parseTfjs } from '../models/tfjs.ts';
import type { Entry } from '../package/entry.ts';
import { PkgError } from '../runtime/errors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { BASE_FILES, BASE_FOLDER, findBaseModel, inputOf } from '../steps/base.ts';
import { openExamples } from '../steps/example-reader.ts';
import { makeExamples } from '../steps/examples.ts';
import type { TrainingPlan } from '../steps/network.ts';
import { parseReplay, type Replay } from '../steps/replay.ts';
import { dataOf, openTraining, planOf, type TrainParams } from '../steps/training.ts';
import type { Store } from '../store/store.ts';
import { type Tree, type TreeEntry, treeOf } from '../store/tree.ts';

const CROPS = 'images_cropped/';

export interface PackagedTraining {
  readonly plan: TrainingPlan;
  readonly data: FitData;
  /** In the state training began with. */
  readonly engine: Engine;
  readonly iterationsPerEpoch: number;
  readonly replay: Replay;
  readonly model: Model;
  readonly opened: OpenedPackage;
  close(): Promise<void>;
}

/**
 * Reads what a package's classifier was made of, and makes the examples again in the store.
 * @throws PkgError `not-found` where the package has no training to be checked.
 */
export async function openPackagedTraining(
  runtime: Runtime,
  store: Store,
  opened: OpenedPackage,
): Promise<PackagedTraining> {
  const params = await readParams(opened);
  const replay = parseReplay(await readText(opened, 'models/replay.json'), 'models/replay.json');
  const weights = await opened.read(demand(opened, 'models/weights.bin'));
  const model = parseTfjs(
    await readText(opened, 'models/model.json'),
    weights,
    'models/model.json',
  );
  const inputs = {
    crops: await keepEntries(runtime, store, opened, cropsOf(opened)),
    table: [await keep(store, opened, demand(opened, 'metadata/crops.csv'), 'crops.csv')],
  };
  const base = await findBaseModel(store, params, await keepBase(store, opened, params));
  const { examples: tree = [] } = await makeExamples(runtime, store, inputOf(params, base), inputs);
  const examples = await openExamples(runtime, store, tree);
  try {
    const plan = planOf(params, examples, base);
    const engine = await openTraining(runtime, plan);
    const data = dataOf(plan, examples);
    return {
      ...{ plan, data, engine, replay, model, opened },
      iterationsPerEpoch: iterationsOf(data, plan.fit.batchSize),
      async close() {
        await engine.close();
        await examples.close();
      },
    };
  } catch (error) {
    await examples.close();
    throw error;
  }
}

async function readParams(opened: OpenedPackage): Promise<TrainParams> {
  const { manifest } = parseManifest(await readText(opened, 'manifest.yaml'), 'manifest.yaml');
  const { model, seed } = manifest;
  if (model?.engine === 'deterministic') return { ...model, seed };
  throw new PkgError('not-found', `${opened.name} has no model of the deterministic engine`, {
    hint: 'Only such a training can be done again bit for bit.',
  });
}

function cropsOf({ pkg }: OpenedPackage): readonly Entry[] {
  return [...pkg.entries].filter(({ logicalKey }) => logicalKey.startsWith(CROPS));
}

function demand(opened: OpenedPackage, logicalKey: string): Entry {
  const entry = entryUnder(opened.pkg, logicalKey);
  if (entry !== undefined) return entry;
  throw new PkgError('not-found', `${opened.name} has no ${logicalKey}`, {
    hint: 'A package with a model that pkg built has it; there is nothing to check here.',
  });
}

async function readText(opened: OpenedPackage, logicalKey: string): Promise<string> {
  return (await opened.read(demand(opened, logicalKey))).toString('utf8');
}

async function keep(
  store: Store,
  opened: OpenedPackage,
  entry: Entry,
  path: string,
): Promise<TreeEntry> {
  return { path, ...(await store.putBytes(await opened.read(entry))) };
}

/** The base that the package holds a copy of, where its training began with one. */
async function keepBase(
  store: Store,
  opened: OpenedPackage,
  { base }: TrainParams,
): Promise<Tree | undefined> {
  if (base === undefined) return undefined;
  const kept: TreeEntry[] = [];
  for (const path of BASE_FILES) {
    kept.push(await keep(store, opened, demand(opened, `${BASE_FOLDER}${path}`), path));
  }
  return treeOf(kept);
}

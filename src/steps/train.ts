/** The train step: a classifier trained on the crops, as files, with the chain that proves how. */

import type { Engine } from '../classifier/engine.ts';
import {
  type EpochRow,
  type FitEvent,
  type FitState,
  fit,
  iterationsOf,
  LINK_ITERATIONS,
  startOf,
} from '../classifier/fit.ts';
import { RESIZE } from '../images/resize.ts';
import { formatKeras } from '../models/keras.ts';
import type { Model } from '../models/models.ts';
import { formatTfjs } from '../models/tfjs.ts';
import { formatCsv } from '../openimages/csv.ts';
import { type Progress, startProgress } from '../runtime/progress.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { canonicalJson, toPlainJson } from '../store/canonical-json.ts';
import { type Digest, digestOf } from '../store/digest.ts';
import type { Store } from '../store/store.ts';
import { type Tree, type TreeEntry, treeDigest, treeOf } from '../store/tree.ts';
import { BASE_FOLDER, findBaseModel } from './base.ts';
import { type Checkpoint, findCheckpoint, type Snapshot, writeCheckpoint } from './checkpoint.ts';
import { type Examples, openExamples } from './example-reader.ts';
import type { TrainingPlan } from './network.ts';
import { formatReplay, snapshotPath } from './replay.ts';
import type { StepInputs, StepOutputs } from './step.ts';
import { toolchainOf } from './toolchain.ts';
import { dataOf, openTraining, planOf, type TrainParams } from './training.ts';

/** What the snapshots of a training may take of the crops' size, so of the package's. */
const SNAPSHOT_SHARE = 0.05;

/** The columns of `models/history.csv`. */
export const HISTORY_COLUMNS = [
  'epoch',
  'loss',
  'accuracy',
  'val_loss',
  'val_accuracy',
  'learning_rate',
] as const;

/**
 * Trains on `inputs.examples`, where `params.base` is given from the model in `inputs.base`: `model.json`
 * and `weights.bin`. Outputs `model`: `models/model.json`, `models/weights.bin`, `models/clf.h5`,
 * `models/history.csv`, `models/replay.json`, the snapshots it names, and below `models/base/` the base as
 * it was given. Where it is stopped, the same call goes on after the last whole epoch, to the same bits.
 * @throws PkgError `manifest` where model, base and crops do not fit, or a number stops being finite;
 * `integrity` or `usage` where the base is broken or none that can be trained on.
 */
export async function trainClassifier(
  runtime: Runtime,
  store: Store,
  params: TrainParams,
  inputs: StepInputs,
): Promise<StepOutputs> {
  const base = await findBaseModel(store, params, inputs['base']);
  const examples = await openExamples(runtime, store, inputs['examples'] ?? []);
  try {
    const plan = planOf(params, examples, base);
    const engine = await openTraining(runtime, plan);
    try {
      const key = workKey(params, inputs);
      const trained = await runTraining({ runtime, store, engine, plan, examples, key }, inputs);
      const files = await modelFiles(store, modelOf(plan, engine), trained);
      await store.removeWork(key);
      return { model: treeOf([...files, ...baseFiles(inputs['base'] ?? [])]) };
    } finally {
      await engine.close();
    }
  } finally {
    await examples.close();
  }
}

interface Training {
  readonly runtime: Runtime;
  readonly store: Store;
  readonly engine: Engine;
  readonly plan: TrainingPlan;
  readonly examples: Examples;
  readonly key: Digest;
}

interface Trained extends Checkpoint {
  /** Whose weights count, from 1. */
  readonly epoch: number;
  readonly iterationsPerEpoch: number;
}

/** Runs or goes on with a training; the engine is left with the weights that count. */
async function runTraining(training: Training, inputs: StepInputs): Promise<Trained> {
  const { runtime, store, engine, plan, examples, key } = training;
  const data = dataOf(plan, examples);
  const perEpoch = iterationsOf(data, plan.fit.batchSize);
  const begun = await findCheckpoint(store, key);
  let state: FitState = begun?.fit ?? startOf(engine);
  const snapshots: Snapshot[] = [...(begun?.snapshots ?? [])];
  const spacing = snapshotSpacing(inputs['crops'] ?? [], state, plan.fit.epochs * perEpoch);
  const done = state.rows.length;
  const progress = startProgress(runtime, 'train', (plan.fit.epochs - done) * data.train.count);
  if (done > 0)
    runtime.report({ kind: 'noted', message: `training goes on after epoch ${String(done)}` });
  const events = fit(engine, data, plan.fit, state);
  let next = await events.next();
  for (; next.done !== true; next = await events.next()) {
    const event = next.value;
    reportEvent(runtime, progress, event, plan.fit.epochs);
    if (event.kind === 'link' && isSnapshot(snapshots, event.link.iteration, spacing)) {
      const content = await store.putBytes(event.state);
      snapshots.push({ iteration: event.link.iteration, ...content });
    } else if (event.kind === 'epoch') {
      state = event.fit;
      await writeCheckpoint(store, key, { fit: state, snapshots });
    }
    runtime.signal.throwIfAborted();
  }
  progress.finish(
    `${String(state.rows.length)} epochs, the weights are of epoch ${String(next.value)}`,
  );
  return { fit: state, snapshots, epoch: next.value, iterationsPerEpoch: perEpoch };
}

/** What is told of a training while it goes on. */
export type TrainingEvent =
  | Extract<FitEvent, { readonly kind: 'iteration' }>
  | { readonly kind: 'epoch'; readonly row: EpochRow }
  | { readonly kind: 'link' };

/** Tells of an update, or of an epoch that is done. */
export function reportEvent(
  runtime: Runtime,
  progress: Progress,
  event: TrainingEvent,
  epochs: number,
): void {
  if (event.kind === 'iteration') {
    const { epoch, iteration, loss, accuracy, examples } = event;
    progress.advance({ pieces: examples, training: { epoch, epochs, iteration, loss, accuracy } });
  } else if (event.kind === 'epoch') {
    runtime.report({ kind: 'noted', message: formatRow(event.row, epochs) });
  }
}

function formatRow({ epoch, loss, accuracy, val_loss, val_accuracy }: EpochRow, epochs: number) {
  const figures = Object.entries({ loss, accuracy, val_loss, val_accuracy })
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name} ${(value ?? 0).toFixed(4)}`);
  return `epoch ${String(epoch)}/${String(epochs)}: ${figures.join(', ')}`;
}

/** Iterations between snapshots; undefined where not one of them would fit into its share. */
function snapshotSpacing(crops: Tree, { state }: FitState, iterations: number): number | undefined {
  const cropBytes = crops.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const count = Math.floor((cropBytes * SNAPSHOT_SHARE) / state.length);
  if (count < 1) return undefined;
  const apart = iterations / (count + 1);
  return Math.max(1, Math.ceil(apart / LINK_ITERATIONS)) * LINK_ITERATIONS;
}

function isSnapshot(
  snapshots: readonly Snapshot[],
  iteration: number,
  spacing: number | undefined,
): boolean {
  if (spacing === undefined) return false;
  const last = snapshots.at(-1)?.iteration ?? 0;
  return Math.floor(iteration / spacing) > Math.floor(last / spacing);
}

/** What an unfinished training is found by: everything that decides a bit of it. */
function workKey(params: TrainParams, inputs: StepInputs): Digest {
  const work = {
    params,
    examples: treeDigest(inputs['examples'] ?? []),
    base: inputs['base'] === undefined ? undefined : treeDigest(inputs['base']),
    toolchain: toolchainOf('train'),
  };
  return digestOf(canonicalJson(toPlainJson(work)));
}

/** The base as it was given, so that the package alone suffices to do the training again. */
function baseFiles(base: Tree): Tree {
  return base.map((entry) => ({ ...entry, path: `${BASE_FOLDER}${entry.path}` }));
}

function modelOf(
  { network, classes, optimizer, loss, fit: { learningRate } }: TrainingPlan,
  engine: Engine,
): Model {
  const [heightPx, widthPx] = network.inputShape;
  return {
    network,
    weights: engine.readWeights(),
    classes,
    input: { widthPx, heightPx, channels: 'RGB', rescale: 1 / 255, resize: RESIZE },
    threshold: 0.5,
    training: { optimizer, learningRate, loss },
  };
}

async function modelFiles(
  store: Store,
  model: Model,
  trained: Trained,
): Promise<readonly TreeEntry[]> {
  const { modelJson, weightsBin } = formatTfjs(model);
  const { fit: state, snapshots, epoch, iterationsPerEpoch } = trained;
  const history = formatCsv(HISTORY_COLUMNS, state.rows.map(historyRow));
  const replay = formatReplay(state.links, snapshots, {
    epoch,
    iteration: epoch * iterationsPerEpoch,
  });
  const files: readonly (readonly [string, string | Uint8Array])[] = [
    ['model.json', modelJson],
    ['weights.bin', weightsBin],
    ['clf.h5', await formatKeras(model)],
    ['history.csv', history],
    ['replay.json', replay],
  ];
  const entries = snapshots.map(({ iteration, digest, sizeBytes }) => ({
    path: snapshotPath(iteration),
    digest,
    sizeBytes,
  }));
  for (const [name, content] of files) {
    entries.push({ path: `models/${name}`, ...(await store.putBytes(content)) });
  }
  return entries;
}

/** Numbers as JavaScript spells them, the shortest that reads back the same; nothing where there is none. */
export function historyRow(
  row: EpochRow,
): Readonly<Record<(typeof HISTORY_COLUMNS)[number], string>> {
  const text = (value: number | null) => (value === null ? '' : String(value));
  return {
    epoch: text(row.epoch),
    loss: text(row.loss),
    accuracy: text(row.accuracy),
    val_loss: text(row.val_loss),
    val_accuracy: text(row.val_accuracy),
    learning_rate: text(row.learning_rate),
  };
}

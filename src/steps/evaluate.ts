/** The evaluate step: what the classifier says of photos that it was never trained on. */

import { readBatches } from '../classifier/batches.ts';
import { outputUnits } from '../classifier/classifier.ts';
import type { Engine } from '../classifier/engine.ts';
import { createEngine } from '../engine/engine.ts';
import type { HistoryRow } from '../evaluation/charts.ts';
import type { Predictions } from '../evaluation/evaluation.ts';
import type { Model } from '../models/models.ts';
import { parseMetadata, parseTfjs } from '../models/tfjs.ts';
import { readCsv } from '../openimages/csv.ts';
import { startProgress } from '../runtime/progress.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { streamOf } from '../store/digest.ts';
import type { Store } from '../store/store.ts';
import { entryAt, type Tree } from '../store/tree.ts';
import { evaluationFiles } from './evaluation-files.ts';
import { type Examples, openExamples } from './example-reader.ts';
import { readPredictions } from './given-predictions.ts';
import type { StepInputs, StepOutputs } from './step.ts';
import { HISTORY_COLUMNS } from './train.ts';
import { MAX_THREADS } from './training.ts';
import { rowsOf, sourceOf } from './training-data.ts';

/** Examples predicted at once; the bits do not depend on it. */
const BATCH_SIZE = 32;

/**
 * Judges `inputs.model` on the validation and test examples. Outputs `evaluation`, files of `models/`.
 * Where its training left `inputs.predictions`, these are judged: the model may be one that only its own
 * code runs.
 */
export async function evaluateClassifier(
  runtime: Runtime,
  store: Store,
  inputs: StepInputs,
): Promise<StepOutputs> {
  const files = inputs['model'] ?? [];
  const given = inputs['predictions'];
  if (given !== undefined) return await evaluateGiven(runtime, store, inputs, given);
  const model = await readModel(store, files);
  const examples = await openExamples(runtime, store, inputs['examples'] ?? []);
  const engine = await createEngine({
    network: model.network,
    batchSize: BATCH_SIZE,
    threads: Math.min(runtime.concurrency, MAX_THREADS),
    seed: 0,
    training: undefined,
  });
  try {
    engine.writeWeights(model.weights);
    const judged = { validation: 0, test: 0 };
    for (const { split } of examples.rows) if (split !== 'train') judged[split] += 1;
    const progress = startProgress(runtime, 'evaluate', judged.validation + judged.test);
    const predict = async (split: 'validation' | 'test') =>
      await predictSplit(runtime, engine, model, examples, { split, progress });
    const predictionsBySplit = {
      validation: await predict('validation'),
      test: await predict('test'),
    };
    progress.finish(`${String(judged.validation + judged.test)} examples`);
    const history = await readHistory(store, files);
    const crops = inputs['crops'] ?? [];
    return {
      evaluation: await evaluationFiles(runtime, store, { predictionsBySplit, history, crops }),
    };
  } finally {
    await engine.close();
    await examples.close();
  }
}

async function evaluateGiven(
  runtime: Runtime,
  store: Store,
  inputs: StepInputs,
  given: Tree,
): Promise<StepOutputs> {
  const files = inputs['model'] ?? [];
  const crops = inputs['crops'] ?? [];
  const json = await store.readText(entryAt(files, 'models/model.json').digest);
  const model = parseMetadata(json, 'models/model.json');
  const examples = await openExamples(runtime, store, inputs['examples'] ?? []);
  try {
    const predicted = { ...model, examples };
    const predictionsBySplit = {
      validation: await readPredictions(store, given, 'validation', predicted),
      test: await readPredictions(store, given, 'test', predicted),
    };
    const history = await readHistory(store, files);
    return {
      evaluation: await evaluationFiles(runtime, store, { predictionsBySplit, history, crops }),
    };
  } finally {
    await examples.close();
  }
}

async function readModel(store: Store, files: Tree): Promise<Model> {
  const json = await store.readText(entryAt(files, 'models/model.json').digest);
  const weights = await store.read(entryAt(files, 'models/weights.bin').digest);
  return parseTfjs(json, weights, 'models/model.json');
}

async function readHistory(store: Store, files: Tree): Promise<readonly HistoryRow[]> {
  const bytes = await store.read(entryAt(files, 'models/history.csv').digest);
  const columns = HISTORY_COLUMNS;
  const rows: HistoryRow[] = [];
  for await (const row of readCsv(streamOf(bytes), columns)) {
    const numbers = columns.map((name) => [name, numberOf(row[name])] as const);
    rows.push({ ...Object.fromEntries(numbers), epoch: Number(row.epoch) });
  }
  return rows;
}

function numberOf(text: string): number | null {
  return text === '' ? null : Number(text);
}

async function predictSplit(
  runtime: Runtime,
  engine: Engine,
  { network, classes, threshold }: Model,
  examples: Examples,
  { split, progress }: { split: 'validation' | 'test'; progress: ReturnType<typeof startProgress> },
): Promise<Predictions> {
  const source = sourceOf(examples, split, classes, network.inputShape);
  const units = outputUnits(network);
  const probabilities = new Float64Array(source.count * classes.length);
  let at = 0;
  for await (const batch of readBatches(source, { batchSize: BATCH_SIZE })) {
    runtime.signal.throwIfAborted();
    const { probabilities: given } = engine.predict(batch);
    for (const value of given) {
      // One sigmoid is the probability of the second class.
      if (units === 1) probabilities[at++] = 1 - value;
      probabilities[at++] = value;
    }
    progress.advance({ pieces: batch.count });
  }
  const rows = rowsOf(examples, split);
  return {
    classes,
    examples: rows.map(({ logicalKey, imageId, className }) => ({
      logicalKey,
      imageId,
      truth: classes.indexOf(className),
    })),
    probabilities,
    ...(classes.length === 2 ? { threshold } : {}),
  };
}

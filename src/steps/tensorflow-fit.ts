/** A training whose updates are done elsewhere: order, augmentation, rates and stopping are those of `fit`. */
import { readBatches } from '../classifier/batches.ts';
import { advance, isOver, type Progress } from '../classifier/early-stopping.ts';
import type { TrainingBatch } from '../classifier/engine.ts';
import {
  checkMonitor,
  type EpochRow,
  type FitData,
  type FitParams,
  iterationsOf,
} from '../classifier/fit.ts';
import { learningRateAt } from '../classifier/schedule.ts';
import { invariant } from '../runtime/errors.ts';
import type { TensorflowModel } from './tensorflow-model.ts';
import type { TrainingEvent } from './train.ts';

export interface Fitted {
  readonly rows: readonly EpochRow[];
  /** Whose weights the model is left with, from 1. */
  readonly epoch: number;
}

/** Trains until the last epoch, or until early stopping ends it, as `fit` does. */
export async function* fitElsewhere(
  model: TensorflowModel,
  data: FitData,
  params: FitParams,
): AsyncGenerator<TrainingEvent, Fitted> {
  checkMonitor(data, params);
  const { earlyStopping } = params;
  const rows: EpochRow[] = [];
  let progress: Progress | undefined;
  let best: Float32Array | undefined;
  const isDone = () =>
    rows.length >= params.epochs ||
    (earlyStopping !== undefined &&
      progress !== undefined &&
      isOver(earlyStopping, progress, rows.length));
  while (!isDone()) {
    const epoch = rows.length + 1;
    const trained = yield* trainEpoch(model, data, params, epoch);
    const row = { ...trained, ...(await model.judge(data.validation)) };
    rows.push(row);
    if (earlyStopping !== undefined) {
      const value = row[earlyStopping.monitor];
      invariant(value !== null, 'what is monitored is there');
      progress = advance(earlyStopping, progress, epoch, value);
      const isWanted = earlyStopping.restoreBest && progress.bestEpoch === epoch;
      if (isWanted) best = await model.readValues();
    }
    yield { kind: 'epoch', row };
  }
  if (best === undefined || progress === undefined) return { rows, epoch: rows.length };
  await model.writeValues(best);
  return { rows, epoch: progress.bestEpoch };
}

async function* trainEpoch(
  model: TensorflowModel,
  data: FitData,
  params: FitParams,
  epoch: number,
): AsyncGenerator<TrainingEvent, Omit<EpochRow, 'val_loss' | 'val_accuracy'>> {
  const perEpoch = iterationsOf(data, params.batchSize);
  const sums = { loss: 0, right: 0, examples: 0 };
  let iteration = (epoch - 1) * perEpoch;
  let learningRate = params.learningRate;
  for await (const batch of readBatches(data.train, params, { epoch, firstBatch: 0 })) {
    const position = { epoch: epoch - 1, iteration, iterations: params.epochs * perEpoch };
    learningRate = learningRateAt(params.learningRate, params.schedule, position);
    const update: TrainingBatch = { ...batch, learningRate, iteration };
    const { lossSum, right } = await model.train(update);
    iteration += 1;
    sums.loss += lossSum;
    sums.right += right;
    sums.examples += batch.count;
    const sofar = { loss: sums.loss / sums.examples, accuracy: sums.right / sums.examples };
    yield { kind: 'iteration', epoch, iteration, examples: batch.count, ...sofar };
  }
  const { loss, right, examples } = sums;
  return { epoch, loss: loss / examples, accuracy: right / examples, learning_rate: learningRate };
}

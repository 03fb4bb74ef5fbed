/** Fit: a network trained epoch by epoch, as a sequence of events, from its start or from any epoch. */
import { createHash } from 'node:crypto';
import { invariant, PkgError } from '../runtime/errors.ts';
import type { AugmentParams } from './augment.ts';
import { type EpochPart, type ExampleSource, readBatches } from './batches.ts';
import { advance, type EarlyStopping, isOver, type Progress } from './early-stopping.ts';
import type { BatchResult, Engine } from './engine.ts';
import { learningRateAt, type Schedule } from './schedule.ts';

export interface FitParams {
  readonly seed: number;
  readonly epochs: number;
  readonly batchSize: number;
  readonly learningRate: number;
  readonly schedule: Schedule;
  /** How much an example of each class counts. */
  readonly classWeights: readonly number[];
  readonly augment: AugmentParams | undefined;
  readonly earlyStopping: EarlyStopping | undefined;
}

export interface FitData {
  readonly train: ExampleSource;
  /** May have no examples; then nothing is said of them. */
  readonly validation: ExampleSource;
}

/** What an epoch gave; of validation, null where it has no examples. */
export interface EpochRow {
  /** From 1. */
  readonly epoch: number;
  readonly loss: number;
  readonly accuracy: number;
  readonly val_loss: number | null;
  readonly val_accuracy: number | null;
  /** Of the epoch's last iteration. */
  readonly learning_rate: number;
}

/** A link of the chain that tells what training went through. */
export interface Link {
  /** Updates done. */
  readonly iteration: number;
  /** SHA-256 of weights and optimizer's memory, as the engine keeps them. */
  readonly state: string;
  /** SHA-256 of the link before, the iteration and the state, as text with line ends between. */
  readonly link: string;
}

/** Everything training goes on from; between epochs. */
export interface FitState {
  readonly state: Uint8Array;
  /** The state after the best epoch, where it will be wanted again. */
  readonly bestState: Uint8Array | undefined;
  readonly rows: readonly EpochRow[];
  readonly links: readonly Link[];
  readonly progress: Progress | undefined;
}

export type FitEvent =
  | {
      readonly kind: 'iteration';
      readonly epoch: number;
      /** Updates done in all, and examples in this one. */
      readonly iteration: number;
      readonly examples: number;
      /** Of the epoch so far. */
      readonly loss: number;
      readonly accuracy: number;
    }
  | { readonly kind: 'link'; readonly link: Link; readonly state: Uint8Array }
  | { readonly kind: 'epoch'; readonly row: EpochRow; readonly fit: FitState };

/** Links are made after so many iterations, and after each epoch. */
export const LINK_ITERATIONS = 32;

/** Where a training that has just begun stands. */
export function startOf(engine: Engine): FitState {
  return {
    state: engine.readState(),
    bestState: undefined,
    rows: [],
    links: [],
    progress: undefined,
  };
}

/** Iterations of an epoch. */
export function iterationsOf({ train }: Pick<FitData, 'train'>, batchSize: number): number {
  return Math.ceil(train.count / batchSize);
}

/**
 * Trains until the last epoch or until early stopping ends it, and leaves the engine with the weights
 * that count: the best epoch's where `restoreBest` asks for them, else the last one's. Epochs before
 * `from` are not done again; the bits are the same wherever training goes on from.
 * @returns the epoch, from 1, that the weights are of.
 */
export async function* fit(
  engine: Engine,
  data: FitData,
  params: FitParams,
  from: FitState,
): AsyncGenerator<FitEvent, number> {
  checkMonitor(data, params);
  let current = from;
  engine.writeState(current.state);
  while (!isDone(current, params)) {
    const epoch = current.rows.length + 1;
    const training = yield* trainEpoch(engine, data, params, { epoch, links: current.links });
    const row = { ...training.row, ...(await validate(engine, data)) };
    current = endEpoch(engine, params, current, { row, links: training.links });
    yield { kind: 'epoch', row, fit: current };
  }
  const { progress, bestState, rows } = current;
  if (bestState === undefined || progress === undefined) return rows.length;
  engine.writeState(bestState);
  return progress.bestEpoch;
}

/** Whether no epoch is left to do. */
function isDone({ rows, progress }: FitState, { epochs, earlyStopping }: FitParams): boolean {
  if (rows.length >= epochs) return true;
  if (earlyStopping === undefined || progress === undefined) return false;
  return isOver(earlyStopping, progress, rows.length);
}

/** Fails where early stopping watches what there are no examples for. */
export function checkMonitor({ validation }: FitData, { earlyStopping }: FitParams): void {
  if (validation.count > 0 || !(earlyStopping?.monitor.startsWith('val_') ?? false)) return;
  throw new PkgError('manifest', 'there are no validation examples', {
    key: 'model.fit.earlyStopping.monitor',
    hint: 'Raise data.split.validation, or monitor loss or accuracy.',
  });
}

function endEpoch(
  engine: Engine,
  { earlyStopping }: FitParams,
  before: FitState,
  { row, links }: { readonly row: EpochRow; readonly links: readonly Link[] },
): FitState {
  const state = engine.readState();
  const rows = [...before.rows, row];
  if (earlyStopping === undefined) {
    return { state, rows, links, progress: undefined, bestState: undefined };
  }
  const value = row[earlyStopping.monitor];
  invariant(value !== null, 'what is monitored is there');
  const progress = advance(earlyStopping, before.progress, row.epoch, value);
  const isBest = progress.bestEpoch === row.epoch;
  const bestState = isBest ? state : before.bestState;
  return {
    state,
    rows,
    links,
    progress,
    bestState: earlyStopping.restoreBest ? bestState : undefined,
  };
}

/** One epoch of updates; its links follow those before. */
async function* trainEpoch(
  engine: Engine,
  data: FitData,
  params: FitParams,
  before: { readonly epoch: number; readonly links: readonly Link[] },
): AsyncGenerator<
  FitEvent,
  { row: Omit<EpochRow, 'val_loss' | 'val_accuracy'>; links: readonly Link[] }
> {
  const { epoch } = before;
  const links = [...before.links];
  const sums = { loss: 0, right: 0, examples: 0 };
  let rate = params.learningRate;
  for await (const update of updatesOf(engine, data, params, { epoch, firstBatch: 0 })) {
    const { iteration, examples, learningRate } = update;
    sums.loss += update.lossSum;
    sums.right += update.right;
    sums.examples += examples;
    rate = learningRate;
    const sofar = { loss: sums.loss / sums.examples, accuracy: sums.right / sums.examples };
    yield { kind: 'iteration', epoch, iteration, examples, ...sofar };
    if (isLinked(iteration, iterationsOf(data, params.batchSize))) {
      const state = engine.readState();
      const link = nextLink(links.at(-1), iteration, state);
      links.push(link);
      yield { kind: 'link', link, state };
    }
  }
  const row = { epoch, loss: sums.loss / sums.examples, accuracy: sums.right / sums.examples };
  return { row: { ...row, learning_rate: rate }, links };
}

/** What one update gave, and where it stands. */
export interface Update extends BatchResult {
  /** Updates done in all. */
  readonly iteration: number;
  readonly examples: number;
  readonly learningRate: number;
}

/** Does the updates of an epoch, from one of its batches on; the engine is in the state before it. */
export async function* updatesOf(
  engine: Engine,
  { train }: Pick<FitData, 'train'>,
  params: FitParams,
  part: EpochPart,
): AsyncGenerator<Update> {
  const perEpoch = iterationsOf({ train }, params.batchSize);
  let iteration = (part.epoch - 1) * perEpoch + part.firstBatch;
  for await (const batch of readBatches(train, params, part)) {
    const position = { epoch: part.epoch - 1, iteration, iterations: params.epochs * perEpoch };
    const learningRate = learningRateAt(params.learningRate, params.schedule, position);
    const result = engine.train({ ...batch, learningRate, iteration });
    iteration += 1;
    yield { ...result, iteration, examples: batch.count, learningRate };
  }
}

/** Whether a link is made after so many updates. */
export function isLinked(iteration: number, iterationsPerEpoch: number): boolean {
  return iteration % LINK_ITERATIONS === 0 || iteration % iterationsPerEpoch === 0;
}

/** The link after another one; the first follows an empty text. */
export function nextLink(before: Link | undefined, iteration: number, state: Uint8Array): Link {
  const digest = createHash('sha256').update(state).digest('hex');
  const text = [before?.link ?? '', String(iteration), digest].join('\n');
  return { iteration, state: digest, link: createHash('sha256').update(text).digest('hex') };
}

/** Loss and accuracy on examples that are not trained on, each counting the same. */
async function validate(
  engine: Engine,
  { validation }: FitData,
): Promise<Pick<EpochRow, 'val_loss' | 'val_accuracy'>> {
  if (validation.count === 0) return { val_loss: null, val_accuracy: null };
  let lossSum = 0;
  let right = 0;
  for await (const batch of readBatches(validation, { batchSize: engine.batchSize })) {
    const result = engine.predict(batch);
    lossSum += result.lossSum;
    right += result.right;
  }
  return { val_loss: lossSum / validation.count, val_accuracy: right / validation.count };
}

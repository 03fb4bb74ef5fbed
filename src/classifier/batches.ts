/** Batches of examples: shuffled, weighed and warped by the seed, read while the batch before is worked on. */
import { type AugmentParams, affineMatrix, drawTransform } from './augment.ts';
import type { Batch, TrainingBatch } from './engine.ts';
import { createRandom, shuffledIndices } from './random.ts';

/** Where examples come from. */
export interface ExampleSource {
  readonly count: number;
  /** Height, width, channels. */
  readonly shape: readonly [number, number, number];
  /** The class of each example, as an index: [count]. */
  readonly labels: Int32Array;
  /** Fills `into` with the pixels of an example. */
  read(index: number, into: Uint8Array): Promise<void>;
}

export interface BatchParams {
  readonly batchSize: number;
}

/** What decides a training batch beside the examples. */
export interface TrainingBatchParams extends BatchParams {
  readonly seed: number;
  readonly classWeights: readonly number[];
  readonly augment: AugmentParams | undefined;
}

type Prepared = Omit<TrainingBatch, 'learningRate' | 'iteration'>;

/** Which batches of a training: those of an epoch (from 1) from one of them (from 0) on. */
export interface EpochPart {
  readonly epoch: number;
  readonly firstBatch: number;
}

/**
 * All examples once, the last batch shorter. Of an epoch they come in an order, and warped, as drawn
 * for it; without an epoch they come in their own order, as they are.
 */
export function readBatches(
  source: ExampleSource,
  params: TrainingBatchParams,
  part: EpochPart,
): AsyncGenerator<Prepared>;
export function readBatches(source: ExampleSource, params: BatchParams): AsyncGenerator<Batch>;
export async function* readBatches(
  source: ExampleSource,
  params: BatchParams | TrainingBatchParams,
  part?: EpochPart,
): AsyncGenerator<Prepared> {
  const training = 'seed' in params && part !== undefined ? { ...params, ...part } : undefined;
  const order =
    training === undefined
      ? Uint32Array.from({ length: source.count }, (_, index) => index)
      : shuffledIndices(createRandom(training.seed, ['shuffle', training.epoch]), source.count);
  const batches = Math.ceil(source.count / params.batchSize);
  const starts = batchOrder(batches, training).map((batch) => batch * params.batchSize);
  const prepare = async (start: number): Promise<Prepared> =>
    await readBatch(source, order.subarray(start, start + params.batchSize), training);
  let next = starts[0] === undefined ? undefined : prepare(starts[0]);
  for (const [index] of starts.entries()) {
    const batch = await next;
    const following = starts[index + 1];
    next = following === undefined ? undefined : prepare(following);
    // Whoever stops reading shall not hear of a failure of a batch that nobody wants any more.
    next?.catch(() => undefined);
    if (batch !== undefined) yield batch;
  }
}

/**
 * Batches are shuffled too, as Keras does with those of a generator: else the short one would always be
 * the last before an epoch is judged, and its few examples weigh as much as a whole batch.
 */
function batchOrder(
  batches: number,
  training: (TrainingBatchParams & EpochPart) | undefined,
): readonly number[] {
  if (training === undefined) return Array.from({ length: batches }, (_, batch) => batch);
  const random = createRandom(training.seed, ['batches', training.epoch]);
  return Array.from(shuffledIndices(random, batches)).slice(training.firstBatch);
}

async function readBatch(
  source: ExampleSource,
  indices: Uint32Array,
  training: (TrainingBatchParams & { readonly epoch: number }) | undefined,
): Promise<Prepared> {
  const [height, width, channels] = source.shape;
  const exampleBytes = height * width * channels;
  const pixels = new Uint8Array(indices.length * exampleBytes);
  await Promise.all(
    Array.from(indices, async (example, slot) => {
      await source.read(example, pixels.subarray(slot * exampleBytes, (slot + 1) * exampleBytes));
    }),
  );
  const labels = Int32Array.from(indices, (example) => source.labels[example] ?? 0);
  const exampleWeights = Float32Array.from(labels, (label) => training?.classWeights[label] ?? 1);
  const augment = training?.augment;
  const transforms =
    training === undefined || augment === undefined
      ? undefined
      : drawMatrices(indices, augment, training, { heightPx: height, widthPx: width });
  return { count: indices.length, pixels, labels, exampleWeights, transforms };
}

/** The map of each example, drawn by seed, epoch and the example's number: [count, 2, 3]. */
function drawMatrices(
  indices: Uint32Array,
  augment: AugmentParams,
  { seed, epoch }: { readonly seed: number; readonly epoch: number },
  size: { readonly heightPx: number; readonly widthPx: number },
): Float64Array {
  const matrices = new Float64Array(indices.length * 6);
  for (const [slot, example] of indices.entries()) {
    const random = createRandom(seed, ['augment', epoch, example]);
    matrices.set(affineMatrix(drawTransform(augment, random, size), size), slot * 6);
  }
  return matrices;
}

/** Predicting: photos in, what the model says of each out, in the same order, whatever their number. */
import { outputUnits, sizeOf } from '../classifier/classifier.ts';
import type { Engine } from '../classifier/engine.ts';
import { MAX_DECODED_BYTES } from '../images/images.ts';
import type { Model } from '../models/models.ts';
import { mapLimit, weightLimit } from '../runtime/concurrency.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { FoundModel } from './find-model.ts';
import { type Input, prepareInputs } from './inputs.ts';
import type { PhotoTask } from './photos.ts';
import { judge, type PhotoPrediction } from './prediction.ts';
import { openPredictor } from './runnable.ts';

const MIN_BATCH = 32;

/** A batch is cut up by image, so it has some for each thread. */
const IMAGES_PER_THREAD = 4;

/** What the outputs of all layers may take for a batch. */
const MAX_BATCH_BYTES = 2 ** 29;

/** What the pictures of one photo's boxes may take together. */
const MAX_TASK_BYTES = 16 * 2 ** 20;

/**
 * Predicts photos, all cores at work: while a batch is predicted, the next ones are decoded. Numbers
 * are the same, to the bit, for any concurrency and `batchSize`. A photo that cannot be used is a row
 * with its error.
 * @throws PkgError `usage` where the engine does not run the model.
 */
export async function* predictPhotos(
  runtime: Runtime,
  { model, origin }: FoundModel,
  tasks: readonly PhotoTask[],
  batchSize = batchSizeFor(model, runtime.concurrency),
): AsyncGenerator<PhotoPrediction> {
  const rows = tasks.reduce((sum, { boxes }) => sum + (boxes?.length ?? 1), 0);
  if (rows === 0) return;
  const threads = Math.min(runtime.concurrency, batchSize, rows);
  const size = { batchSize: Math.min(batchSize, rows), threads };
  const engine = await openPredictor(model, origin.where, size);
  try {
    for await (const batch of batchesOf(inputsOf(runtime, model, tasks), size.batchSize)) {
      runtime.signal.throwIfAborted();
      yield* predictBatch(engine, model, batch);
    }
  } finally {
    await engine.close();
  }
}

/** Photos that are predicted at once: enough for all threads, within a bound on memory. */
export function batchSizeFor({ network }: Model, threads: number): number {
  const numbers = network.layers.reduce((sum, { outputShape }) => sum + sizeOf(outputShape), 0);
  const bytes = 4 * (numbers + sizeOf(network.inputShape));
  const wanted = Math.max(MIN_BATCH, IMAGES_PER_THREAD * threads);
  return Math.max(1, Math.min(wanted, Math.floor(MAX_BATCH_BYTES / bytes)));
}

async function* inputsOf(
  runtime: Runtime,
  { network, input: size }: Model,
  tasks: readonly PhotoTask[],
): AsyncGenerator<Input> {
  const inputBytes = sizeOf(network.inputShape);
  const boxesAtOnce = Math.max(1, Math.floor(MAX_TASK_BYTES / inputBytes));
  const pictures = tasks.reduce((most, { boxes }) => Math.max(most, boxes?.length ?? 1), 1);
  const taskBytes = inputBytes * Math.min(pictures, boxesAtOnce);
  // One waits on the disk while another is decoded; but results waiting for their turn are bounded.
  const wanted = runtime.concurrency === 1 ? 1 : 2 * runtime.concurrency;
  const atOnce = Math.min(wanted, Math.ceil(MAX_DECODED_BYTES / taskBytes / 2));
  const limits = {
    encoded: weightLimit(MAX_DECODED_BYTES),
    decoded: weightLimit(MAX_DECODED_BYTES),
  };
  const context = { runtime, size, ...limits };
  const prepared = mapLimit(splitUp(tasks, boxesAtOnce), atOnce, (task) =>
    prepareInputs(context, task),
  );
  for await (const inputs of prepared) yield* inputs;
}

/** The same work with at most so many boxes in a task; a photo with more is decoded more than once. */
function* splitUp(tasks: readonly PhotoTask[], boxesAtOnce: number): Generator<PhotoTask> {
  for (const task of tasks) {
    if (task.boxes === undefined) {
      yield task;
      continue;
    }
    for (let start = 0; start < task.boxes.length; start += boxesAtOnce) {
      yield { ...task, boxes: task.boxes.slice(start, start + boxesAtOnce) };
    }
  }
}

async function* batchesOf(
  inputs: AsyncIterable<Input>,
  batchSize: number,
): AsyncGenerator<readonly Input[]> {
  let batch: Input[] = [];
  for await (const input of inputs) {
    batch.push(input);
    if (batch.length < batchSize) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

/** Rows of inputs in their order; those without a picture are passed on. */
function* predictBatch(
  engine: Engine,
  model: Model,
  inputs: readonly Input[],
): Generator<PhotoPrediction> {
  const exampleBytes = sizeOf(engine.network.inputShape);
  const units = outputUnits(engine.network);
  const pictures = inputs.flatMap((input) => ('pixels' in input ? [input.pixels] : []));
  const pixels = new Uint8Array(pictures.length * exampleBytes);
  for (const [index, picture] of pictures.entries()) pixels.set(picture, index * exampleBytes);
  const count = pictures.length;
  const outputs =
    count === 0
      ? new Float32Array()
      : engine.predict({ count, pixels, labels: new Int32Array(count) }).probabilities;
  let example = 0;
  for (const { photo, box, ...input } of inputs) {
    const subject = box === undefined ? { photo } : { photo, box };
    if ('error' in input) {
      yield { ...subject, error: input.error };
    } else {
      const start = units * example++;
      yield { ...subject, ...judge(model, outputs.subarray(start, start + units)) };
    }
  }
}

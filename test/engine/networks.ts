/** Networks with numbers that look random, engines that can be looked into, and their examples. */
import {
  type LayerSpec,
  type Network,
  outputUnits,
  planNetwork,
  sizeOf,
  type WeightSpec,
  type Weights,
  weightSpecs,
} from '../../src/classifier/classifier.ts';
import type { Engine, Loss, Optimizer, TrainingBatch } from '../../src/classifier/engine.ts';
import { createRandom, type Random } from '../../src/classifier/random.ts';
import { createEngine, type EngineOptions } from '../../src/engine/engine.ts';

export const SEED = 42;

export const PLAIN_SGD: Optimizer = { kind: 'sgd', momentum: 0, nesterov: false };

/** What an engine shows beside what training takes. */
export interface OpenEngine extends Engine {
  readGradients(): Weights;
  /** Fills with NaN all memory that an update must not take over from the one before. */
  poison(): void;
}

function isOpen(engine: Engine): engine is OpenEngine {
  return 'readGradients' in engine && 'poison' in engine;
}

export interface Settings {
  readonly batchSize?: number;
  readonly threads?: number;
  readonly optimizer?: Optimizer;
  readonly loss?: Loss;
}

/** An engine that trains, whose buffers are full of NaN. */
export async function openEngine(network: Network, settings: Settings = {}): Promise<OpenEngine> {
  const { batchSize = 5, threads = 1, optimizer = PLAIN_SGD, loss = lossOf(network) } = settings;
  const training = { loss, optimizer, fill: undefined };
  return open({ network, batchSize, threads, seed: SEED, training });
}

/** An engine of any options, whose buffers are full of NaN. */
export async function open(options: EngineOptions): Promise<OpenEngine> {
  const engine = await createEngine(options);
  if (!isOpen(engine)) throw new Error('the engine can be looked into');
  engine.poison();
  return engine;
}

/** The loss that belongs to the activation a network ends with. */
export function lossOf({ layers }: Network): Loss {
  const spec = layers.at(-1)?.spec;
  const last =
    spec?.kind === 'activation' ? spec.function : spec?.kind === 'dense' ? spec.activation : '';
  return last === 'softmax' ? 'categoricalCrossentropy' : 'binaryCrossentropy';
}

function between(random: Random, low: number, high: number): number {
  return low + (high - low) * random();
}

/** Weights of such a size that no layer saturates. */
export function randomWeights(network: Network, random: Random): Weights {
  return weightSpecs(network).map((spec) => {
    const draw = rangeOf(spec, random);
    return Float32Array.from({ length: sizeOf(spec.shape) }, draw);
  });
}

function rangeOf({ name, shape }: WeightSpec, random: Random): () => number {
  if (name === 'gamma' || name === 'moving_variance') return () => between(random, 0.5, 1.5);
  const inputs = name === 'kernel' ? sizeOf(shape.slice(0, -1)) : 12;
  const limit = Math.sqrt(3 / inputs);
  return () => between(random, -limit, limit);
}

/** Examples of random pixels, labels and weights. */
export function randomBatch(network: Network, random: Random, count: number): TrainingBatch {
  const classes = Math.max(2, outputUnits(network));
  return {
    count,
    pixels: Uint8Array.from({ length: count * sizeOf(network.inputShape) }, () =>
      Math.floor(random() * 256),
    ),
    labels: Int32Array.from({ length: count }, () => Math.floor(random() * classes)),
    exampleWeights: Float32Array.from({ length: count }, () => between(random, 0.5, 2)),
    transforms: undefined,
    learningRate: 0.01,
    iteration: 0,
  };
}

/** A network with an engine that trains it, weights and a batch, all of one draw. */
export async function sample(
  inputShape: readonly [number, number, number],
  specs: readonly LayerSpec[],
  settings: Settings & {
    readonly count?: number;
    readonly draw?: number;
    /** How many of the first layers keep their weights. */
    readonly frozen?: number;
  } = {},
): Promise<{ network: Network; engine: OpenEngine; weights: Weights; batch: TrainingBatch }> {
  const network = planNetwork(inputShape, specs, settings.frozen);
  const random = createRandom(SEED, ['sample', settings.draw ?? 0]);
  const weights = randomWeights(network, random);
  const engine = await openEngine(network, settings);
  engine.writeWeights(weights);
  const count = settings.count ?? engine.batchSize;
  return { network, engine, weights, batch: randomBatch(network, random, count) };
}

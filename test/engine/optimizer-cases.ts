/** Optimizers with various settings, and what ten updates by them made of a small network. */
import { type Weights, weightSpecs } from '../../src/classifier/classifier.ts';
import type { Optimizer } from '../../src/classifier/engine.ts';
import { createRandom } from '../../src/classifier/random.ts';
import { conv, dense, FLATTEN, normalization } from './layers.ts';
import { randomBatch, SEED, sample } from './networks.ts';

export const OPTIMIZERS: Readonly<Record<string, Optimizer>> = {
  SGD: { kind: 'sgd', momentum: 0, nesterov: false },
  'SGD with momentum': { kind: 'sgd', momentum: 0.9, nesterov: false },
  "SGD with Nesterov's momentum": { kind: 'sgd', momentum: 0.8, nesterov: true },
  'SGD that is told of Nesterov without momentum': { kind: 'sgd', momentum: 0, nesterov: true },
  RMSprop: { kind: 'rmsprop', rho: 0.9, momentum: 0, epsilon: 1e-7 },
  'RMSprop with momentum': { kind: 'rmsprop', rho: 0.8, momentum: 0.7, epsilon: 1e-5 },
  Adam: { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-7 },
  'Adam with other settings': { kind: 'adam', beta1: 0.7, beta2: 0.95, epsilon: 1e-4 },
};

/** Of each update another one. */
export const LEARNING_RATES = [0.01, 0.01, 0.005, 0.02, 0.01, 0.003, 0.01, 0.001, 0.01, 0.01];

export interface Run {
  readonly optimizer: Optimizer;
  /** Only what is trained, here and below. */
  readonly start: Weights;
  /** The gradients of each update. */
  readonly gradients: readonly Weights[];
  /** The weights after each update. */
  readonly weights: readonly Weights[];
}

/** Trains a network by an optimizer and writes down what it did. */
export async function runOf(optimizer: Optimizer): Promise<Run> {
  const linear = { activation: 'linear', useBias: false } as const;
  const specs = [conv(5, linear), normalization(), FLATTEN, dense(6, 'tanh'), dense(3, 'softmax')];
  const { network, engine, weights: all } = await sample([5, 6, 3], specs, { optimizer });
  const trained = (weights: Weights) => {
    const kinds = weightSpecs(network);
    return weights.filter((_, index) => kinds[index]?.trainable === true);
  };
  const gradients: Weights[] = [];
  const weights: Weights[] = [];
  for (const [iteration, learningRate] of LEARNING_RATES.entries()) {
    const random = createRandom(SEED, ['optimizers', iteration]);
    engine.train({ ...randomBatch(network, random, 5), iteration, learningRate });
    gradients.push(trained(engine.readGradients()));
    weights.push(trained(engine.readWeights()));
  }
  await engine.close();
  return { optimizer, start: trained(all), gradients, weights };
}

/** A weight below 2 is rounded by so much, once an update. */
const ROUNDING = 2 ** -24;

/**
 * The farthest that weights are apart, beside their own rounding, in shares of the tensor's largest move
 * in all updates.
 */
export function movesApart(run: Run, others: readonly (readonly ArrayLike<number>[])[]): number {
  const last = run.weights.at(-1) ?? [];
  let worst = 0;
  for (const [index, start] of run.start.entries()) {
    const move = Math.max(...start.map((value, k) => Math.abs(value - (last[index]?.[k] ?? NaN))));
    for (const [update, weights] of run.weights.entries()) {
      const other = others[update]?.[index];
      for (const [k, value] of (weights[index] ?? []).entries()) {
        const rounded = (update + 1) * ROUNDING;
        const apart = (Math.abs(value - (other?.[k] ?? NaN)) - rounded) / move;
        worst = apart <= worst ? worst : apart;
      }
    }
  }
  return worst;
}

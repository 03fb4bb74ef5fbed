/** Weights before training: Keras' defaults, drawn from the seed. */
import { type Network, sizeOf, type WeightSpec, type Weights, weightSpecs } from './classifier.ts';
import { createRandom, type Random } from './random.ts';

/**
 * Kernels are drawn evenly from [-l, l) with l = sqrt(6 / (inputs + outputs)) (Glorot, Bengio 2010);
 * gamma and moving variance are 1, the rest 0. Each kernel has a stream of its own, by its place among
 * all weights.
 * @param kept the network's first weights, where they are given and not drawn.
 */
export function initialWeights(network: Network, seed: number, kept: Weights = []): Weights {
  return weightSpecs(network).map(
    (spec, index) =>
      kept[index] ??
      initialWeight(spec, () => {
        return createRandom(seed, ['initial weights', index]);
      }),
  );
}

function initialWeight({ name, shape }: WeightSpec, open: () => Random): Float32Array {
  const values = new Float32Array(sizeOf(shape));
  if (name === 'gamma' || name === 'moving_variance') return values.fill(1);
  if (name !== 'kernel') return values;
  const outputs = shape.at(-1) ?? 0;
  const inputs = shape.at(-2) ?? 0;
  const window = values.length / (inputs * outputs);
  const limit = Math.sqrt(6 / (window * (inputs + outputs)));
  const random = open();
  return values.map(() => (2 * random() - 1) * limit);
}

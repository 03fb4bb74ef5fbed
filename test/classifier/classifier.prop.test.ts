/** Any network is laid out as TensorFlow.js lays out its own layers. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planNetwork, sizeOf, weightSpecs } from '../../src/classifier/classifier.ts';
import { anyNetwork } from '../engine/network-arbitraries.ts';
import { sizesByTfjs } from '../engine/real-tfjs.ts';

describe('any network', () => {
  it('has the output shapes, the weights and their number of TensorFlow.js', () => {
    fc.assert(
      fc.property(anyNetwork, ({ inputShape, specs }) => {
        const network = planNetwork(inputShape, specs);
        const real = sizesByTfjs(network);
        const weights = weightSpecs(network);
        expect(network.layers.map(({ outputShape }) => outputShape)).toEqual(real.outputs);
        expect(weights.map(({ shape }) => shape)).toEqual(real.weights);
        expect(weights.reduce((sum, { shape }) => sum + sizeOf(shape), 0)).toBe(real.numbers);
      }),
      { numRuns: 100 },
    );
  });
});

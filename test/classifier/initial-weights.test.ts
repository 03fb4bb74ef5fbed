/** Weights before training: Glorot's limits, even spread, and a stream for each kernel. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planNetwork, sizeOf, weightSpecs } from '../../src/classifier/classifier.ts';
import { initialWeights } from '../../src/classifier/initial-weights.ts';
import { conv, dense, FLATTEN, maxPool, normalization } from '../engine/layers.ts';
import { anyNetwork } from '../engine/network-arbitraries.ts';

const SPECS = [
  conv(32),
  maxPool(),
  conv(32),
  normalization(),
  maxPool(),
  FLATTEN,
  dense(64),
  dense(1, 'sigmoid'),
];
const NETWORK = planNetwork([32, 32, 3], SPECS);

/** Glorot's limit by hand: of 9 * 3 numbers in and 9 * 32 out, and so on. */
const LIMITS: readonly (readonly [number, number])[] = [
  [0, Math.sqrt(6 / (9 * 3 + 9 * 32))],
  [2, Math.sqrt(6 / (9 * 32 + 9 * 32))],
  [8, Math.sqrt(6 / (6 * 6 * 32 + 64))],
  [10, Math.sqrt(6 / (64 + 1))],
];

describe('initial weights', () => {
  it('of kernels fill [-l, l) evenly, l being the limit of Glorot and Bengio', () => {
    const weights = initialWeights(NETWORK, 42);
    for (const [index, limit] of LIMITS) {
      const kernel = weights[index] ?? new Float32Array();
      const size = kernel.length;
      expect(weightSpecs(NETWORK)[index]?.name).toBe('kernel');
      const largest = Math.max(...kernel.map(Math.abs));
      expect(largest).toBeLessThanOrEqual(Math.fround(limit));
      expect(largest).toBeGreaterThan(limit * (1 - 10 / size));
      const mean = kernel.reduce((sum, value) => sum + value, 0) / size;
      const deviation = limit / Math.sqrt(3);
      expect(Math.abs(mean)).toBeLessThan((5 * deviation) / Math.sqrt(size));
      const square = kernel.reduce((sum, value) => sum + value ** 2, 0) / size;
      expect(Math.abs(Math.sqrt(square) / deviation - 1)).toBeLessThan(4 / Math.sqrt(size));
    }
  });

  it('of anything else are 0 or 1', () => {
    fc.assert(
      fc.property(anyNetwork, ({ inputShape, specs }) => {
        const network = planNetwork(inputShape, specs);
        const weights = initialWeights(network, 1);
        expect(weights.map(({ length }) => length)).toEqual(
          weightSpecs(network).map(({ shape }) => sizeOf(shape)),
        );
        for (const [index, { name }] of weightSpecs(network).entries()) {
          if (name === 'kernel') continue;
          const expected = name === 'gamma' || name === 'moving_variance' ? 1 : 0;
          expect(new Set(weights[index])).toEqual(new Set([expected]));
        }
      }),
    );
  });

  it('are equal for equal seeds, and others for other seeds', () => {
    const kernels = [42, 42, 43].map((seed) => {
      const weights = initialWeights(NETWORK, seed);
      return LIMITS.map(([index]) => (weights[index] ?? []).slice(0, 50));
    });
    expect(kernels[1]).toEqual(kernels[0]);
    for (const [index, kernel] of (kernels[2] ?? []).entries()) {
      expect(kernel).not.toEqual(kernels[0]?.[index]);
    }
  });

  it('are others for each kernel, even of one shape', () => {
    const network = planNetwork([1, 1, 4], [FLATTEN, dense(4), dense(4), dense(4), dense(4)]);
    const [a, , b, , c, , d] = initialWeights(network, 42);
    const all = [a, b, c, d].flatMap((kernel) => [...(kernel ?? [])]);
    expect(all).toHaveLength(64);
    expect(new Set(all).size).toBe(64);
  });

  it('do not depend on the layers that follow', () => {
    const shorter = initialWeights(planNetwork([32, 32, 3], SPECS.slice(0, 3)), 42);
    const longer = initialWeights(NETWORK, 42).slice(0, shorter.length);
    expect(shorter.length).toBe(4);
    expect(shorter.map((weight) => weight.join())).toEqual(longer.map((weight) => weight.join()));
  });

  it('are those that are given for the first layers, and drawn as ever for the others', () => {
    const kept = planNetwork([32, 32, 3], SPECS.slice(0, 3));
    const given = initialWeights(kept, 1);
    const all = initialWeights(NETWORK, 42, given);
    expect(all.slice(0, given.length)).toEqual(given);
    expect(all.slice(given.length)).toEqual(initialWeights(NETWORK, 42).slice(given.length));
  });
});

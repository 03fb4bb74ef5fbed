/** Networks as they are laid out: names, shapes, weights, and what does not fit. */
import { describe, expect, it } from 'vitest';
import {
  type LayerSpec,
  outputUnits,
  planNetwork,
  weightSpecs,
} from '../../src/classifier/classifier.ts';
import { PkgError } from '../../src/runtime/errors.ts';
import {
  activation,
  averagePool,
  conv,
  dense,
  dropout,
  FLATTEN,
  GLOBAL_AVERAGE,
  maxPool,
  normalization,
} from '../engine/layers.ts';

function refusal(specs: readonly LayerSpec[]): PkgError {
  try {
    planNetwork([9, 7, 3], specs);
  } catch (error) {
    if (error instanceof PkgError) return error;
    throw error;
  }
  throw new Error('it fits');
}

describe('the network of the article', () => {
  const convolutions = [32, 32, 64].flatMap((filters) => [conv(filters), maxPool()]);
  const ends = [FLATTEN, dense(64), dropout(0.5), dense(1, 'sigmoid')];
  const network = planNetwork([128, 128, 3], [...convolutions, ...ends]);

  it('has the names, shapes and numbers that Keras prints of it', () => {
    const rows = network.layers.map(({ name, outputShape, weights }) => {
      const numbers = weights.map(({ shape }) => shape.reduce((product, side) => product * side));
      return [name, outputShape, numbers.reduce((sum, one) => sum + one, 0)];
    });
    expect(rows).toEqual([
      ['conv2d', [126, 126, 32], 896],
      ['max_pooling2d', [63, 63, 32], 0],
      ['conv2d_1', [61, 61, 32], 9248],
      ['max_pooling2d_1', [30, 30, 32], 0],
      ['conv2d_2', [28, 28, 64], 18_496],
      ['max_pooling2d_2', [14, 14, 64], 0],
      ['flatten', [12_544], 0],
      ['dense', [64], 802_880],
      ['dropout', [64], 0],
      ['dense_1', [1], 65],
    ]);
  });

  it('reads in each layer what the one before gives', () => {
    const [first] = network.layers;
    expect(first?.inputShape).toEqual([128, 128, 3]);
    for (const [index, { inputShape }] of network.layers.slice(1).entries()) {
      expect(inputShape).toEqual(network.layers[index]?.outputShape);
    }
    expect(outputUnits(network)).toBe(1);
  });
});

describe('the weights of a network', () => {
  it('are those of Keras, in its order, without the biases that are not used', () => {
    const specs = [conv(4, { useBias: false, kernelSize: 5 }), normalization(), FLATTEN];
    const network = planNetwork([9, 7, 3], [...specs, dense(2, 'softmax', false)]);
    const rows = weightSpecs(network).map(({ layer, name, shape, trainable }) => {
      return [layer, name, shape, trainable];
    });
    expect(rows).toEqual([
      ['conv2d', 'kernel', [5, 5, 3, 4], true],
      ['batch_normalization', 'gamma', [4], true],
      ['batch_normalization', 'beta', [4], true],
      ['batch_normalization', 'moving_mean', [4], false],
      ['batch_normalization', 'moving_variance', [4], false],
      ['dense', 'kernel', [60, 2], true],
    ]);
  });
});

describe('a layer that does not fit', () => {
  it.each([
    ['a window larger than its input', [conv(4), maxPool(), averagePool(4)], 2],
    ['a convolution larger than its input', [conv(4, { kernelSize: 11 })], 0],
    ['a dense layer on a feature map', [conv(4), dense(3)], 1],
    ['a convolution on a vector', [FLATTEN, conv(4)], 1],
    ['a pool on a vector', [FLATTEN, dense(4), maxPool()], 2],
    ['flatten on a vector', [GLOBAL_AVERAGE, FLATTEN], 1],
    ['a global average of a vector', [FLATTEN, activation('relu'), GLOBAL_AVERAGE], 2],
  ] as const)('is named by its key: %s', (_, specs, index) => {
    const error = refusal(specs);
    expect(error.code).toBe('manifest');
    expect(error.key).toBe(`model.layers.${String(index)}`);
    expect(error.message).toMatch(/does not fit into|takes a (feature map|vector)/);
    expect(error.hint).toMatch(/^(Put|Use|Leave) .*\.$/);
  });
});

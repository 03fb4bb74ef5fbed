/** The sandbox's kernels against those of TensorFlow.js' own backend. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
// It registers the gradients.
import '@tensorflow/tfjs-layers';
import '@tensorflow/tfjs-backend-cpu';
import * as core from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { ROOT } from '../support/shared.ts';

interface Kernels {
  readonly useFastKernels: (tf: unknown) => void;
}

type Tensor4 = core.Tensor4D;

interface Case {
  readonly shape: [number, number, number, number];
  readonly window: number;
  readonly strides: number;
  readonly padding: 'valid' | 'same';
  readonly filters: number;
}

const CASES: readonly Case[] = [
  { shape: [2, 9, 7, 3], window: 3, strides: 1, padding: 'valid', filters: 5 },
  { shape: [2, 9, 7, 3], window: 3, strides: 2, padding: 'same', filters: 8 },
  { shape: [1, 8, 8, 4], window: 2, strides: 2, padding: 'valid', filters: 4 },
  { shape: [3, 5, 6, 1], window: 5, strides: 1, padding: 'same', filters: 2 },
  { shape: [1, 4, 4, 2], window: 1, strides: 3, padding: 'same', filters: 7 },
];

/** What a convolution and a pooling give, and the gradients of all that goes in. */
function results({ shape, window, strides, padding, filters }: Case): readonly Float32Array[] {
  return core.tidy(() => {
    const x = core.randomUniform<core.Rank.R4>(shape, -1, 1, 'float32', 1);
    const kernel = core.randomUniform<core.Rank.R4>(
      [window, window, shape[3], filters],
      -1,
      1,
      'float32',
      2,
    );
    const loss = (input: core.Tensor, filter: core.Tensor) => {
      const made = core.conv2d(input as Tensor4, filter as Tensor4, strides, padding);
      const pooled = core.maxPool(made, Math.min(2, made.shape[1], made.shape[2]), 1, padding);
      return core.sum<core.Scalar>(core.square(pooled));
    };
    const gradients = core.grads(loss)([x, kernel]);
    const output = core.conv2d(x, kernel, strides, padding);
    const bias = core.tensor1d(Array.from({ length: filters }, (_, n) => n - 1));
    const fused = core.fused.conv2d({
      x,
      filter: kernel,
      strides,
      pad: padding,
      bias,
      activation: 'relu',
    });
    return [output, fused, ...gradients].map((tensor) => tensor.dataSync() as Float32Array);
  });
}

describe('the kernels of the sandbox', () => {
  let own: readonly (readonly Float32Array[])[];
  beforeAll(async () => {
    core.enableProdMode();
    await core.setBackend('cpu');
    own = CASES.map(results);
    const file = join(ROOT, 'src', 'sandbox', 'child', 'kernels.mjs');
    const { useFastKernels } = (await import(pathToFileURL(file).href)) as Kernels;
    useFastKernels(core);
  });

  it.each(CASES.map((one, index) => [JSON.stringify(one), index] as const))(
    'give what the backend gives: %s',
    (_, index) => {
      const fast = results(CASES[index]!);
      for (const [at, values] of fast.entries()) {
        const expected = own[index]![at]!;
        expect(values.length).toBe(expected.length);
        const worst = values.reduce(
          (most, value, n) => Math.max(most, Math.abs(value - expected[n]!)),
          0,
        );
        const scale = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
        expect(worst).toBeLessThanOrEqual(1e-5 * Math.max(1, scale));
      }
    },
  );

  it('leave dilated convolutions to the backend', () => {
    const x = core.ones<core.Rank.R4>([1, 6, 6, 1]);
    const made = core.conv2d(x, core.ones<core.Rank.R4>([2, 2, 1, 1]), 1, 'valid', 'NHWC', 2);
    expect([...made.dataSync()]).toEqual(new Array(16).fill(4));
  });
});

/** With its first layers frozen, a network has the gradients of TensorFlow.js with the same layers untrainable. */
import { describe, expect, it } from 'vitest';
import type { LayerSpec } from '../../src/classifier/classifier.ts';
import { apartFromTfjs, CLOSE } from './agreement.ts';
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
} from './layers.ts';

const INPUT = [12, 11, 3] as const;

/** Convolutions of every kind in front: with a pool, padded, by strides, of few and of many channels. */
const CONVOLUTIONS: readonly LayerSpec[] = [
  conv(5, { padding: 'same' }),
  maxPool(),
  conv(9, { activation: 'tanh', useBias: false }),
  conv(8, { kernelSize: 1, activation: 'linear' }),
  activation('relu'),
  conv(12, { padding: 'same' }),
  conv(6, { kernelSize: 5, strides: 2, padding: 'same', activation: 'sigmoid' }),
  averagePool(2, 1, 'same'),
  FLATTEN,
  dense(7, 'tanh'),
  dense(3, 'softmax'),
];

const NORMALIZED: readonly LayerSpec[] = [
  normalization(),
  conv(6, { activation: 'linear' }),
  normalization(),
  activation('relu'),
  maxPool(3, 2, 'same'),
  dropout(0.25),
  conv(5),
  GLOBAL_AVERAGE,
  normalization(),
  dense(6),
  dropout(0.5),
  dense(1, 'sigmoid'),
];

const counts = (specs: readonly LayerSpec[]) => specs.map((_, index) => index);

describe('what is left to train has the gradients of TensorFlow.js', () => {
  it.each(counts(CONVOLUTIONS))(
    'behind %i frozen layers, convolutions among them',
    async (frozen) => {
      const { what, error } = await apartFromTfjs(INPUT, CONVOLUTIONS, { frozen, batchSize: 4 });
      expect(error, what).toBeLessThan(CLOSE);
    },
  );

  it.each(counts(NORMALIZED))(
    'behind %i frozen layers, batch normalization and dropout among them',
    async (frozen) => {
      const { what, error } = await apartFromTfjs(INPUT, NORMALIZED, { frozen, batchSize: 6 });
      // Each normalization by the batch makes rounding errors larger, as it divides by deviations.
      expect(error, what).toBeLessThan(10 * CLOSE);
    },
  );
});

/** Outputs of a foreign model: checked to be probabilities, and judged as the deterministic engine judges. */
import { describe, expect, it } from 'vitest';
import { checkShapes, judge, probabilitiesOf } from '../../src/steps/tensorflow-outputs.ts';

const SOFTMAX = { units: 3, loss: 'categoricalCrossentropy', name: 'model.js' } as const;
const SIGMOID = { units: 1, loss: 'binaryCrossentropy', name: 'model.js' } as const;
const SIGMOIDS = { ...SOFTMAX, loss: 'binaryCrossentropy' } as const;

describe('probabilities', () => {
  it('are held in [0, 1], which rounding leaves', () => {
    const outputs = Float32Array.of(1.0000001, -1e-9, 0, 0.2, 0.3, 0.5);
    expect([...probabilitiesOf(outputs, SOFTMAX)]).toEqual([
      ...[1, 0, 0],
      ...[0.2, 0.3, 0.5].map(Math.fround),
    ]);
  });

  it.each([
    ['a sum of more than 1', [0.5, 0.5, 0.5], SOFTMAX, 'that add up to 1'],
    ['a negative one', [-0.5, 0.5, 1], SOFTMAX, 'that add up to 1'],
    ['no number', [Number.NaN, 0, 1], SOFTMAX, 'that add up to 1'],
    ['one above 1', [1.5], SIGMOID, 'numbers from 0 to 1'],
    ['one above 1 of several', [0, 1.5, 0], SIGMOIDS, 'numbers from 0 to 1'],
  ] as const)('are no %s', (_, outputs, kind, message) => {
    expect(() => probabilitiesOf(Float32Array.from(outputs), kind)).toThrow(message);
  });

  it('of sigmoids need not add up', () => {
    const outputs = Float32Array.of(0.5, 0.5, 0.5);
    expect(probabilitiesOf(outputs, SIGMOIDS)).toEqual(outputs);
  });
});

describe('loss and accuracy', () => {
  it('are those of one sigmoid', () => {
    const { val_loss, val_accuracy } = judge(
      Float32Array.of(0.25, 0.75, 0.5),
      Int32Array.of(0, 1, 1),
      SIGMOID,
    );
    expect(val_loss).toBeCloseTo(-(2 * Math.log(0.75) + Math.log(0.5)) / 3, 12);
    expect(val_accuracy).toBeCloseTo(2 / 3, 12);
  });

  it('are those of a softmax', () => {
    const outputs = Float32Array.of(0.5, 0.25, 0.25, 0, 0, 1);
    const { val_loss, val_accuracy } = judge(outputs, Int32Array.of(0, 1), SOFTMAX);
    expect(val_loss).toBeCloseTo((Math.log(2) - Math.log(1e-7)) / 2, 9);
    expect(val_accuracy).toBe(0.5);
  });

  it('are the mean over units of several sigmoids', () => {
    const { val_loss } = judge(Float32Array.of(0.5, 0.25, 0.25), Int32Array.of(0), SIGMOIDS);
    expect(val_loss).toBeCloseTo(-(Math.log(0.5) + 2 * Math.log(0.75)) / 3, 12);
  });
});

describe('shapes', () => {
  const kind = (inputs: (number | null)[][], outputs: (number | null)[][]) => ({
    inputs,
    outputs,
    layers: 1,
    weights: [],
  });
  const shape = [8, 6, 3] as const;
  const picture = [null, 8, 6, 3];

  it('give the number of outputs, one of which is enough for two classes', () => {
    expect(checkShapes(kind([picture], [[null, 3]]), shape, ['A', 'B', 'C'], 'model.js')).toBe(3);
    expect(checkShapes(kind([picture], [[null, 1]]), shape, ['A', 'B'], 'model.js')).toBe(1);
  });

  it.each([
    ['two inputs', [picture, picture], [[null, 2]], 'takes [null, 8, 6, 3] and [null, 8, 6, 3]'],
    ['no input', [], [[null, 2]], 'takes nothing'],
    ['any size', [[null, null, null, 3]], [[null, 2]], 'takes [null, null, null, 3]'],
    [
      'two outputs',
      [picture],
      [
        [null, 2],
        [null, 2],
      ],
      'gives [null, 2] and [null, 2]',
    ],
    ['outputs of any number', [picture], [[null, null]], 'gives [null, null]'],
    ['another number of outputs', [picture], [[null, 7]], 'with 7 outputs for 2 classes'],
  ])('are refused: %s', (_, inputs, outputs, message) => {
    expect(() => checkShapes(kind(inputs, outputs), shape, ['A', 'B'], 'model.js')).toThrow(
      message,
    );
  });
});

/** Evaluations of a few examples, by hand. */
import { describe, expect, it } from 'vitest';
import { evaluate } from '../../src/evaluation/evaluate.ts';
import { type Predictions, predictClasses } from '../../src/evaluation/evaluation.ts';
import { predictionsOf } from '../support/predictions.ts';

/** Predictions of the second of two classes. */
function binary(truth: readonly number[], p: readonly number[], threshold?: number): Predictions {
  const probabilities = p.map((one) => [1 - one, one]);
  const classes = ['Hamburger', 'Sandwich'];
  return predictionsOf({
    ...{ classes, truth, probabilities },
    ...(threshold === undefined ? {} : { threshold }),
  });
}

describe('an evaluation of no examples', () => {
  it.each([2, 3])('says so with null, for %s classes', (count) => {
    const classes = ['a', 'b', 'c'].slice(0, count);
    const evaluation = evaluate({ classes, examples: [], probabilities: new Float32Array(0) });
    expect(evaluation).toMatchObject({
      examples: 0,
      ...{ accuracy: null, balancedAccuracy: null, matthewsCorrelation: null },
      ...{ logLoss: null, brierScore: null, averages: null },
      ...{ mistakes: 0, mostConfidentMistakes: [] },
      curves: { macroRocAuc: null, weightedRocAuc: null, macroAveragePrecision: null },
      calibration: { expectedCalibrationError: null },
    });
    expect(evaluation.perClass.map(({ support }) => support)).toEqual(classes.map(() => 0));
    expect(evaluation.threshold?.bestOnTheseExamples).toEqual(
      count === 2 ? { f1: null, balancedAccuracy: null } : undefined,
    );
  });
});

describe('an evaluation of one class alone', () => {
  it('has no area below a curve that does not exist', () => {
    const { curves, threshold } = evaluate(binary([0, 0], [0.2, 0.9]));
    expect(curves.perClass).toEqual([{ class: 'Sandwich', rocAuc: null, averagePrecision: null }]);
    expect(threshold?.bestOnTheseExamples).toEqual({ f1: null, balancedAccuracy: null });
  });

  it('averages areas over the classes that have one', () => {
    const evaluation = evaluate(
      predictionsOf({
        classes: ['a', 'b', 'c'],
        truth: [0, 0, 1],
        probabilities: [
          [0.8, 0.1, 0.1],
          [0.2, 0.5, 0.3],
          [0.3, 0.6, 0.1],
        ],
      }),
    );
    expect(evaluation.curves.perClass.map(({ rocAuc }) => rocAuc)).toEqual([0.5, 1, null]);
    expect(evaluation.curves.macroRocAuc).toBe(0.75);
    expect(evaluation.curves.weightedRocAuc).toBe(2 / 3);
  });
});

describe('the threshold', () => {
  const truth = [0, 0, 0, 1, 1];
  const p = [0.1, 0.2, 0.6, 0.55, 0.9];

  it('is 0.5 unless another is given, and decides from itself upwards', () => {
    expect([...predictClasses(binary([0, 0], [0.5, 0.49]))]).toEqual([1, 0]);
    expect([...predictClasses(binary([0, 0], [0.5, 0.49], 0.49))]).toEqual([1, 1]);
    expect(evaluate(binary(truth, p)).threshold?.used).toBe(0.5);
    expect(evaluate(binary(truth, p, 0.7)).threshold?.used).toBe(0.7);
  });

  it('is reported with those that these examples would choose', () => {
    expect(evaluate(binary(truth, p, 0.7)).threshold).toEqual({
      positiveClass: 'Sandwich',
      used: 0.7,
      bestOnTheseExamples: {
        f1: { threshold: 0.55, score: 0.8 },
        balancedAccuracy: { threshold: 0.55, score: (2 / 3 + 1) / 2 },
      },
    });
  });

  it('is the highest of equally good ones', () => {
    const { threshold } = evaluate(binary([1, 0, 0, 1], [0.9, 0.8, 0.2, 0.1]));
    expect(threshold?.bestOnTheseExamples.balancedAccuracy).toEqual({
      threshold: 0.9,
      score: 0.75,
    });
  });
});

describe('calibration', () => {
  it('puts probabilities on an edge into the bin below it, and 0 into the first', () => {
    const { bins, of } = evaluate(binary([0, 1, 1], [0, 0.1, 1])).calibration;
    expect(of).toBe('positive class');
    expect(bins.map(({ examples }) => examples)).toEqual([2, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    expect(bins[0]).toEqual({
      ...{ lower: 0, upper: 0.1, examples: 2, meanProbability: 0.05, fractionTrue: 0.5 },
    });
    expect(bins[1]).toMatchObject({ examples: 0, meanProbability: null, fractionTrue: null });
  });

  it('has an error that is the mean gap over examples', () => {
    const { calibration } = evaluate(binary([1, 1, 0, 1], [0.75, 0.75, 0.75, 0.25]));
    // Three with a gap of 0.75 - 2 / 3, one with 0.75.
    expect(calibration.expectedCalibrationError).toBeCloseTo((3 * (0.75 - 2 / 3) + 0.75) / 4, 14);
  });

  it('is of the predicted class where there are more than two', () => {
    const { calibration } = evaluate(
      predictionsOf({
        ...{ classes: ['a', 'b', 'c'], truth: [1], probabilities: [[0.2, 0.15, 0.65]] },
      }),
    );
    expect(calibration.of).toBe('predicted class');
    expect(calibration.bins[6]).toMatchObject({ examples: 1, fractionTrue: 0 });
    expect(calibration.expectedCalibrationError).toBe(0.65);
  });
});

describe('mistakes', () => {
  it('are told with both classes and both probabilities', () => {
    const { mostConfidentMistakes } = evaluate(binary([0, 1, 1], [0.75, 0.25, 0.9]));
    expect(mostConfidentMistakes).toEqual([
      {
        ...{ logicalKey: 'images_cropped/0/0000.jpg', imageId: '0' },
        ...{
          truth: 'Hamburger',
          predicted: 'Sandwich',
          probability: 0.75,
          probabilityOfTruth: 0.25,
        },
      },
      {
        ...{ logicalKey: 'images_cropped/1/0001.jpg', imageId: '1' },
        ...{
          truth: 'Sandwich',
          predicted: 'Hamburger',
          probability: 0.75,
          probabilityOfTruth: 0.25,
        },
      },
    ]);
  });
});

describe('predictions that are none', () => {
  const good = binary([0, 1], [0.2, 0.9]);
  const strange: readonly (readonly [string, Predictions])[] = [
    ['a number that is none', { ...good, probabilities: Float64Array.of(1, 0, NaN, 0) }],
    ['an infinite number', { ...good, probabilities: Float64Array.of(1, 0, Infinity, 0) }],
    ['a number above 1', { ...good, probabilities: Float64Array.of(1, 0, 1.5, 0) }],
    ['a number below 0', { ...good, probabilities: Float64Array.of(1, 0, -0.5, 0) }],
    ['too few numbers', { ...good, probabilities: Float64Array.of(1, 0) }],
    ['a single class', { ...good, classes: ['a'], probabilities: Float64Array.of(1, 0) }],
    ['two classes of one name', { ...good, classes: ['a', 'a'] }],
    ['a class beyond the last', binary([0, 2], [0.2, 0.9])],
    ['a class between two', binary([0, 0.5], [0.2, 0.9])],
    ['a threshold above 1', binary([0, 1], [0.2, 0.9], 2)],
    ['a threshold that is no number', binary([0, 1], [0.2, 0.9], NaN)],
    [
      'a threshold among three classes',
      predictionsOf({ classes: ['a', 'b', 'c'], truth: [], probabilities: [], threshold: 0.5 }),
    ],
  ];

  it.each(strange)('are refused: %s', (_, predictions) => {
    expect(() => evaluate(predictions)).toThrow('invariant broken');
  });
});

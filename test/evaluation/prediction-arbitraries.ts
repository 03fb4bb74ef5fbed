/** Random predictions: few and many classes, classes without examples, ties, certain ones. */
import fc from 'fast-check';
import type { PredictionCase } from '../support/predictions.ts';

/** How many examples and classes random predictions have. */
interface Sizes {
  readonly minExamples: number;
  readonly maxExamples: number;
  readonly maxClasses: number;
}

/** Names of classes: some of odd characters and lengths, none twice. */
function classNames(count: number): fc.Arbitrary<readonly string[]> {
  const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 });
  return fc
    .uniqueArray(name, { minLength: count, maxLength: count })
    .filter((names) => names.every((one) => !/[\0\r\n]/.test(one)));
}

/** A row of probabilities of weights that are often equal and sometimes 0, which sums to about 1. */
function probabilityRow(count: number): fc.Arbitrary<readonly number[]> {
  const weight = fc.oneof(
    fc.integer({ min: 0, max: 5 }),
    fc.double({ min: 0.001, max: 5, noNaN: true }),
  );
  return fc
    .array(weight, { minLength: count, maxLength: count })
    .filter((weights) => weights.some((one) => one > 0))
    .map((weights) => {
      const sum = weights.reduce((total, one) => total + one, 0);
      const row = weights.map((one) => one / sum);
      const [, second = 0] = row;
      return count === 2 ? [1 - second, second] : row;
    });
}

/** Cases of two or more classes. */
export function predictionCases(sizes: Sizes): fc.Arbitrary<PredictionCase> {
  return fc
    .tuple(
      fc.integer({ min: 2, max: sizes.maxClasses }),
      fc.integer({ min: sizes.minExamples, max: sizes.maxExamples }),
    )
    .chain(([count, examples]) => {
      const all = { minLength: examples, maxLength: examples };
      return fc.record({
        classes: classNames(count),
        truth: fc.array(fc.integer({ min: 0, max: count - 1 }), all),
        probabilities: fc.array(probabilityRow(count), all),
      });
    });
}

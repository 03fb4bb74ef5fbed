/** Sums as NumPy makes them, so that figures equal scikit-learn's to the last digit. */

/** Longer runs are cut in two. */
const BLOCK = 128;

/**
 * The pairwise sum of NumPy (`pairwise_sum` in numpy/_core/src/umath/loops_utils.h.src): up to 128
 * numbers by eight accumulators, more as the sum of two halves.
 */
export function pairwiseSum(values: Float64Array): number {
  const length = values.length;
  if (length < 8) return plainSum(values, 0);
  if (length > BLOCK) {
    const half = Math.floor(length / 2);
    const cut = half - (half % 8);
    return pairwiseSum(values.subarray(0, cut)) + pairwiseSum(values.subarray(cut));
  }
  const sums = values.slice(0, 8);
  const whole = length - (length % 8);
  for (let index = 8; index < whole; index++) {
    sums[index % 8] = (sums[index % 8] ?? 0) + (values[index] ?? 0);
  }
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = sums;
  return plainSum(values.subarray(whole), a + b + (c + d) + (e + f + (g + h)));
}

/** The mean of one or more numbers. */
export function meanOf(values: Float64Array): number {
  return pairwiseSum(values) / values.length;
}

/** The mean of numbers with weights that are not all zero, as `numpy.average` has it. */
export function weightedMean(values: Float64Array, weights: Float64Array): number {
  return (
    pairwiseSum(values.map((value, index) => value * (weights[index] ?? 0))) / pairwiseSum(weights)
  );
}

function plainSum(values: Float64Array, start: number): number {
  let sum = start;
  for (const value of values) sum += value;
  return sum;
}

/** Curves over all thresholds: receiver operating characteristic (ROC), and precision and recall. */
import { type Predictions, probabilitiesOf } from './evaluation.ts';
import { pairwiseSum } from './sum.ts';

/**
 * Counts at each distinct score, highest first: of the examples with at least that score, how many
 * are positive (`truePositives`) and how many are not.
 */
export interface ScoreCounts {
  readonly thresholds: Float64Array;
  readonly truePositives: Float64Array;
  readonly falsePositives: Float64Array;
  readonly positives: number;
  readonly negatives: number;
}

/** Points from (0, 0), whose threshold is infinite, to (1, 1). */
export interface RocCurve {
  readonly falsePositiveRate: Float64Array;
  readonly truePositiveRate: Float64Array;
  readonly thresholds: Float64Array;
  /** The area below, by trapezoids. */
  readonly auc: number;
}

/** Points by falling recall; the last, recall 0 with precision 1, has an infinite threshold. */
export interface PrecisionRecallCurve {
  readonly precision: Float64Array;
  readonly recall: Float64Array;
  readonly thresholds: Float64Array;
  /** The precision at each threshold, weighted by the recall it adds. */
  readonly averagePrecision: number;
}

/** Counts of a class against the rest, by the probability of the class. */
export function countByScore(predictions: Predictions, positiveClass: number): ScoreCounts {
  const scores = probabilitiesOf(predictions, positiveClass);
  const isPositive = (index: number) => predictions.examples[index]?.truth === positiveClass;
  const positive = scores.filter((_, index) => isPositive(index)).sort();
  const negative = scores.filter((_, index) => !isPositive(index)).sort();
  const thresholds = Float64Array.from(new Set(scores)).sort().reverse();
  return {
    thresholds,
    truePositives: countAtLeast(positive, thresholds),
    falsePositives: countAtLeast(negative, thresholds),
    positives: positive.length,
    negatives: negative.length,
  };
}

/** How many of the rising scores reach each of the falling thresholds. */
function countAtLeast(scores: Float64Array, thresholds: Float64Array): Float64Array {
  let below = scores.length;
  return thresholds.map((threshold) => {
    while (below > 0 && (scores[below - 1] ?? 0) >= threshold) below--;
    return scores.length - below;
  });
}

/**
 * The curve of `roc_curve` with `drop_intermediate`: points amid a straight run of equal steps are
 * left out. Null where all examples are of one kind.
 */
export function rocCurve(counts: ScoreCounts): RocCurve | null {
  const { positives, negatives } = counts;
  if (positives === 0 || negatives === 0) return null;
  const kept = corners(counts);
  const pick = (values: Float64Array, start: number, scale: number) =>
    Float64Array.from([start, ...kept.map((index) => (values[index] ?? 0) / scale)]);
  const falsePositiveRate = pick(counts.falsePositives, 0, negatives);
  const truePositiveRate = pick(counts.truePositives, 0, positives);
  return {
    falsePositiveRate,
    truePositiveRate,
    thresholds: pick(counts.thresholds, Infinity, 1),
    auc: areaBelow(falsePositiveRate, truePositiveRate),
  };
}

function corners({ truePositives, falsePositives }: ScoreCounts): readonly number[] {
  const bends = (values: Float64Array, index: number) =>
    (values[index + 1] ?? 0) - 2 * (values[index] ?? 0) + (values[index - 1] ?? 0) !== 0;
  return [...truePositives.keys()].filter(
    (index) =>
      index === 0 ||
      index === truePositives.length - 1 ||
      bends(falsePositives, index) ||
      bends(truePositives, index),
  );
}

function areaBelow(x: Float64Array, y: Float64Array): number {
  return pairwiseSum(
    x.subarray(1).map((right, index) => {
      const width = right - (x[index] ?? 0);
      return (width * ((y[index + 1] ?? 0) + (y[index] ?? 0))) / 2;
    }),
  );
}

/** The curve of `precision_recall_curve`, with the average precision; null for no positive example. */
export function precisionRecallCurve(counts: ScoreCounts): PrecisionRecallCurve | null {
  const { truePositives, falsePositives, positives } = counts;
  if (positives === 0) return null;
  const withEnd = (values: Float64Array, end: number) =>
    Float64Array.from([...values.toReversed(), end]);
  const precision = withEnd(
    truePositives.map((count, index) => count / (count + (falsePositives[index] ?? 0))),
    1,
  );
  const recall = withEnd(
    truePositives.map((count) => count / positives),
    0,
  );
  const steps = recall
    .subarray(1)
    .map((next, index) => (next - (recall[index] ?? 0)) * (precision[index] ?? 0));
  return {
    precision,
    recall,
    thresholds: withEnd(counts.thresholds, Infinity),
    averagePrecision: Math.max(0, -pairwiseSum(steps)),
  };
}

/** At most so many indices below `length`, evenly spread, the first and the last among them. */
export function thinIndices(length: number, most: number): readonly number[] {
  if (length <= most) return Array.from({ length }, (_, index) => index);
  return Array.from({ length: most }, (_, index) =>
    Math.round((index * (length - 1)) / (most - 1)),
  );
}

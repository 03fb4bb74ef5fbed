/** Metrics of predictions, each equal to scikit-learn's (1.9) of the same name on the same numbers. */
import { type Predictions, probabilityOf } from './evaluation.ts';
import { naturalLog } from './natural-log.ts';
import { meanOf, pairwiseSum, weightedMean } from './sum.ts';

/** Fractions in [0, 1]; 0 where nothing is divided by nothing. */
export interface Scores {
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
  /** Examples that are of the class. */
  readonly support: number;
}

export interface ClassScores extends Scores {
  readonly class: string;
  /** Examples said to be of the class. */
  readonly predicted: number;
}

export interface Averages {
  readonly micro: Scores;
  readonly macro: Scores;
  readonly weighted: Scores;
}

/** Counts of examples: a row for each true class, a column for each predicted one. */
export type ConfusionMatrix = readonly (readonly number[])[];

/** Probabilities are taken to be at least this and at most 1 less this: one step of a double at 1. */
const EPSILON = Number.EPSILON;

/** Counts examples by truth and prediction, both as indices. */
export function confusionMatrix(
  { classes, examples }: Predictions,
  predicted: Int32Array,
): ConfusionMatrix {
  const matrix = classes.map(() => classes.map(() => 0));
  for (const [index, { truth }] of examples.entries()) {
    const row = matrix[truth] ?? [];
    const column = predicted[index] ?? 0;
    row[column] = (row[column] ?? 0) + 1;
  }
  return matrix;
}

/** Precision, recall, F1 and support of each class (`precision_recall_fscore_support`). */
export function scoreClasses(
  classes: readonly string[],
  matrix: ConfusionMatrix,
): readonly ClassScores[] {
  const columns = columnSums(matrix);
  return classes.map((name, index) => {
    const row = matrix[index] ?? [];
    const predicted = columns[index] ?? 0;
    return { class: name, ...scores(row[index] ?? 0, predicted, integerSum(row)), predicted };
  });
}

/** Averages over classes: of all counts, of the scores, of the scores weighted by support. */
export function averageScores(classes: readonly ClassScores[], matrix: ConfusionMatrix): Averages {
  const support = integerSum(classes.map((one) => one.support));
  const weights = Float64Array.from(classes, (one) => one.support);
  const average = (mean: (values: Float64Array) => number): Scores => ({
    precision: mean(Float64Array.from(classes, (one) => one.precision)),
    recall: mean(Float64Array.from(classes, (one) => one.recall)),
    f1: mean(Float64Array.from(classes, (one) => one.f1)),
    support,
  });
  return {
    micro: scores(correctOf(matrix), support, support),
    macro: average(meanOf),
    weighted: average((values) => (support === 0 ? 0 : weightedMean(values, weights))),
  };
}

/** The fraction of examples whose class is said right; null for none. */
export function accuracy(matrix: ConfusionMatrix): number | null {
  const count = integerSum(matrix.flat());
  return count === 0 ? null : correctOf(matrix) / count;
}

/** The mean recall of the classes that have examples; null for none. */
export function balancedAccuracy(matrix: ConfusionMatrix): number | null {
  const recalls = matrix.flatMap((row, index) => {
    const support = integerSum(row);
    return support === 0 ? [] : [(row[index] ?? 0) / support];
  });
  return recalls.length === 0 ? null : meanOf(Float64Array.from(recalls));
}

/**
 * Matthews' correlation of truth and prediction, -1 to 1, for any number of classes (Gorodkin, 2004);
 * 0 where either is always the same class, null for no example.
 */
export function matthewsCorrelation(matrix: ConfusionMatrix): number | null {
  const count = integerSum(matrix.flat());
  if (count === 0) return null;
  const truths = matrix.map(integerSum);
  const columns = columnSums(matrix);
  const product = (a: readonly number[], b: readonly number[]) =>
    integerSum(a.map((value, index) => value * (b[index] ?? 0)));
  const spread =
    (count * count - product(columns, columns)) * (count * count - product(truths, truths));
  if (spread === 0) return 0;
  return (correctOf(matrix) * count - product(truths, columns)) / Math.sqrt(spread);
}

/** The mean of `-log(p of the true class)`, p being kept from 0 and 1; null for no example. */
export function logLoss(predictions: Predictions): number | null {
  const { examples } = predictions;
  if (examples.length === 0) return null;
  const losses = Float64Array.from(examples, ({ truth }, example) => {
    const probability = probabilityOf(predictions, example, truth);
    return -naturalLog(Math.min(1 - EPSILON, Math.max(EPSILON, probability)));
  });
  return meanOf(losses);
}

/**
 * The mean squared distance of the probabilities from the truth (Brier, 1950), halved for two
 * classes; null for no example.
 */
export function brierScore(predictions: Predictions): number | null {
  const { classes, examples } = predictions;
  if (examples.length === 0) return null;
  const distances = Float64Array.from(examples, ({ truth }, example) =>
    pairwiseSum(
      Float64Array.from(classes, (_, index) => {
        const distance = (index === truth ? 1 : 0) - probabilityOf(predictions, example, index);
        return distance * distance;
      }),
    ),
  );
  return meanOf(distances) * (classes.length === 2 ? 0.5 : 1);
}

function scores(correct: number, predicted: number, support: number): Scores {
  return {
    precision: fraction(correct, predicted),
    recall: fraction(correct, support),
    f1: fraction(2 * correct, support + predicted),
    support,
  };
}

function fraction(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}

function correctOf(matrix: ConfusionMatrix): number {
  return integerSum(matrix.map((row, index) => row[index] ?? 0));
}

function columnSums(matrix: ConfusionMatrix): readonly number[] {
  return matrix.map((_, column) => integerSum(matrix.map((row) => row[column] ?? 0)));
}

function integerSum(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}

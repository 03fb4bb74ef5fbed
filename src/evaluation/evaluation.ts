/** An evaluation's subject: what a classifier says of examples whose class is known. */
import { invariant } from '../runtime/errors.ts';

/** A crop with its class, and the photo it was cut out of. */
export interface Example {
  readonly logicalKey: string;
  readonly imageId: string;
  /** Index of its class. */
  readonly truth: number;
}

/** The examples of one split with a probability for each class. */
export interface Predictions {
  /** Names, two or more. */
  readonly classes: readonly string[];
  readonly examples: readonly Example[];
  /** Examples x classes, row-major, each in [0, 1]; a single sigmoid p stands as 1 - p, p. */
  readonly probabilities: Float64Array | Float32Array;
  /** For two classes: the second is predicted where its probability is at least this; 0.5 if absent. */
  readonly threshold?: number;
}

/** Of two classes the one that thresholds and curves are about. */
export const POSITIVE_CLASS = 1;

const DEFAULT_THRESHOLD = 0.5;

/** Throws where predictions are not what their type says: only a bug makes such ones. */
export function checkPredictions(predictions: Predictions): void {
  const { classes, examples, probabilities, threshold } = predictions;
  invariant(classes.length >= 2, 'there are fewer than two classes');
  invariant(new Set(classes).size === classes.length, 'two classes have one name');
  const cells = examples.length * classes.length;
  invariant(probabilities.length === cells, 'not one probability for each example and class');
  for (const probability of probabilities) {
    const sound = probability >= 0 && probability <= 1;
    invariant(sound, `${String(probability)} is not a probability`);
  }
  for (const { logicalKey, truth } of examples) {
    const known = Number.isInteger(truth) && truth >= 0 && truth < classes.length;
    invariant(known, `${logicalKey} has no class`);
  }
  if (threshold === undefined) return;
  invariant(classes.length === 2, 'a threshold is for two classes');
  invariant(threshold >= 0 && threshold <= 1, `${String(threshold)} is not a threshold`);
}

/** The threshold that decides between two classes; undefined for more. */
export function thresholdOf({ classes, threshold }: Predictions): number | undefined {
  return classes.length === 2 ? (threshold ?? DEFAULT_THRESHOLD) : undefined;
}

/** The probability of a class for an example, both as indices. */
export function probabilityOf(
  { classes, probabilities }: Predictions,
  example: number,
  classIndex: number,
): number {
  return probabilities[example * classes.length + classIndex] ?? 0;
}

/** The probabilities of one class, one an example. */
export function probabilitiesOf(predictions: Predictions, classIndex: number): Float64Array {
  return Float64Array.from(predictions.examples, (_, example) =>
    probabilityOf(predictions, example, classIndex),
  );
}

/**
 * The class each example is given, as indices: of two classes by the threshold, of more the most
 * probable one, of equals the first.
 */
export function predictClasses(predictions: Predictions): Int32Array {
  const threshold = thresholdOf(predictions);
  return Int32Array.from(predictions.examples, (_, example) => {
    if (threshold === undefined) return mostProbable(predictions, example);
    return probabilityOf(predictions, example, POSITIVE_CLASS) >= threshold ? POSITIVE_CLASS : 0;
  });
}

function mostProbable(predictions: Predictions, example: number): number {
  let best = 0;
  for (let index = 1; index < predictions.classes.length; index++) {
    const probability = probabilityOf(predictions, example, index);
    if (probability > probabilityOf(predictions, example, best)) best = index;
  }
  return best;
}

/** What a packaged classifier says of photos. */
import type { BoundingBox } from '../images/crop.ts';
import type { Model } from '../models/models.ts';

/** The class that is said, and how probable it is. */
export interface Prediction {
  readonly class: string;
  readonly probability: number;
  /** Of every class, in the model's order. */
  readonly probabilities: Readonly<Record<string, number>>;
}

/** A bounding box of a photo's stored frame, with what is done to its crop. */
export interface Box extends BoundingBox {
  /** Counter-clockwise: 0, 90, 180 or 270. */
  readonly turnDegrees: number;
  /** The label that a table of boxes gives it, where there is one. */
  readonly label?: string;
}

/** A photo as it was named, and the box that was looked at where it is not the whole photo. */
export interface Subject {
  readonly photo: string;
  readonly box?: Box;
}

/** Why nothing can be said, one sentence. */
export interface Failure {
  readonly error: string;
}

export type PhotoPrediction = Subject & (Prediction | Failure);

export function isFailure(row: PhotoPrediction): row is Subject & Failure {
  return 'error' in row;
}

/**
 * What a network's outputs for one picture say. A single one is the second class's probability. Of two
 * classes the second is said where its probability is at least the threshold; of more the most
 * probable, of equals the first.
 */
export function judge(
  { classes, threshold }: Pick<Model, 'classes' | 'threshold'>,
  outputs: Float32Array,
): Prediction | Failure {
  if (!outputs.every(Number.isFinite)) {
    return { error: 'the model gives no finite number for it' };
  }
  const [first = 0] = outputs;
  const probabilities = outputs.length === 1 ? [1 - first, first] : [...outputs];
  const said =
    probabilities.length === 2
      ? Number((probabilities[1] ?? 0) >= threshold)
      : mostProbable(probabilities);
  return {
    class: classes[said] ?? '',
    probability: probabilities[said] ?? 0,
    probabilities: Object.fromEntries(
      classes.map((name, index) => [name, probabilities[index] ?? 0]),
    ),
  };
}

function mostProbable(probabilities: readonly number[]): number {
  let best = 0;
  for (const [index, probability] of probabilities.entries()) {
    if (probability > (probabilities[best] ?? 0)) best = index;
  }
  return best;
}

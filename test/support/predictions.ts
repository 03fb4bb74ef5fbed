/** Predictions for tests, and what scikit-learn says of them. */
import type { Predictions } from '../../src/evaluation/evaluation.ts';

/** A case as the Python side of the tests has it. */
export interface PredictionCase {
  readonly classes: readonly string[];
  readonly truth: readonly number[];
  readonly probabilities: readonly (readonly number[])[];
  readonly threshold?: number;
}

/** The answer of `test/evaluation/golden/sklearn_judge.py`; curves and averages only where defined. */
export interface SklearnAnswer {
  readonly predicted: readonly number[];
  readonly report: string;
  readonly precision: readonly number[];
  readonly recall: readonly number[];
  readonly f1: readonly number[];
  readonly support: readonly number[];
  readonly averages: Readonly<Record<'micro' | 'macro' | 'weighted', readonly number[]>>;
  readonly confusion: readonly (readonly number[])[];
  readonly accuracy: number;
  readonly balanced_accuracy: number;
  readonly matthews: number;
  readonly log_loss: number;
  readonly brier: number;
  readonly curves: readonly {
    readonly roc?: readonly (readonly number[])[];
    readonly auc?: number;
    readonly pr?: readonly (readonly number[])[];
    readonly ap?: number;
  }[];
  /** Fractions and means of the bins that are not empty. */
  readonly calibration: readonly (readonly number[])[];
  readonly macro_auc?: number;
  readonly weighted_auc?: number;
  readonly macro_ap?: number;
  readonly weighted_ap?: number;
}

/** Predictions of a case, its examples being named by their numbers. */
export function predictionsOf({
  classes,
  truth,
  probabilities,
  threshold,
}: PredictionCase): Predictions {
  return {
    classes,
    examples: truth.map((index, number) => ({
      logicalKey: `images_cropped/${String(index)}/${String(number).padStart(4, '0')}.jpg`,
      imageId: String(number),
      truth: index,
    })),
    probabilities: Float64Array.from(probabilities.flat()),
    ...(threshold === undefined ? {} : { threshold }),
  };
}

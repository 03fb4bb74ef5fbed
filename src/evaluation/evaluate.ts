/** Evaluating: all figures about the predictions of one split, as one value for JSON. */
import { type Calibration, calibrate } from './calibration.ts';
import { countByScore, precisionRecallCurve, rocCurve } from './curves.ts';
import {
  checkPredictions,
  POSITIVE_CLASS,
  type Predictions,
  predictClasses,
  probabilityOf,
} from './evaluation.ts';
import {
  type Averages,
  accuracy,
  averageScores,
  balancedAccuracy,
  brierScore,
  type ClassScores,
  type ConfusionMatrix,
  confusionMatrix,
  logLoss,
  matthewsCorrelation,
  scoreClasses,
} from './metrics.ts';
import { meanOf, weightedMean } from './sum.ts';
import { reportThreshold, type ThresholdReport } from './threshold.ts';

/** Areas below the curves of one class against the rest; null where a curve has no meaning. */
export interface ClassAreas {
  readonly class: string;
  /** The area below the ROC curve. */
  readonly rocAuc: number | null;
  readonly averagePrecision: number | null;
}

/** Areas below curves: for two classes of the second alone, for more of each class. */
export interface CurveAreas {
  readonly perClass: readonly ClassAreas[];
  /** Over the classes that have the area; weighted by support. Null where none has it. */
  readonly macroRocAuc: number | null;
  readonly weightedRocAuc: number | null;
  readonly macroAveragePrecision: number | null;
  readonly weightedAveragePrecision: number | null;
}

/** An example that was given another class than its own. */
export interface Mistake {
  readonly logicalKey: string;
  readonly imageId: string;
  readonly truth: string;
  readonly predicted: string;
  /** Of the predicted class. */
  readonly probability: number;
  readonly probabilityOfTruth: number;
}

/** All finite numbers or null; null where there is nothing to measure. */
export interface Evaluation {
  readonly examples: number;
  readonly classes: readonly string[];
  readonly accuracy: number | null;
  readonly balancedAccuracy: number | null;
  readonly matthewsCorrelation: number | null;
  readonly logLoss: number | null;
  readonly brierScore: number | null;
  readonly perClass: readonly ClassScores[];
  readonly averages: Averages | null;
  readonly confusionMatrix: ConfusionMatrix;
  readonly curves: CurveAreas;
  readonly threshold: ThresholdReport | null;
  readonly calibration: Calibration;
  readonly mistakes: number;
  readonly mostConfidentMistakes: readonly Mistake[];
}

const MAX_MISTAKES = 24;

/** Judges the predictions of one split. Throws where they are not what their type says. */
export function evaluate(predictions: Predictions): Evaluation {
  checkPredictions(predictions);
  const { classes, examples } = predictions;
  const predicted = predictClasses(predictions);
  const matrix = confusionMatrix(predictions, predicted);
  const perClass = scoreClasses(classes, matrix);
  const mistakes = findMistakes(predictions, predicted);
  return {
    examples: examples.length,
    classes,
    accuracy: accuracy(matrix),
    balancedAccuracy: balancedAccuracy(matrix),
    matthewsCorrelation: matthewsCorrelation(matrix),
    logLoss: logLoss(predictions),
    brierScore: brierScore(predictions),
    perClass,
    averages: examples.length === 0 ? null : averageScores(perClass, matrix),
    confusionMatrix: matrix,
    curves: measureCurves(predictions, perClass),
    threshold: reportThreshold(predictions),
    calibration: calibrate(predictions, predicted),
    mistakes: mistakes.length,
    mostConfidentMistakes: mistakes.slice(0, MAX_MISTAKES),
  };
}

/** The classes that have a curve, as indices: of two the second, of more all. */
export function classesWithCurves({ classes }: Predictions): readonly number[] {
  return classes.length === 2 ? [POSITIVE_CLASS] : [...classes.keys()];
}

function measureCurves(predictions: Predictions, scores: readonly ClassScores[]): CurveAreas {
  const measured = classesWithCurves(predictions).map((index) => {
    const counts = countByScore(predictions, index);
    return {
      class: predictions.classes[index] ?? '',
      support: scores[index]?.support ?? 0,
      rocAuc: rocCurve(counts)?.auc ?? null,
      averagePrecision: precisionRecallCurve(counts)?.averagePrecision ?? null,
    };
  });
  const average = (area: 'rocAuc' | 'averagePrecision', kind: 'macro' | 'weighted') => {
    const known = measured.flatMap(({ support, [area]: value }) =>
      value === null ? [] : [{ support, value }],
    );
    if (known.length === 0) return null;
    const values = Float64Array.from(known, ({ value }) => value);
    if (kind === 'macro' || known.length === 1) return meanOf(values);
    return weightedMean(
      values,
      Float64Array.from(known, ({ support }) => support),
    );
  };
  return {
    perClass: measured.map(({ support: _, ...areas }) => areas),
    macroRocAuc: average('rocAuc', 'macro'),
    weightedRocAuc: average('rocAuc', 'weighted'),
    macroAveragePrecision: average('averagePrecision', 'macro'),
    weightedAveragePrecision: average('averagePrecision', 'weighted'),
  };
}

/** All mistakes, the most confident first, equals by logical key. */
function findMistakes(predictions: Predictions, predicted: Int32Array): readonly Mistake[] {
  const { classes, examples } = predictions;
  return examples
    .flatMap(({ logicalKey, imageId, truth }, example) => {
      const guess = predicted[example] ?? 0;
      if (guess === truth) return [];
      return {
        logicalKey,
        imageId,
        truth: classes[truth] ?? '',
        predicted: classes[guess] ?? '',
        probability: probabilityOf(predictions, example, guess),
        probabilityOfTruth: probabilityOf(predictions, example, truth),
      };
    })
    .sort((a, b) => b.probability - a.probability || (a.logicalKey < b.logicalKey ? -1 : 1));
}

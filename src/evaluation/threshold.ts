/** The threshold between two classes: the one in use, and those that would serve these examples best. */
import { countByScore, type ScoreCounts } from './curves.ts';
import { POSITIVE_CLASS, type Predictions, thresholdOf } from './evaluation.ts';

/** A threshold with what it scores. */
export interface ThresholdChoice {
  readonly threshold: number;
  readonly score: number;
}

export interface ThresholdReport {
  /** The class that is predicted where its probability is at least the threshold. */
  readonly positiveClass: string;
  readonly used: number;
  /**
   * Thresholds among the probabilities met that maximise a score on these very examples, which
   * flatters them; of equals the highest. Null where the score has no meaning.
   */
  readonly bestOnTheseExamples: {
    readonly f1: ThresholdChoice | null;
    readonly balancedAccuracy: ThresholdChoice | null;
  };
}

/** The report for two classes; null for more. */
export function reportThreshold(predictions: Predictions): ThresholdReport | null {
  const used = thresholdOf(predictions);
  const positiveClass = predictions.classes[POSITIVE_CLASS];
  if (used === undefined || positiveClass === undefined) return null;
  const counts = countByScore(predictions, POSITIVE_CLASS);
  const { positives, negatives } = counts;
  return {
    positiveClass,
    used,
    bestOnTheseExamples: {
      f1:
        positives === 0
          ? null
          : best(counts, (right, wrong) => (2 * right) / (positives + right + wrong)),
      balancedAccuracy:
        positives === 0 || negatives === 0
          ? null
          : best(
              counts,
              (right, wrong) => ((negatives - wrong) / negatives + right / positives) / 2,
            ),
    },
  };
}

/** The threshold whose true and false positives score highest. */
function best(
  { thresholds, truePositives, falsePositives }: ScoreCounts,
  scoreOf: (truePositives: number, falsePositives: number) => number,
): ThresholdChoice | null {
  let choice: ThresholdChoice | null = null;
  for (const [index, threshold] of thresholds.entries()) {
    const score = scoreOf(truePositives[index] ?? 0, falsePositives[index] ?? 0);
    if (choice === null || score > choice.score) choice = { threshold, score };
  }
  return choice;
}

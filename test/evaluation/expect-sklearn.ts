/** Holds an evaluation against what scikit-learn says of the same predictions. */
import { expect } from 'vitest';
import { countByScore, precisionRecallCurve, rocCurve } from '../../src/evaluation/curves.ts';
import { evaluate } from '../../src/evaluation/evaluate.ts';
import { predictClasses } from '../../src/evaluation/evaluation.ts';
import { classificationReport } from '../../src/evaluation/report.ts';
import { type PredictionCase, predictionsOf, type SklearnAnswer } from '../support/predictions.ts';

/** Fails where any figure differs by a bit, the log loss by more than its logarithms may. */
export function expectSklearn(one: PredictionCase, answer: SklearnAnswer): void {
  const predictions = predictionsOf(one);
  const evaluation = evaluate(predictions);
  const { perClass, averages, curves } = evaluation;
  expect([...predictClasses(predictions)]).toEqual(answer.predicted);
  expect(perClass.map(({ precision }) => precision)).toEqual(answer.precision);
  expect(perClass.map(({ recall }) => recall)).toEqual(answer.recall);
  expect(perClass.map(({ f1 }) => f1)).toEqual(answer.f1);
  expect(perClass.map(({ support }) => support)).toEqual(answer.support);
  for (const kind of ['micro', 'macro', 'weighted'] as const) {
    const { precision, recall, f1 } = averages![kind];
    expect([precision, recall, f1]).toEqual(answer.averages[kind]);
  }
  expect(classificationReport(perClass, averages!)).toBe(answer.report);
  expect(evaluation.confusionMatrix).toEqual(answer.confusion);
  expect(evaluation.accuracy).toBe(answer.accuracy);
  expect(evaluation.balancedAccuracy).toBe(answer.balanced_accuracy);
  expect(evaluation.matthewsCorrelation).toBe(answer.matthews);
  expect(evaluation.brierScore).toBe(answer.brier);
  // Both sum the same numbers in the same order, but for the last bit of each logarithm.
  expect(Math.abs(evaluation.logLoss! / answer.log_loss - 1)).toBeLessThan(1e-15 * 4);
  if (answer.macro_auc !== undefined) {
    expect(curves.macroRocAuc).toBe(answer.macro_auc);
    expect(curves.weightedRocAuc).toBe(answer.weighted_auc);
    expect(curves.macroAveragePrecision).toBe(answer.macro_ap);
    expect(curves.weightedAveragePrecision).toBe(answer.weighted_ap);
  }
  for (const [index, expected] of answer.curves.entries()) {
    const counts = countByScore(predictions, index);
    const roc = rocCurve(counts);
    expect(roc?.auc).toBe(expected.auc);
    expect(
      roc === null
        ? undefined
        : [[...roc.falsePositiveRate], [...roc.truePositiveRate], [...roc.thresholds.subarray(1)]],
    ).toEqual(expected.roc);
    const pr = precisionRecallCurve(counts);
    expect(pr?.averagePrecision).toBe(expected.ap);
    expect(
      pr === null
        ? undefined
        : [[...pr.precision], [...pr.recall], [...pr.thresholds.subarray(0, -1)]],
    ).toEqual(expected.pr);
  }
  const filled = evaluation.calibration.bins.filter(({ examples }) => examples > 0);
  expect([
    filled.map(({ fractionTrue }) => fractionTrue),
    filled.map(({ meanProbability }) => meanProbability),
  ]).toEqual(answer.calibration);
}

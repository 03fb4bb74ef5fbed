/** What holds of the evaluation of any predictions. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countByScore, rocCurve, thinIndices } from '../../src/evaluation/curves.ts';
import { evaluate } from '../../src/evaluation/evaluate.ts';
import type { Predictions } from '../../src/evaluation/evaluation.ts';
import { predictionsOf } from '../support/predictions.ts';
import { predictionCases } from './prediction-arbitraries.ts';

const CASES = predictionCases({ minExamples: 0, maxExamples: 40, maxClasses: 5 });

describe('an evaluation', () => {
  it('survives JSON: every number is finite, or null', () => {
    fc.assert(
      fc.property(CASES, (one) => {
        const evaluation = evaluate(predictionsOf(one));
        expect(JSON.parse(JSON.stringify(evaluation))).toEqual(evaluation);
      }),
    );
  });

  it('counts each example once, and its micro average is its accuracy', () => {
    fc.assert(
      fc.property(CASES, (one) => {
        const { confusionMatrix, accuracy, averages, perClass, mistakes } = evaluate(
          predictionsOf(one),
        );
        const count = one.truth.length;
        expect(confusionMatrix.flat().reduce((sum, cell) => sum + cell, 0)).toBe(count);
        expect(perClass.reduce((sum, { support }) => sum + support, 0)).toBe(count);
        expect(perClass.reduce((sum, { predicted }) => sum + predicted, 0)).toBe(count);
        if (count === 0) return;
        expect(averages?.micro).toEqual({
          ...{ precision: accuracy, recall: accuracy, f1: accuracy, support: count },
        });
        expect(mistakes).toBe(Math.round(count * (1 - accuracy!)));
      }),
    );
  });

  it('does not depend on the order of the examples, but for the last bits of sums', () => {
    fc.assert(
      fc.property(CASES, (one) => {
        const turned = {
          ...one,
          truth: one.truth.toReversed(),
          probabilities: one.probabilities.toReversed(),
        };
        const a = evaluate(predictionsOf(one));
        const b = evaluate(predictionsOf(turned));
        expect(b.perClass).toEqual(a.perClass);
        expect(b.curves).toEqual(a.curves);
        expect(b.threshold).toEqual(a.threshold);
        expect(b.logLoss ?? 0).toBeCloseTo(a.logLoss ?? 0, 12);
      }),
    );
  });

  it('lists mistakes by falling confidence, and equals by logical key', () => {
    fc.assert(
      fc.property(CASES, (one) => {
        const { mostConfidentMistakes: list, mistakes } = evaluate(predictionsOf(one));
        expect(list).toHaveLength(Math.min(24, mistakes));
        for (const [index, mistake] of list.entries()) {
          expect(mistake.truth).not.toBe(mistake.predicted);
          const next = list[index + 1];
          if (next === undefined) continue;
          expect(mistake.probability).toBeGreaterThanOrEqual(next.probability);
          if (mistake.probability === next.probability) {
            expect(mistake.logicalKey < next.logicalKey).toBe(true);
          }
        }
      }),
    );
  });
});

describe('the area below a ROC curve', () => {
  it('is the same after any transform that keeps the order of the scores', () => {
    const two = predictionCases({ minExamples: 0, maxExamples: 40, maxClasses: 2 });
    fc.assert(
      fc.property(two, (one) => {
        const predictions = predictionsOf(one);
        // Halving is exact, so that it merges no two scores.
        const squeezed: Predictions = {
          ...predictions,
          probabilities: predictions.probabilities.map((value) => value / 2),
        };
        const area = rocCurve(countByScore(predictions, 1))?.auc;
        expect(rocCurve(countByScore(squeezed, 1))?.auc).toBe(area);
      }),
    );
  });

  it('is how often a positive example scores above a negative one, ties counting half', () => {
    fc.assert(
      fc.property(CASES, (one) => {
        const scores = one.probabilities.map((row) => row[1] ?? 0);
        const positive = scores.filter((_, index) => one.truth[index] === 1);
        const negative = scores.filter((_, index) => one.truth[index] !== 1);
        const area = rocCurve(countByScore(predictionsOf(one), 1))?.auc;
        if (positive.length === 0 || negative.length === 0) {
          expect(area).toBeUndefined();
          return;
        }
        const wins = positive
          .flatMap((a) => negative.map((b) => (a > b ? 1 : a === b ? 0.5 : 0)))
          .reduce<number>((sum, win) => sum + win, 0);
        expect(area).toBeCloseTo(wins / (positive.length * negative.length), 12);
      }),
    );
  });
});

describe('thinning', () => {
  it('keeps order and both ends, and never more points than asked for', () => {
    fc.assert(
      fc.property(fc.nat(5000), fc.integer({ min: 2, max: 600 }), (length, most) => {
        const kept = thinIndices(length, most);
        expect(kept).toHaveLength(Math.min(length, most));
        expect(kept).toEqual([...new Set(kept)].sort((a, b) => a - b));
        if (length === 0) return;
        expect([kept[0], kept.at(-1)]).toEqual([0, length - 1]);
      }),
    );
  });
});

/** Evaluations of random predictions equal what the real scikit-learn says of the same numbers. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { KERAS_PYTHON, runKeras } from '../support/keras-python.ts';
import { type PredictionCase, type SklearnAnswer } from '../support/predictions.ts';
import { describeWith } from '../support/shared.ts';
import { expectSklearn } from './expect-sklearn.ts';
import { predictionCases } from './prediction-arbitraries.ts';

const JUDGE = readFileSync(join(import.meta.dirname, 'golden/sklearn_judge.py'), 'utf8');

/** One program judges all cases, since starting Python takes longer than judging. */
const PROGRAM = `${JUDGE}
say([judge(case) for case in args])
`;

describeWith('Python with Keras and scikit-learn', KERAS_PYTHON)('scikit-learn itself', () => {
  it('says the same of random predictions, to the last digit', async () => {
    const cases: readonly PredictionCase[] = fc.sample(
      predictionCases({ minExamples: 1, maxExamples: 300, maxClasses: 12 }),
      { numRuns: 60, seed: 7 },
    );
    const answers = await runKeras<readonly SklearnAnswer[]>(PROGRAM, cases);
    expect(answers).toHaveLength(cases.length);
    for (const [index, answer] of answers.entries()) {
      const one = cases[index];
      if (one !== undefined) expectSklearn(one, answer);
    }
  });
});

/** Evaluations equal what scikit-learn wrote into the golden files (`make_golden.py` beside them). */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { PredictionCase, SklearnAnswer } from '../support/predictions.ts';
import { expectSklearn } from './expect-sklearn.ts';

const GOLDEN = join(import.meta.dirname, 'golden');

const NAMES = readdirSync(GOLDEN)
  .filter((name) => name.endsWith('.json'))
  .sort();

interface Golden {
  readonly case: PredictionCase;
  readonly answer: SklearnAnswer;
}

describe('an evaluation', () => {
  it('has golden files', () => {
    expect(NAMES.length).toBeGreaterThan(20);
  });

  it.each(NAMES)('equals scikit-learn’s to the last digit in %s', (name) => {
    const golden = JSON.parse(readFileSync(join(GOLDEN, name), 'utf8')) as Golden;
    expectSklearn(golden.case, golden.answer);
  });
});

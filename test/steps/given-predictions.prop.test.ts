/** Predictions that a training leaves: written and read again as what an evaluation judges. */
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Examples } from '../../src/steps/example-reader.ts';
import { readPredictions, writeOutputs } from '../../src/steps/given-predictions.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import { temporaryFolder } from '../support/temporary.ts';

const CLASSES = ['Apple', 'Orange', 'Pear'];

function examplesOf(classNames: readonly string[]): Examples {
  const rows = classNames.map((className, index) => ({
    ...{ logicalKey: `${String(index)}.jpg`, imageId: `image ${String(index)}`, className },
    split: 'test' as const,
  }));
  return { rows, exampleBytes: 3, read: () => Promise.resolve(), close: () => Promise.resolve() };
}

const NONE = new Float32Array();

describe('predictions of a training', () => {
  let store: Store;
  beforeAll(async () => {
    store = await openStore(join(await temporaryFolder(), 'store'), Date.now());
  });

  const row = fc.record({
    className: fc.constantFrom(...CLASSES),
    outputs: fc.array(fc.float({ min: 0, max: 1, noNaN: true }), { minLength: 3, maxLength: 3 }),
  });

  it('are read as they were written, in the order of the examples', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(row, { maxLength: 20 }), async (rows) => {
        const test = Float32Array.from(rows.flatMap(({ outputs }) => outputs));
        const tree = await writeOutputs(store, { validation: NONE, test });
        const examples = examplesOf(rows.map(({ className }) => className));
        const predicted = { classes: CLASSES, threshold: 0.5, examples };
        const read = await readPredictions(store, tree, 'test', predicted);
        expect([...read.probabilities]).toEqual([...test]);
        expect(read.examples.map(({ truth }) => CLASSES[truth])).toEqual(
          rows.map(({ className }) => className),
        );
        expect(read.threshold).toBeUndefined();
        const none = await readPredictions(store, tree, 'validation', predicted);
        expect(none.examples).toEqual([]);
      }),
      { numRuns: 30 },
    );
  });

  it('of one sigmoid are those of the second of two classes', async () => {
    const tree = await writeOutputs(store, { validation: NONE, test: Float32Array.of(0.25, 1) });
    const examples = examplesOf(['No', 'Yes']);
    const predicted = { classes: ['No', 'Yes'], threshold: 0.5, examples };
    const read = await readPredictions(store, tree, 'test', predicted);
    expect([...read.probabilities]).toEqual([0.75, 0.25, 0, 1]);
    expect(read.threshold).toBe(0.5);
  });

  it.each([
    ['too few', Float32Array.of(0.1, 0.2, 0.7)],
    ['one for three classes', Float32Array.of(0.1, 0.2)],
    ['none', NONE],
  ])('are refused where they do not fit the examples: %s', async (_, test) => {
    const tree = await writeOutputs(store, { validation: NONE, test });
    const examples = examplesOf(['Apple', 'Pear']);
    const predicted = { classes: CLASSES, threshold: 0.5, examples };
    await expect(readPredictions(store, tree, 'test', predicted)).rejects.toMatchObject({
      code: 'integrity',
      message: 'the predictions of the test split do not fit its examples',
    });
  });
});

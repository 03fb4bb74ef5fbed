/** The files about a classifier: what stands in them, of which split, and the same each time. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Predictions } from '../../src/evaluation/evaluation.ts';
import { inspectPicture } from '../../src/images/decode.ts';
import { readCsv } from '../../src/openimages/csv.ts';
import { type EvaluationSubject, evaluationFiles } from '../../src/steps/evaluation-files.ts';
import { fileBytes } from '../../src/store/digest.ts';
import { openStore } from '../../src/store/store.ts';
import { entryAt, treeOf } from '../../src/store/tree.ts';
import { open, somePixels } from '../support/pictures.ts';
import { testRuntime } from '../support/runtime.ts';
import { temporaryFolder } from '../support/temporary.ts';

const CLASSES = ['Hamburger', 'Sandwich, toasted'];
const HISTORY = [{ epoch: 1, loss: 0.7, val_loss: 0.6 }];

const CHARTS = ['calibration', 'confusion_matrix', 'history', 'precision_recall', 'roc'];
const OF_EXAMPLES = [
  ...['calibration.json', 'classification_report.txt', 'confusion_matrix.json'],
  ...['evaluation.json', 'history.json', 'precision_recall.json', 'predictions.csv', 'roc.json'],
].map((name) => `models/${name}`);

/** Predictions of crops `<split>0`, `<split>1`, ...: Float32, as a network gives them. */
function predictions(split: string, truth: readonly number[], p: readonly number[]): Predictions {
  return {
    classes: CLASSES,
    examples: truth.map((index, number) => ({
      logicalKey: `images_cropped/${String(index)}/${split}${String(number)}.jpg`,
      imageId: `${split}${String(number)}`,
      truth: index,
    })),
    probabilities: Float32Array.from(p.flatMap((one) => [1 - Math.fround(one), one])),
  };
}

async function setUp(predictionsBySplit: EvaluationSubject['predictionsBySplit']) {
  const store = await openStore(join(await temporaryFolder(), 'store'), Date.now());
  const runtime = testRuntime();
  const all = Object.values(predictionsBySplit).flatMap((one) => one.examples);
  const crops = [];
  for (const [index, { logicalKey }] of all.entries()) {
    const picture = open(somePixels(40 + 17 * (index % 9), 90 - 8 * (index % 7), index)).jpeg();
    crops.push({ path: logicalKey, ...(await store.putBytes(await picture.toBuffer())) });
  }
  const subject = { predictionsBySplit, history: HISTORY, crops: treeOf(crops) };
  const tree = await evaluationFiles(runtime, store, subject);
  const paths = tree.map(({ path }) => path);
  const text = (name: string) => store.readText(entryAt(tree, `models/${name}`).digest);
  const json = async (name: string) =>
    JSON.parse(await text(name)) as Readonly<Record<string, unknown>>;
  return { store, runtime, subject, tree, paths, text, json };
}

const VALIDATION = predictions('v', [0, 0, 1, 1], [0.1, 0.8, 0.7, 0.2]);
const TEST = predictions('t', [0, 1, 1], [0.3, 0.9, 0.4]);

describe('the files about a classifier', () => {
  it('tell of the test split, and hold the figures of both', async () => {
    const { paths, text, json } = await setUp({ validation: VALIDATION, test: TEST });
    expect(paths).toEqual([...OF_EXAMPLES, 'models/mistakes.jpg'].sort());
    expect(await text('classification_report.txt')).toBe(
      [
        '                   precision    recall  f1-score   support\n',
        '\n',
        '        Hamburger     0.5000    1.0000    0.6667         1\n',
        'Sandwich, toasted     1.0000    0.5000    0.6667         2\n',
        '\n',
        '         accuracy                         0.6667         3\n',
        '        macro avg     0.7500    0.7500    0.6667         3\n',
        '     weighted avg     0.8333    0.6667    0.6667         3\n',
      ].join(''),
    );
    expect(await json('evaluation.json')).toMatchObject({
      version: 1,
      reportedSplit: 'test',
      splits: { validation: { examples: 4, accuracy: 0.5 }, test: { examples: 3, mistakes: 1 } },
    });
    for (const name of CHARTS) {
      const chart = await json(`${name}.json`);
      expect(chart['$schema']).toMatch(/vega-lite/);
      if (name !== 'history') expect(chart['title']).toMatch(/ \(test\)$/);
    }
  });

  it('tell of the validation split where the test split has no examples', async () => {
    const { json } = await setUp({ validation: VALIDATION, test: predictions('t', [], []) });
    expect(await json('evaluation.json')).toMatchObject({
      reportedSplit: 'validation',
      splits: { test: { examples: 0, accuracy: null } },
    });
    expect((await json('roc.json'))['title']).toBe('ROC curves (validation)');
  });

  it('have no report, no charts of examples and no sheet where there are no examples', async () => {
    const { paths, text, json } = await setUp({ validation: predictions('v', [], []) });
    expect(paths).toEqual(
      ['evaluation.json', 'history.json', 'predictions.csv'].map((name) => `models/${name}`),
    );
    expect(await json('evaluation.json')).toMatchObject({ reportedSplit: null });
    expect(await text('predictions.csv')).toBe(
      'LogicalKey,ImageID,Split,Class,Predicted,Probability:Hamburger,"Probability:Sandwich, toasted"\n',
    );
  });

  it('have each prediction, with numbers that read back as they were', async () => {
    const { store, runtime, tree } = await setUp({ validation: VALIDATION, test: TEST });
    const columns = [
      ...(['LogicalKey', 'ImageID', 'Split', 'Class', 'Predicted'] as const),
      ...CLASSES.map((name) => `Probability:${name}` as const),
    ];
    const { digest } = entryAt(tree, 'models/predictions.csv');
    const rows = [];
    for await (const row of readCsv(fileBytes(store.path(digest), runtime.signal), columns)) {
      rows.push(Object.values(row));
    }
    const expected = [VALIDATION, TEST].flatMap((one) =>
      one.examples.map(({ logicalKey, imageId, truth }, index) => {
        const [p = 0, q = 0] = one.probabilities.subarray(2 * index);
        const split = one === TEST ? 'test' : 'validation';
        const predicted = CLASSES[q >= 0.5 ? 1 : 0];
        return [logicalKey, imageId, split, CLASSES[truth], predicted, String(p), String(q)];
      }),
    );
    expect(rows).toEqual(expected);
  });

  it('are the same each time', async () => {
    const { store, subject, tree } = await setUp({ validation: VALIDATION, test: TEST });
    expect(await evaluationFiles(testRuntime({ concurrency: 1 }), store, subject)).toEqual(tree);
  });

  it('have no contact sheet where nothing is wrong', async () => {
    const { paths } = await setUp({ test: predictions('t', [0, 1], [0.1, 0.9]) });
    expect(paths).toEqual(OF_EXAMPLES);
  });

  it('show at most 24 mistakes in rows of six', async () => {
    const truth = Array.from({ length: 40 }, (_, index) => index % 2);
    const wrong = truth.map((index, number) =>
      index === 0 ? 0.55 + number / 100 : 0.45 - number / 100,
    );
    const { store, tree } = await setUp({ test: predictions('t', truth, wrong) });
    const sheet = await store.read(entryAt(tree, 'models/mistakes.jpg').digest);
    expect(await inspectPicture(sheet)).toMatchObject({
      ...{ status: 'ok', format: 'JPEG', widthPx: 846, heightPx: 759 },
    });
  });

  it('are not begun by one whose crops are gone', async () => {
    const { store, subject } = await setUp({ test: TEST });
    const without = { ...subject, crops: [] };
    await expect(evaluationFiles(testRuntime(), store, without)).rejects.toThrow('the tree has no');
  });

  it('are not finished after an abort', async () => {
    const { store, subject } = await setUp({ test: TEST });
    const runtime = testRuntime({ signal: AbortSignal.abort() });
    await expect(evaluationFiles(runtime, store, subject)).rejects.toThrow('abort');
  });

  it('are refused where splits have different classes', async () => {
    const other = { ...TEST, classes: ['Hamburger', 'Hot dog'] };
    await expect(setUp({ validation: VALIDATION, test: other })).rejects.toThrow(
      'different classes',
    );
  });
});

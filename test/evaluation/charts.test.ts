/** Charts as data: that what they draw is there, in order, thinned, and hangs together. */
import { describe, expect, it } from 'vitest';
import { confusionChart, historyChart } from '../../src/evaluation/charts.ts';
import {
  calibrationChart,
  precisionRecallChart,
  rocChart,
} from '../../src/evaluation/curve-charts.ts';
import { evaluate } from '../../src/evaluation/evaluate.ts';
import type { Predictions } from '../../src/evaluation/evaluation.ts';
import { predictionsOf } from '../support/predictions.ts';

type Row = Readonly<Record<string, unknown>>;

/** A chart, or a part of one, as far as it is looked at. */
interface Chart {
  readonly $schema?: string;
  readonly title?: string;
  readonly data?: { readonly values: readonly Row[] };
  readonly mark?: unknown;
  readonly encoding?: Readonly<
    Record<string, { readonly field?: string; readonly scale?: { readonly domain?: unknown } }>
  >;
  readonly layer?: readonly Chart[];
  readonly vconcat?: readonly Chart[];
}

/** What a reader of the JSON file gets. */
function reread(chart: object): Chart {
  return JSON.parse(JSON.stringify(chart)) as Chart;
}

/** Fails where a part encodes a field that its own values, or those of the whole, do not have. */
function expectSound(chart: Chart, inherited: readonly Row[] = [], above: Chart['encoding'] = {}) {
  const rows = chart.data?.values ?? inherited;
  const encoding = { ...above, ...chart.encoding };
  for (const part of [...(chart.layer ?? []), ...(chart.vconcat ?? [])]) {
    expectSound(part, rows, encoding);
  }
  if (chart.mark === undefined) return;
  for (const { field } of Object.values(encoding)) {
    if (field === undefined) continue;
    for (const row of rows) expect(Object.keys(row)).toContain(field);
  }
}

function expectChart(chart: object): Chart {
  const read = reread(chart);
  expect(read.$schema).toMatch(/^https:\/\/vega\.github\.io\/schema\/vega-lite\/v\d+\.json$/);
  // Nothing that JSON turns into something else.
  expect(read).toEqual(chart);
  expectSound(read);
  return read;
}

/** A number in [0, 1) that depends on the index alone. */
function noise(index: number): number {
  const mixed = Math.imul(index ^ (index >>> 7), 0x9e3779b1);
  return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
}

/** Examples of so many classes whose probabilities tell a little. */
function some(examples: number, classCount: number): Predictions {
  const truth = Array.from({ length: examples }, (_, index) => (index * 7) % classCount);
  return predictionsOf({
    classes: Array.from({ length: classCount }, (_, index) => `class "${String(index)}"`),
    truth,
    probabilities: truth.map((own, example) => {
      const weights = Array.from(
        { length: classCount },
        (_, index) => 1 + 2 * noise(example * classCount + index) + (index === own ? 0.4 : 0),
      );
      const sum = weights.reduce((total, one) => total + one, 0);
      return weights.map((one) => one / sum);
    }),
  });
}

describe('the chart of a confusion matrix', () => {
  it('has each cell with its count and its share of the row', () => {
    const chart = expectChart(
      confusionChart(
        ['a', 'b'],
        [
          [3, 1],
          [0, 0],
        ],
        'test',
      ),
    );
    expect(chart.title).toBe('Confusion matrix (test)');
    expect(chart.layer).toHaveLength(2);
    expect(chart.data?.values).toEqual([
      { truth: 'a', predicted: 'a', examples: 3, share: 0.75 },
      { truth: 'a', predicted: 'b', examples: 1, share: 0.25 },
      { truth: 'b', predicted: 'a', examples: 0, share: 0 },
      { truth: 'b', predicted: 'b', examples: 0, share: 0 },
    ]);
    expect(chart.encoding?.['y']?.scale?.domain).toEqual(['a', 'b']);
  });

  it('of many classes leaves out empty cells and words', () => {
    const { classes, confusionMatrix } = evaluate(some(600, 300));
    const chart = expectChart(confusionChart(classes, confusionMatrix, 'test'));
    expect(chart.layer).toHaveLength(1);
    expect(chart.data?.values.length).toBeLessThanOrEqual(600);
  });
});

describe('the ROC chart', () => {
  it('of two classes has one curve, from corner to corner, with its area', () => {
    const predictions = some(60, 2);
    const chart = expectChart(rocChart(predictions, 'validation'));
    const values = chart.layer?.[1]?.data?.values ?? [];
    const area = evaluate(predictions).curves.macroRocAuc?.toFixed(4) ?? '';
    expect(new Set(values.map((row) => row['class']))).toEqual(
      new Set([`class "1" (AUC ${area})`]),
    );
    expect(values[0]).toMatchObject({ order: 0, x: 0, y: 0, threshold: null });
    expect(values.at(-1)).toMatchObject({ x: 1, y: 1 });
  });

  it('has at most 500 points a curve, its ends among them', () => {
    const values = expectChart(rocChart(some(20_000, 2), 'test')).layer?.[1]?.data?.values ?? [];
    expect(values).toHaveLength(500);
    expect(values.map((row) => row['order'])).toEqual([...values.keys()]);
    expect(values[0]).toMatchObject({ x: 0, y: 0 });
    expect(values.at(-1)).toMatchObject({ x: 1, y: 1 });
  });

  it('draws the eight classes with the most examples, and says so', () => {
    const chart = expectChart(rocChart(some(300, 20), 'test'));
    expect(chart.title).toBe('ROC curves, the 8 largest of 20 classes (test)');
    const curves = chart.layer?.[1];
    const names = new Set(curves?.data?.values.map((row) => row['class']));
    expect(names.size).toBe(8);
    expect(curves?.encoding?.['color']?.scale?.domain).toEqual([...names]);
  });

  it('has no curve of a class without examples, nor of no examples', () => {
    const none = { classes: ['a', 'b', 'c'], examples: [], probabilities: new Float64Array(0) };
    for (const chart of [rocChart(none, 'test'), precisionRecallChart(none, 'test')]) {
      expect(expectChart(chart).layer?.at(-1)?.data?.values).toEqual([]);
    }
  });
});

describe('the chart of precision and recall', () => {
  it('goes from full recall to none', () => {
    const values = expectChart(precisionRecallChart(some(60, 3), 'test')).layer?.[0]?.data?.values;
    const first = values?.filter((row) => row['class'] === values[0]?.['class']) ?? [];
    expect(first[0]).toMatchObject({ order: 0, x: 1 });
    expect(first.at(-1)).toMatchObject({ x: 0, y: 1, threshold: null });
  });
});

describe('the chart of calibration', () => {
  it('has a point for each bin with examples', () => {
    const { calibration } = evaluate(some(60, 2));
    const chart = expectChart(calibrationChart(calibration, 'test'));
    const filled = calibration.bins.filter(({ examples }) => examples > 0);
    expect(chart.layer?.[2]?.data?.values).toHaveLength(filled.length);
    expect(chart.title).toMatch(/^Calibration, expected error \d\.\d{4} \(test\)$/);
  });

  it('is drawn of no examples, too', () => {
    const none = evaluate(predictionsOf({ classes: ['a', 'b'], truth: [], probabilities: [] }));
    expect(expectChart(calibrationChart(none.calibration, 'test')).title).toBe(
      'Calibration (test)',
    );
  });
});

describe('the chart of a history', () => {
  it('has a panel a metric, training and validation together, without what is no number', () => {
    const chart = expectChart(
      historyChart([
        {
          epoch: 1,
          loss: 0.7,
          accuracy: 0.5,
          val_loss: 0.69,
          val_accuracy: null,
          learning_rate: 0.1,
        },
        {
          epoch: 2,
          loss: 0.6,
          accuracy: 0.6,
          val_loss: NaN,
          val_accuracy: 0.7,
          learning_rate: 0.1,
        },
      ]),
    );
    expect(chart.vconcat?.map((panel) => panel.data?.values)).toEqual([
      [
        { epoch: 1, series: 'training', value: 0.7 },
        { epoch: 2, series: 'training', value: 0.6 },
        { epoch: 1, series: 'validation', value: 0.69 },
      ],
      [
        { epoch: 1, series: 'training', value: 0.5 },
        { epoch: 2, series: 'training', value: 0.6 },
        { epoch: 2, series: 'validation', value: 0.7 },
      ],
      [
        { epoch: 1, series: 'training', value: 0.1 },
        { epoch: 2, series: 'training', value: 0.1 },
      ],
    ]);
  });

  it('of no epochs has no panels', () => {
    expect(expectChart(historyChart([])).vconcat).toEqual([]);
  });
});

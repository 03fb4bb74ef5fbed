/** Charts as data: the confusion matrix and the history of a training as Vega-Lite. */
import type { ConfusionMatrix } from './metrics.ts';

export const VEGA_LITE = 'https://vega.github.io/schema/vega-lite/v6.json';

/** Colours that people with any colour vision tell apart (Okabe and Ito, 2008). */
const TRAINING_COLOUR = '#0072b2';
const VALIDATION_COLOUR = '#d55e00';

/** Above so many classes, cells are small, hold no words, and stand only where something is. */
const MAX_WORDY_CLASSES = 24;

/**
 * What an epoch gave: `epoch`, and metrics by Keras' names (`loss`, `accuracy`, `learning_rate`),
 * those on validation examples with `val_` before them; null is not drawn.
 */
export type HistoryRow = Readonly<Record<string, number | null>> & { readonly epoch: number };

/** A heat map of a confusion matrix: truth down, prediction across, colour the share of the truth. */
export function confusionChart(
  classes: readonly string[],
  matrix: ConfusionMatrix,
  split: string,
): object {
  const isWordy = classes.length <= MAX_WORDY_CLASSES;
  const values = matrix.flatMap((row, truth) => {
    const support = row.reduce((sum, count) => sum + count, 0);
    return row
      .map((count, predicted) => ({
        truth: classes[truth],
        predicted: classes[predicted],
        examples: count,
        share: support === 0 ? 0 : count / support,
      }))
      .filter(({ examples }) => isWordy || examples > 0);
  });
  const axis = (field: string) => ({ field, type: 'nominal', sort: classes, title: field });
  const cells = {
    mark: { type: 'rect', tooltip: { content: 'data' } },
    encoding: {
      color: {
        field: 'share',
        type: 'quantitative',
        title: 'share of the class',
        scale: { domain: [0, 1], scheme: 'blues' },
        legend: { format: '.0%' },
      },
    },
  };
  const words = {
    mark: { type: 'text', tooltip: { content: 'data' } },
    encoding: {
      text: { field: 'examples', type: 'quantitative' },
      color: { condition: { test: 'datum.share > 0.5', value: 'white' }, value: '#333333' },
    },
  };
  return {
    $schema: VEGA_LITE,
    description: `Examples of the ${split} split by class and predicted class.`,
    title: `Confusion matrix (${split})`,
    width: { step: isWordy ? 56 : 12 },
    height: { step: isWordy ? 40 : 12 },
    data: { values },
    encoding: {
      x: { ...axis('predicted'), scale: { domain: classes } },
      y: { ...axis('truth'), scale: { domain: classes } },
    },
    layer: isWordy ? [cells, words] : [cells],
  };
}

/** Lines of each metric over the epochs, a panel a metric, training and validation together. */
export function historyChart(rows: readonly HistoryRow[]): object {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const metrics = new Set(
    columns.filter((column) => column !== 'epoch').map((column) => column.replace(/^val_/, '')),
  );
  return {
    $schema: VEGA_LITE,
    description: 'What each epoch of the training gave.',
    title: 'Training history',
    vconcat: [...metrics].map((metric) => historyPanel(rows, metric)),
  };
}

function historyPanel(rows: readonly HistoryRow[], metric: string): object {
  const series = [
    { name: 'training', column: metric },
    { name: 'validation', column: `val_${metric}` },
  ].filter(({ column }) => rows.some((row) => column in row));
  const values = series.flatMap(({ name, column }) =>
    rows.flatMap((row) => {
      const value = row[column];
      if (value === undefined || value === null || !Number.isFinite(value)) return [];
      return [{ epoch: row.epoch, series: name, value }];
    }),
  );
  const domain = ['training', 'validation'];
  const range = [TRAINING_COLOUR, VALIDATION_COLOUR];
  return {
    width: 480,
    height: 160,
    data: { values },
    mark: { type: 'line', point: true, tooltip: { content: 'data' } },
    encoding: {
      x: { field: 'epoch', type: 'quantitative', axis: { tickMinStep: 1 }, scale: { zero: false } },
      y: {
        field: 'value',
        type: 'quantitative',
        title: metric.replaceAll('_', ' '),
        scale: { zero: false },
      },
      color: { field: 'series', type: 'nominal', title: null, scale: { domain, range } },
    },
  };
}

/** The classification report as text, byte for byte what scikit-learn prints. */
import { invariant } from '../runtime/errors.ts';
import type { Averages, ClassScores, Scores } from './metrics.ts';

const HEADERS = ['precision', 'recall', 'f1-score', 'support'];
const CELL_WIDTH = 9;
const LONGEST_AVERAGE = 'weighted avg';

/**
 * A table of the scores of each class and their averages, as of `classification_report(truth,
 * predicted, labels=all, target_names=names, digits=4, zero_division=0)`; names are aligned by code
 * points, as Python counts them.
 */
export function classificationReport(classes: readonly ClassScores[], averages: Averages): string {
  const names = [...classes.map((one) => one.class), LONGEST_AVERAGE];
  const width = Math.max(...names.map((name) => Array.from(name).length));
  const line = (name: string, cells: readonly string[]) =>
    `${alignRight(name, width)} ${cells.map((cell) => ` ${alignRight(cell, CELL_WIDTH)}`).join('')}\n`;
  const { micro, macro, weighted } = averages;
  // Where nothing is said right, scikit-learn counts in floating point, and prints it so.
  const count = (support: number) => (micro.recall === 0 ? support.toFixed(1) : String(support));
  const row = (name: string, { precision, recall, f1, support }: Scores) =>
    line(name, [...[precision, recall, f1].map(formatFraction), count(support)]);
  return [
    line('', HEADERS),
    '\n',
    ...classes.map((one) => row(one.class, one)),
    '\n',
    // All classes are in the table, so the micro average is the accuracy.
    line('accuracy', ['', '', formatFraction(micro.f1), count(micro.support)]),
    row('macro avg', macro),
    row(LONGEST_AVERAGE, weighted),
  ].join('');
}

/**
 * A number in [0, 1] with four digits as Python's `format(x, '.4f')`: the nearest such number to the
 * exact value, of two equally near ones the one with an even last digit. `toFixed` is exact too, but
 * takes the larger of two; only odd multiples of 1/32 lie half way.
 */
export function formatFraction(value: number): string {
  invariant(value >= 0 && value <= 1, `${String(value)} is not a fraction`);
  const halfWay = (value * 32) % 2 === 1;
  if (!halfWay) return value.toFixed(4);
  const below = Math.floor(value * 10_000);
  return ((below + (below % 2)) / 10_000).toFixed(4);
}

function alignRight(text: string, width: number): string {
  return ' '.repeat(Math.max(0, width - Array.from(text).length)) + text;
}

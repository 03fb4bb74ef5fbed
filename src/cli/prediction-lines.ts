/** Predictions as lines of a table whose widths are known before its first row. */
import { isFailure, type PhotoPrediction } from '../index.ts';
import { printable } from './printable.ts';

interface TableOptions {
  readonly photos: readonly string[];
  readonly classes: readonly string[];
  /** Whether every class's probability is told or that of the predicted one. */
  readonly told: 'all' | 'predicted';
}

/** Makes lines of photo, class and probability, then the box and all probabilities where there are such. */
export function predictionLines(options: TableOptions): (row: PhotoPrediction) => string {
  const photoWidth = widestOf(options.photos);
  const classWidth = widestOf(options.classes);
  return (row) => {
    if (isFailure(row)) return describeFailure(row);
    const cells = [
      printable(row.photo).padEnd(photoWidth),
      printable(row.class).padEnd(classWidth),
      row.probability.toFixed(4),
    ];
    if (row.box !== undefined) cells.push(describeBox(row.box));
    if (options.told === 'all') {
      for (const [name, probability] of Object.entries(row.probabilities)) {
        cells.push(`${printable(name)} ${probability.toFixed(4)}`);
      }
    }
    return cells.join('  ');
  };
}

/** Why a photo or a box of it has no row. */
export function describeFailure(row: PhotoPrediction & { readonly error: string }): string {
  const box = row.box === undefined ? '' : `, box ${describeBox(row.box)}`;
  return `${printable(row.photo)}${box}: ${printable(row.error)}`;
}

function describeBox({ xMin, xMax, yMin, yMax }: NonNullable<PhotoPrediction['box']>): string {
  return [xMin, xMax, yMin, yMax].map(String).join(',');
}

function widestOf(texts: readonly string[]): number {
  return texts.reduce((widest, text) => Math.max(widest, printable(text).length), 0);
}

/** The examples of a data set as a classifier takes them: by split, with classes as numbers. */
import type { ExampleSource } from '../classifier/batches.ts';
import { PkgError } from '../runtime/errors.ts';
import type { ExampleRow, Examples } from './example-reader.ts';
import type { SplitName } from './split.ts';

/** The classes of examples, in the order of a network's outputs: by code unit. */
export function classesOf(rows: readonly ExampleRow[]): readonly string[] {
  return [...new Set(rows.map(({ className }) => className))].sort();
}

/** How many examples of a split each class has. */
export function countClasses(
  rows: readonly ExampleRow[],
  split: SplitName,
  classes: readonly string[],
): readonly number[] {
  const chosen = rows.filter((row) => row.split === split);
  return classes.map((name) => chosen.filter(({ className }) => className === name).length);
}

/** The rows of a split, in the order of its source. */
export function rowsOf({ rows }: Examples, split: SplitName): readonly ExampleRow[] {
  return rows.filter((row) => row.split === split);
}

/** The examples of one split, numbered from 0. */
export function sourceOf(
  examples: Examples,
  split: SplitName,
  classes: readonly string[],
  shape: readonly [number, number, number],
): ExampleSource {
  const indices = [...examples.rows.keys()].filter(
    (index) => examples.rows[index]?.split === split,
  );
  const labels = Int32Array.from(indices, (index) =>
    classes.indexOf(examples.rows[index]?.className ?? ''),
  );
  return {
    count: indices.length,
    shape,
    labels,
    async read(index, into) {
      await examples.read(indices[index] ?? -1, into);
    },
  };
}

/** Fails where nothing is left to train on. */
export function checkTrainable(examples: Examples): void {
  if (examples.rows.some(({ split }) => split === 'train')) return;
  throw new PkgError('manifest', 'there is no crop to train on', {
    key: 'data.split',
    hint: 'Select more images, or lower data.split.validation and data.split.test.',
  });
}

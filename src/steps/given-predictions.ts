/** Predictions that a training leaves behind, for a classifier that only its own training can run. */
import type { Predictions } from '../evaluation/evaluation.ts';
import { PkgError } from '../runtime/errors.ts';
import type { Store } from '../store/store.ts';
import { entryAt, type Tree, treeOf } from '../store/tree.ts';
import type { Examples } from './example-reader.ts';
import { rowsOf } from './training-data.ts';

/** The splits that are predicted. */
export const PREDICTED_SPLITS = ['validation', 'test'] as const;

type PredictedSplit = (typeof PREDICTED_SPLITS)[number];

/** The outputs of a network for the examples of each split, in their order: float32 [examples, units]. */
export type Outputs = Readonly<Record<PredictedSplit, Float32Array>>;

/** A tree of `validation.bin` and `test.bin`, little-endian. */
export async function writeOutputs(store: Store, outputs: Outputs): Promise<Tree> {
  const entries = [];
  for (const split of PREDICTED_SPLITS) {
    const { buffer, byteOffset, byteLength } = outputs[split];
    const content = await store.putBytes(new Uint8Array(buffer, byteOffset, byteLength));
    entries.push({ path: `${split}.bin`, ...content });
  }
  return treeOf(entries);
}

/**
 * Reads the predictions of a split.
 * @throws PkgError `integrity` where they are of other examples or classes.
 */
export async function readPredictions(
  store: Store,
  tree: Tree,
  split: PredictedSplit,
  { classes, threshold, examples }: PredictedOf,
): Promise<Predictions> {
  const bytes = Uint8Array.from(await store.read(entryAt(tree, `${split}.bin`).digest));
  const rows = rowsOf(examples, split);
  const outputs = new Float32Array(bytes.buffer, 0, Math.floor(bytes.length / 4));
  const units = rows.length === 0 ? classes.length : outputs.length / rows.length;
  const isSingle = units === 1 && classes.length === 2;
  if ((units !== classes.length && !isSingle) || bytes.length % 4 !== 0) {
    throw new PkgError(
      'integrity',
      `the predictions of the ${split} split do not fit its examples`,
    );
  }
  // One sigmoid is the probability of the second class.
  const probabilities = isSingle
    ? Float64Array.from({ length: 2 * rows.length }, (_, index) => {
        const value = outputs[index >> 1] ?? 0;
        return index % 2 === 0 ? 1 - value : value;
      })
    : Float64Array.from(outputs);
  return {
    classes,
    examples: rows.map(({ logicalKey, imageId, className }) => ({
      logicalKey,
      imageId,
      truth: classes.indexOf(className),
    })),
    probabilities,
    ...(classes.length === 2 ? { threshold } : {}),
  };
}

export interface PredictedOf {
  readonly classes: readonly string[];
  readonly threshold: number;
  readonly examples: Examples;
}

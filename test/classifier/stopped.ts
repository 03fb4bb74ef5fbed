/** Runs early stopping over a history of a monitored value. */
import {
  advance,
  type EarlyStopping,
  isOver,
  type Progress,
} from '../../src/classifier/early-stopping.ts';

export interface Stopped {
  /** Epochs that were trained. */
  readonly epochs: number;
  /** From 1. */
  readonly bestEpoch: number;
}

export function stopped(stopping: EarlyStopping, values: readonly number[]): Stopped {
  let progress: Progress | undefined;
  for (const [index, value] of values.entries()) {
    progress = advance(stopping, progress, index + 1, value);
    if (isOver(stopping, progress, index + 1)) {
      return { epochs: index + 1, bestEpoch: progress.bestEpoch };
    }
  }
  return { epochs: values.length, bestEpoch: progress?.bestEpoch ?? NaN };
}

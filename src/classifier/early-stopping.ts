/** Early stopping: when a training ends before its last epoch, as Keras' EarlyStopping has it. */

export interface EarlyStopping {
  readonly monitor: 'val_loss' | 'val_accuracy' | 'loss' | 'accuracy';
  /** Epochs without an improvement after which training ends. */
  readonly patience: number;
  /** An improvement is at least this large. */
  readonly minDelta: number;
  readonly restoreBest: boolean;
}

/** The best epoch so far, from 1, and how many epochs brought nothing better since. */
export interface Progress {
  readonly bestEpoch: number;
  readonly best: number;
  readonly waited: number;
}

/** Brings the progress on by an epoch's monitored value. */
export function advance(
  { monitor, minDelta }: EarlyStopping,
  before: Progress | undefined,
  epoch: number,
  value: number,
): Progress {
  const sign = monitor.endsWith('accuracy') ? -1 : 1;
  if (before === undefined || sign * value + minDelta < sign * before.best) {
    return { bestEpoch: epoch, best: value, waited: 0 };
  }
  return { ...before, waited: before.waited + 1 };
}

/** Whether training ends after this epoch. */
export function isOver({ patience }: EarlyStopping, progress: Progress, epoch: number): boolean {
  return progress.waited >= patience && progress.waited > 0 && epoch > 1;
}

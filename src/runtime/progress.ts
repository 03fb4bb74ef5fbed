/** Counting work while it goes on, and telling the reporter. */
import type { Runtime, TrainingFigures } from './runtime.ts';

export interface Progress {
  /** One more piece is done, or `pieces`; `sizeBytes` moved for it. */
  advance(step?: Step): void;
  finish(summary: string): void;
}

interface Step {
  readonly pieces?: number;
  readonly sizeBytes?: number;
  readonly failed?: boolean;
  readonly training?: TrainingFigures;
}

/** Announces a task of `total` pieces (undefined while unknown) and counts them as they end. */
export function startProgress(runtime: Runtime, task: string, total: number | undefined): Progress {
  let done = 0;
  let sizeBytes = 0;
  let failed = 0;
  runtime.report({ kind: 'started', task, total });
  return {
    advance(step = {}) {
      done += step.pieces ?? 1;
      sizeBytes += step.sizeBytes ?? 0;
      failed += step.failed === true ? 1 : 0;
      const training = step.training === undefined ? {} : { training: step.training };
      runtime.report({ kind: 'advanced', task, done, total, sizeBytes, failed, ...training });
    },
    finish(summary) {
      runtime.report({ kind: 'finished', task, summary });
    },
  };
}

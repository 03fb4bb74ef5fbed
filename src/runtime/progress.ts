/** Counting work while it goes on, and telling the reporter. */
import type { Runtime } from './runtime.ts';

export interface Progress {
  /** One more piece is done; `sizeBytes` moved for it. */
  advance(step?: { readonly sizeBytes?: number; readonly failed?: boolean }): void;
  finish(summary: string): void;
}

/** Announces a task of `total` pieces (undefined while unknown) and counts them as they end. */
export function startProgress(runtime: Runtime, task: string, total: number | undefined): Progress {
  let done = 0;
  let sizeBytes = 0;
  let failed = 0;
  runtime.report({ kind: 'started', task, total });
  return {
    advance(step = {}) {
      done++;
      sizeBytes += step.sizeBytes ?? 0;
      failed += step.failed === true ? 1 : 0;
      runtime.report({ kind: 'advanced', task, done, total, sizeBytes, failed });
    },
    finish(summary) {
      runtime.report({ kind: 'finished', task, summary });
    },
  };
}

/** What a running command is given from outside: signal, clock, randomness, reporter, workers. */
import { setMaxListeners } from 'node:events';
import { availableParallelism } from 'node:os';

/** Time as a command sees it; never part of anything hashed. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Resolves after `delayMs`, or rejects with the signal's reason. */
  sleep(delayMs: number, signal: AbortSignal): Promise<void>;
}

/** What happens while a command runs: names and numbers only, for a terminal or a log to render. */
export type ProgressEvent =
  | { readonly kind: 'started'; readonly task: string; readonly total: number | undefined }
  | {
      readonly kind: 'advanced';
      readonly task: string;
      readonly done: number;
      readonly total: number | undefined;
      readonly sizeBytes: number;
      readonly failed: number;
      /** Of a training: where it stands. */
      readonly training?: TrainingFigures;
    }
  | { readonly kind: 'finished'; readonly task: string; readonly summary: string }
  | { readonly kind: 'noted'; readonly message: string }
  | { readonly kind: 'warned'; readonly message: string };

/** How a training goes; loss and accuracy are those of the epoch so far. */
export interface TrainingFigures {
  /** From 1. */
  readonly epoch: number;
  readonly epochs: number;
  readonly iteration: number;
  readonly loss: number;
  readonly accuracy: number;
}

export type Reporter = (event: ProgressEvent) => void;

export interface Runtime {
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /** A number in [0, 1) for jitter; never part of anything hashed. */
  readonly random: () => number;
  readonly report: Reporter;
  /** How many pictures, hashes and the like are worked on at once. */
  readonly concurrency: number;
}

/** The real clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (delayMs, signal) =>
    new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const onAbort = () => {
        clearTimeout(timer);
        reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
      };
      const timer = setTimeout(() => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      }, delayMs);
      signal.addEventListener('abort', onAbort, { once: true });
    }),
};

/** A runtime on the real clock; unspecified parts get the machine's values and a silent reporter. */
export function createRuntime(parts: Partial<Runtime> = {}): Runtime {
  const signal = parts.signal ?? new AbortController().signal;
  // Every stream and request listens to it; there may be hundreds at once.
  setMaxListeners(0, signal);
  return {
    signal,
    clock: systemClock,
    random: Math.random,
    report: () => undefined,
    concurrency: availableParallelism(),
    ...parts,
  };
}

/** A clock on which nobody waits: sleepers wake in the order of their times, as fast as may be. */
import type { Clock } from '../../src/runtime/runtime.ts';

export interface FakeClock extends Clock {
  /** The delays asked for so far, in order. */
  readonly sleeps: readonly number[];
}

interface Sleeper {
  readonly wakeMs: number;
  readonly wake: () => void;
}

export function fakeClock(startMs: number = Date.UTC(2024, 0, 1)): FakeClock {
  let nowMs = startMs;
  const sleeps: number[] = [];
  const sleepers: Sleeper[] = [];
  const wakeNext = () => {
    sleepers.sort((a, b) => a.wakeMs - b.wakeMs);
    const next = sleepers.shift();
    if (next === undefined) return;
    nowMs = Math.max(nowMs, next.wakeMs);
    next.wake();
    if (sleepers.length > 0) setImmediate(wakeNext);
  };
  return {
    sleeps,
    now: () => nowMs,
    sleep: (delayMs, signal) =>
      new Promise((resolve, reject) => {
        signal.throwIfAborted();
        sleeps.push(delayMs);
        signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
        sleepers.push({ wakeMs: nowMs + delayMs, wake: resolve });
        if (sleepers.length === 1) setImmediate(wakeNext);
      }),
  };
}

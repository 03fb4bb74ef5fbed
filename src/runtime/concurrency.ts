/** Doing several things at once, within a limit, with results in input order. */

/**
 * Applies `fn` to each item, at most `limit` at a time, and yields the results in input order. At
 * most `2 * limit` results wait for a slow one before them. The first failure ends the iteration;
 * calls already running are awaited before it is thrown, so nothing works on behind the caller's
 * back.
 */
export async function* mapLimit<T, U>(
  items: Iterable<T> | AsyncIterable<T>,
  limit: number,
  fn: (item: T) => Promise<U>,
): AsyncGenerator<U> {
  const window: Promise<U>[] = [];
  const running = new Set<Promise<unknown>>();
  try {
    for await (const item of items) {
      while (running.size >= limit) await Promise.race(running);
      const result = fn(item);
      const settled: Promise<unknown> = result.then(
        () => running.delete(settled),
        () => running.delete(settled),
      );
      running.add(settled);
      window.push(result);
      if (window.length >= 2 * limit) yield await takeFirst(window);
    }
    while (window.length > 0) yield await takeFirst(window);
  } finally {
    await Promise.allSettled(window);
  }
}

function takeFirst<U>(window: Promise<U>[]): Promise<U> {
  const first = window.shift();
  if (first === undefined) throw new Error('invariant broken: empty window');
  return first;
}

/**
 * Applies `fn` to each item, at most `limit` at a time, in whatever order they end: a slow one holds
 * up nobody. The first failure ends it, once the calls already running have ended.
 */
export async function eachLimit<T>(
  items: Iterable<T> | AsyncIterable<T>,
  limit: number,
  fn: (item: T) => Promise<void>,
): Promise<void> {
  const running = new Set<Promise<void>>();
  const failures: unknown[] = [];
  const start = async (item: T): Promise<void> => {
    try {
      await fn(item);
    } catch (error) {
      failures.push(error);
    }
  };
  try {
    for await (const item of items) {
      while (running.size >= limit) await Promise.race(running);
      if (failures.length > 0) break;
      const settled: Promise<void> = start(item).then(() => void running.delete(settled));
      running.add(settled);
    }
  } finally {
    await Promise.all(running);
  }
  if (failures.length > 0) throw failures[0];
}

/** Runs tasks while the sum of their weights stays within `capacity`; the rest wait in order. */
export interface WeightLimit {
  run<T>(weight: number, task: () => Promise<T>): Promise<T>;
}

/**
 * A limit on a shared resource, such as decoded bytes in memory. A task heavier than the whole
 * capacity runs alone.
 */
export function weightLimit(capacity: number): WeightLimit {
  let used = 0;
  const waiting: { readonly weight: number; readonly start: () => void }[] = [];
  const admit = () => {
    for (let next = waiting[0]; next !== undefined; next = waiting[0]) {
      if (used > 0 && used + next.weight > capacity) return;
      waiting.shift();
      used += next.weight;
      next.start();
    }
  };
  return {
    async run(weight, task) {
      await new Promise<void>((start) => {
        waiting.push({ weight, start });
        admit();
      });
      try {
        return await task();
      } finally {
        used -= weight;
        admit();
      }
    },
  };
}

/** mapLimit, eachLimit and weightLimit: order, limits and what a failure leaves behind. */
import { describe, expect, it } from 'vitest';
import { eachLimit, mapLimit, weightLimit } from '../../src/runtime/concurrency.ts';

const later = (delayMs: number) => new Promise<void>((resolve) => setTimeout(resolve, delayMs));

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** Counts how many calls run at once. */
function meter() {
  const seen = { running: 0, most: 0, started: 0, ended: 0 };
  const around = async <T>(work: () => Promise<T>): Promise<T> => {
    seen.started++;
    seen.running++;
    seen.most = Math.max(seen.most, seen.running);
    try {
      return await work();
    } finally {
      seen.running--;
      seen.ended++;
    }
  };
  return { seen, around };
}

async function* slowly(count: number): AsyncGenerator<number> {
  for (let item = 0; item < count; item++) {
    await later(1);
    yield item;
  }
}

describe('mapLimit', () => {
  it('gives the results in input order, however the calls end', async () => {
    const delays = [12, 1, 8, 0, 5, 3, 9, 2];
    const results = await collect(
      mapLimit(delays, 3, async (delayMs) => {
        await later(delayMs);
        return delayMs;
      }),
    );
    expect(results).toEqual(delays);
  });

  it.each([1, 2, 5])('runs %i calls at once and never more', async (limit) => {
    const { seen, around } = meter();
    const items = Array.from({ length: 40 }, (_, index) => index);
    await eachLimit(items, limit, (item) => around(() => later((item * 7) % 5)));
    expect(seen).toEqual({ running: 0, most: limit, started: 40, ended: 40 });
  });

  it('reads no further ahead of a slow first result than twice the limit', async () => {
    const { seen, around } = meter();
    let release: () => void = () => undefined;
    const first = new Promise<void>((resolve) => {
      release = resolve;
    });
    const items = Array.from({ length: 100 }, (_, index) => index);
    const results = mapLimit(items, 4, (item) => around(() => (item === 0 ? first : later(0))));
    const taken = collect(results);
    await later(50);
    expect(seen.started).toBeLessThanOrEqual(8);
    release();
    expect(await taken).toHaveLength(100);
  });

  it('works on an async iterable and on an empty one', async () => {
    const double = (item: number) => Promise.resolve(2 * item);
    expect(await collect(mapLimit(slowly(5), 2, double))).toEqual([0, 2, 4, 6, 8]);
    expect(await collect(mapLimit([], 2, double))).toEqual([]);
  });

  it('throws the first failure, starts nothing more and lets nothing run on', async () => {
    const { seen, around } = meter();
    const items = Array.from({ length: 100 }, (_, index) => index);
    const results: number[] = [];
    const run = async () => {
      for await (const item of mapLimit(items, 3, (item) =>
        around(async () => {
          await later(2 + (item % 3));
          if (item === 10) throw new Error('the eleventh broke');
          return item;
        }),
      )) {
        results.push(item);
      }
    };
    await expect(run()).rejects.toThrow('the eleventh broke');
    const started = seen.started;
    expect(results).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(seen.running).toBe(0);
    expect(started).toBeLessThan(20);
    await later(20);
    expect(seen.started).toBe(started);
  });

  it('ends with the failure of the input, after the running calls', async () => {
    const { seen, around } = meter();
    const broken = async function* () {
      yield* slowly(3);
      throw new Error('no more input');
    };
    const run = collect(mapLimit(broken(), 5, () => around(() => later(10))));
    await expect(run).rejects.toThrow('no more input');
    expect(seen).toMatchObject({ running: 0, started: 3, ended: 3 });
  });

  it('awaits running calls and closes the input when the consumer leaves early', async () => {
    const { seen, around } = meter();
    let closed = false;
    const input = async function* () {
      try {
        yield* slowly(100);
      } finally {
        closed = true;
      }
    };
    for await (const _ of mapLimit(input(), 4, () => around(() => later(5)))) break;
    expect(seen.running).toBe(0);
    expect(seen.started).toBeLessThanOrEqual(9);
    expect(closed).toBe(true);
  });
});

describe('eachLimit', () => {
  it('lets a slow call hold up no other', async () => {
    const ended: number[] = [];
    await eachLimit([50, 1, 2, 3, 4, 5], 2, async (delayMs) => {
      await later(delayMs);
      ended.push(delayMs);
    });
    expect(ended.at(-1)).toBe(50);
    expect(ended).toHaveLength(6);
  });

  it('throws the first failure, starts nothing more and lets nothing run on', async () => {
    const { seen, around } = meter();
    const items = Array.from({ length: 100 }, (_, index) => index);
    const run = eachLimit(items, 3, (item) =>
      around(async () => {
        await later(item === 5 ? 1 : 8);
        if (item === 5) throw new Error('the sixth broke');
      }),
    );
    await expect(run).rejects.toThrow('the sixth broke');
    expect(seen.running).toBe(0);
    expect(seen.started).toBeLessThan(12);
  });

  it('ends with the failure of the input, after the running calls', async () => {
    const { seen, around } = meter();
    const broken = async function* () {
      yield* slowly(3);
      throw new Error('no more input');
    };
    const run = eachLimit(broken(), 5, () => around(() => later(10)));
    await expect(run).rejects.toThrow('no more input');
    expect(seen).toMatchObject({ running: 0, started: 3, ended: 3 });
  });

  it('ends with a failure that comes at once, after the running calls', async () => {
    const { seen, around } = meter();
    const run = eachLimit([1, 2, 3, 4], 4, (item) => {
      if (item === 3) throw new Error('broken before it began');
      return around(() => later(10));
    });
    await expect(run).rejects.toThrow('broken before it began');
    expect(seen.running).toBe(0);
  });
});

describe('weightLimit', () => {
  it('never lets more weight run than its capacity, and runs everything', async () => {
    const limit = weightLimit(10);
    let used = 0;
    let most = 0;
    const weights = [4, 7, 2, 9, 1, 1, 10, 3, 5, 6, 2, 8];
    const ended = await Promise.all(
      weights.map((weight) =>
        limit.run(weight, async () => {
          used += weight;
          most = Math.max(most, used);
          await later(weight % 4);
          used -= weight;
          return weight;
        }),
      ),
    );
    expect(ended).toEqual(weights);
    expect(most).toBeLessThanOrEqual(10);
    expect(most).toBeGreaterThan(7);
  });

  it('runs a task heavier than the capacity alone, in its turn', async () => {
    const limit = weightLimit(10);
    const order: string[] = [];
    const running = new Set<string>();
    const task = (name: string, weight: number) =>
      limit.run(weight, async () => {
        running.add(name);
        order.push(`${name} beside ${String(running.size - 1)}`);
        await later(3);
        running.delete(name);
      });
    await Promise.all([task('a', 6), task('huge', 50), task('b', 1), task('c', 2)]);
    expect(order).toEqual(['a beside 0', 'huge beside 0', 'b beside 0', 'c beside 1']);
  });

  it('gives the weight of a failed task back', async () => {
    const limit = weightLimit(3);
    const broken = limit.run(3, () => Promise.reject(new Error('broken task')));
    await expect(broken).rejects.toThrow('broken task');
    expect(await limit.run(3, () => Promise.resolve('next'))).toBe('next');
  });
});

/** The gate to one host: how many requests at once, how many a second, and pauses. */
import { describe, expect, it } from 'vitest';
import { HostGate } from '../../src/http/host-gate.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { testRuntime } from '../support/runtime.ts';

const START_MS = 1_700_000_000_000;

/** Takes turns for tasks of some virtual length and notes when each began. */
async function startsOf(
  limits: { concurrency: number; requestsPerSecond: number },
  tasks: readonly number[],
  during: (gate: HostGate, index: number) => void = () => undefined,
) {
  const clock = fakeClock(START_MS);
  const runtime = testRuntime({ clock });
  const gate = new HostGate(runtime, limits);
  const seen = { running: 0, most: 0, starts: [] as number[] };
  await Promise.all(
    tasks.map((lengthMs, index) =>
      gate.take(async () => {
        seen.starts.push(clock.now() - START_MS);
        seen.running++;
        seen.most = Math.max(seen.most, seen.running);
        during(gate, index);
        await clock.sleep(lengthMs, runtime.signal);
        seen.running--;
      }),
    ),
  );
  return seen;
}

describe('the pace towards a host', () => {
  it('spaces the starts evenly, as often a second as allowed', async () => {
    const { starts } = await startsOf(
      { concurrency: 100, requestsPerSecond: 5 },
      Array.from({ length: 11 }, () => 10),
    );
    expect(starts).toEqual(Array.from({ length: 11 }, (_, index) => 200 * index));
  });

  it('holds for less than one request a second', async () => {
    const { starts } = await startsOf({ concurrency: 4, requestsPerSecond: 0.5 }, [1, 1, 1]);
    expect(starts).toEqual([0, 2000, 4000]);
  });

  it('does not save up turns while nobody asks', async () => {
    const clock = fakeClock(START_MS);
    const runtime = testRuntime({ clock });
    const gate = new HostGate(runtime, { concurrency: 10, requestsPerSecond: 10 });
    await gate.take(() => Promise.resolve());
    await clock.sleep(60_000, runtime.signal);
    const starts: number[] = [];
    const note = () => Promise.resolve(void starts.push(clock.now() - START_MS));
    await Promise.all([gate.take(note), gate.take(note), gate.take(note)]);
    expect(starts).toEqual([60_000, 60_100, 60_200]);
  });
});

describe('the number of requests at once', () => {
  it.each([1, 3])('reaches %i and never more', async (concurrency) => {
    const lengths = Array.from({ length: 20 }, (_, index) => 10 + ((index * 37) % 50));
    const { most, starts } = await startsOf({ concurrency, requestsPerSecond: 1e9 }, lengths);
    expect(most).toBe(concurrency);
    expect(starts).toHaveLength(20);
  });

  it('is given back by a task that fails', async () => {
    const gate = new HostGate(testRuntime(), { concurrency: 1, requestsPerSecond: 1e9 });
    await expect(gate.take(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    expect(await gate.take(() => Promise.resolve('next'))).toBe('next');
  });

  it('is given back by those who wait, when the command is aborted', async () => {
    const controller = new AbortController();
    const runtime = testRuntime({ signal: controller.signal });
    const gate = new HostGate(runtime, { concurrency: 2, requestsPerSecond: 0.001 });
    const takes = Array.from({ length: 5 }, () => gate.take(() => Promise.resolve('spoke')));
    controller.abort(new Error('stop'));
    const results = await Promise.allSettled(takes);
    expect(results.map(({ status }) => status)).toEqual([
      'fulfilled',
      ...Array.from({ length: 4 }, () => 'rejected'),
    ]);
  });
});

describe('a pause that the host asks for', () => {
  it('holds back everybody, also those whose turn was near', async () => {
    const { starts } = await startsOf(
      { concurrency: 10, requestsPerSecond: 10 },
      [1, 1, 1, 1],
      (gate, index) => {
        if (index === 1) gate.pause(5000);
      },
    );
    expect(starts.slice(0, 2)).toEqual([0, 100]);
    expect(starts.slice(2).every((start) => start >= 5100)).toBe(true);
  });

  it('is never shortened by a later, shorter one', async () => {
    const { starts } = await startsOf(
      { concurrency: 10, requestsPerSecond: 1000 },
      [1, 1],
      (gate, index) => {
        if (index > 0) return;
        gate.pause(5000);
        gate.pause(10);
      },
    );
    expect(starts[1]).toBeGreaterThanOrEqual(5000);
  });

  it('slows the pace, which comes back with good answers', async () => {
    const clock = fakeClock(START_MS);
    const runtime = testRuntime({ clock });
    const gate = new HostGate(runtime, { concurrency: 1, requestsPerSecond: 10 });
    const intervalMs = async () => {
      await gate.take(() => Promise.resolve());
      const before = clock.now();
      await gate.take(() => Promise.resolve());
      return clock.now() - before;
    };
    expect(await intervalMs()).toBeCloseTo(100);
    gate.pause(0);
    expect(await intervalMs()).toBeGreaterThan(120);
    for (let i = 0; i < 20; i++) gate.noteAnswer();
    await gate.take(() => Promise.resolve());
    expect(await intervalMs()).toBeCloseTo(100);
  });
});

describe('a silent host', () => {
  it('counts as down after three failures in a row, and not before', () => {
    const gate = new HostGate(testRuntime(), { concurrency: 1, requestsPerSecond: 1 });
    gate.noteFailure();
    gate.noteFailure();
    gate.noteAnswer();
    gate.noteFailure();
    gate.noteFailure();
    expect(gate.isDown).toBe(false);
    gate.noteFailure();
    expect(gate.isDown).toBe(true);
  });
});

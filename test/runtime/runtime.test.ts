/** The runtime a command is given, and the progress it reports. */
import { describe, expect, it } from 'vitest';
import { startProgress } from '../../src/runtime/progress.ts';
import { createRuntime, systemClock } from '../../src/runtime/runtime.ts';
import { testRuntime } from '../support/runtime.ts';

describe('createRuntime', () => {
  it('takes the parts it is given and fills in the rest', () => {
    const random = () => 0.25;
    const runtime = createRuntime({ random, concurrency: 7 });
    expect([runtime.random, runtime.concurrency]).toEqual([random, 7]);
    expect(runtime.signal.aborted).toBe(false);
    expect(runtime.clock).toBe(systemClock);
  });
});

describe('the system clock', () => {
  it('ends a sleep with the reason of an abort, before or during it', async () => {
    const controller = new AbortController();
    const during = systemClock.sleep(600_000, controller.signal);
    controller.abort(new Error('enough'));
    await expect(during).rejects.toThrow('enough');
    await expect(systemClock.sleep(1, controller.signal)).rejects.toThrow('enough');
  });

  it('sleeps at least as long as it is asked to, but for the timer’s own grain', async () => {
    const startMs = performance.now();
    await systemClock.sleep(30, new AbortController().signal);
    expect(performance.now() - startMs).toBeGreaterThanOrEqual(29);
  });
});

describe('startProgress', () => {
  it('counts pieces, bytes and failures for the reporter', () => {
    const runtime = testRuntime();
    const progress = startProgress(runtime, 'fetch', 2);
    progress.advance({ sizeBytes: 10 });
    progress.advance({ sizeBytes: 5, failed: true });
    progress.finish('done');
    expect(runtime.events).toEqual([
      { kind: 'started', task: 'fetch', total: 2 },
      { kind: 'advanced', task: 'fetch', done: 1, total: 2, sizeBytes: 10, failed: 0 },
      { kind: 'advanced', task: 'fetch', done: 2, total: 2, sizeBytes: 15, failed: 1 },
      { kind: 'finished', task: 'fetch', summary: 'done' },
    ]);
  });
});

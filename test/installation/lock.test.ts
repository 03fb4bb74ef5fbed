/** One command at a time in a folder, and nobody waits for the dead. */
import { spawnSync } from 'node:child_process';
import { readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { withLock } from '../../src/installation/lock.ts';
import { failureOf } from '../registry/registry-contract.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { testRuntime } from '../support/runtime.ts';
import { temporaryFolder } from '../support/temporary.ts';

async function lockIn() {
  const folder = await temporaryFolder();
  return { folder, path: join(folder, 'lock') };
}

/** What a holder writes, as one does it. */
async function holderText(path: string): Promise<{ pid: number; host: string; id: string }> {
  return await withLock(
    testRuntime(),
    path,
    'it',
    async () => JSON.parse(await readFile(path, 'utf8')) as never,
  );
}

it('lets one work at a time, tells the others whom they wait for, and leaves nothing', async () => {
  const { folder, path } = await lockIn();
  let working = 0;
  const runtime = testRuntime();
  const works = Array.from({ length: 5 }, async () =>
    withLock(runtime, path, 'the folder', async () => {
      expect(++working).toBe(1);
      await new Promise((later) => setTimeout(later, 20));
      working--;
    }),
  );
  await Promise.all(works);
  const notes = runtime.events.filter(({ kind }) => kind === 'warned');
  expect(notes.length).toBeGreaterThan(0);
  expect(notes[0]).toMatchObject({
    message: `waiting for another command at work in the folder (process ${String(process.pid)})`,
  });
  expect(await readdir(folder)).toEqual([]);
});

it('is free again after work that failed', async () => {
  const { folder, path } = await lockIn();
  const failing = withLock(testRuntime(), path, 'it', () => Promise.reject(new Error('no')));
  expect(await failureOf(failing)).toMatchObject({ message: 'no' });
  expect(await readdir(folder)).toEqual([]);
});

it('takes over at once from a process of this machine that has died', async () => {
  const { path } = await lockIn();
  const { host } = await holderText(path);
  const dead = spawnSync(process.execPath, ['-e', '']).pid;
  await writeFile(path, JSON.stringify({ pid: dead, host, id: 'x' }));
  const runtime = testRuntime({ clock: fakeClock() });
  expect(await withLock(runtime, path, 'it', () => Promise.resolve('done'))).toBe('done');
  expect(runtime.events).toEqual([]);
});

it('ends with a conflict after a minute behind one that lives, and leaves it its lock', async () => {
  const { path } = await lockIn();
  const { host } = await holderText(path);
  const text = JSON.stringify({ pid: process.ppid, host, id: 'x' });
  await writeFile(path, text);
  const clock = fakeClock();
  const startMs = clock.now();
  const waiting = withLock(testRuntime({ clock }), path, 'the folder', () => Promise.resolve());
  expect(await failureOf(waiting)).toMatchObject({
    code: 'conflict',
    hint: expect.stringContaining(path) as string,
  });
  expect(clock.now() - startMs).toBeGreaterThan(60_000);
  expect(await readFile(path, 'utf8')).toBe(text);
});

it.each(['{"pid":1,"host":"another machine","id":"x"}', 'not JSON', ''])(
  'waits for a lock that says %s while it is fresh, and takes it once it is old',
  async (text) => {
    const { path } = await lockIn();
    await writeFile(path, text);
    let nowMs = Date.now();
    const sleeps: number[] = [];
    const clock = {
      now: () => nowMs,
      sleep: (delayMs: number) => {
        sleeps.push(delayMs);
        nowMs += delayMs;
        return Promise.resolve();
      },
    };
    expect(await withLock(testRuntime({ clock }), path, 'it', () => Promise.resolve(1))).toBe(1);
    expect(sleeps.reduce((sum, delayMs) => sum + delayMs, 0)).toBeGreaterThan(29_000);
    await writeFile(path, text);
    await utimes(path, nowMs / 1000 - 40, nowMs / 1000 - 40);
    sleeps.splice(0);
    await withLock(testRuntime({ clock }), path, 'it', () => Promise.resolve());
    expect(sleeps).toEqual([]);
  },
);

// Running contestants in turn, each run a fresh process, and the ratios of what they took.
import { execFileSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';

const WRAPPER = join(import.meta.dirname, 'measure.py');

/**
 * The thread pool as pkg's own executable sizes it, no certificates to load that no run needs, and
 * no peer that asks the network for its updates.
 */
const { NODE_EXTRA_CA_CERTS: _, ...INHERITED } = process.env;
export const ENVIRONMENT = {
  ...INHERITED,
  UV_THREADPOOL_SIZE: String(Math.max(4, availableParallelism())),
  NO_ALBUMENTATIONS_UPDATE: '1',
};

/**
 * Runs all contestants in turn, `context.repeats` times after a round that is not counted, which
 * leaves every file in the page cache. A contestant is `{ name, command(folder) }`; the folder is
 * empty and its own. Returns the runs of each by its name, in the order of the rounds.
 */
export function runRounds(context, contestants) {
  const runs = Object.fromEntries(contestants.map(({ name }) => [name, []]));
  for (let round = 0; round <= context.repeats; round++) {
    context.say(round === 0 ? 'warming up' : `round ${round} of ${context.repeats}`);
    for (const { name, command } of contestants) {
      const run = measureOnce(context, command);
      if (round > 0) runs[name].push(run);
    }
  }
  return runs;
}

/**
 * One run: `{ seconds, cpuSeconds, peakBytes, said }`; throws where the command fails. Its folder
 * stays, since a disk is slow to make files where many were just removed.
 */
export function measureOnce(context, command) {
  const folder = mkdtempSync(join(context.folder, 'run-'));
  return measureCommand(context.python, { command: command(folder) });
}

/** What a command took, as `measureOnce`; `cwd` and `env` are those of this process by default. */
export function measureCommand(python, { command, cwd, env = ENVIRONMENT }) {
  const text = execFileSync(python, [WRAPPER, ...command], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    cwd,
    env,
  });
  return JSON.parse(text);
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The ratio of two contestants' medians, and the extremes of the ratios of single rounds. */
export function ratioOf(ours, theirs) {
  const single = ours.map((value, round) => value / theirs[round]);
  return {
    ratio: median(ours) / median(theirs),
    min: Math.min(...single),
    max: Math.max(...single),
  };
}

/** Throws unless all runs of all contestants said the same under `keys`. */
export function assertSameWork(runs, keys) {
  const said = Object.values(runs)
    .flat()
    .map((run) => JSON.stringify(keys.map((key) => run.said[key])));
  const different = [...new Set(said)];
  if (different.length > 1)
    throw new Error(`not the same work (${keys}): ${different.join(' / ')}`);
}

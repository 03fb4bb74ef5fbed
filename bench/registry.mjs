// Registry: many small files pushed to an S3 server and installed out of it, against quilt3, DVC, restic
// and rclone; and what pkg sends for a large file, a second name, and one file out of many.
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { measureCommand } from './measure.mjs';
import { contestantsOf } from './registry-contestants.mjs';
import { assertSameFiles, registryFiles, replaceFolder } from './registry-data.mjs';
import { measureMillion } from './registry-million.mjs';
import { measureMore } from './registry-more.mjs';
import { describeRegistry } from './registry-report.mjs';
import { startCountingProxy, startS3Server } from './s3-server.mjs';

/** In order: S is what is installed, since nobody has pushed S2 by then. */
const OPERATIONS = [
  { key: 'push', label: 'push S', does: 'push' },
  { key: 'pushAgain', label: 'push S again', does: 'push' },
  { key: 'install', label: 'install S', does: 'install' },
  { key: 'installAgain', label: 'install S again', does: 'install' },
  { key: 'pushChanged', label: 'push S2', does: 'push', changed: true },
];

const COUNT = 5000;
const LARGE_BYTES = 1_000_000_000;
const ENTRIES = 1_000_000;
const QUICK_COUNT = 300;
const QUICK_LARGE_BYTES = 32_000_000;
const QUICK_ENTRIES = 30_000;

/** Runs the registry benchmark and returns `{ result, text }`; `context.quick` is for trying it out. */
export async function benchRegistry(context) {
  const { quick, against, s3, cache, tools, say } = context;
  if (!s3.binary) throw new Error(`MISSING: ${s3.name}, without which nothing can be pushed`);
  const files = registryFiles(cache, quick ? QUICK_COUNT : COUNT);
  const contestants = contestantsOf(against, tools, say);
  say('counting, without clocks');
  const counted = await countRound(context, contestants, files);
  const runs = contestants.map(({ key }) => [key, mapOperations(() => [])]);
  const measured = { contestants, files, counted, runs: Object.fromEntries(runs) };
  for (let round = 1; round <= context.repeats; round++) {
    say(`round ${round} of ${context.repeats}`);
    await timeRound(context, measured, round);
  }
  return describeRegistry({ ...measured, server: s3.name, operations: OPERATIONS });
}

function mapOperations(fn) {
  return Object.fromEntries(OPERATIONS.map((operation) => [operation.key, fn(operation)]));
}

/** One round with a server of its own; `work` gets the server, the contestants' folder and `data`. */
async function withRound(context, name, work) {
  const folder = join(context.folder, name);
  mkdirSync(folder);
  const server = await startS3Server(context.s3, join(folder, 'server'));
  try {
    return await work({ server, folder, data: join(folder, 'data') });
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A contestant's state, with a bucket that is new and all made that comes before a first push. */
async function stateOf(contestant, { server, url = server.url, folder, data }) {
  const state = { folder: join(folder, contestant.key), data, url, bucket: `${contestant.key}-s` };
  mkdirSync(state.folder);
  await server.makeBucket(state.bucket);
  contestant.prepare?.(state);
  contestant.bring?.(state);
  return state;
}

/** Requests, bytes and objects of each operation, by contestant; the files must arrive the same. */
async function countRound(context, contestants, files) {
  return await withRound(context, 'counted', async (round) => {
    const proxy = await startCountingProxy(round.server.url);
    try {
      const through = { ...round, url: proxy.url };
      const counted = {};
      for (const contestant of contestants) {
        context.say(`  ${contestant.name} ${contestant.version}`);
        counted[contestant.key] = await countContestant(context, through, {
          contestant,
          files,
          proxy,
        });
      }
      context.say('  pkg, large file, second name, one file');
      const largeBytes = context.quick ? QUICK_LARGE_BYTES : LARGE_BYTES;
      const more = await measureMore(context, through, { proxy, files, largeBytes });
      const entries = context.quick ? QUICK_ENTRIES : ENTRIES;
      context.say(`  pkg, ${entries} entries`);
      const million = await measureMillion(context, through, { proxy, entries });
      return { ...counted, more, million };
    } finally {
      proxy.stop();
    }
  });
}

async function countContestant(context, round, { contestant, files, proxy }) {
  replaceFolder(files.original, round.data);
  const state = await stateOf(contestant, round);
  await proxy.counts();
  const counted = {};
  for (const { key, does, changed } of OPERATIONS) {
    if (changed) {
      replaceFolder(files.changed, round.data);
      contestant.bring?.(state);
    }
    measureCommand(context.python, contestant[does](state));
    const counts = await proxy.counts();
    counted[key] = { ...counts, ...(await round.server.measureBucket(state.bucket)) };
    if (does === 'install') {
      const installed = contestant.installedAt?.(state) ?? join(state.folder, 'installed');
      assertSameFiles(files.original, installed);
    }
  }
  return counted;
}

/** Times each operation of all in turn; who is first differs from round to round. */
async function timeRound(context, { contestants, files, runs }, number) {
  await withRound(context, `round-${number}`, async (round) => {
    replaceFolder(files.original, round.data);
    const first = number % contestants.length;
    const order = [...contestants.slice(first), ...contestants.slice(0, first)];
    const states = {};
    for (const contestant of order) states[contestant.key] = await stateOf(contestant, round);
    for (const { key, does, changed } of OPERATIONS) {
      if (changed) {
        replaceFolder(files.changed, round.data);
        for (const contestant of order) contestant.bring?.(states[contestant.key]);
      }
      for (const contestant of order) {
        // What one has written is not left for the disk to do in the time of the next.
        execFileSync('sync');
        const command = contestant[does](states[contestant.key]);
        runs[contestant.key][key].push(measureCommand(context.python, command));
      }
    }
  });
}

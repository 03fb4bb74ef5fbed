// Benchmarks against peers: bench.mjs [query|crop|fetch|train|registry ...] [--repeats N] [--json]; for
// `registry` also [--quick], fewer files to try it out, and [--against NAME,NAME], some peers only.
// Ratios of one run on one machine, never a verdict. PKG_SHARED, PKG_BENCH_CACHE, PKG_S3_SERVER, the paths
// of tools (PKG_S3_BINARY, PKG_RESTIC, PKG_RCLONE) and of Pythons (PKG_BENCH_PYTHON, PKG_KERAS_PYTHON,
// PKG_QUILT3_PYTHON, PKG_DVC_PYTHON) are given.
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { benchCrop } from './crop.mjs';
import { benchFetch } from './fetch.mjs';
import { benchQuery } from './query.mjs';
import { benchRegistry } from './registry.mjs';
import { PEERS } from './registry-contestants.mjs';
import { formatResult, makeResult } from './report.mjs';
import { benchTrain } from './train.mjs';

const BENCHMARKS = {
  query: benchQuery,
  crop: benchCrop,
  fetch: benchFetch,
  train: benchTrain,
  registry: benchRegistry,
};

function readArguments(argv) {
  const { positionals, values } = parseArgs({
    args: argv,
    allowPositionals: true,
    options: {
      repeats: { type: 'string', default: '5' },
      quick: { type: 'boolean', default: false },
      against: { type: 'string', default: PEERS.join(',') },
      json: { type: 'boolean', default: false },
    },
  });
  const repeats = Number(values.repeats);
  if (!Number.isInteger(repeats) || repeats < 1) throw new Error('--repeats: expected 1 or more');
  const unknown = positionals.find((name) => !Object.hasOwn(BENCHMARKS, name));
  if (unknown !== undefined) {
    throw new Error(`${unknown}: expected ${Object.keys(BENCHMARKS).join(', ')}`);
  }
  const names = positionals.length > 0 ? positionals : Object.keys(BENCHMARKS);
  const against = values.against.split(',');
  const stranger = against.find((name) => !PEERS.includes(name));
  if (stranger !== undefined) throw new Error(`${stranger}: expected ${PEERS.join(', ')}`);
  return { names, repeats, quick: values.quick, against, json: values.json };
}

/** Runs one benchmark in a folder of its own; `text` is for a person, `result` for a program. */
async function runBenchmark(name, { repeats, quick, against }) {
  const folder = mkdtempSync(join(tmpdir(), `pkg-bench-${name}-`));
  try {
    const measured = await BENCHMARKS[name]({
      folder,
      repeats,
      quick,
      against,
      python: process.env.PKG_BENCH_PYTHON,
      shared: process.env.PKG_SHARED,
      cache: process.env.PKG_BENCH_CACHE,
      s3: { name: process.env.PKG_S3_SERVER, binary: process.env.PKG_S3_BINARY },
      tools: {
        quilt3: process.env.PKG_QUILT3_PYTHON,
        dvc: process.env.PKG_DVC_PYTHON,
        restic: process.env.PKG_RESTIC,
        rclone: process.env.PKG_RCLONE,
      },
      say: (what) => process.stderr.write(`${name}: ${what}\n`),
    });
    if ('text' in measured) return measured;
    const result = makeResult(measured);
    return { result, text: formatResult(result, measured.metrics) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The command line's arguments, or an end with what is wrong with them. */
function argumentsOrExit() {
  try {
    return readArguments(process.argv.slice(2));
  } catch (error) {
    console.error(error.message);
    return process.exit(2);
  }
}

const { names, json, ...settings } = argumentsOrExit();
const machine = {
  cpu: cpus()[0].model,
  cores: availableParallelism(),
  load: loadavg()[0],
  node: process.version,
};
if (!json) {
  console.log(
    `${machine.cores} cores of ${machine.cpu}, load ${machine.load.toFixed(1)} before; Node ` +
      `${machine.node}; ${settings.repeats} rounds of all in turn, files in the page cache.`,
  );
}
const results = {};
for (const name of names) {
  const { result, text } = await runBenchmark(name, settings);
  results[name] = result;
  if (!json) console.log(`\n${text}`);
}
if (json)
  console.log(JSON.stringify({ machine, repeats: settings.repeats, benchmarks: results }, null, 2));

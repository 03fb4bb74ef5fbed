// Benchmarks against peers: bench.mjs [query|crop|fetch|train ...] [--repeats N] [--json]
// Ratios of one run on one machine, never a verdict. PKG_BENCH_PYTHON, PKG_KERAS_PYTHON and
// PKG_SHARED are given.
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { benchCrop } from './crop.mjs';
import { benchFetch } from './fetch.mjs';
import { benchQuery } from './query.mjs';
import { formatResult, makeResult } from './report.mjs';
import { benchTrain } from './train.mjs';

const BENCHMARKS = { query: benchQuery, crop: benchCrop, fetch: benchFetch, train: benchTrain };

function readArguments(argv) {
  const { positionals, values } = parseArgs({
    args: argv,
    allowPositionals: true,
    options: { repeats: { type: 'string', default: '5' }, json: { type: 'boolean' } },
  });
  const repeats = Number(values.repeats);
  if (!Number.isInteger(repeats) || repeats < 1) throw new Error('--repeats: expected 1 or more');
  const unknown = positionals.find((name) => !Object.hasOwn(BENCHMARKS, name));
  if (unknown !== undefined) throw new Error(`${unknown}: expected query, crop, fetch or train`);
  const names = positionals.length > 0 ? positionals : Object.keys(BENCHMARKS);
  return { names, repeats, json: values.json === true };
}

/** Runs one benchmark in a folder of its own; `text` is for a person, `result` for a program. */
async function runBenchmark(name, repeats) {
  const folder = mkdtempSync(join(tmpdir(), `pkg-bench-${name}-`));
  try {
    const measured = await BENCHMARKS[name]({
      folder,
      repeats,
      python: process.env.PKG_BENCH_PYTHON,
      shared: process.env.PKG_SHARED,
      say: (what) => process.stderr.write(`${name}: ${what}\n`),
    });
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

const { names, repeats, json } = argumentsOrExit();
const machine = {
  cpu: cpus()[0].model,
  cores: availableParallelism(),
  load: loadavg()[0],
  node: process.version,
};
if (!json) {
  console.log(
    `${machine.cores} cores of ${machine.cpu}, load ${machine.load.toFixed(1)} before; Node ` +
      `${machine.node}; ${repeats} rounds of all in turn, files in the page cache.`,
  );
}
const results = {};
for (const name of names) {
  const { result, text } = await runBenchmark(name, repeats);
  results[name] = result;
  if (!json) console.log(`\n${text}`);
}
if (json) console.log(JSON.stringify({ machine, repeats, benchmarks: results }, null, 2));

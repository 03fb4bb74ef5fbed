// npm run bench:transfer -- [--seeds N] [--folder FOLDER]: a network trained on from a base, against the
// same one from scratch, on oid-mini. FOLDER, if given, is kept: what it has is not done again.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { stringify } from 'yaml';
import { ensureBuilt, ensurePackages, ROOT, SHARED } from '../scripts/tools.mjs';
import { deviationOf, errorOf, meanOf, percent, row } from './figures.mjs';
import { say, startServer, templateFor } from './oid-server.mjs';
import { CONTESTANTS, NEW, OLD } from './transfer-setting.mjs';

const BINARY = join(ROOT, 'dist', 'cli', 'bin.cjs');
const program = (name) => join(import.meta.dirname, name);

const METRICS = {
  accuracy: ['accuracy, %', percent],
  balancedAccuracy: ['balanced accuracy, %', percent],
  rocArea: ['area below the ROC curve, %', percent],
  logLoss: ['log loss', (value) => value.toFixed(3)],
};

/** Builds the crops of some classes; the key of the step that cut them. */
function cutCrops(folder, url, classes) {
  const { model: _, ...manifest } = templateFor(classes, url);
  const path = join(folder, `${classes.join('-')}.yaml`);
  writeFileSync(
    path,
    stringify({ ...manifest, name: `transfer/${classes.join('-').toLowerCase()}` }),
  );
  rmSync(path.replace(/yaml$/, 'lock.json'), { force: true });
  const args = [BINARY, 'build', path, '--store', join(folder, 'store'), '--json'];
  const { steps } = JSON.parse(say(process.execPath, args));
  return steps.find(({ name }) => name === 'crop').key;
}

function compare(folder, keys, seed) {
  const path = join(folder, `seed-${seed}.json`);
  if (!existsSync(path)) {
    process.stderr.write(`seed ${seed}\n`);
    const args = [program('pkg-transfer.mjs'), join(folder, 'store'), String(seed), ...keys];
    writeFileSync(path, say(process.execPath, args));
  }
  return JSON.parse(readFileSync(path, 'utf8'));
}

/** One line a seed: accuracy and log loss of each contestant, and the epoch whose weights count. */
function formatRuns(results) {
  const head = ['seed', 'test', 'base: accuracy', ...CONTESTANTS.map(({ name }) => name)];
  const of = ({ accuracy, logLoss, epoch }) =>
    `${percent(accuracy)}, ${logLoss.toFixed(3)} (${epoch})`;
  return [
    row(head),
    row(head.map(() => '--:')),
    ...results.map(({ seed, base, figures }) => {
      const { examples } = figures[CONTESTANTS[0].name];
      const cells = CONTESTANTS.map(({ name }) => of(figures[name]));
      return row([seed, examples, percent(base.accuracy), ...cells]);
    }),
  ].join('\n');
}

/** Means over seeds with deviations, and differences to training from scratch with standard errors. */
function formatMeans(results) {
  const [{ name: scratch }, ...others] = CONTESTANTS;
  const lines = Object.entries(METRICS).map(([metric, [label, format]]) => {
    const of = (name) => results.map(({ figures }) => figures[name][metric]);
    const spread = (values) => `${format(meanOf(values))} ± ${format(deviationOf(values))}`;
    const differences = others.map(({ name }) => {
      const apart = of(name).map((value, at) => value - of(scratch)[at]);
      const better = apart.filter((value) => (metric === 'logLoss' ? value < 0 : value > 0));
      return `${format(meanOf(apart))} ± ${format(errorOf(apart))} (${better.length}/${apart.length})`;
    });
    return row([label, ...CONTESTANTS.map(({ name }) => spread(of(name))), ...differences]);
  });
  const head = ['', ...CONTESTANTS.map(({ name }) => name)];
  const apart = others.map(({ name }) => `${name}, less scratch`);
  return [row([...head, ...apart]), row([...head, ...apart].map(() => '--:')), ...lines].join('\n');
}

function formatFreezing([whole, frozen]) {
  const saved = 1 - frozen.updateMs / whole.updateMs;
  return (
    `An update of the article's network, 16 pictures of 128 x 128, one thread: ${whole.updateMs.toFixed(1)} ms; ` +
    `with its first ${frozen.frozen} layers frozen ${frozen.updateMs.toFixed(1)} ms, ${percent(saved)} % less. ` +
    `Its state has ${whole.stateBytes} and ${frozen.stateBytes} bytes.`
  );
}

const { values } = parseArgs({
  options: { seeds: { type: 'string', default: '5' }, folder: { type: 'string' } },
});
const seeds = Array.from({ length: Number(values.seeds) }, (_, at) => at + 1);
if (seeds.length < 2) throw new Error('--seeds: expected 2 or more');
ensurePackages();
ensureBuilt();
if (!existsSync(SHARED)) {
  console.error(`MISSING: this needs the test data (PKG_SHARED: ${SHARED}).`);
  process.exit(1);
}
const folder =
  values.folder === undefined
    ? mkdtempSync(join(tmpdir(), 'pkg-transfer-'))
    : resolve(values.folder);
mkdirSync(folder, { recursive: true });
const server = await startServer(folder);
try {
  const keys = [OLD, NEW].map((classes) => cutCrops(folder, server.url, classes));
  const results = seeds.map((seed) => compare(folder, keys, seed));
  const freezing = JSON.parse(say(process.execPath, [program('pkg-freezing.mjs')]));
  console.log(
    `${availableParallelism()} cores of ${cpus()[0].model}; Node ${process.version}. ` +
      `Base: ${OLD.join(', ')}; new: ${NEW.join(', ')}.\n`,
  );
  console.log(`${formatRuns(results)}\n\n${formatMeans(results)}\n\n${formatFreezing(freezing)}`);
} finally {
  server.stop();
  if (values.folder === undefined) rmSync(folder, { recursive: true, force: true });
}

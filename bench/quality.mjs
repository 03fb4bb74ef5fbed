// npm run bench:quality -- [--seeds N] [--folder FOLDER]: our classifier against Keras' on oid-mini.
// Every pair and seed is a package of its own. FOLDER, if given, is kept: what it has is not done again.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { stringify } from 'yaml';
import { ensureBuilt, ensurePackages, ensurePython, ROOT, SHARED } from '../scripts/tools.mjs';
import { errorOf, meanOf, percent, row } from './figures.mjs';
import { say, startServer, templateFor } from './oid-server.mjs';

/** The floor is that of the data's README: HOG and colour, logistic regression, 5-fold. */
const PAIRS = [
  { classes: ['Apple', 'Orange'], floor: { balancedAccuracy: 0.74, accuracy: 0.75 } },
  { classes: ['Sheep', 'Horse'], floor: { balancedAccuracy: 0.77, accuracy: 0.8 } },
];

const METRICS = {
  balancedAccuracy: 'balanced accuracy',
  accuracy: 'accuracy',
  rocArea: 'area below the ROC curve',
};

/**
 * What differs from the article's fit on both sides: classes count the same, and training is given time,
 * since with a patience of 4 on so few photos the luck of single epochs decides when it ends.
 */
const FIT = {
  epochs: 40,
  classWeights: 'balanced',
  earlyStopping: { monitor: 'val_loss', patience: 12, restoreBest: true },
};

const BINARY = join(ROOT, 'dist', 'cli', 'bin.cjs');
const ENTRY = join(import.meta.dirname, 'pkg-quality.mjs');
const PEER = join(import.meta.dirname, 'peers', 'keras_quality.py');

/** The template's manifest, for a pair and a seed, with a test split that nothing is chosen by. */
function manifestOf({ classes }, seed, url) {
  const { data, ...manifest } = templateFor(classes, url);
  return stringify({
    ...manifest,
    name: `quality/${classes.join('_').toLowerCase()}_${seed}`,
    data: { ...data, split: { validation: 0.2, test: 0.3 } },
    model: { ...manifest.model, fit: { ...manifest.model.fit, ...FIT } },
    seed,
  });
}

/** Trains both on the examples of one package and returns the figures of its test split. */
function compare({ folder, python, url }, pair, seed) {
  const name = `${pair.classes.join('-')}-${seed}`;
  const [ours, theirs] = ['pkg', 'keras'].map((who) => join(folder, `${name}.${who}.json`));
  if (existsSync(ours) && existsSync(theirs)) return { seed, pkg: read(ours), keras: read(theirs) };
  process.stderr.write(`${name}\n`);
  const work = join(folder, name);
  mkdirSync(work, { recursive: true });
  const manifest = join(work, 'manifest.yaml');
  const store = join(folder, 'store');
  writeFileSync(manifest, manifestOf(pair, seed, url));
  rmSync(join(work, 'manifest.lock.json'), { force: true });
  const build = [BINARY, 'build', manifest, '--store', store, '--json'];
  const { steps } = JSON.parse(say(process.execPath, build));
  const key = (step) => steps.find((it) => it.name === step).key;
  const keys = ['examples', 'train', 'evaluate'].map(key);
  writeFileSync(ours, say(process.execPath, [ENTRY, store, work, ...keys]));
  if (!existsSync(theirs)) writeFileSync(theirs, say(python, [PEER, work, String(seed)]));
  rmSync(work, { recursive: true });
  return { seed, pkg: read(ours), keras: read(theirs) };
}

function read(path) {
  return JSON.parse(readFileSync(path, 'utf8'));
}

const plusMinus = (values) => `${percent(meanOf(values))} ± ${percent(errorOf(values))}`;

/** One line a seed, of all pairs. */
function formatRuns(results) {
  const of = ({ balancedAccuracy, accuracy, epochs, bestEpoch }) => [
    percent(balancedAccuracy),
    percent(accuracy),
    `${epochs} (${bestEpoch})`,
  ];
  const head = ['pair', 'seed', 'train', 'validation', 'test'];
  const figures = ['balanced', 'accuracy', 'epochs (best)'];
  return [
    row([...head, ...['pkg', 'Keras'].flatMap((who) => figures.map((it) => `${who}: ${it}`))]),
    row([...head.map((_, at) => (at === 0 ? '---' : '--:')), ...Array(6).fill('--:')]),
    ...results.map(({ seed, pkg, keras }) => {
      const { classes, examples, figures } = pkg;
      const counts = ['train', 'validation', 'test'].map((split) => examples[split].join(' + '));
      return row([classes.join(' / '), seed, ...counts, ...of(figures), ...of(keras.figures)]);
    }),
  ].join('\n');
}

/** Means over seeds with their standard errors, and that of the difference seed by seed. */
function formatMeans(resultsByPair) {
  const lines = resultsByPair.flatMap(({ floor, results }) =>
    Object.entries(METRICS).map(([metric, label]) => {
      const ours = results.map(({ pkg }) => pkg.figures[metric]);
      const keras = results.map((result) => result.keras.figures[metric]);
      const differences = ours.map((value, at) => value - keras[at]);
      const pair = results[0].pkg.classes.join(' / ');
      const means = [ours, keras, differences].map(plusMinus);
      return row([pair, label, ...means, metric in floor ? percent(floor[metric]) : '']);
    }),
  );
  return [
    row(['pair', 'mean of the seeds', 'pkg', 'Keras', 'pkg less Keras', 'HOG floor']),
    row(['---', '---', ...Array(4).fill('--:')]),
    ...lines,
  ].join('\n');
}

const { values } = parseArgs({
  options: { seeds: { type: 'string', default: '5' }, folder: { type: 'string' } },
});
const seeds = Array.from({ length: Number(values.seeds) }, (_, at) => at + 1);
if (seeds.length < 2) throw new Error('--seeds: expected 2 or more');
ensurePackages();
ensureBuilt();
const python = ensurePython('keras');
if (!existsSync(SHARED) || python === undefined) {
  console.error(`MISSING: this needs Python 3 and the test data (PKG_SHARED: ${SHARED}).`);
  process.exit(1);
}
const folder =
  values.folder === undefined
    ? mkdtempSync(join(tmpdir(), 'pkg-quality-'))
    : resolve(values.folder);
mkdirSync(folder, { recursive: true });
const server = await startServer(folder);
try {
  const context = { folder, python, url: server.url };
  const byPair = PAIRS.map((pair) => ({
    floor: pair.floor,
    results: seeds.map((seed) => compare(context, pair, seed)),
  }));
  const all = byPair.flatMap(({ results }) => results);
  console.log(
    `${availableParallelism()} cores of ${cpus()[0].model}; Node ${process.version}; ` +
      `Keras ${all[0].keras.version}. All figures are per cent of the test split.\n`,
  );
  console.log(`${formatRuns(all)}\n\n${formatMeans(byPair)}`);
} finally {
  server.stop();
  if (values.folder === undefined) rmSync(folder, { recursive: true, force: true });
}

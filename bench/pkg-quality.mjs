// pkg's side of the quality comparison: pkg-quality.mjs STORE FOLDER EXAMPLES TRAIN EVALUATE
// The last three are step keys of a build. Writes its examples for the peer, prints its figures.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { findOutputs } from '../dist/pipeline/step-cache.js';
import { createRuntime } from '../dist/runtime/runtime.js';
import { openExamples } from '../dist/steps/example-reader.js';
import { classesOf } from '../dist/steps/training-data.js';
import { openStore } from '../dist/store/store.js';
import { entryAt } from '../dist/store/tree.js';

const [root, folder, ...keys] = process.argv.slice(2);
const store = await openStore(root, Date.now());
const [{ examples: tree }, { model }, { evaluation }] = await Promise.all(
  keys.map((key) => findOutputs(store, key)),
);

/** Writes all pixels, one example after another, with class and split of each; returns the table. */
async function writeExamples() {
  const examples = await openExamples(createRuntime(), store, tree);
  const { rows, exampleBytes } = examples;
  const classes = classesOf(rows);
  const pixels = new Uint8Array(rows.length * exampleBytes);
  for (const index of rows.keys()) {
    await examples.read(index, pixels.subarray(index * exampleBytes, (index + 1) * exampleBytes));
  }
  await examples.close();
  const labels = rows.map(({ className }) => classes.indexOf(className));
  const table = { classes, labels, splits: rows.map(({ split }) => split) };
  writeFileSync(join(folder, 'examples.bin'), pixels);
  writeFileSync(join(folder, 'examples.json'), JSON.stringify(table));
  return table;
}

async function readModelFile(files, name) {
  return await store.readText(entryAt(files, `models/${name}`).digest);
}

const { classes, labels, splits } = await writeExamples();
const count = (split) =>
  classes.map((_, label) => labels.filter((it, at) => it === label && splits[at] === split).length);
const judged = JSON.parse(await readModelFile(evaluation, 'evaluation.json')).splits.test;
const history = parse(await readModelFile(model, 'history.csv'), {
  columns: true,
  cast: (text, { header }) => (header ? text : Number(text)),
});
const figures = {
  balancedAccuracy: judged.balancedAccuracy,
  accuracy: judged.accuracy,
  rocArea: judged.curves.perClass[0].rocAuc,
  epochs: history.length,
  bestEpoch: JSON.parse(await readModelFile(model, 'replay.json')).result.epoch,
  history,
};
const examples = { train: count('train'), validation: count('validation'), test: count('test') };
console.log(JSON.stringify({ classes, examples, figures }));

// One seed of the transfer comparison: pkg-transfer.mjs STORE SEED OLD NEW
// OLD and NEW are step keys of the crops that the base is trained on, and of the new classes'. Prints what
// each contestant gives on the new classes' test split, and the base on its own.
import { modelSchema } from '../dist/manifest/model.js';
import { findOutputs } from '../dist/pipeline/step-cache.js';
import { createRuntime } from '../dist/runtime/runtime.js';
import { evaluateClassifier } from '../dist/steps/evaluate.js';
import { makeExamples } from '../dist/steps/examples.js';
import { splitExamples } from '../dist/steps/split.js';
import { trainClassifier } from '../dist/steps/train.js';
import { openStore } from '../dist/store/store.js';
import { entryAt } from '../dist/store/tree.js';
import { CONTESTANTS, FEATURES, FIT, INPUT, SPLIT, TRANSFORMS } from './transfer-setting.mjs';

const [root, seedText, oldKey, newKey] = process.argv.slice(2);
const seed = Number(seedText);
const runtime = createRuntime();
const store = await openStore(root, Date.now());

/** Crops with their splits of this seed, as a network takes them. */
async function examplesOf(key) {
  const { crops, tables } = await findOutputs(store, key);
  const { crops: table } = await splitExamples(runtime, store, { ...SPLIT, seed }, { tables });
  const { examples } = await makeExamples(runtime, store, INPUT, { crops, table });
  return { crops, examples };
}

/** Trains and judges; the model's files, and its figures on the test split. */
async function judge(parts, inputs) {
  const model = modelSchema.parse({ augment: TRANSFORMS, fit: FIT, ...parts });
  const trained = await trainClassifier(runtime, store, { ...model, seed }, inputs);
  const { evaluation } = await evaluateClassifier(runtime, store, { ...inputs, ...trained });
  const read = async (tree, name) =>
    JSON.parse(await store.readText(entryAt(tree, `models/${name}.json`).digest));
  const { test } = (await read(evaluation, 'evaluation')).splits;
  const { result } = await read(trained.model, 'replay');
  const { accuracy, balancedAccuracy, logLoss, averages, examples } = test;
  const rocArea = averages.macroRocAuc ?? test.curves.perClass[0].rocAuc;
  const figures = { accuracy, balancedAccuracy, logLoss, rocArea, examples };
  return { files: trained.model, figures: { ...figures, epoch: result.epoch } };
}

const head = (last) => [
  { dense: { units: 64, activation: 'relu' } },
  { dropout: { rate: 0.5 } },
  { dense: last },
];
const BINARY = { units: 1, activation: 'sigmoid' };

const old = await examplesOf(oldKey);
const categories = [...FEATURES, ...head({ units: 4, activation: 'softmax' })];
const base = await judge({ input: INPUT, layers: categories }, old);
const baseTree = ['model.json', 'weights.bin'].map((path) => ({
  ...entryAt(base.files, `models/${path}`),
  path,
}));
const given = await examplesOf(newKey);
const figures = {};
for (const { name, freeze } of CONTESTANTS) {
  const parts =
    freeze === undefined
      ? { input: INPUT, layers: [...FEATURES, ...head(BINARY)] }
      : { base: { package: 'transfer/base', freeze }, layers: head(BINARY) };
  const inputs = freeze === undefined ? given : { ...given, base: baseTree };
  figures[name] = (await judge(parts, inputs)).figures;
}
console.log(JSON.stringify({ seed, base: base.figures, figures }));

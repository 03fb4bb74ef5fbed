/** The program of the sandbox: makes a model by TensorFlow.js, trains it and predicts, as it is asked. */
import { createRequire } from 'node:module';
import process from 'node:process';
import { lockDown } from './lock-down.mjs';
import { readRequest, writeAnswer } from './messages.mjs';
import { createModel, kindOf, readModel, writeModel } from './model.mjs';
import { seedRandom } from './random.mjs';
import { openTensorflow } from './tensorflow.mjs';
import { createOptimizer, predict, train } from './training.mjs';

const { packages, seed } = JSON.parse(process.argv[2]);
seedRandom(seed);
const tf = await openTensorflow(createRequire(import.meta.url), packages);
lockDown();

let model;
let optimizer;

/** What each request does; an answer is a header and, where there are numbers, bytes. */
const WORK = {
  async create(request) {
    optimizer = createOptimizer(tf, request.optimizer);
    model = await createModel(tf, request.model);
    return { header: kindOf(model) };
  },
  train: (header, body) => ({
    header: train(tf, { model, optimizer }, header, body),
  }),
  predict: (header, body) => predict(tf, model, header, body),
  read: () => readModel(model),
  write: (header, body) => {
    writeModel(tf, model, body);
    return { header: {} };
  },
};

for (let request = readRequest(); request !== undefined; request = readRequest()) {
  try {
    const { kind, ...header } = request.header;
    const answer = await WORK[kind](header, request.body);
    writeAnswer({ ok: true, ...answer.header }, answer.body);
  } catch (error) {
    writeAnswer({ ok: false, error: describe(error) });
  }
}
process.exit(0);

/** An error, or whatever else was thrown, in plain texts; the place is the first one in the user's files. */
function describe(error) {
  const isError = error instanceof Error;
  const stack = isError ? String(error.stack) : '';
  return {
    name: isError ? String(error.name) : '',
    message: isError ? String(error.message) : String(error),
    code: isError && error.code !== undefined ? String(error.code) : '',
    places: [...stack.matchAll(/\(?((?:file:\/\/)?\/[^\s()]+:\d+):\d+\)?/g)].map(([, at]) => at),
  };
}

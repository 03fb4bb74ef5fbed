// Trains on fixed input and prints digests of what it learned: train-digest.mjs ITERATIONS THREADS
import { createHash } from 'node:crypto';
import { ARTICLE_LAYERS, BATCH_SIZE, INPUT_SHAPE } from '../../bench/article.mjs';
import { affineMatrix, drawTransform } from '../../dist/classifier/augment.js';
import { outputUnits, planNetwork } from '../../dist/classifier/classifier.js';
import { initialWeights } from '../../dist/classifier/initial-weights.js';
import { createRandom } from '../../dist/classifier/random.js';
import { compileNetwork } from '../../dist/engine/compile.js';
import { createEngine } from '../../dist/engine/engine.js';
import { SMALL_NETWORKS } from './small-networks.mjs';

const SEED = 7;

/** After so many iterations of the article's network its weights are hashed. */
const ARTICLE_DIGESTS = [2, 20];

const AUGMENT = {
  ...{ rotationDegrees: 40, widthShift: 0.2, heightShift: 0.2, shear: 0.2, zoom: 0.2 },
  ...{ horizontalFlip: true, verticalFlip: false },
};

const [iterations, threads] = process.argv.slice(2).map(Number);
const { kernels, small } = await trainSmall();
const digests = { small, ...(await trainArticle()) };
const name = 'bun' in process.versions ? 'bun' : 'node';
const runtime = `${name} ${process.versions[name]} ${process.arch}`;
process.stdout.write(`${JSON.stringify({ digests, iterations, threads, kernels, runtime })}\n`);

async function trainArticle() {
  const digests = {};
  const network = planNetwork(INPUT_SHAPE, ARTICLE_LAYERS);
  const options = {
    network,
    batchSize: BATCH_SIZE,
    threads,
    seed: SEED,
    training: {
      loss: 'binaryCrossentropy',
      optimizer: { kind: 'rmsprop', rho: 0.9, momentum: 0, epsilon: 1e-7 },
      fill: 'nearest',
    },
  };
  const engine = await openEngine(options);
  const batches = [0, 1, 2].map((seed) => batchOf(network, BATCH_SIZE, seed));
  for (let iteration = 0; iteration < iterations; iteration++) {
    const batch = batches[iteration % batches.length];
    engine.train({ ...batch, ...movesOf(network, batch, iteration), learningRate: 0.0005 });
    if (!ARTICLE_DIGESTS.includes(iteration + 1)) continue;
    const hash = createHash('sha256');
    for (const weight of engine.readWeights()) hash.update(bytesOf(weight));
    digests[`article${String(iteration + 1)}`] = hash.digest('hex');
  }
  await engine.close();
  return digests;
}

/** Losses, predictions and weights of all small networks as one digest, and the kernels they call. */
async function trainSmall() {
  const hash = createHash('sha256');
  const kernels = new Set();
  for (const { inputShape, layers, batchSize, counts, training, learningRate } of SMALL_NETWORKS) {
    const network = planNetwork(inputShape, layers);
    const options = { network, batchSize, threads, seed: SEED, training };
    for (const kernel of kernelsOf(compileNetwork(options))) kernels.add(kernel);
    const engine = await openEngine(options);
    for (const [iteration, count] of [...counts, ...counts].entries()) {
      const batch = batchOf(network, count, iteration % counts.length);
      const moves = training.fill === undefined ? {} : movesOf(network, batch, iteration);
      const { lossSum, right } = engine.train({ ...batch, iteration, ...moves, learningRate });
      const predicted = engine.predict(batch);
      hash.update(bytesOf(Float64Array.of(lossSum, right, predicted.lossSum, predicted.right)));
      hash.update(bytesOf(predicted.probabilities));
    }
    for (const weight of engine.readWeights()) hash.update(bytesOf(weight));
    await engine.close();
  }
  return { small: hash.digest('hex'), kernels: [...kernels].sort((one, other) => one - other) };
}

async function openEngine(options) {
  const engine = await createEngine(options);
  engine.writeWeights(await initialWeights(options.network, SEED));
  return engine;
}

/** Pixels by whole numbers alone: a pattern that depends on the class, and noise. */
function batchOf(network, count, seed) {
  const [height, width, channels] = network.inputShape;
  const classes = outputUnits(network) === 1 ? 2 : outputUnits(network);
  const labels = Int32Array.from({ length: count }, (_, example) => (example + seed) % classes);
  const size = height * width * channels;
  let state = seed + 1;
  const pixels = Uint8Array.from({ length: count * size }, (_, index) => {
    const label = labels[(index - (index % size)) / size];
    const row = ((index % size) - (index % (width * channels))) / (width * channels);
    state = (state * 25_173 + 13_849) % 65_536;
    return (row * (3 + label) + (index % 7) * 20 + (state % 64)) % 256;
  });
  return {
    count,
    pixels,
    labels,
    exampleWeights: Float32Array.from(labels, (label) => 1 + label / 4),
    transforms: undefined,
  };
}

/** How a batch is warped in an iteration. */
function movesOf({ inputShape }, { count }, iteration) {
  const [heightPx, widthPx] = inputShape;
  const size = { heightPx, widthPx };
  const transforms = new Float64Array(count * 6);
  for (let example = 0; example < count; example++) {
    const random = createRandom(SEED, ['augment', iteration, example]);
    transforms.set(affineMatrix(drawTransform(AUGMENT, random, size), size), example * 6);
  }
  return { transforms, iteration };
}

/** The kernels that the programs of a network call; src/engine/program.ts says how they are written. */
function kernelsOf({ train, predict, prepare }) {
  return [train, predict, prepare].flatMap(({ writes }) => {
    const { words } = writes.at(-1);
    const kernels = [];
    let cursor = 1;
    for (let phase = 0; phase < words[0]; phase++) {
      const calls = words[cursor + 2];
      cursor += 3;
      for (let call = 0; call < calls; call++) kernels.push(words[cursor + 2 * call]);
      cursor += 2 * calls;
    }
    return kernels;
  });
}

function bytesOf(numbers) {
  return new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
}

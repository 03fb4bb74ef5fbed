// pkg's side of the training benchmark: pkg-train.mjs THREADS WARM-UP ITERATIONS
import { planNetwork } from '../dist/classifier/classifier.js';
import { initialWeights } from '../dist/classifier/initial-weights.js';
import { createRandom } from '../dist/classifier/random.js';
import { createEngine } from '../dist/engine/engine.js';
import { ARTICLE_LAYERS, BATCH_SIZE, INPUT_SHAPE } from './article.mjs';

const [threads, warmUp, iterations] = process.argv.slice(2).map(Number);
const network = planNetwork(INPUT_SHAPE, ARTICLE_LAYERS);
const engine = await createEngine({
  network,
  batchSize: BATCH_SIZE,
  threads,
  seed: 1,
  training: {
    loss: 'binaryCrossentropy',
    optimizer: { kind: 'rmsprop', rho: 0.9, momentum: 0, epsilon: 1e-7 },
    fill: undefined,
  },
});
engine.writeWeights(await initialWeights(network, 1));

const random = createRandom(1, ['bench']);
const size = BATCH_SIZE * 128 * 128 * 3;
const pixels = Uint8Array.from({ length: 4 * size }, () => Math.floor(random() * 256));
const labels = Int32Array.from({ length: BATCH_SIZE }, (_, index) => index % 2);
const exampleWeights = new Float32Array(BATCH_SIZE).fill(1);

function iterate(iteration) {
  const start = (iteration % 4) * size;
  return engine.train({
    count: BATCH_SIZE,
    pixels: pixels.subarray(start, start + size),
    labels,
    exampleWeights,
    transforms: undefined,
    learningRate: 0.0005,
    iteration,
  });
}

for (let iteration = 0; iteration < warmUp; iteration++) iterate(iteration);
const cpu = process.cpuUsage();
const walls = [];
let last;
for (let iteration = 0; iteration < iterations; iteration++) {
  const start = performance.now();
  last = iterate(warmUp + iteration);
  walls.push(performance.now() - start);
}
const used = process.cpuUsage(cpu);
await engine.close();
const cpuMs = (used.user + used.system) / 1000 / iterations;
walls.sort((a, b) => a - b);
const wallMs = walls[Math.floor(walls.length / 2)];
console.log(
  JSON.stringify({ cpuMs, wallMs, leastMs: walls[0], iterations, loss: last.lossSum / BATCH_SIZE }),
);

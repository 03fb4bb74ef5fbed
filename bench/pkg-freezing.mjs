// What an update of the article's network costs while nothing, or all up to flatten, is frozen: prints
// milliseconds of CPU time by one thread, the median of updates made in turn.
import { planNetwork, sizeOf } from '../dist/classifier/classifier.js';
import { initialWeights } from '../dist/classifier/initial-weights.js';
import { createRandom } from '../dist/classifier/random.js';
import { createEngine } from '../dist/engine/engine.js';
import { ARTICLE_LAYERS, BATCH_SIZE, INPUT_SHAPE } from './article.mjs';

const UPDATES = 15;
const FEATURES = ARTICLE_LAYERS.findIndex(({ kind }) => kind === 'flatten') + 1;

const random = createRandom(1, ['freezing']);
const draw = (length, limit) => Array.from({ length }, () => Math.floor(random() * limit));
const batch = {
  count: BATCH_SIZE,
  pixels: Uint8Array.from(draw(BATCH_SIZE * sizeOf(INPUT_SHAPE), 256)),
  labels: Int32Array.from(draw(BATCH_SIZE, 2)),
  exampleWeights: new Float32Array(BATCH_SIZE).fill(1),
  transforms: undefined,
  learningRate: 0.0005,
};
const contestants = await Promise.all(
  [0, FEATURES].map(async (frozen) => {
    const network = planNetwork(INPUT_SHAPE, ARTICLE_LAYERS, frozen);
    const optimizer = { kind: 'rmsprop', rho: 0.9, momentum: 0, epsilon: 1e-7 };
    const training = { loss: 'binaryCrossentropy', optimizer, fill: undefined };
    const engine = await createEngine({
      ...{ network, batchSize: BATCH_SIZE, threads: 1, seed: 1, training },
    });
    engine.writeWeights(initialWeights(network, 1));
    return { frozen, engine, times: [] };
  }),
);
for (let iteration = 0; iteration <= UPDATES; iteration += 1) {
  for (const { engine, times } of contestants) {
    const before = process.cpuUsage();
    engine.train({ ...batch, iteration });
    const { user, system } = process.cpuUsage(before);
    if (iteration > 0) times.push((user + system) / 1000);
  }
}
const result = [];
for (const { frozen, engine, times } of contestants) {
  const sorted = times.sort((a, b) => a - b);
  const stateBytes = engine.readState().length;
  result.push({ frozen, updateMs: sorted[Math.floor(sorted.length / 2)], stateBytes });
  await engine.close();
}
console.log(JSON.stringify(result));

/** A sandbox with well-behaved code: makes models, trains them, predicts, and hands weights in and out. */
import { describe, expect, it } from 'vitest';
import { type ModelProcess } from '../../src/sandbox/model-process.ts';
import { testRuntime } from '../support/runtime.ts';
import { type CodeRun, SHAPE, SMALL_MODEL, withModel } from './code.ts';

const COUNT = 4;
const NUMBERS = SHAPE[0] * SHAPE[1] * SHAPE[2];

const SMALL: CodeRun = { files: { 'model.js': SMALL_MODEL } };

const pixels = Float32Array.from({ length: COUNT * NUMBERS }, (_, at) => ((at * 37) % 101) / 100);

const BATCH = { count: COUNT, pixels, shape: SHAPE };

const TRAINING = {
  ...BATCH,
  labels: Int32Array.from([0, 1, 2, 0]),
  exampleWeights: new Float32Array(COUNT).fill(1),
  learningRate: 0.1,
  loss: 'categoricalCrossentropy' as const,
};

async function weightsAfter(run: CodeRun, updates: number): Promise<Float32Array> {
  return await withModel(run, async (model) => {
    for (let update = 0; update < updates; update++) await model.train(TRAINING);
    return (await model.read()).values;
  });
}

describe('a model in a sandbox', () => {
  it('is described by its shapes and weights', async () => {
    const kind = await withModel(SMALL, async (model) => await Promise.resolve(model.kind));
    expect(kind).toMatchObject({ inputs: [[null, ...SHAPE]], outputs: [[null, 3]], layers: 2 });
    expect(kind.weights.map(({ shape }) => shape)).toEqual([[NUMBERS, 3], [3]]);
  });

  it('gives probabilities, learns, and gives others then', async () => {
    await withModel(SMALL, async (model) => {
      const before = await model.predict(BATCH);
      expect(before).toHaveLength(3 * COUNT);
      const losses = [];
      for (let update = 0; update < 5; update++) losses.push((await model.train(TRAINING)).lossSum);
      expect(losses.toSorted((a, b) => b - a)).toEqual(losses);
      expect(await model.predict(BATCH)).not.toEqual(before);
    });
  });

  it('weighs examples: those of no weight teach nothing', async () => {
    const none = { ...TRAINING, exampleWeights: new Float32Array(COUNT) };
    await withModel(SMALL, async (model) => {
      const { values } = await model.read();
      expect((await model.train(none)).lossSum).toBe(0);
      expect((await model.read()).values).toEqual(values);
    });
  });

  it('takes back the weights that it gave', async () => {
    await withModel(SMALL, async (model) => {
      const { values } = await model.read();
      const outputs = await model.predict(BATCH);
      await model.train(TRAINING);
      await model.write(values);
      expect((await model.read()).values).toEqual(values);
      expect(await model.predict(BATCH)).toEqual(outputs);
    });
  });

  it('draws the same numbers for the same seed, and others for another', async () => {
    const dropout: CodeRun = {
      files: {
        'model.js': SMALL_MODEL.replace(
          'tf.layers.dense',
          'tf.layers.dropout({ rate: 0.5 }), tf.layers.dense',
        ),
      },
    };
    const [one, same] = [await weightsAfter(dropout, 3), await weightsAfter(dropout, 3)];
    expect(same).toEqual(one);
    expect(await weightsAfter({ ...dropout, seed: [5, 6, 7, 8] }, 3)).not.toEqual(one);
  });

  it.each(['rmsprop', 'adam', 'sgd'])('is trained by each optimizer: %s', async (kind) => {
    const settings = {
      rmsprop: { rho: 0.9, momentum: 0, epsilon: 1e-7 },
      adam: { beta1: 0.9, beta2: 0.999, epsilon: 1e-7 },
      sgd: { momentum: 0.9, nesterov: true },
    };
    const optimizer = { kind, ...Object.entries(settings).find(([name]) => name === kind)?.[1] };
    await withModel({ ...SMALL, optimizer }, async (model) => {
      const { values } = await model.read();
      await model.train({ ...TRAINING, learningRate: 0 });
      expect((await model.read()).values).toEqual(values);
      const { lossSum } = await model.train({ ...TRAINING, learningRate: 0.01 });
      expect((await model.train(TRAINING)).lossSum).toBeLessThan(lossSum);
    });
  });

  it('says which update made its loss no number', async () => {
    await withModel(SMALL, async (model) => {
      const broken = { ...TRAINING, pixels: new Float32Array(COUNT * NUMBERS).fill(Number.NaN) };
      await expect(model.train(broken)).rejects.toMatchObject({
        code: 'manifest',
        message: 'model.js failed: Error: the loss stopped being a finite number',
      });
    });
  });
});

describe('a module', () => {
  const layers = async (model: ModelProcess) => await Promise.resolve(model.kind.layers);

  it.each<[string, CodeRun]>([
    ['CommonJS', SMALL],
    ['CommonJS by its name', { entry: 'model.cjs', files: { 'model.cjs': SMALL_MODEL } }],
    [
      'ESM by its name',
      {
        entry: 'model.mjs',
        files: {
          'model.mjs': SMALL_MODEL.replace('exports.createModel =', 'export const createModel ='),
        },
      },
    ],
    [
      'ESM by the package',
      {
        files: {
          'package.json': '{"type":"module"}',
          'model.js': SMALL_MODEL.replace('exports.createModel =', 'export const createModel ='),
        },
      },
    ],
    [
      'ESM by its syntax',
      {
        files: {
          'model.js': SMALL_MODEL.replace('exports.createModel =', 'export const createModel ='),
        },
      },
    ],
    [
      'a default export',
      {
        entry: 'model.mjs',
        files: { 'model.mjs': `const exports = {}; ${SMALL_MODEL} export default exports;` },
      },
    ],
    [
      'a file of another folder',
      {
        entry: 'nets/model.js',
        files: {
          'nets/model.js': 'module.exports = require("../lib/small.js");',
          'lib/small.js': SMALL_MODEL,
        },
      },
    ],
    [
      'a file that it reads',
      {
        files: {
          'model.js': `const units = Number(require('node:fs').readFileSync(__dirname + '/units.txt')); ${SMALL_MODEL.replace('classes.length', 'units')}`,
          'units.txt': '3',
        },
      },
    ],
    [
      'JSON that it requires',
      {
        files: {
          'model.js': `const { units } = require('./units.json'); ${SMALL_MODEL.replace('classes.length', 'units')}`,
          'units.json': '{"units":3}',
        },
      },
    ],
  ])('may be %s', async (_, run) => {
    expect(await withModel(run, layers)).toBe(2);
  });

  it('is told where the system keeps no network off', async () => {
    const runtime = testRuntime();
    await withModel({ ...SMALL, runtime, walls: 'node' }, layers);
    expect(runtime.events).toContainEqual({
      kind: 'warned',
      message: 'model.js: this system gives it no network of its own; Node alone keeps it off',
    });
  });
});

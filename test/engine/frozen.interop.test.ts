/** A frozen base with a new head, trained on by real Keras with `trainable = False`. */
import { beforeAll, expect, it } from 'vitest';
import { type LayerSpec, sizeOf, weightSpecs } from '../../src/classifier/classifier.ts';
import { KERAS_PYTHON, runKeras } from '../support/keras-python.ts';
import { describeWith } from '../support/shared.ts';
import { conv, dense, FLATTEN, maxPool, normalization } from './layers.ts';
import { sample } from './networks.ts';

const INPUT = [9, 8, 3] as const;

/** Normalization with statistics of its own in the base and in the head. */
const SPECS: readonly LayerSpec[] = [
  conv(5, { activation: 'tanh' }),
  normalization(),
  maxPool(),
  FLATTEN,
  normalization(),
  dense(4, 'tanh'),
  dense(1, 'sigmoid'),
];
const KEPT = 4;
const UPDATES = 4;
const RATE = 0.05;

const TRAIN = `
import keras
import numpy as np
L = keras.layers
norm = dict(momentum=0.9, epsilon=0.01)
base = keras.Sequential([
    keras.Input(args['inputShape']),
    L.Conv2D(5, 3, activation='tanh'), L.BatchNormalization(**norm), L.MaxPooling2D(2), L.Flatten(),
])
base.trainable = args['trainable']
head = [L.BatchNormalization(**norm), L.Dense(4, activation='tanh'), L.Dense(1, activation='sigmoid')]
model = keras.Sequential([base] + head)
layers = base.layers + head
weights = [np.array(one, 'float32').reshape(shape) for one, shape in zip(args['weights'], args['shapes'])]
at = 0
for layer in layers:
    count = len(layer.weights)
    layer.set_weights(weights[at:at + count])
    at += count
model.compile(optimizer=keras.optimizers.SGD(args['rate']), loss='binary_crossentropy')
x = (np.array(args['pixels'], 'float32') * np.float32(1 / 255)).reshape([-1] + args['inputShape'])
y = np.array(args['labels'], 'float32').reshape(-1, 1)
for _ in range(args['updates']):
    model.train_on_batch(x, y)
say({
    'version': keras.__version__,
    'weights': [one.numpy().ravel().tolist() for layer in layers for one in layer.weights],
    'probabilities': model.predict_on_batch(x).ravel().tolist(),
})
`;

interface Trained {
  readonly weights: readonly (readonly number[])[];
  readonly probabilities: readonly number[];
}

function farthest(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  return Array.from(a).reduce(
    (most, value, at) => Math.max(most, Math.abs(value - (b[at] ?? NaN))),
    0,
  );
}

describeWith('Keras (PKG_KERAS_PYTHON)', KERAS_PYTHON)('a base with a new head', () => {
  const names: string[] = [];
  const before: Float32Array[] = [];
  const ours: Trained[] = [];
  const theirs: (Trained & { readonly version: string })[] = [];

  beforeAll(async () => {
    for (const frozen of [KEPT, 0]) {
      const { network, engine, weights, batch } = await sample(INPUT, SPECS, {
        frozen,
        batchSize: 6,
      });
      const alike = {
        ...batch,
        exampleWeights: new Float32Array(batch.count).fill(1),
        learningRate: RATE,
      };
      for (let iteration = 0; iteration < UPDATES; iteration += 1) {
        engine.train({ ...alike, iteration });
      }
      const probabilities = [...engine.predict(alike).probabilities];
      ours.push({ weights: engine.readWeights().map((one) => [...one]), probabilities });
      await engine.close();
      const specs = weightSpecs(network);
      names.splice(0, names.length, ...specs.map(({ layer, name }) => `${layer}/${name}`));
      before.splice(0, before.length, ...weights);
      const task = {
        inputShape: INPUT,
        trainable: frozen === 0,
        weights: weights.map((one) => [...one]),
        shapes: specs.map(({ shape }) => shape),
        ...{ rate: RATE, updates: UPDATES, pixels: [...batch.pixels], labels: [...batch.labels] },
      };
      expect(specs.map(({ shape }) => sizeOf(shape))).toEqual(weights.map(({ length }) => length));
      theirs.push(await runKeras(TRAIN, task));
    }
  });

  it.each([
    ['frozen', 0],
    ['trained on', 1],
  ])('is trained as by Keras 3 where the base is %s', (_, run) => {
    const [own, real] = [ours[run], theirs[run]];
    expect(real?.version).toMatch(/^3\./);
    for (const [index, name] of names.entries()) {
      expect(farthest(own?.weights[index] ?? [], real?.weights[index] ?? []), name).toBeLessThan(
        1e-5,
      );
    }
    expect(farthest(own?.probabilities ?? [], real?.probabilities ?? [])).toBeLessThan(1e-5);
  });

  it('keeps weights and moving statistics of a frozen base, in Keras and here', () => {
    const kept = names.findIndex((name) => name === 'batch_normalization_1/gamma');
    expect(kept).toBe(6);
    for (const { weights } of [...ours.slice(0, 1), ...theirs.slice(0, 1)]) {
      expect(weights.slice(0, kept)).toEqual(before.slice(0, kept).map((one) => [...one]));
    }
  });
});

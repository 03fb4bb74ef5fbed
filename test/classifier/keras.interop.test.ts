/** Names, shapes, initial weights, learning rates and early stopping against real Keras. */
import fc from 'fast-check';
import { beforeAll, expect, it } from 'vitest';
import { type LayerSpec, planNetwork, weightSpecs } from '../../src/classifier/classifier.ts';
import type { EarlyStopping } from '../../src/classifier/early-stopping.ts';
import { learningRateAt, type Schedule } from '../../src/classifier/schedule.ts';
import { anyNetwork } from '../engine/network-arbitraries.ts';
import { KERAS_PYTHON, runKeras } from '../support/keras-python.ts';
import { describeWith } from '../support/shared.ts';
import { type Stopped, stopped } from './stopped.ts';

const PROGRAM = `
import keras
import numpy as np
L = keras.layers

def layer_of(spec):
    kind = spec['kind']
    window = {key: spec[key] for key in ('strides', 'padding') if key in spec}
    if kind == 'conv2d':
        return L.Conv2D(spec['filters'], spec['kernelSize'], activation=spec['activation'], use_bias=spec['useBias'], **window)
    if kind == 'maxPooling2d': return L.MaxPooling2D(spec['poolSize'], **window)
    if kind == 'averagePooling2d': return L.AveragePooling2D(spec['poolSize'], **window)
    if kind == 'globalAveragePooling2d': return L.GlobalAveragePooling2D()
    if kind == 'flatten': return L.Flatten()
    if kind == 'dense': return L.Dense(spec['units'], activation=spec['activation'], use_bias=spec['useBias'])
    if kind == 'dropout': return L.Dropout(spec['rate'])
    if kind == 'batchNormalization': return L.BatchNormalization(momentum=spec['momentum'], epsilon=spec['epsilon'])
    if kind == 'activation': return L.Activation(spec['function'])

def planned(case):
    keras.backend.clear_session()
    model = keras.Sequential([keras.Input(case['inputShape'])] + [layer_of(spec) for spec in case['specs']])
    return {
        'layers': [[layer.name, list(layer.output.shape[1:])] for layer in model.layers],
        'weights': [[weight.path, list(weight.shape), bool(weight.trainable)] for layer in model.layers for weight in layer.weights],
    }

def limit_of(shape):
    drawn = keras.initializers.GlorotUniform(seed=1)(shape)
    return float(abs(np.array(drawn)).max())

def rates_of(case):
    S = keras.optimizers.schedules
    schedule, per_epoch, epochs = case['schedule'], case['perEpoch'], case['epochs']
    if schedule['kind'] == 'step':
        rate = S.ExponentialDecay(case['initial'], per_epoch * schedule['everyEpochs'], schedule['factor'], staircase=True)
    else:
        rate = S.CosineDecay(case['initial'], per_epoch * epochs, alpha=schedule['finalFraction'])
    return [float(rate(iteration)) for iteration in range(per_epoch * epochs)]

class Model:
    stop_training = False
    weights = None
    def get_weights(self): return self.weights
    def set_weights(self, weights): self.weights = weights

def stopped(case):
    stopping = case['stopping']
    callback = keras.callbacks.EarlyStopping(
        monitor=stopping['monitor'], min_delta=stopping['minDelta'], patience=stopping['patience'],
        mode='max' if stopping['monitor'].endswith('accuracy') else 'min',
        restore_best_weights=stopping['restoreBest'])
    model = Model()
    callback.set_model(model)
    callback.on_train_begin()
    epochs = 0
    for value in case['values']:
        model.set_weights([epochs])
        callback.on_epoch_end(epochs, {stopping['monitor']: value})
        epochs += 1
        if model.stop_training: break
    callback.on_train_end()
    if stopping['restoreBest']: assert model.weights == [callback.best_epoch]
    return {'epochs': epochs, 'bestEpoch': callback.best_epoch + 1}

say({
    'plans': [planned(case) for case in args['networks']],
    'limits': [limit_of(shape) for shape in args['shapes']],
    'rates': [rates_of(case) for case in args['schedules']],
    'stopped': [stopped(case) for case in args['histories']],
})
`;

interface Answer {
  readonly plans: readonly {
    readonly layers: readonly (readonly [string, readonly number[]])[];
    readonly weights: readonly (readonly [string, readonly number[], boolean])[];
  }[];
  readonly limits: readonly number[];
  readonly rates: readonly (readonly number[])[];
  readonly stopped: readonly Stopped[];
}

const NETWORKS = fc.sample(anyNetwork, 25);

/** Kernels of so many numbers that the largest of them is close to the limit. */
const SHAPES = [
  [3, 3, 3, 400],
  [5, 5, 17, 30],
  [1, 1, 100, 100],
  [300, 40],
  [12_000, 1],
];

const SCHEDULES: readonly { readonly schedule: Schedule; readonly initial: number }[] = [
  { schedule: { kind: 'step', everyEpochs: 1, factor: 0.9 }, initial: 0.01 },
  { schedule: { kind: 'step', everyEpochs: 3, factor: 0.5 }, initial: 0.1 },
  { schedule: { kind: 'cosine', finalFraction: 0 }, initial: 0.0005 },
  { schedule: { kind: 'cosine', finalFraction: 0.2 }, initial: 0.1 },
];
const PER_EPOCH = 5;
const EPOCHS = 8;

interface History {
  readonly stopping: EarlyStopping;
  readonly values: readonly number[];
}

/** Multiples of 1/64, with which Keras' 32-bit floats are exact. */
const grid = (max: number) => fc.nat(max).map((value) => value / 64);

const HISTORIES: readonly History[] = fc.sample(
  fc.record({
    stopping: fc.record({
      monitor: fc.constantFrom('val_loss', 'val_accuracy', 'loss', 'accuracy'),
      patience: fc.nat(5),
      minDelta: fc.oneof(fc.constant(0), grid(12)),
      restoreBest: fc.boolean(),
    }),
    values: fc.array(grid(64), { minLength: 1, maxLength: 20 }),
  }),
  200,
);

describeWith('Keras (PKG_KERAS_PYTHON)', KERAS_PYTHON)('Keras', () => {
  let answer: Answer = { plans: [], limits: [], rates: [], stopped: [] };

  beforeAll(async () => {
    answer = await runKeras<Answer>(PROGRAM, {
      networks: NETWORKS,
      shapes: SHAPES,
      schedules: SCHEDULES.map((one) => ({ ...one, perEpoch: PER_EPOCH, epochs: EPOCHS })),
      histories: HISTORIES,
    });
  });

  it('gives layers the names and shapes that we give them', () => {
    const plans = NETWORKS.map(({ inputShape, specs }) =>
      planNetwork(inputShape, specs).layers.map(({ name, outputShape }) => [name, outputShape]),
    );
    expect(plans).toEqual(answer.plans.map(({ layers }) => layers));
  });

  it('gives them the weights that we give them, in the same order', () => {
    const weights = (specs: readonly LayerSpec[], inputShape: readonly [number, number, number]) =>
      weightSpecs(planNetwork(inputShape, specs)).map(({ layer, name, shape, trainable }) => {
        return [`${layer}/${name}`, shape, trainable];
      });
    // A sequential model's own name may stand before them.
    const real = answer.plans.map((plan) =>
      plan.weights.map(([path, ...rest]) => [path.split('/').slice(-2).join('/'), ...rest]),
    );
    expect(NETWORKS.map(({ specs, inputShape }) => weights(specs, inputShape))).toEqual(real);
  });

  it('draws initial kernels within the limit that we draw them in', () => {
    for (const [index, shape] of SHAPES.entries()) {
      const [outputs = 0, inputs = 0] = shape.toReversed();
      const window = shape.slice(0, -2).reduce((product, side) => product * side, 1);
      const limit = Math.sqrt(6 / (window * (inputs + outputs)));
      const largest = answer.limits[index] ?? NaN;
      expect(largest).toBeLessThanOrEqual(Math.fround(limit));
      expect(largest).toBeGreaterThan(0.998 * limit);
    }
  });

  it('has the learning rates that we have', () => {
    for (const [index, { schedule, initial }] of SCHEDULES.entries()) {
      const rates = answer.rates[index] ?? [];
      expect(rates).toHaveLength(PER_EPOCH * EPOCHS);
      for (const [iteration, rate] of rates.entries()) {
        const epoch = Math.floor(iteration / PER_EPOCH);
        const place = { epoch, iteration, iterations: PER_EPOCH * EPOCHS };
        // Keras computes them in 32 bits.
        const own = learningRateAt(initial, schedule, place);
        expect(Math.abs(own - rate)).toBeLessThan(2e-6 * initial);
      }
    }
  });

  it('stops training where we stop it, with the same best epoch', () => {
    const own = HISTORIES.map(({ stopping, values }) => stopped(stopping, values));
    expect(own).toEqual(answer.stopped);
    expect(new Set(own.map(({ epochs }) => epochs)).size).toBeGreaterThan(3);
  });
});

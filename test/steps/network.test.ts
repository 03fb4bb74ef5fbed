/** From a manifest's model to a training: layers, defaults, weights of classes, and what is refused. */
import { describe, expect, it } from 'vitest';
import { type ModelParams, modelSchema } from '../../src/manifest/model.ts';
import { checkModel, planTraining } from '../../src/steps/network.ts';

const model = (parts: object): ModelParams =>
  modelSchema.parse({
    input: { widthPx: 12, heightPx: 10 },
    layers: ['flatten', { dense: { units: 1, activation: 'sigmoid' } }],
    ...parts,
  });

const CLASSES = ['Apple', 'Orange'];

const plan = (parts: object, classes = CLASSES, counts = [30, 10]) =>
  planTraining(model(parts), 7, classes, counts);

const softmax = (units: number) => ({
  layers: ['globalAveragePooling2d', { dense: { units, activation: 'softmax' } }],
});

describe('the plan of a training', () => {
  it('has a network of the input’s height and width, in this order', () => {
    expect(plan({}).network.inputShape).toEqual([10, 12, 3]);
    expect(plan({}).network.layers.map(({ outputShape }) => outputShape)).toEqual([[360], [1]]);
  });

  it('takes the loss from the outputs unless one is named', () => {
    expect(plan({}).loss).toBe('binaryCrossentropy');
    expect(plan(softmax(2)).loss).toBe('categoricalCrossentropy');
    expect(plan({ fit: { loss: 'binaryCrossentropy' } }).loss).toBe('binaryCrossentropy');
  });

  it('knows every layer, with Keras’ stride of a pool', () => {
    const layers = [
      { conv2d: { filters: 4, kernelSize: 3, padding: 'same' } },
      'batchNormalization',
      { activation: { function: 'tanh' } },
      { maxPooling2d: { poolSize: 3 } },
      { averagePooling2d: { poolSize: 2, strides: 1 } },
      { dropout: { rate: 0.25 } },
      'flatten',
      { dense: { units: 2, activation: 'softmax' } },
    ];
    const { network } = plan({ layers });
    expect(network.layers.map(({ name, outputShape }) => [name, outputShape])).toEqual([
      ['conv2d', [10, 12, 4]],
      ['batch_normalization', [10, 12, 4]],
      ['activation', [10, 12, 4]],
      ['max_pooling2d', [3, 4, 4]],
      ['average_pooling2d', [2, 3, 4]],
      ['dropout', [2, 3, 4]],
      ['flatten', [24]],
      ['dense', [2]],
    ]);
  });

  it('has Keras’ defaults of each optimizer', () => {
    const of = (optimizer: string) => plan({ fit: { optimizer } });
    expect(of('rmsprop')).toMatchObject({
      optimizer: { kind: 'rmsprop', rho: 0.9, momentum: 0, epsilon: 1e-7 },
      fit: { learningRate: 0.001 },
    });
    expect(of('sgd')).toMatchObject({
      optimizer: { kind: 'sgd', momentum: 0, nesterov: false },
      fit: { learningRate: 0.01 },
    });
    expect(of('adam')).toMatchObject({
      optimizer: { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-7 },
      fit: { learningRate: 0.001 },
    });
  });

  it('weighs classes alike, as told, or so that each counts the same', () => {
    const weights = (classWeights?: unknown) =>
      plan(classWeights === undefined ? {} : { fit: { classWeights } }).fit.classWeights;
    expect(weights()).toEqual([1, 1]);
    expect(weights({ Orange: 3 })).toEqual([1, 3]);
    expect(weights('balanced')).toEqual([40 / 60, 2]);
    expect(() => weights({ Pear: 2 })).toThrow('there is no class "Pear"');
  });

  it('knows the schedules of the learning rate', () => {
    const schedule = (learningRateSchedule: unknown) =>
      plan({ fit: { learningRateSchedule } }).fit.schedule;
    expect(schedule('constant')).toEqual({ kind: 'constant' });
    expect(schedule({ step: { everyEpochs: 3, factor: 0.5 } })).toEqual({
      kind: 'step',
      everyEpochs: 3,
      factor: 0.5,
    });
    expect(schedule('cosine')).toEqual({ kind: 'cosine', finalFraction: 0 });
  });

  it.each([
    [1, 3],
    [3, 2],
    [1, 1],
    [2, 1],
  ])('refuses %i outputs for %i classes', (units, classes) => {
    const names = ['Apple', 'Orange', 'Pear'].slice(0, classes);
    const parts = units === 1 ? {} : softmax(units);
    expect(() => plan(parts, names, [1, 1, 1])).toThrow(
      /the network has \d outputs?, the crops are of/,
    );
  });
});

describe('a model before there are crops', () => {
  it.each<[string, object]>([
    ['takes a dense layer of softmax', { fit: { loss: 'categoricalCrossentropy' } }],
    ['takes a dense layer of sigmoid', { ...softmax(2), fit: { loss: 'binaryCrossentropy' } }],
    ['dense takes a vector', { layers: [{ dense: { units: 1, activation: 'sigmoid' } }] }],
    ['flatten takes a feature map', { layers: ['flatten', 'flatten'] }],
    [
      'conv2d takes a feature map',
      { layers: ['flatten', { conv2d: { filters: 1, kernelSize: 1 } }] },
    ],
    ['a window of 11 does not fit into 10 x 12', { layers: [{ maxPooling2d: { poolSize: 11 } }] }],
    ['has no 7 here', { layers: [{ conv2d: { filters: 1, kernelSize: 7 } }, 'flatten'] }],
    [
      'has no 3 here',
      { layers: [{ conv2d: { filters: 1, kernelSize: 1, strides: 3 } }, 'flatten'] },
    ],
    [
      'needs more than 4 GiB',
      {
        input: { widthPx: 4096, heightPx: 4096 },
        layers: [
          { conv2d: { filters: 64, kernelSize: 3 } },
          'globalAveragePooling2d',
          { dense: { units: 1, activation: 'sigmoid' } },
        ],
      },
    ],
  ])('%s', (message, parts) => {
    expect(() => checkModel(model(parts))).toThrow(message);
  });

  it('passes where everything fits', () => {
    expect(() => checkModel(model({}))).not.toThrow();
    expect(() => checkModel(model(softmax(9)))).not.toThrow();
  });
});

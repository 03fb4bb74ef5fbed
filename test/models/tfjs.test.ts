/** Models as TensorFlow.js' files: real TensorFlow.js loads them, and we read back what we wrote. */
import '@tensorflow/tfjs-backend-cpu';
import { io, oneHot, ones, setBackend } from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { outputUnits } from '../../src/classifier/classifier.ts';
import type { Training } from '../../src/models/models.ts';
import { formatTfjs, parseTfjs } from '../../src/models/tfjs.ts';
import { loadByTfjs, predictByTfjs } from './real-tfjs.ts';
import { ARTICLE_MODEL, SAMPLES, SMALL, samplePictures } from './sample-models.ts';

const TRAINED: readonly Omit<Training, 'loss'>[] = [
  {
    optimizer: { kind: 'rmsprop', rho: 0.9, momentum: 0, epsilon: 1e-7 },
    learningRate: 0.0005,
  },
  { optimizer: { kind: 'sgd', momentum: 0, nesterov: false }, learningRate: 0.01 },
  { optimizer: { kind: 'sgd', momentum: 0.9, nesterov: true }, learningRate: 0.02 },
  {
    optimizer: { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-7 },
    learningRate: 0.001,
  },
];

/** Compared at once, where a million numbers would take seconds. */
function inBase64(values: Float32Array): string {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('base64');
}

describe.each(Object.entries(SAMPLES))('%s', (_, model) => {
  it('is loaded by TensorFlow.js with its weights, and predicts numbers', async () => {
    const loaded = await loadByTfjs(formatTfjs(model));
    const predicted = predictByTfjs(loaded, model, samplePictures(model, 2));
    expect(predicted.length).toBe(2 * outputUnits(model.network));
    expect(predicted.every((score) => score > 0.001 && score < 0.999)).toBe(true);
    expect(new Set(predicted).size).toBe(predicted.length);
    expect(loaded.layers.slice(1).map(({ name }) => name)).toEqual(
      model.network.layers.map(({ name }) => name),
    );
  });

  it('is read back as it was', () => {
    const { modelJson, weightsBin } = formatTfjs(model);
    const read = parseTfjs(modelJson, weightsBin, 'model.json');
    expect({ ...read, weights: read.weights.map(inBase64) }).toEqual({
      ...model,
      weights: model.weights.map(inBase64),
    });
  });
});

describe("a model's files", () => {
  it('keep further facts beside classes, input and threshold, which no fact replaces', async () => {
    const files = formatTfjs(SMALL, { userDefinedMetadata: { data: 'top hash', threshold: 7 } });
    const loaded = await loadByTfjs(files);
    expect(loaded.getUserDefinedMetadata()).toEqual({
      data: 'top hash',
      classes: SMALL.classes,
      input: SMALL.input,
      threshold: 0.5,
    });
  });

  it('weigh what their numbers weigh', () => {
    const { weightsBin } = formatTfjs(ARTICLE_MODEL);
    expect(weightsBin.length).toBe(4 * 831_585);
  });

  it('are read wherever their bytes begin', () => {
    const { modelJson, weightsBin } = formatTfjs(SMALL);
    const shifted = new Uint8Array(weightsBin.length + 1);
    shifted.set(weightsBin, 1);
    expect(parseTfjs(modelJson, shifted.subarray(1), 'model.json')).toEqual(SMALL);
  });

  it.each(TRAINED)('can be trained on by TensorFlow.js with $optimizer.kind', async (trained) => {
    const training: Training = { ...trained, loss: 'categoricalCrossentropy' };
    const loaded = await loadByTfjs(formatTfjs({ ...SMALL, training }));
    expect(loaded.loss).toBe('categoricalCrossentropy');
    expect(loaded.optimizer.getConfig()).toMatchObject({ learningRate: trained.learningRate });
    const labels = oneHot([0, 1], SMALL.classes.length);
    await loaded.fit(ones([2, ...SMALL.network.inputShape]), labels);
  });

  it('may be those that TensorFlow.js saved itself', async () => {
    await setBackend('cpu');
    const foreign = sequential({
      layers: [
        layers.conv2d({ inputShape: [8, 9, 3], filters: 2, kernelSize: 3, activation: 'relu' }),
        layers.batchNormalization(),
        layers.averagePooling2d({ poolSize: 2, padding: 'same' }),
        layers.flatten(),
        layers.dropout({ rate: 0.5 }),
        layers.dense({ units: 1, activation: 'sigmoid' }),
      ],
    });
    foreign.compile({ optimizer: 'rmsprop', loss: 'binaryCrossentropy' });
    foreign.setUserDefinedMetadata({
      classes: ['no', 'yes'],
      input: { ...SMALL.input, widthPx: 9, heightPx: 8 },
      threshold: 0.5,
    });
    const files = await savedByTfjs(foreign);
    const model = parseTfjs(files.modelJson, files.weightsBin, 'model.json');
    expect(model.network.layers.map(({ name }) => name)).toEqual([
      'conv2d',
      'batch_normalization',
      'average_pooling2d',
      'flatten',
      'dropout',
      'dense',
    ]);
    const pictures = samplePictures(model, 3);
    const ours = predictByTfjs(await loadByTfjs(formatTfjs(model)), model, pictures);
    expect(ours).toEqual(predictByTfjs(foreign, model, pictures));
  });
});

/** What `model.save` gives to whoever keeps it, its optimizer's state among it. */
async function savedByTfjs(model: ReturnType<typeof sequential>) {
  let files = { modelJson: '', weightsBin: new Uint8Array() };
  const handler = io.withSaveHandler(({ weightSpecs = [], weightData, ...artifacts }) => {
    if (!(weightData instanceof ArrayBuffer)) throw new Error('the weights are in one piece');
    const manifest = [{ paths: ['weights.bin'], weights: weightSpecs }];
    const json = { ...artifacts, weightsManifest: manifest };
    files = { modelJson: JSON.stringify(json), weightsBin: new Uint8Array(weightData) };
    return Promise.resolve({
      modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' as const },
    });
  });
  await model.save(handler, { includeOptimizer: true });
  return files;
}

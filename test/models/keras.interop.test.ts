/** Real Keras loads clf.h5 and predicts what TensorFlow.js predicts from model.json. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { formatKeras } from '../../src/models/keras.ts';
import type { Model, Training } from '../../src/models/models.ts';
import { formatTfjs } from '../../src/models/tfjs.ts';
import { formatTopology } from '../../src/models/topology.ts';
import { KERAS_PYTHON, runKeras } from '../support/keras-python.ts';
import { describeWith } from '../support/shared.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { loadByTfjs, predictByTfjs } from './real-tfjs.ts';
import { SAMPLES, SMALL, sampleModel, samplePictures } from './sample-models.ts';

interface LoadedByKeras {
  readonly predicted: readonly number[];
  readonly layers: readonly string[];
  readonly weights: readonly string[];
  readonly compiled: boolean;
}

interface ReadByH5py {
  readonly config: unknown;
  readonly names: readonly string[];
  readonly modifiedSeconds: number;
}

const LOAD_AND_PREDICT = `
import keras
import numpy as np
for case in args:
    model = keras.models.load_model(case['model'])
    pictures = np.fromfile(case['pictures'], '<f4').reshape(case['shape'])
    case['answer'] = {
        'predicted': model.predict(pictures, verbose=0).ravel().tolist(),
        'layers': [layer.name for layer in model.layers],
        'weights': [weight.path for weight in model.weights],
        'compiled': model.compiled,
    }
say([case['answer'] for case in args])
`;

const PICTURES = 4;

async function loadByKeras(models: readonly Model[]): Promise<readonly LoadedByKeras[]> {
  const folder = await temporaryFolder();
  const cases = models.map(async (model, index) => {
    const files = join(folder, String(index));
    await writeFile(`${files}.h5`, await formatKeras(model));
    await writeFile(`${files}.bin`, new Uint8Array(samplePictures(model, PICTURES).buffer));
    const shape = [PICTURES, ...model.network.inputShape];
    return { model: `${files}.h5`, pictures: `${files}.bin`, shape };
  });
  return runKeras<readonly LoadedByKeras[]>(LOAD_AND_PREDICT, await Promise.all(cases));
}

const TRAINED: readonly Training[] = [
  {
    optimizer: { kind: 'rmsprop', rho: 0.8, momentum: 0.1, epsilon: 1e-6 },
    learningRate: 0.0005,
    loss: 'categoricalCrossentropy',
  },
  {
    optimizer: { kind: 'sgd', momentum: 0.9, nesterov: true },
    learningRate: 0.02,
    loss: 'categoricalCrossentropy',
  },
  {
    optimizer: { kind: 'adam', beta1: 0.8, beta2: 0.99, epsilon: 1e-6 },
    learningRate: 0.003,
    loss: 'binaryCrossentropy',
  },
];

/** Loads a model, trains it for one batch, and says by what. */
const TRAIN_ON = `
import keras
import numpy as np
def trained(path):
    model = keras.models.load_model(path)
    labels = np.eye(model.output_shape[1])[:2]
    model.fit(np.ones((2, *model.input_shape[1:])), labels, verbose=0)
    settings = model.optimizer.get_config().items()
    plain = {key: value for key, value in settings if isinstance(value, (int, float, str))}
    return {**plain, 'loss': model.loss.__name__}
say([trained(path) for path in args])
`;

/** What h5py finds, which Keras reads by. */
const READ_BY_H5PY = `
import h5py, json
file = h5py.File(args['path'])
say({
    'config': json.loads(file.attrs['model_config']),
    'names': [name.decode() for name in file['model_weights'].attrs['layer_names']],
    'modifiedSeconds': h5py.h5g.get_objinfo(file['model_weights/dense/dense/kernel:0'].id).mtime,
})
`;

describeWith('Keras (PKG_KERAS_PYTHON)', KERAS_PYTHON)('clf.h5 in Keras', () => {
  const names = Object.keys(SAMPLES);
  let loaded: readonly LoadedByKeras[] = [];

  beforeAll(async () => {
    loaded = await loadByKeras(Object.values(SAMPLES));
  });

  describe.each(Object.entries(SAMPLES))('%s', (name, model) => {
    it('predicts what TensorFlow.js predicts, within 1e-5', async () => {
      const byKeras = loaded[names.indexOf(name)]?.predicted ?? [];
      const tfjs = await loadByTfjs(formatTfjs(model));
      const byTfjs = predictByTfjs(tfjs, model, samplePictures(model, PICTURES));
      expect(byKeras.length).toBe(byTfjs.length);
      expect(new Set(byKeras).size).toBe(byKeras.length);
      const apart = byKeras.map((score, index) => Math.abs(score - (byTfjs[index] ?? NaN)));
      expect(Math.max(...apart)).toBeLessThan(1e-5);
    });

    it('has its layers and weights under the names that we give them', () => {
      const { layers = [], weights = [] } = loaded[names.indexOf(name)] ?? {};
      expect(layers).toEqual(model.network.layers.map((layer) => layer.name));
      expect(weights).toHaveLength(model.weights.length);
    });

    it('is not compiled, as nothing says how it was trained', () => {
      expect(loaded[names.indexOf(name)]?.compiled).toBe(false);
    });
  });

  it('holds a thousand layers, more than fit into the header of an HDF5 object', async () => {
    const between = { kind: 'activation', function: 'tanh' } as const;
    const deep = sampleModel(
      [
        { kind: 'globalAveragePooling2d' },
        ...Array.from({ length: 998 }, () => between),
        { kind: 'dense', units: 1, activation: 'sigmoid', useBias: true },
      ],
      [2, 2, 3],
    );
    const path = join(await temporaryFolder(), 'deep.h5');
    await writeFile(path, await formatKeras(deep));
    const read = await runKeras<ReadByH5py>(READ_BY_H5PY, { path });
    expect(read.config).toEqual(formatTopology(deep.network));
    expect(JSON.stringify(read.config).length).toBeGreaterThan(2 ** 16);
    expect(read.names).toEqual(deep.network.layers.map(({ name }) => name));
    expect(read.modifiedSeconds).toBe(0);
  });

  it('can be trained on with the optimizer it was trained by, and its settings', async () => {
    const folder = await temporaryFolder();
    const paths = TRAINED.map((_, index) => join(folder, `${String(index)}.h5`));
    for (const [index, path] of paths.entries()) {
      await writeFile(path, await formatKeras({ ...SMALL, training: TRAINED[index]! }));
    }
    const settings = await runKeras<readonly Record<string, unknown>[]>(TRAIN_ON, paths);
    expect(settings).toMatchObject([
      { learning_rate: near(0.0005), rho: 0.8, momentum: 0.1, epsilon: 1e-6 },
      { learning_rate: near(0.02), momentum: 0.9, nesterov: true },
      { learning_rate: near(0.003), beta_1: 0.8, beta_2: 0.99, epsilon: 1e-6 },
    ]);
    expect(settings.map(({ loss }) => loss)).toEqual([
      'categorical_crossentropy',
      'categorical_crossentropy',
      'binary_crossentropy',
    ]);
  });
});

/** Keras keeps the learning rate as a float32. */
function near(value: number): unknown {
  return expect.closeTo(value, 8);
}

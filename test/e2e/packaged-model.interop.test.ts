/** The model of a built package in other people's hands: Keras and TensorFlow.js say what we say of every judged crop. */
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { decodeToInput } from '../../src/images/resize.ts';
import { parseTfjs } from '../../src/models/tfjs.ts';
import { loadByTfjs, predictByTfjs } from '../models/real-tfjs.ts';
import { runJson } from '../support/cli.ts';
import { KERAS_PYTHON, runKeras } from '../support/keras-python.ts';
import { copySample, SAMPLE_NAME } from '../support/sample-models.ts';
import { describeWith } from '../support/shared.ts';
import { cell, readTable } from '../support/tables.ts';
import { temporaryFolder } from '../support/temporary.ts';

const PREDICT = `
import keras
import numpy as np
model = keras.models.load_model(args['model'])
pictures = np.fromfile(args['pictures'], np.uint8).reshape(args['shape']).astype(np.float32) / 255
say(model.predict(pictures, verbose=0).ravel().tolist())
`;

/** How far probabilities may lie apart. */
const TOLERANCE = 1e-5;

const largestDistance = (ours: readonly number[], theirs: ArrayLike<number>) =>
  Math.max(...ours.map((value, index) => Math.abs(value - (theirs[index] ?? Number.NaN))));

describeWith('Python with Keras', KERAS_PYTHON)('the model of the sample package', () => {
  let installed: string;
  let ours: number[];
  let pictures: Uint8Array;

  beforeAll(async () => {
    const manifest = await copySample();
    const folder = dirname(manifest);
    const store = ['--store', join(folder, 'store')];
    const registry = ['--registry', join(folder, 'registry')];
    installed = await temporaryFolder();
    await runJson(['build', manifest, ...store]);
    await runJson(['push', SAMPLE_NAME, ...store, ...registry]);
    await runJson(['install', SAMPLE_NAME, ...registry, '--dest', installed]);
    const rows = readTable(join(installed, 'models/predictions.csv'));
    ours = rows.map((row) => Number(cell(row, 'Probability:Sandwich')));
    const decoded = rows.map(async (row) =>
      decodeToInput(await readFile(join(installed, cell(row, 'LogicalKey'))), {
        widthPx: 64,
        heightPx: 64,
      }),
    );
    pictures = Buffer.concat(await Promise.all(decoded));
  });

  it('has predictions for every crop of validation and test', () => {
    const crops = readTable(join(installed, 'metadata/crops.csv'));
    const judged = crops.filter((row) => ['validation', 'test'].includes(cell(row, 'Split')));
    expect(ours).toHaveLength(judged.length);
    expect(new Set(ours).size).toBeGreaterThan(judged.length / 2);
  });

  it('predicts the same within 1e-5 in Keras, out of clf.h5', async () => {
    const file = join(await temporaryFolder(), 'pictures.bin');
    await writeFile(file, pictures);
    const theirs = await runKeras<number[]>(PREDICT, {
      model: join(installed, 'models/clf.h5'),
      pictures: file,
      shape: [ours.length, 64, 64, 3],
    });
    expect(theirs).toHaveLength(ours.length);
    expect(largestDistance(ours, theirs)).toBeLessThan(TOLERANCE);
  });

  it('predicts the same within 1e-5 in TensorFlow.js, out of model.json', async () => {
    const modelJson = await readFile(join(installed, 'models/model.json'), 'utf8');
    const weightsBin = await readFile(join(installed, 'models/weights.bin'));
    const model = parseTfjs(modelJson, weightsBin, 'model.json');
    const loaded = await loadByTfjs({ modelJson, weightsBin });
    const numbers = Float32Array.from(pictures, (value) => value / 255);
    const theirs = predictByTfjs(loaded, model, numbers);
    expect(largestDistance(ours, theirs)).toBeLessThan(TOLERANCE);
  });
});

/** Real TensorFlow.js on its CPU backend: loads a model's files and predicts. */
import '@tensorflow/tfjs-backend-cpu';
import { io, setBackend, Tensor, tensor } from '@tensorflow/tfjs-core';
import { type LayersModel, loadLayersModel } from '@tensorflow/tfjs-layers';
import type { Model } from '../../src/models/models.ts';
import type { TfjsFiles } from '../../src/models/tfjs.ts';

/** Loads as `tf.loadLayersModel(url)` does once it has both files. */
export async function loadByTfjs({ modelJson, weightsBin }: TfjsFiles): Promise<LayersModel> {
  await setBackend('cpu');
  const json = JSON.parse(modelJson) as io.ModelJSON;
  const artifacts = await io.getModelArtifactsForJSON(json, (manifest) =>
    Promise.resolve([manifest.flatMap((group) => group.weights), weightsBin.slice().buffer]),
  );
  return loadLayersModel(io.fromMemory(artifacts));
}

/** What TensorFlow.js predicts, one row of numbers after the other. */
export function predictByTfjs(
  loaded: LayersModel,
  { network }: Model,
  pictures: Float32Array,
): Float32Array {
  const count = pictures.length / network.inputShape.reduce((size, side) => size * side, 1);
  const predicted = loaded.predict(tensor(pictures, [count, ...network.inputShape]));
  if (!(predicted instanceof Tensor)) throw new Error('the model has one output');
  return Float32Array.from(predicted.dataSync());
}

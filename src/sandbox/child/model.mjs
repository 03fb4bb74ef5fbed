/** Models: made by the user's module or by a topology, and their weights in and out. */
import { pathToFileURL } from 'node:url';

/** A failure that is the user's, in words that need no place in a file. */
class Faulty extends Error {
  name = 'Faulty';
}

/** Makes the model that is asked for: by a module's `createModel`, or by a topology of ours. */
export async function createModel(tf, { entry, topology, input, classes, params }) {
  if (entry === undefined) return await tf.models.modelFromJSON(topology);
  const module = await import(pathToFileURL(entry).href);
  const make = module.createModel ?? module.default?.createModel;
  if (typeof make !== 'function') throw new Faulty('it exports no function createModel');
  const inputShape = [input.heightPx, input.widthPx, 3];
  const made = await make(tf, { inputShape, classes, params });
  if (!(made instanceof tf.LayersModel)) {
    throw new Faulty(
      'createModel returned no tf.LayersModel (tf.sequential or tf.model makes one)',
    );
  }
  return made;
}

/** The shapes a model takes and gives, and how much it is. */
export function kindOf(model) {
  return {
    inputs: model.inputs.map(({ shape }) => shape),
    outputs: model.outputs.map(({ shape }) => shape),
    layers: model.layers.length,
    weights: model.weights.map(({ originalName, shape, dtype }) => {
      return { name: originalName, shape, dtype };
    }),
  };
}

/** The topology, and all weights one after the other. */
export function readModel(model) {
  const values = model.getWeights().map((tensor) => tensor.dataSync());
  const body = new Uint8Array(values.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let at = 0;
  for (const { buffer, byteOffset, byteLength } of values) {
    body.set(new Uint8Array(buffer, byteOffset, byteLength), at);
    at += byteLength;
  }
  const topology = JSON.parse(model.toJSON(undefined, true));
  return { header: { topology, weights: kindOf(model).weights }, body };
}

/** Sets all weights to numbers that stand as `readModel` gives them. */
export function writeModel(tf, model, body) {
  let at = 0;
  const tensors = model.getWeights().map(({ shape, size }) => {
    const values = new Float32Array(body, at, size);
    at += 4 * size;
    return tf.tensor(values, shape, 'float32');
  });
  model.setWeights(tensors);
  tf.dispose(tensors);
}

/** TensorFlow.js as `tf`: core and layers on the backend that is plain JavaScript. */
import Module from 'node:module';
import { useFastKernels } from './kernels.mjs';

/**
 * Loads TensorFlow.js.
 * @param files where the packages are that it consists of, by their names.
 */
export async function openTensorflow(require, files) {
  const { _resolveFilename } = Module;
  // They ask for each other by name, and what lies between them may not be looked at.
  Module._resolveFilename = (name, ...rest) => files[name] ?? _resolveFilename(name, ...rest);
  const tf = { ...require('@tensorflow/tfjs-core'), ...require('@tensorflow/tfjs-layers') };
  require('@tensorflow/tfjs-backend-cpu');
  Module._resolveFilename = _resolveFilename;
  useFastKernels(tf);
  // Else the backend advises on its first use to install another one.
  tf.enableProdMode();
  await tf.setBackend('cpu');
  return tf;
}

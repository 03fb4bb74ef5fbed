/** Why a file is not read as a model: it is broken, or none that pkg runs. */
import { PkgError } from '../runtime/errors.ts';

/** An error for a file that no one could run. */
export function broken(where: string, what: string): PkgError {
  return new PkgError('integrity', `${where}: ${what}`, {
    hint: 'The file is damaged, or no model at all; get it again.',
  });
}

/** An error for a model that may be sound, but is none of those that pkg runs. */
export function foreign(where: string, what: string): PkgError {
  return new PkgError('usage', `${where}: pkg does not run ${what}`, {
    hint: 'TensorFlow.js (tf.loadLayersModel) or Keras may run it.',
  });
}

/** A foreign text for a message: short, and without control characters. */
export function quoted(text: string): string {
  return JSON.stringify(text.length <= 80 ? text : `${text.slice(0, 77)}...`);
}

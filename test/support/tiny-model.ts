/** A model small enough for any test, as a package keeps it. */
import { type LayerSpec } from '../../src/classifier/classifier.ts';
import type { Model } from '../../src/models/models.ts';
import { formatTfjs } from '../../src/models/tfjs.ts';
import { sampleModel } from '../models/sample-models.ts';

const HIDDEN: readonly LayerSpec[] = [
  {
    ...{ kind: 'conv2d', filters: 5, kernelSize: 3, strides: 1 },
    ...{ padding: 'valid', activation: 'relu', useBias: true },
  },
  { kind: 'maxPooling2d', poolSize: 2, strides: 2, padding: 'valid' },
  { kind: 'flatten' },
];

/** Tells two classes apart by one sigmoid, or more by softmax; 20 pixels wide, 14 high. */
export function tinyModel(classes: readonly string[] = ['Hamburger', 'Sandwich']): Model {
  const last =
    classes.length === 2
      ? ({ units: 1, activation: 'sigmoid' } as const)
      : ({ units: classes.length, activation: 'softmax' } as const);
  const specs: readonly LayerSpec[] = [...HIDDEN, { kind: 'dense', useBias: true, ...last }];
  return { ...sampleModel(specs, [14, 20, 3]), classes };
}

/** A model's two files under the names they have in a package. */
export function modelFiles(model: Model): Record<string, string | Uint8Array> {
  const { modelJson, weightsBin } = formatTfjs(model);
  return { 'models/model.json': modelJson, 'models/weights.bin': weightsBin };
}

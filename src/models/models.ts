/** A model: a trained classifier with everything needed to predict by it. */
import {
  type Network,
  outputUnits,
  sizeOf,
  type Weights,
  weightSpecs,
} from '../classifier/classifier.ts';
import type { Loss, Optimizer } from '../classifier/engine.ts';
import { invariant } from '../runtime/errors.ts';

/** How a picture becomes the network's input. */
export interface ModelInput {
  readonly widthPx: number;
  readonly heightPx: number;
  readonly channels: 'RGB';
  /** What each channel value, 0 to 255, is multiplied by: 1/255 gives numbers from 0 to 1. */
  readonly rescale: number;
  /** How a picture was brought to this size, in words for who does it elsewhere. */
  readonly resize: string;
}

/** How a model was trained; names and meanings are Keras'. */
export interface Training {
  readonly optimizer: Optimizer;
  readonly learningRate: number;
  readonly loss: Loss;
}

export interface Model {
  readonly network: Network;
  readonly weights: Weights;
  /** In the order of the network's outputs; of a single one, the second class is the positive one. */
  readonly classes: readonly string[];
  readonly input: ModelInput;
  /** From which score on a network with a single output says the second class. */
  readonly threshold: number;
  /** Written for those who train on with TensorFlow.js or Keras; never read back. */
  readonly training?: Training;
}

/** How many classes a network tells apart. */
export function classCount(network: Network): number {
  const units = outputUnits(network);
  return units === 1 ? 2 : units;
}

/** A weight with where it belongs and its numbers. */
export interface NamedWeight {
  readonly layer: string;
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** The weights of a model with their names; asserts that the model is whole. */
export function namedWeights({ network, weights, classes }: Model): readonly NamedWeight[] {
  const specs = weightSpecs(network);
  invariant(specs.length === weights.length, 'one array a weight');
  invariant(classes.length === classCount(network), 'one name a class');
  return specs.map(({ layer, name, shape }, index) => {
    const values = weights[index];
    invariant(values?.length === sizeOf(shape), `${layer}/${name} has its shape's numbers`);
    invariant(allFinite(values), `${layer}/${name} holds numbers`);
    return { layer, name, shape, values };
  });
}

/** Whether no number is infinite or NaN. */
export function allFinite(values: Float32Array): boolean {
  return values.every(Number.isFinite);
}

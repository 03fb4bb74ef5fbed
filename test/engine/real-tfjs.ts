/** Real TensorFlow.js on its CPU backend: the same network, its predictions, loss and gradients. */
import '@tensorflow/tfjs-backend-cpu';
import {
  avgPool,
  div,
  engine,
  mean,
  mul,
  onesLike,
  pad,
  type Scalar,
  setBackend,
  Tensor,
  type Tensor4D,
  tensor,
  tensor4d,
  variableGrads,
} from '@tensorflow/tfjs-core';
import { input, type LayersModel, layers, metrics, model } from '@tensorflow/tfjs-layers';
import {
  isFrozen,
  type Layer,
  type LayerSpec,
  type Network,
  outputUnits,
  sizeOf,
  type Weights,
  weightSpecs,
} from '../../src/classifier/classifier.ts';
import type { Loss, TrainingBatch } from '../../src/classifier/engine.ts';
import { dropoutMask } from './dropout-mask.ts';

type TfjsLayer = layers.Layer;
type Shape = Parameters<TfjsLayer['computeOutputShape']>[0];

/** What a network gives, by TensorFlow.js. */
export interface Computed {
  readonly probabilities: Float32Array;
  /** Mean of the examples' losses, each times its weight. */
  readonly loss: number;
  /** Of each weight in order; undefined where it is not trained. */
  readonly gradients: readonly (Float32Array | undefined)[];
}

function only(value: Tensor | Tensor[]): Tensor {
  const one = value instanceof Tensor ? value : value[0];
  if (one === undefined) throw new Error('a layer takes one tensor');
  return one;
}

/** Average pooling under `same`: the CPU backend's own gradient counts pixels outside, too. */
class SameAverage extends layers.Layer {
  static className = 'SameAverage';
  readonly #size: number;
  readonly #strides: number;

  constructor(size: number, strides: number) {
    super({});
    this.#size = size;
    this.#strides = strides;
  }

  override computeOutputShape(shape: Shape): Shape {
    const [batch = null, height = 0, width = 0, channels = 0] = shape.flat();
    const sides = [height, width].map((side) => Math.ceil((side ?? 0) / this.#strides));
    return [batch, ...sides, channels];
  }

  override call(inputs: Tensor | Tensor[]): Tensor {
    const x = only(inputs) as Tensor4D;
    return div(this.#sums(x), this.#sums(onesLike(x)));
  }

  #sums(x: Tensor4D): Tensor {
    const [, height, width] = x.shape;
    const around = [height, width].map((side) => {
      const output = Math.ceil(side / this.#strides);
      const added = Math.max(0, (output - 1) * this.#strides + this.#size - side);
      return [Math.floor(added / 2), Math.ceil(added / 2)] as [number, number];
    });
    const padded: Tensor4D = pad(x, [[0, 0], ...around, [0, 0]]);
    return mul(avgPool(padded, this.#size, this.#strides, 'valid'), this.#size ** 2);
  }
}

/** Dropout of what a mask says; in training only. */
class Masked extends layers.Layer {
  static className = 'Masked';
  readonly #mask: Tensor;

  constructor(mask: Tensor) {
    super({});
    this.#mask = mask;
  }

  override call(inputs: Tensor | Tensor[], kwargs: Record<string, unknown>): Tensor {
    return kwargs['training'] === true ? mul(only(inputs), this.#mask) : only(inputs);
  }
}

/** A layer of TensorFlow.js with our settings. */
function tfjsLayer(spec: Exclude<LayerSpec, { readonly kind: 'dropout' }>): TfjsLayer {
  switch (spec.kind) {
    case 'conv2d':
      return layers.conv2d(spec);
    case 'dense':
      return layers.dense(spec);
    case 'maxPooling2d':
      return layers.maxPooling2d(windowOf(spec));
    case 'averagePooling2d':
      return spec.padding === 'same'
        ? new SameAverage(spec.poolSize, spec.strides)
        : layers.averagePooling2d(windowOf(spec));
    case 'globalAveragePooling2d':
      return layers.globalAveragePooling2d({ dataFormat: 'channelsLast' });
    case 'flatten':
      return layers.flatten();
    case 'batchNormalization':
      return layers.batchNormalization({ momentum: spec.momentum, epsilon: spec.epsilon });
    case 'activation':
      return layers.activation({ activation: spec.function });
  }
}

/** A layer that is not trained; TensorFlow.js would normalize by the batch even so, Keras does not. */
function frozenLayer(spec: Exclude<LayerSpec, { readonly kind: 'dropout' }>): TfjsLayer {
  const layer = tfjsLayer(spec);
  if (spec.kind !== 'batchNormalization') return layer;
  const call = layer.call.bind(layer);
  layer.call = (inputs) => call(inputs, { training: false });
  return layer;
}

function windowOf({
  poolSize,
  strides,
  padding,
}: Extract<LayerSpec, { readonly kind: 'maxPooling2d' | 'averagePooling2d' }>) {
  return {
    poolSize: [poolSize, poolSize] as [number, number],
    strides: [strides, strides] as [number, number],
    padding,
  };
}

function layerOf(layer: Layer, index: number, batch: TrainingBatch, seed: number): TfjsLayer {
  const { spec, inputShape } = layer;
  if (spec.kind !== 'dropout') return isFrozen(layer) ? frozenLayer(spec) : tfjsLayer(spec);
  const { count, iteration } = batch;
  const mask = dropoutMask(inputShape, count, { seed, layer: index, iteration, rate: spec.rate });
  return new Masked(tensor(mask, [count, ...inputShape]));
}

/** A model of the layers, one after the other. */
function tfjsModel(inputShape: readonly number[], stack: readonly TfjsLayer[]): LayersModel {
  const start = input({ shape: [...inputShape] });
  let end = start;
  for (const layer of stack) end = layer.apply(end) as typeof start;
  return model({ inputs: start, outputs: end });
}

/** Predictions, loss and gradients of a batch; `seed` is what dropout is drawn by. */
export async function computeByTfjs(
  network: Network,
  weights: Weights,
  batch: TrainingBatch,
  loss: Loss,
  seed: number,
): Promise<Computed> {
  await setBackend('cpu');
  engine().startScope();
  const stack = network.layers.map((layer, index) => layerOf(layer, index, batch, seed));
  const built = tfjsModel(network.inputShape, stack);
  try {
    for (const [index, layer] of network.layers.entries()) {
      const own = stack[index];
      if (own !== undefined && isFrozen(layer)) own.trainable = false;
    }
    writeWeights(network, stack, weights);
    const shape = [batch.count, ...network.inputShape] as [number, number, number, number];
    const pixels = Float32Array.from(batch.pixels, (value) => value * Math.fround(1 / 255));
    const x = tensor4d(pixels, shape);
    const probabilities = only(built.predict(x)).dataSync<'float32'>().slice();
    const y = targets(batch, outputUnits(network));
    const each = tensor(batch.exampleWeights, [batch.count]);
    const { value, grads } = variableGrads(() => {
      const output = only(built.apply(x, { training: true }) as Tensor | Tensor[]);
      const losses =
        loss === 'binaryCrossentropy'
          ? metrics.binaryCrossentropy(y, output)
          : metrics.categoricalCrossentropy(y, output);
      const total: Tensor = mean(mul(losses, each));
      return total as Scalar;
    });
    const names = stack.flatMap((layer) => layer.weights.map(({ name }) => name));
    const gradients = weightSpecs(network).map(({ trainable }, index) =>
      trainable ? grads[names[index] ?? '']?.dataSync<'float32'>().slice() : undefined,
    );
    return { probabilities, loss: value.dataSync<'float32'>()[0] ?? NaN, gradients };
  } finally {
    built.dispose();
    engine().endScope();
  }
}

function writeWeights(network: Network, stack: readonly TfjsLayer[], weights: Weights): void {
  let next = 0;
  for (const [index, layer] of stack.entries()) {
    const specs = network.layers[index]?.weights ?? [];
    const own = specs.map(({ shape }, at) => tensor(weights[next + at] ?? [], [...shape]));
    layer.setWeights(own);
    next += specs.length;
  }
}

function targets({ count, labels }: TrainingBatch, units: number): Tensor {
  const values = Float32Array.from({ length: count * units }, (_, at) => {
    const label = labels[Math.floor(at / units)] ?? 0;
    return units === 1 ? label : Number(label === at % units);
  });
  return tensor(values, [count, units]);
}

/** How many numbers a model of these layers has as weights, and the shapes it gives. */
export function sizesByTfjs(network: Network): {
  readonly outputs: readonly (readonly number[])[];
  readonly weights: readonly (readonly number[])[];
  readonly numbers: number;
} {
  const stack = network.layers.map(({ spec }) => {
    if (spec.kind === 'dropout') return layers.dropout({ rate: spec.rate });
    return spec.kind === 'averagePooling2d'
      ? layers.averagePooling2d(windowOf(spec))
      : tfjsLayer(spec);
  });
  const built = tfjsModel(network.inputShape, stack);
  const outputs = stack.map(({ outputShape }) =>
    (outputShape as (number | null)[]).slice(1).map((side) => side ?? 0),
  );
  const weights = stack.flatMap((layer) =>
    layer.weights.map(({ shape }) => shape.map((side) => side ?? 0)),
  );
  const numbers = built.countParams();
  if (numbers !== weights.reduce((sum, shape) => sum + sizeOf(shape), 0)) {
    throw new Error('TensorFlow.js agrees with itself');
  }
  built.dispose();
  return { outputs, weights, numbers };
}

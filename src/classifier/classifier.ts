/** The classifier: a sequential network as its layers, shapes and weights, with Keras' names and order. */
import { PkgError } from '../runtime/errors.ts';

export type Activation = 'linear' | 'relu' | 'sigmoid' | 'softmax' | 'tanh';

export type Padding = 'valid' | 'same';

/** A window sliding over height and width, square. */
interface Window {
  readonly strides: number;
  readonly padding: Padding;
}

/** A layer with all its settings; names and meanings are Keras'. */
export type LayerSpec =
  | ({
      readonly kind: 'conv2d';
      readonly filters: number;
      readonly kernelSize: number;
      readonly activation: Activation;
      readonly useBias: boolean;
    } & Window)
  | ({ readonly kind: 'maxPooling2d' | 'averagePooling2d'; readonly poolSize: number } & Window)
  | { readonly kind: 'globalAveragePooling2d' }
  | { readonly kind: 'flatten' }
  | {
      readonly kind: 'dense';
      readonly units: number;
      readonly activation: Activation;
      readonly useBias: boolean;
    }
  | { readonly kind: 'dropout'; readonly rate: number }
  | { readonly kind: 'batchNormalization'; readonly momentum: number; readonly epsilon: number }
  | { readonly kind: 'activation'; readonly function: Activation };

export type LayerKind = LayerSpec['kind'];

/** Height, width and channels of a feature map, or the length of a vector; without the batch. */
export type Shape = readonly number[];

export type WeightName = 'kernel' | 'bias' | 'gamma' | 'beta' | 'moving_mean' | 'moving_variance';

export interface WeightSpec {
  readonly name: WeightName;
  /** Of a convolution's kernel: height, width, input channels, filters; of a dense one: inputs, units. */
  readonly shape: Shape;
  /** Whether training changes it by its gradient. */
  readonly trainable: boolean;
}

export interface Layer {
  /** Keras' automatic name: `conv2d`, `conv2d_1`, `max_pooling2d`, `dense`. */
  readonly name: string;
  readonly spec: LayerSpec;
  readonly inputShape: Shape;
  readonly outputShape: Shape;
  readonly weights: readonly WeightSpec[];
}

export interface Network {
  /** Height, width, channels. */
  readonly inputShape: readonly [number, number, number];
  readonly layers: readonly Layer[];
}

/** A network's numbers: one array for each weight of each layer in order, row-major. */
export type Weights = readonly Float32Array[];

/** Keras' names of layers, before their numbers. */
const LAYER_NAMES: Readonly<Record<LayerKind, string>> = {
  conv2d: 'conv2d',
  maxPooling2d: 'max_pooling2d',
  averagePooling2d: 'average_pooling2d',
  globalAveragePooling2d: 'global_average_pooling2d',
  flatten: 'flatten',
  dense: 'dense',
  dropout: 'dropout',
  batchNormalization: 'batch_normalization',
  activation: 'activation',
};

/**
 * Lays out a sequential network: names, shapes and weights of its layers.
 * @param frozen how many of the first layers keep their weights in training; batch normalization among
 * them also keeps its moving statistics and goes by them, as Keras has it.
 * @throws PkgError `manifest` with the key `model.layers.<index>` where a layer does not fit its input.
 */
export function planNetwork(
  inputShape: readonly [number, number, number],
  specs: readonly LayerSpec[],
  frozen = 0,
): Network {
  const counts = new Map<string, number>();
  const layers: Layer[] = [];
  let shape: Shape = inputShape;
  for (const [index, spec] of specs.entries()) {
    const base = LAYER_NAMES[spec.kind];
    const count = counts.get(base) ?? 0;
    counts.set(base, count + 1);
    const name = count === 0 ? base : `${base}_${String(count)}`;
    const outputShape = outputShapeOf(spec, shape, index);
    const own = weightsOf(spec, shape);
    const weights = index < frozen ? own.map((one) => ({ ...one, trainable: false })) : own;
    layers.push({ name, spec, inputShape: shape, outputShape, weights });
    shape = outputShape;
  }
  return { inputShape, layers };
}

/** All weights of a network, in order, with the layer each belongs to. */
export function weightSpecs(
  network: Network,
): readonly (WeightSpec & { readonly layer: string })[] {
  return network.layers.flatMap((layer) =>
    layer.weights.map((weight) => ({ ...weight, layer: layer.name })),
  );
}

/** Whether a layer has weights and training leaves all of them as they are. */
export function isFrozen({ weights }: Layer): boolean {
  return weights.length > 0 && weights.every(({ trainable }) => !trainable);
}

/** How many numbers a tensor of this shape has. */
export function sizeOf(shape: Shape): number {
  return shape.reduce((product, side) => product * side, 1);
}

/** How many numbers the last layer gives for an example. */
export function outputUnits(network: Network): number {
  return sizeOf(network.layers.at(-1)?.outputShape ?? network.inputShape);
}

/** Rows or columns of a window's output, as TensorFlow counts them; 0 or less where nothing fits. */
export function windowOutput(
  side: number,
  size: number,
  strides: number,
  padding: Padding,
): number {
  return padding === 'same' ? Math.ceil(side / strides) : Math.floor((side - size) / strides) + 1;
}

/** Zeros put before the first row or column under `same`, as TensorFlow has it; the rest go behind. */
export function paddingBefore(
  side: number,
  size: number,
  strides: number,
  padding: Padding,
): number {
  if (padding === 'valid') return 0;
  const output = windowOutput(side, size, strides, padding);
  return Math.floor(Math.max(0, (output - 1) * strides + size - side) / 2);
}

function outputShapeOf(spec: LayerSpec, shape: Shape, index: number): Shape {
  switch (spec.kind) {
    case 'conv2d':
      return windowShape(spec, spec.kernelSize, spec.filters, shape, index);
    case 'maxPooling2d':
    case 'averagePooling2d':
      return windowShape(spec, spec.poolSize, undefined, shape, index);
    case 'globalAveragePooling2d':
      return [featureMap(spec, shape, index)[2]];
    case 'flatten':
      if (shape.length === 1) {
        throw misfit(index, 'flatten takes a feature map, not a vector', 'Leave it out here.');
      }
      return [sizeOf(shape)];
    case 'dense':
      if (shape.length !== 1) throw misfit(index, 'dense takes a vector', 'Put flatten before it.');
      return [spec.units];
    case 'dropout':
    case 'batchNormalization':
    case 'activation':
      return shape;
  }
}

function windowShape(
  spec: Window & { readonly kind: LayerKind },
  size: number,
  filters: number | undefined,
  shape: Shape,
  index: number,
): Shape {
  const [height, width, channels] = featureMap(spec, shape, index);
  const rows = windowOutput(height, size, spec.strides, spec.padding);
  const columns = windowOutput(width, size, spec.strides, spec.padding);
  if (rows < 1 || columns < 1) {
    const what = `a window of ${String(size)} does not fit into ${String(height)} x ${String(width)}`;
    throw misfit(index, what, 'Use fewer or smaller windows, padding: same, or a larger input.');
  }
  return [rows, columns, filters ?? channels];
}

function featureMap(
  { kind }: { readonly kind: LayerKind },
  shape: Shape,
  index: number,
): readonly [number, number, number] {
  const [height, width, channels] = shape;
  if (height === undefined || width === undefined || channels === undefined) {
    throw misfit(index, `${kind} takes a feature map, not a vector`, 'Put it before flatten.');
  }
  return [height, width, channels];
}

function misfit(index: number, what: string, hint: string): PkgError {
  const key = `model.layers.${String(index)}`;
  return new PkgError('manifest', what, { key, hint });
}

function weightsOf(spec: LayerSpec, shape: Shape): readonly WeightSpec[] {
  const channels = shape.at(-1) ?? 0;
  const trained = (name: WeightName, of: Shape) => ({ name, shape: of, trainable: true });
  const moving = (name: WeightName) => ({ name, shape: [channels], trainable: false });
  switch (spec.kind) {
    case 'conv2d': {
      const { filters, kernelSize, useBias } = spec;
      const kernel = trained('kernel', [kernelSize, kernelSize, channels, filters]);
      return useBias ? [kernel, trained('bias', [filters])] : [kernel];
    }
    case 'dense': {
      const kernel = trained('kernel', [channels, spec.units]);
      return spec.useBias ? [kernel, trained('bias', [spec.units])] : [kernel];
    }
    case 'batchNormalization':
      return [
        trained('gamma', [channels]),
        trained('beta', [channels]),
        moving('moving_mean'),
        moving('moving_variance'),
      ];
    case 'maxPooling2d':
    case 'averagePooling2d':
    case 'globalAveragePooling2d':
    case 'flatten':
    case 'dropout':
    case 'activation':
      return [];
  }
}

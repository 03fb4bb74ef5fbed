/** Networks of every layer with weights that no random generator makes, so they are equal everywhere. */
import {
  type LayerSpec,
  planNetwork,
  sizeOf,
  type WeightSpec,
  weightSpecs,
} from '../../src/classifier/classifier.ts';
import { classCount, type Model } from '../../src/models/models.ts';

const conv2d = { kind: 'conv2d', strides: 1, padding: 'valid', useBias: true } as const;
const pool = { strides: 2, poolSize: 2, padding: 'valid' } as const;
const dense = { kind: 'dense', useBias: true } as const;

/** The network of the article: hamburgers and sandwiches, 128 x 128. */
const ARTICLE: readonly LayerSpec[] = [
  { ...conv2d, filters: 32, kernelSize: 3, activation: 'relu' },
  { kind: 'maxPooling2d', ...pool },
  { ...conv2d, filters: 32, kernelSize: 3, activation: 'relu' },
  { kind: 'maxPooling2d', ...pool },
  { ...conv2d, filters: 64, kernelSize: 3, activation: 'relu' },
  { kind: 'maxPooling2d', ...pool },
  { kind: 'flatten' },
  { ...dense, units: 64, activation: 'relu' },
  { kind: 'dropout', rate: 0.5 },
  { ...dense, units: 1, activation: 'sigmoid' },
];

const NORMALIZED: readonly LayerSpec[] = [
  { ...conv2d, filters: 6, kernelSize: 3, padding: 'same', strides: 2, activation: 'linear' },
  { kind: 'batchNormalization', momentum: 0.9, epsilon: 0.01 },
  { kind: 'activation', function: 'relu' },
  { kind: 'averagePooling2d', poolSize: 3, strides: 2, padding: 'same' },
  { ...conv2d, filters: 5, kernelSize: 2, padding: 'same', activation: 'tanh' },
  { kind: 'batchNormalization', momentum: 0.99, epsilon: 0.001 },
  { kind: 'globalAveragePooling2d' },
  { kind: 'batchNormalization', momentum: 0.99, epsilon: 0.001 },
  { ...dense, units: 4, activation: 'softmax' },
];

const WITHOUT_BIAS: readonly LayerSpec[] = [
  { ...conv2d, filters: 4, kernelSize: 5, useBias: false, activation: 'sigmoid' },
  { kind: 'maxPooling2d', poolSize: 3, strides: 1, padding: 'same' },
  { kind: 'averagePooling2d', ...pool },
  { kind: 'flatten' },
  { ...dense, units: 7, useBias: false, activation: 'tanh' },
  { kind: 'dropout', rate: 0.25 },
  { ...dense, units: 3, useBias: false, activation: 'linear' },
  { kind: 'activation', function: 'softmax' },
];

export const ARTICLE_MODEL = sampleModel(ARTICLE, [128, 128, 3]);

/** The smallest one with weights of all kinds. */
export const SMALL = sampleModel(NORMALIZED, [21, 16, 3]);

export const SAMPLES: Readonly<Record<string, Model>> = {
  "the article's network": ARTICLE_MODEL,
  'a network with batch normalization, same padding and softmax': SMALL,
  'a network without biases': sampleModel(WITHOUT_BIAS, [14, 19, 3]),
};

export function sampleModel(
  specs: readonly LayerSpec[],
  inputShape: readonly [number, number, number],
): Model {
  const network = planNetwork(inputShape, specs);
  const [heightPx, widthPx] = inputShape;
  return {
    network,
    weights: weightSpecs(network).map(sampleWeights),
    classes: Array.from({ length: classCount(network) }, (_, index) => `Class ${String(index)}`),
    input: { widthPx, heightPx, channels: 'RGB', rescale: 1 / 255, resize: 'bilinear, no crop' },
    threshold: 0.5,
  };
}

/** Numbers on either side of zero, small enough that no layer saturates; variances are above zero. */
function sampleWeights({ name, shape }: WeightSpec, index: number): Float32Array {
  const inputs = sizeOf(shape.slice(0, -1));
  return Float32Array.from({ length: sizeOf(shape) }, (_, at) => {
    const byte = scatteredByte(at + index * 1_000_003);
    if (name === 'moving_variance') return (byte + 1) / 128;
    if (name === 'gamma') return (byte + 64) / 128;
    return (byte - 127.5) / 128 / Math.sqrt(name === 'kernel' ? inputs / 4 : 16);
  });
}

/** Pictures of bytes, as numbers from 0 to 1: height, width, channels, one after the other. */
export function samplePictures(model: Model, count: number): Float32Array {
  const length = count * sizeOf(model.network.inputShape);
  return Float32Array.from({ length }, (_, at) => scatteredByte(at) / 255);
}

/** A byte that looks random: the top one of Knuth's multiplicative hash, mixed once. */
function scatteredByte(index: number): number {
  const hash = Math.imul(index + 1, 2_654_435_761);
  return Math.imul(hash ^ (hash >>> 15), 2_246_822_519) >>> 24;
}

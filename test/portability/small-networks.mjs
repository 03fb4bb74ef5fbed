// Small networks that pass through every kernel between them, with batches of odd sizes.
const convolution = (filters, kernelSize, activation, more = {}) => ({
  ...{ kind: 'conv2d', filters, kernelSize, strides: 1, padding: 'valid', activation },
  ...{ useBias: true, ...more },
});
const pool = (kind, poolSize, strides, padding) => ({ kind, poolSize, strides, padding });
const dense = (units, activation, useBias = true) => ({
  ...{ kind: 'dense', units, activation, useBias },
});
const NORMALIZATION = { kind: 'batchNormalization', momentum: 0.9, epsilon: 0.001 };
const FLATTEN = { kind: 'flatten' };

/** `counts` are the examples of the batches; every batch is trained on twice. */
export const SMALL_NETWORKS = [
  {
    inputShape: [19, 23, 3],
    layers: [
      convolution(6, 5, 'tanh', { strides: 2, padding: 'same' }),
      NORMALIZATION,
      { kind: 'activation', function: 'relu' },
      pool('averagePooling2d', 3, 1, 'same'),
      convolution(9, 1, 'sigmoid', { useBias: false }),
      convolution(7, 3, 'relu', { padding: 'same' }),
      pool('maxPooling2d', 3, 2, 'same'),
      { kind: 'globalAveragePooling2d' },
      dense(5, 'linear'),
      { kind: 'activation', function: 'softmax' },
    ],
    batchSize: 6,
    counts: [6, 6, 3],
    training: {
      loss: 'categoricalCrossentropy',
      optimizer: { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-7 },
      fill: 'reflect',
    },
    learningRate: 0.01,
  },
  {
    inputShape: [22, 18, 3],
    layers: [
      convolution(8, 3, 'relu', { padding: 'same' }),
      pool('maxPooling2d', 2, 2, 'valid'),
      { kind: 'dropout', rate: 0.25 },
      convolution(12, 3, 'relu'),
      pool('maxPooling2d', 2, 2, 'valid'),
      convolution(10, 1, 'linear', { strides: 2, padding: 'same' }),
      pool('averagePooling2d', 2, 1, 'valid'),
      FLATTEN,
      dense(9, 'tanh', false),
      NORMALIZATION,
      dense(7, 'softmax'),
      dense(1, 'sigmoid'),
    ],
    // More examples than the groups that a backward pass is cut into.
    batchSize: 19,
    counts: [19, 19, 1],
    training: {
      loss: 'binaryCrossentropy',
      optimizer: { kind: 'sgd', momentum: 0.9, nesterov: true },
      fill: 'wrap',
    },
    learningRate: 0.05,
  },
  {
    inputShape: [11, 9, 3],
    layers: [
      convolution(5, 3, 'relu', { strides: 2 }),
      convolution(6, 5, 'relu', { padding: 'same' }),
      FLATTEN,
      dense(4, 'sigmoid'),
      dense(3, 'softmax'),
    ],
    batchSize: 5,
    counts: [5, 5, 2],
    training: {
      loss: 'categoricalCrossentropy',
      optimizer: { kind: 'rmsprop', rho: 0.9, momentum: 0.5, epsilon: 1e-7 },
      fill: 'constant',
    },
    learningRate: 0.002,
  },
  {
    inputShape: [5, 3, 3],
    layers: [
      FLATTEN,
      dense(3, 'relu'),
      dense(1, 'linear'),
      { kind: 'activation', function: 'sigmoid' },
    ],
    batchSize: 7,
    counts: [7, 7, 7],
    training: {
      loss: 'binaryCrossentropy',
      optimizer: { kind: 'sgd', momentum: 0, nesterov: false },
      fill: undefined,
    },
    learningRate: 0.1,
  },
];

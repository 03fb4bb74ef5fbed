// The article's network, as both contestants of the training benchmark have it.
const convolution = (filters) => ({
  kind: 'conv2d',
  filters,
  kernelSize: 3,
  strides: 1,
  padding: 'valid',
  activation: 'relu',
  useBias: true,
});
const POOL = { kind: 'maxPooling2d', poolSize: 2, strides: 2, padding: 'valid' };

export const INPUT_SHAPE = [128, 128, 3];
export const BATCH_SIZE = 16;
export const ARTICLE_LAYERS = [
  ...[convolution(32), POOL, convolution(32), POOL, convolution(64), POOL],
  { kind: 'flatten' },
  { kind: 'dense', units: 64, activation: 'relu', useBias: true },
  { kind: 'dropout', rate: 0.5 },
  { kind: 'dense', units: 1, activation: 'sigmoid', useBias: true },
];

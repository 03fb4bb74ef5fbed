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

/** The same as a manifest's model with every default, with the article's augmentation and fit. */
export const ARTICLE_MODEL = {
  engine: 'deterministic',
  input: { widthPx: 128, heightPx: 128 },
  layers: ARTICLE_LAYERS.map(({ kind, ...settings }) => ({ [kind]: settings })),
  augment: {
    rotationDegrees: 40,
    widthShift: 0.2,
    heightShift: 0.2,
    shear: 0.2,
    zoom: 0.2,
    horizontalFlip: true,
    verticalFlip: false,
    fill: 'nearest',
  },
  fit: {
    batchSize: BATCH_SIZE,
    epochs: 50,
    optimizer: { rmsprop: { learningRate: 0.0005, rho: 0.9, momentum: 0, epsilon: 1e-7 } },
    learningRateSchedule: { constant: {} },
    loss: 'binaryCrossentropy',
  },
};

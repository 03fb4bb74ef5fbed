// What the transfer comparison trains: the article's network on smaller pictures, thrice.

/** Classes that the base is trained on, and those that are new to it. */
export const OLD = ['Sheep', 'Horse', 'Elephant', 'Monkey'];
export const NEW = ['Lion', 'Tiger'];

export const INPUT = { widthPx: 64, heightPx: 64 };
export const SPLIT = { validation: 0.2, test: 0.3 };

const convolution = (filters) => ({ conv2d: { filters, kernelSize: 3, activation: 'relu' } });

/** Up to flatten; each contestant has the same head behind them. */
export const FEATURES = [
  ...[convolution(32), 'maxPooling2d', convolution(32), 'maxPooling2d'],
  ...[convolution(64), 'maxPooling2d', 'flatten'],
];

/** `freeze` is how many layers of the base keep their weights; without it there is no base. */
export const CONTESTANTS = [
  { name: 'from scratch' },
  { name: 'base frozen', freeze: FEATURES.length },
  { name: 'base trained on', freeze: 0 },
];

export const TRANSFORMS = {
  ...{ rotationDegrees: 40, widthShift: 0.2, heightShift: 0.2, shear: 0.2, zoom: 0.2 },
  horizontalFlip: true,
};

/** As in the comparison with Keras, for the base and for each contestant. */
export const FIT = {
  ...{ batchSize: 16, epochs: 40, optimizer: { rmsprop: { learningRate: 0.0005 } } },
  classWeights: 'balanced',
  earlyStopping: { monitor: 'val_loss', patience: 12, restoreBest: true },
};

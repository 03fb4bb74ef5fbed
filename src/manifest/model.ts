/** The `model` key: engine, input, layers, augmentation and fit, with Keras' names and defaults. */
import { z } from 'zod';
import { finite, fraction, positiveInteger, text } from './fields.ts';

const activation = z.enum(['linear', 'relu', 'sigmoid', 'softmax', 'tanh']).default('linear');

/** Where to go with a layer that is none of these. */
const OTHER_LAYERS = '; any other is for engine: tensorflow, by entry instead of layers';

/** Keras reads no deeper file in good time. */
export const MAX_LAYERS = 200;

/** A window's side in pixels, square. */
const windowSide = positiveInteger.max(64);

const poolSchema = z.strictObject({
  poolSize: windowSide.default(2),
  strides: windowSide.optional(),
  padding: z.enum(['valid', 'same']).default('valid'),
});

/** A layer is one key of these with its settings, or the bare name where it has none. */
const layerKinds = {
  conv2d: z.strictObject({
    filters: positiveInteger.max(65_536),
    kernelSize: windowSide,
    strides: windowSide.default(1),
    padding: z.enum(['valid', 'same']).default('valid'),
    activation,
    useBias: z.boolean().default(true),
  }),
  maxPooling2d: poolSchema,
  averagePooling2d: poolSchema,
  globalAveragePooling2d: z.strictObject({}),
  flatten: z.strictObject({}),
  dense: z.strictObject({
    units: positiveInteger.max(1 << 20),
    activation,
    useBias: z.boolean().default(true),
  }),
  dropout: z.strictObject({ rate: fraction }),
  batchNormalization: z.strictObject({
    momentum: fraction.default(0.99),
    epsilon: finite.positive().default(0.001),
  }),
  activation: z.strictObject({
    function: z.enum(['relu', 'sigmoid', 'softmax', 'tanh', 'linear']),
  }),
};

const optimizerKinds = {
  rmsprop: z.strictObject({
    learningRate: finite.positive().default(0.001),
    rho: fraction.default(0.9),
    momentum: fraction.default(0),
    epsilon: finite.positive().default(1e-7),
  }),
  sgd: z.strictObject({
    learningRate: finite.positive().default(0.01),
    momentum: fraction.default(0),
    nesterov: z.boolean().default(false),
  }),
  adam: z.strictObject({
    learningRate: finite.positive().default(0.001),
    beta1: fraction.default(0.9),
    beta2: fraction.default(0.999),
    epsilon: finite.positive().default(1e-7),
  }),
};

/** Takes a bare name, or an object with exactly one of the given keys. */
function oneOf<Shape extends Record<string, z.ZodObject>>(
  shape: Shape,
  what: string,
  otherwise = '',
) {
  return z.preprocess(
    (value) => (typeof value === 'string' ? { [value]: {} } : value),
    z
      .strictObject(shape)
      .partial()
      .refine((kinds) => Object.keys(kinds).length === 1, {
        error: `expected exactly one ${what}: ${Object.keys(shape).join(', ')}${otherwise}`,
      }),
  );
}

const augmentSchema = z.strictObject({
  rotationDegrees: finite.min(0).max(180).default(0),
  widthShift: fraction.default(0),
  heightShift: fraction.default(0),
  shear: finite.min(0).max(90).default(0),
  zoom: fraction.default(0),
  horizontalFlip: z.boolean().default(false),
  verticalFlip: z.boolean().default(false),
  fill: z.enum(['nearest', 'reflect', 'wrap', 'constant']).default('nearest'),
});

const scheduleKinds = {
  constant: z.strictObject({}),
  /** Multiplied by `factor` after every so many epochs. */
  step: z.strictObject({ everyEpochs: positiveInteger, factor: finite.positive().max(1) }),
  /** Half a cosine, down to this fraction of the learning rate at the end of the last epoch. */
  cosine: z.strictObject({ finalFraction: fraction.default(0) }),
};

const fitSchema = z.strictObject({
  batchSize: positiveInteger.max(65_536).default(32),
  epochs: positiveInteger.max(1_000_000).default(1),
  optimizer: oneOf(optimizerKinds, 'optimizer').prefault('rmsprop'),
  learningRateSchedule: oneOf(scheduleKinds, 'schedule').prefault('constant'),
  /** By class name; `balanced` makes every class count the same. */
  classWeights: z.union([z.literal('balanced'), z.record(text, finite.positive())]).optional(),
  loss: z.enum(['binaryCrossentropy', 'categoricalCrossentropy']).optional(),
  earlyStopping: z
    .strictObject({
      monitor: z.enum(['val_loss', 'val_accuracy', 'loss', 'accuracy']).default('val_loss'),
      patience: z.int().min(0).default(0),
      minDelta: finite.min(0).default(0),
      restoreBest: z.boolean().default(false),
    })
    .optional(),
});

const inputSchema = z.strictObject({
  widthPx: positiveInteger.max(8192),
  heightPx: positiveInteger.max(8192),
});

/** What a network's input is unless it is said, or a base says it. */
const DEFAULT_INPUT: z.output<typeof inputSchema> = { widthPx: 128, heightPx: 128 };

/** A published model whose first layers, weights and all, the network begins with; `layers` follow them. */
const baseSchema = z.strictObject({
  /** A reference, `user/name@<top hash>` at best. */
  package: text,
  /** A logical key of that package; `weights.bin` lies beside it. */
  path: z
    .string()
    .regex(/^(?:[^/]+\/)*[^/]+\.json$/, {
      error: "expected the logical key of a TensorFlow.js model, such as 'models/model.json'",
    })
    .default('models/model.json'),
  /** How many layers are taken; unless it is said, all up to the last flatten or global pooling. */
  keep: positiveInteger.max(MAX_LAYERS).optional(),
  /** How many of these keep their weights, the first ones; unless it is said, all. */
  freeze: z.int().min(0).max(MAX_LAYERS).optional(),
});

export type BaseParams = Readonly<z.output<typeof baseSchema>>;

/** A model with every default; `input` is absent only where a base is there to say it. */
export type ModelParams = z.output<typeof modelSchema>;

export const modelSchema = z
  .strictObject({
    engine: z.enum(['deterministic', 'tensorflow']).default('deterministic'),
    input: inputSchema.optional(),
    base: baseSchema.optional(),
    layers: z
      .array(oneOf(layerKinds, 'layer', OTHER_LAYERS))
      .min(1)
      .max(MAX_LAYERS)
      .optional(),
    /** A path in the tree of the pinned code: a module that exports `createModel`. */
    entry: text.optional(),
    /** What `createModel` is given as `params`. */
    params: z.record(text, z.json()).optional(),
    augment: augmentSchema.optional(),
    fit: fitSchema.prefault({}),
  })
  .refine((model) => (model.layers === undefined) !== (model.entry === undefined), {
    error: 'expected either layers or entry (a module of the pinned code)',
  })
  .refine((model) => model.entry === undefined || model.engine === 'tensorflow', {
    error: 'expected engine: tensorflow beside entry; the deterministic engine takes layers',
  })
  .refine((model) => model.params === undefined || model.entry !== undefined, {
    error: 'expected entry beside params: they are handed to its createModel',
  })
  .refine((model) => model.base === undefined || model.engine === 'deterministic', {
    error: 'expected engine: deterministic beside base',
  })
  .transform(({ engine, input, ...rest }) => ({
    engine,
    input: input ?? (rest.base === undefined ? DEFAULT_INPUT : undefined),
    ...rest,
  }));

/** A layer's Keras configuration, read as one of the layers that pkg runs. */
import { z } from 'zod';
import type { LayerSpec } from '../classifier/classifier.ts';
import { foreign, quoted } from './refusals.ts';

/** Pixels; no larger input can be asked for either. */
const MAX_SIDE = 8192;

const side = z.int().min(1).max(MAX_SIDE);

/** A number, or the same for height and width. */
const square = z.union([
  side,
  z
    .tuple([side, side])
    .refine(([height, width]) => height === width)
    .transform(([height]) => height),
]);

const activation = z.enum(['linear', 'relu', 'sigmoid', 'softmax', 'tanh']).default('linear');

const padding = z.enum(['valid', 'same']).default('valid');

const fraction = z.number().min(0).max(1);

/** Of no account once a model is trained: initializers, regularizers, constraints, seeds. */
const ofTraining = z.unknown().optional();

const common = {
  name: z.string(),
  trainable: ofTraining,
  dtype: z.literal('float32').optional(),
  batch_input_shape: z.unknown().optional(),
};

const channelsLast = { data_format: z.literal('channels_last').optional() };

const kernelAndBias = {
  activation,
  use_bias: z.boolean().default(true),
  kernel_initializer: ofTraining,
  bias_initializer: ofTraining,
  kernel_regularizer: ofTraining,
  bias_regularizer: ofTraining,
  activity_regularizer: ofTraining,
  kernel_constraint: ofTraining,
  bias_constraint: ofTraining,
};

const windowed = { ...common, ...channelsLast, padding };

const conv2d = z
  .strictObject({
    ...windowed,
    ...kernelAndBias,
    filters: z.int().min(1).max(65_536),
    kernel_size: square,
    strides: square.default(1),
    dilation_rate: square.pipe(z.literal(1)).optional(),
    groups: z.literal(1).optional(),
  })
  .transform((layer) => ({
    kind: 'conv2d' as const,
    filters: layer.filters,
    kernelSize: layer.kernel_size,
    strides: layer.strides,
    padding: layer.padding,
    activation: layer.activation,
    useBias: layer.use_bias,
  }));

function pooling<Kind extends 'maxPooling2d' | 'averagePooling2d'>(kind: Kind) {
  return z
    .strictObject({ ...windowed, pool_size: square.default(2), strides: square.nullish() })
    .transform((layer) => ({
      kind,
      poolSize: layer.pool_size,
      strides: layer.strides ?? layer.pool_size,
      padding: layer.padding,
    }));
}

const globalAveragePooling2d = z
  .strictObject({ ...common, ...channelsLast, keepdims: z.literal(false).optional() })
  .transform(() => ({ kind: 'globalAveragePooling2d' as const }));

const flatten = z
  .strictObject({ ...common, ...channelsLast })
  .transform(() => ({ kind: 'flatten' as const }));

const dense = z
  .strictObject({
    ...common,
    ...kernelAndBias,
    units: z
      .int()
      .min(1)
      .max(1 << 20),
  })
  .transform((layer) => ({
    kind: 'dense' as const,
    units: layer.units,
    activation: layer.activation,
    useBias: layer.use_bias,
  }));

const dropout = z
  .strictObject({ ...common, rate: fraction, noise_shape: z.null().optional(), seed: ofTraining })
  .transform(({ rate }) => ({ kind: 'dropout' as const, rate }));

/** The axis of channels of a feature map, or counted from behind. */
const lastAxis = z.union([z.literal([-1, 3]), z.tuple([z.literal([-1, 3])])]);

const batchNormalization = z
  .strictObject({
    ...common,
    axis: lastAxis.optional(),
    momentum: fraction.default(0.99),
    epsilon: z.number().positive().default(0.001),
    center: z.literal(true).optional(),
    scale: z.literal(true).optional(),
    beta_initializer: ofTraining,
    gamma_initializer: ofTraining,
    moving_mean_initializer: ofTraining,
    moving_variance_initializer: ofTraining,
    beta_regularizer: ofTraining,
    gamma_regularizer: ofTraining,
    beta_constraint: ofTraining,
    gamma_constraint: ofTraining,
  })
  .transform(({ momentum, epsilon }) => ({
    kind: 'batchNormalization' as const,
    momentum,
    epsilon,
  }));

const activationLayer = z
  .strictObject({ ...common, activation })
  .transform((layer) => ({ kind: 'activation' as const, function: layer.activation }));

const LAYERS: ReadonlyMap<string, z.ZodType<LayerSpec>> = new Map<string, z.ZodType<LayerSpec>>([
  ['Conv2D', conv2d],
  ['MaxPooling2D', pooling('maxPooling2d')],
  ['AveragePooling2D', pooling('averagePooling2d')],
  ['GlobalAveragePooling2D', globalAveragePooling2d],
  ['Flatten', flatten],
  ['Dense', dense],
  ['Dropout', dropout],
  ['BatchNormalization', batchNormalization],
  ['Activation', activationLayer],
]);

/**
 * Reads a layer's settings.
 * @throws PkgError `usage` that names the layer and what of it pkg does not run.
 */
export function parseLayer(
  layer: { readonly className: string; readonly name: string; readonly config: unknown },
  where: string,
): LayerSpec {
  const schema = LAYERS.get(layer.className);
  if (schema === undefined) {
    const what = `the layer ${quoted(layer.name)}, which is a ${quoted(layer.className)}`;
    throw foreign(where, what);
  }
  const settings = schema.safeParse(layer.config);
  if (settings.success) return settings.data;
  const [issue] = settings.error.issues;
  const setting = issue?.code === 'unrecognized_keys' ? issue.keys[0] : issue?.path[0]?.toString();
  throw foreign(where, `the layer ${quoted(layer.name)} with its ${quoted(setting ?? '')}`);
}

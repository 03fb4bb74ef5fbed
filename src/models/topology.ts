/** A network in the words of Keras 2, which TensorFlow.js and every Keras since read. */
import type { Layer, Network } from '../classifier/classifier.ts';

/** What Keras and TensorFlow.js call the model; weights need no such prefix. */
const MODEL_NAME = 'sequential';

const INPUT_NAME = 'input';

export interface KerasObject {
  readonly class_name: string;
  readonly config: Readonly<Record<string, unknown>>;
}

/** The configuration of the whole network, as Keras 2 wrote `model_config`. */
export function formatTopology({ inputShape, layers }: Network): KerasObject {
  const input = {
    class_name: 'InputLayer',
    config: {
      batch_input_shape: [null, ...inputShape],
      dtype: 'float32',
      sparse: false,
      name: INPUT_NAME,
    },
  };
  return {
    class_name: 'Sequential',
    config: { name: MODEL_NAME, layers: [input, ...layers.map(formatLayer)] },
  };
}

/** A layer; settings that a reader could have its own default for are spelt out. */
function formatLayer({ name, spec }: Layer): KerasObject {
  const layer = (className: string, config: Readonly<Record<string, unknown>>) => ({
    class_name: className,
    config: { name, trainable: true, dtype: 'float32', ...config },
  });
  switch (spec.kind) {
    case 'conv2d':
      return layer('Conv2D', {
        filters: spec.filters,
        kernel_size: square(spec.kernelSize),
        strides: square(spec.strides),
        padding: spec.padding,
        ...CHANNELS_LAST,
        dilation_rate: [1, 1],
        activation: spec.activation,
        use_bias: spec.useBias,
        ...INITIALIZERS,
      });
    case 'maxPooling2d':
    case 'averagePooling2d':
      return layer(spec.kind === 'maxPooling2d' ? 'MaxPooling2D' : 'AveragePooling2D', {
        pool_size: square(spec.poolSize),
        strides: square(spec.strides),
        padding: spec.padding,
        ...CHANNELS_LAST,
      });
    case 'globalAveragePooling2d':
      return layer('GlobalAveragePooling2D', CHANNELS_LAST);
    case 'flatten':
      return layer('Flatten', CHANNELS_LAST);
    case 'dense':
      return layer('Dense', {
        units: spec.units,
        activation: spec.activation,
        use_bias: spec.useBias,
        ...INITIALIZERS,
      });
    case 'dropout':
      return layer('Dropout', { rate: spec.rate, noise_shape: null, seed: null });
    case 'batchNormalization':
      return layer('BatchNormalization', {
        axis: -1,
        momentum: spec.momentum,
        epsilon: spec.epsilon,
        center: true,
        scale: true,
      });
    case 'activation':
      return layer('Activation', { activation: spec.function });
  }
}

const CHANNELS_LAST = { data_format: 'channels_last' };

/** Keras' defaults; TensorFlow.js has another one for kernels. */
const INITIALIZERS = {
  kernel_initializer: { class_name: 'GlorotUniform', config: { seed: null } },
  bias_initializer: { class_name: 'Zeros', config: {} },
};

function square(side: number): readonly [number, number] {
  return [side, side];
}

/** How a model was trained, in the words of Keras and of TensorFlow.js, for those who train on. */
import type { Loss } from '../classifier/engine.ts';
import type { Training } from './models.ts';
import type { KerasObject } from './topology.ts';

const LOSSES = {
  binaryCrossentropy: 'binary_crossentropy',
  categoricalCrossentropy: 'categorical_crossentropy',
} as const satisfies Record<Loss, string>;

/** What Keras 2 and 3 write as the attribute `training_config`. */
export function formatKerasTraining(training: Training): object {
  return {
    loss: LOSSES[training.loss],
    metrics: ['accuracy'],
    weighted_metrics: null,
    loss_weights: null,
    optimizer_config: kerasOptimizer(training),
  };
}

/** What TensorFlow.js writes as `trainingConfig`. */
export function formatTfjsTraining(training: Training): object {
  return {
    loss: LOSSES[training.loss],
    metrics: ['accuracy'],
    optimizer_config: tfjsOptimizer(training),
  };
}

function kerasOptimizer({ optimizer, learningRate: learning_rate }: Training): KerasObject {
  switch (optimizer.kind) {
    case 'rmsprop': {
      const { rho, momentum, epsilon } = optimizer;
      const config = { name: 'RMSprop', learning_rate, rho, momentum, epsilon, centered: false };
      return { class_name: 'RMSprop', config };
    }
    case 'sgd': {
      const { momentum, nesterov } = optimizer;
      return { class_name: 'SGD', config: { name: 'SGD', learning_rate, momentum, nesterov } };
    }
    case 'adam': {
      const { beta1: beta_1, beta2: beta_2, epsilon } = optimizer;
      const config = { name: 'Adam', learning_rate, beta_1, beta_2, epsilon, amsgrad: false };
      return { class_name: 'Adam', config };
    }
  }
}

/** TensorFlow.js has a class of its own for momentum, and calls rho `decay`. */
function tfjsOptimizer({ optimizer, learningRate }: Training): KerasObject {
  switch (optimizer.kind) {
    case 'rmsprop': {
      const { rho: decay, momentum, epsilon } = optimizer;
      const config = { learningRate, decay, momentum, epsilon, centered: false };
      return { class_name: 'RMSProp', config };
    }
    case 'sgd': {
      const { momentum, nesterov: useNesterov } = optimizer;
      if (momentum === 0) return { class_name: 'SGD', config: { learningRate } };
      return { class_name: 'Momentum', config: { learningRate, momentum, useNesterov } };
    }
    case 'adam': {
      const { beta1, beta2, epsilon } = optimizer;
      return { class_name: 'Adam', config: { learningRate, beta1, beta2, epsilon } };
    }
  }
}

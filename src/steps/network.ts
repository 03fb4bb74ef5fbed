/** The network and its training as a manifest asks for them, in the classifier's terms. */
import {
  type LayerSpec,
  type Network,
  outputUnits,
  planNetwork,
} from '../classifier/classifier.ts';
import type { Loss, Optimizer } from '../classifier/engine.ts';
import type { FitParams } from '../classifier/fit.ts';
import type { Schedule } from '../classifier/schedule.ts';
import { checkEngine } from '../engine/engine.ts';
import type { ModelParams } from '../manifest/model.ts';
import { invariant, PkgError } from '../runtime/errors.ts';

type LayerParams = NonNullable<ModelParams['layers']>[number];

/** A training with everything that decides a bit of its weights, beside the examples. */
export interface TrainingPlan {
  readonly network: Network;
  readonly classes: readonly string[];
  readonly loss: Loss;
  readonly optimizer: Optimizer;
  readonly fit: FitParams;
}

/**
 * Plans the training of a manifest's model.
 * @param classes names in the order of the network's outputs.
 * @param counts training examples of each class.
 * @throws PkgError `manifest` where layers, classes or settings do not fit each other.
 */
export function planTraining(
  model: ModelParams,
  seed: number,
  classes: readonly string[],
  counts: readonly number[],
): TrainingPlan {
  const { augment, fit } = model;
  const network = networkOf(model);
  checkOutputs(network, classes);
  const { optimizer, learningRate } = optimizerOf(fit.optimizer);
  return {
    network,
    classes,
    loss: lossOf(model, network),
    optimizer,
    fit: {
      seed,
      epochs: fit.epochs,
      batchSize: fit.batchSize,
      learningRate,
      schedule: scheduleOf(fit.learningRateSchedule),
      classWeights: classWeightsOf(fit.classWeights, classes, counts),
      augment,
      earlyStopping: fit.earlyStopping,
    },
  };
}

/**
 * Checks what can be known of a model before there is any crop: whether the layers fit each other, the
 * loss and the engine.
 * @throws PkgError `manifest` where they do not.
 */
export function checkModel(model: ModelParams): void {
  const network = networkOf(model);
  const { optimizer } = optimizerOf(model.fit.optimizer);
  const training = { loss: lossOf(model, network), optimizer, fill: model.augment?.fill };
  checkEngine({ network, batchSize: model.fit.batchSize, threads: 1, training });
}

function networkOf({ input, layers }: ModelParams): Network {
  invariant(layers !== undefined, 'the deterministic engine is given layers');
  return planNetwork([input.heightPx, input.widthPx, 3], layers.map(layerSpecOf));
}

function lossOf({ fit: { loss } }: ModelParams, network: Network): Loss {
  if (loss !== undefined) return loss;
  return outputUnits(network) === 1 ? 'binaryCrossentropy' : 'categoricalCrossentropy';
}

/** One key with its settings becomes a value that names its kind. */
function layerSpecOf(layer: LayerParams): LayerSpec {
  if (layer.conv2d !== undefined) return { kind: 'conv2d', ...layer.conv2d };
  if (layer.maxPooling2d !== undefined)
    return { kind: 'maxPooling2d', ...pool(layer.maxPooling2d) };
  if (layer.averagePooling2d !== undefined) {
    return { kind: 'averagePooling2d', ...pool(layer.averagePooling2d) };
  }
  if (layer.globalAveragePooling2d !== undefined) return { kind: 'globalAveragePooling2d' };
  if (layer.flatten !== undefined) return { kind: 'flatten' };
  if (layer.dense !== undefined) return { kind: 'dense', ...layer.dense };
  if (layer.dropout !== undefined) return { kind: 'dropout', ...layer.dropout };
  if (layer.batchNormalization !== undefined) {
    return { kind: 'batchNormalization', ...layer.batchNormalization };
  }
  invariant(layer.activation !== undefined, 'a layer is of one kind');
  return { kind: 'activation', ...layer.activation };
}

/** A pool's stride is its window unless it is given, as in Keras. */
function pool({ poolSize, strides, padding }: NonNullable<LayerParams['maxPooling2d']>) {
  return { poolSize, strides: strides ?? poolSize, padding };
}

function optimizerOf({ rmsprop, sgd, adam }: ModelParams['fit']['optimizer']): {
  readonly optimizer: Optimizer;
  readonly learningRate: number;
} {
  if (rmsprop !== undefined) {
    const { learningRate, ...settings } = rmsprop;
    return { optimizer: { kind: 'rmsprop', ...settings }, learningRate };
  }
  if (sgd !== undefined) {
    const { learningRate, ...settings } = sgd;
    return { optimizer: { kind: 'sgd', ...settings }, learningRate };
  }
  invariant(adam !== undefined, 'an optimizer is of one kind');
  const { learningRate, ...settings } = adam;
  return { optimizer: { kind: 'adam', ...settings }, learningRate };
}

function scheduleOf({ step, cosine }: ModelParams['fit']['learningRateSchedule']): Schedule {
  if (step !== undefined) return { kind: 'step', ...step };
  return cosine === undefined ? { kind: 'constant' } : { kind: 'cosine', ...cosine };
}

/** `balanced`, as scikit-learn has it: examples / (classes * examples of the class). */
function classWeightsOf(
  weights: ModelParams['fit']['classWeights'],
  classes: readonly string[],
  counts: readonly number[],
): readonly number[] {
  if (weights === undefined) return classes.map(() => 1);
  if (weights === 'balanced') {
    const all = counts.reduce((sum, count) => sum + count, 0);
    return counts.map((count) => (count === 0 ? 1 : all / (classes.length * count)));
  }
  const stranger = Object.keys(weights).find((name) => !classes.includes(name));
  if (stranger !== undefined) {
    throw new PkgError('manifest', `there is no class "${stranger}"`, {
      key: 'model.fit.classWeights',
      hint: `The classes with crops are ${classes.join(', ')}.`,
    });
  }
  return classes.map((name) => weights[name] ?? 1);
}

/** One sigmoid tells two classes apart; else there is one output a class. */
function checkOutputs(network: Network, classes: readonly string[]): void {
  const units = outputUnits(network);
  const fits = units === classes.length || (units === 1 && classes.length === 2);
  if (fits && classes.length >= 2) return;
  const key = `model.layers.${String(network.layers.length - 1)}`;
  const outputs = `${String(units)} ${units === 1 ? 'output' : 'outputs'}`;
  const found = `${String(classes.length)} ${classes.length === 1 ? 'class' : 'classes'}`;
  throw new PkgError('manifest', `the network has ${outputs}, the crops are of ${found}`, {
    key,
    hint:
      classes.length < 2
        ? 'A classifier needs crops of two classes or more.'
        : `End the layers with dense: { units: ${String(classes.length)}, activation: softmax }.`,
  });
}

/** The network and its training as a manifest asks for them, in the classifier's terms. */
import {
  type LayerSpec,
  type Network,
  outputUnits,
  planNetwork,
  type Weights,
  weightSpecs,
} from '../classifier/classifier.ts';
import type { Loss, Optimizer } from '../classifier/engine.ts';
import type { FitParams } from '../classifier/fit.ts';
import type { Schedule } from '../classifier/schedule.ts';
import { checkEngine } from '../engine/engine.ts';
import { MAX_LAYERS, type ModelParams } from '../manifest/model.ts';
import type { Model } from '../models/models.ts';
import { invariant, PkgError } from '../runtime/errors.ts';
import { inputOf, keptLayers } from './base.ts';

type LayerParams = NonNullable<ModelParams['layers']>[number];

/** A training with everything that decides a bit of its weights, beside the examples. */
export interface TrainingPlan {
  readonly network: Network;
  /** The network's first weights, where it begins with a base's; the others are drawn. */
  readonly kept: Weights;
  readonly classes: readonly string[];
  readonly loss: Loss;
  readonly optimizer: Optimizer;
  readonly fit: FitParams;
}

/**
 * Plans the training of a manifest's model.
 * @param classes names in the order of the network's outputs.
 * @param counts training examples of each class.
 * @param base what `model.base` names, where it names something.
 * @throws PkgError `manifest` where layers, classes or settings do not fit each other.
 */
export function planTraining(
  model: ModelParams,
  seed: number,
  classes: readonly string[],
  counts: readonly number[],
  base?: Model,
): TrainingPlan {
  const { network, kept, inHead } = networkOf(model, base);
  inHead(() => {
    checkOutputs(network, classes);
  });
  const loss = lossOf(model, network);
  return { network, kept, classes, loss, ...planFit(model, seed, classes, counts) };
}

/**
 * Plans how a model is trained, whatever its network; parameters as those of `planTraining`.
 * @throws PkgError `manifest` where a weight is of no class.
 */
export function planFit(
  { augment, fit }: ModelParams,
  seed: number,
  classes: readonly string[],
  counts: readonly number[],
): Pick<TrainingPlan, 'optimizer' | 'fit'> {
  const { optimizer, learningRate } = optimizerOf(fit.optimizer);
  return {
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
 * loss and the engine. Of a model on a base that is not at hand yet, nothing can be known.
 * @throws PkgError `manifest` where they do not.
 */
export function checkModel(model: ModelParams, base?: Model): void {
  if (model.base !== undefined && base === undefined) return;
  const { network, inHead } = networkOf(model, base);
  const { optimizer } = optimizerOf(model.fit.optimizer);
  const training = { loss: lossOf(model, network), optimizer, fill: model.augment?.fill };
  inHead(() => {
    checkEngine({ network, batchSize: model.fit.batchSize, threads: 1, training });
  });
}

/** A manifest's network, and how to speak of its layers. */
interface PlannedNetwork {
  readonly network: Network;
  readonly kept: Weights;
  /** Does what may fail for a layer; the error then names the manifest's layer, or speaks of the base. */
  readonly inHead: <Result>(work: () => Result) => Result;
}

function networkOf(model: ModelParams, base: Model | undefined): PlannedNetwork {
  invariant(model.layers !== undefined, 'the deterministic engine is given layers');
  const { widthPx, heightPx } = inputOf(model, base);
  const head = model.layers.map(layerSpecOf);
  if (model.base === undefined || base === undefined) {
    const network = planNetwork([heightPx, widthPx, 3], head);
    return { network, kept: [], inHead: (work) => work() };
  }
  const { specs, weights, frozen } = keptLayers(model.base, base);
  const inHead = <Result>(work: () => Result) => speakOfHead(specs.length, work);
  const network = inHead(() => planNetwork([heightPx, widthPx, 3], [...specs, ...head], frozen));
  checkTrained(network);
  return { network, kept: weights, inHead };
}

/** Turns the number of a layer in the whole network into its place in the manifest. */
function speakOfHead<Result>(kept: number, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    const place =
      error instanceof PkgError ? /^model\.layers\.(\d+)(.*)$/.exec(error.key ?? '') : null;
    if (!(error instanceof PkgError) || place === null) throw error;
    const [, index = '', rest = ''] = place;
    const layer = Number(index);
    if (layer < kept) {
      throw new PkgError(error.code, `layer ${String(layer + 1)} of the base: ${error.message}`, {
        key: 'model.base',
        hint: 'Keep fewer of its layers, or take another base.',
        cause: error,
      });
    }
    const key = `model.layers.${String(layer - kept)}${rest}`;
    const hint = error.hint === undefined ? {} : { hint: error.hint };
    throw new PkgError(error.code, error.message, { key, ...hint, cause: error });
  }
}

function checkTrained(network: Network): void {
  if (network.layers.length > MAX_LAYERS) {
    const what = `${String(network.layers.length)} layers are more than ${String(MAX_LAYERS)}`;
    throw new PkgError('manifest', what, { key: 'model.base.keep', hint: 'Keep fewer.' });
  }
  if (weightSpecs(network).some(({ trainable }) => trainable)) return;
  throw new PkgError('manifest', 'no layer is left to be trained', {
    key: 'model.base.freeze',
    hint: 'Lower it, or let model.layers have a dense layer.',
  });
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

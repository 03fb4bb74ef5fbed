/** From a network to the kernel calls that train it and predict with it. */

import { FILL_CODES, type FillMode } from '../classifier/augment.ts';
import {
  type Activation,
  isFrozen,
  type Layer,
  type Network,
  outputUnits,
  sizeOf,
} from '../classifier/classifier.ts';
import type { Loss, Optimizer } from '../classifier/engine.ts';
import { invariant, PkgError } from '../runtime/errors.ts';
import { compileConvolution } from './compile-convolution.ts';
import {
  compileActivation,
  compileDense,
  compileDropout,
  compilePooling,
  reshape,
} from './compile-layers.ts';
import { compileNormalization } from './compile-normalization.ts';
import {
  backwardCall,
  type CompiledLayer,
  type Compiler,
  gradientTensor,
  type LayerInput,
  type LayerPlace,
} from './compiler.ts';
import { Arena, allocateTensor, type Parameter, placementOf, type Tensor } from './layout.ts';
import { type AssembledProgram, Program } from './program.ts';

/** What a network is compiled for. */
export interface CompileOptions {
  readonly network: Network;
  readonly batchSize: number;
  readonly threads: number;
  readonly training: TrainingOptions | undefined;
}

export interface TrainingOptions {
  readonly loss: Loss;
  readonly optimizer: Optimizer;
  /** How examples are warped; undefined where they are taken as they are. */
  readonly fill: FillMode | undefined;
}

/**
 * Groups of images whose partial gradients are summed; their number depends on the batch size alone,
 * never on the threads, and bounds the memory they take.
 */
const GROUPS = 16;

/** Where the engine reads and writes while a compiled network runs. */
export interface Compiled {
  readonly train: AssembledProgram | undefined;
  readonly predict: AssembledProgram;
  /** Brings what is derived of the weights, such as turned kernels, up to date. */
  readonly prepare: AssembledProgram;
  readonly parameters: readonly Parameter[];
  /** From the first weight to the end of the last slot. */
  readonly state: { readonly address: number; readonly sizeBytes: number };
  readonly pixels: number;
  readonly transforms: number;
  readonly labels: number;
  readonly exampleWeights: number;
  /** Keys of the dropout layers, 8 bytes each. */
  readonly dropoutKeys: readonly { readonly layer: number; readonly address: number }[];
  readonly settings: number;
  readonly result: number;
  /** The last layer's output. */
  readonly output: Tensor;
  /** What each layer gave, to find where a number stopped being finite. */
  readonly outputs: readonly { readonly layer: string; readonly tensor: Tensor }[];
  readonly memoryBytes: number;
  readonly scratch: number;
  readonly scratchBytes: number;
}

/** How many numbers an optimizer remembers of each weight. */
function slotCount(optimizer: Optimizer): number {
  if (optimizer.kind === 'adam') return 2;
  if (optimizer.kind === 'sgd') return optimizer.momentum > 0 ? 1 : 0;
  return optimizer.momentum > 0 ? 2 : 1;
}

const OPTIMIZER_KINDS: Readonly<Record<Optimizer['kind'], number>> = {
  sgd: 0,
  rmsprop: 1,
  adam: 2,
};

/** Lays out memory and programs; touches no memory yet. */
export function compileNetwork(options: CompileOptions): Compiled {
  const { network, batchSize, training } = options;
  const arena = new Arena();
  const groupImages = Math.ceil(batchSize / GROUPS);
  const placed = placeParameters(arena, options);
  let scratchBytes = 64;
  const compiler: Compiler = {
    arena,
    batchSize,
    groupImages,
    groups: Math.ceil(batchSize / groupImages),
    forward: new Program(),
    predict: new Program(),
    backward: [],
    reductions: [],
    finish: [],
    prepare: [],
    renew: [],
    training: training !== undefined,
    kept: new Set(),
    dropoutKeys: [],
    settings: arena.allocate(64),
    optimizerKind: training === undefined ? 0 : OPTIMIZER_KINDS[training.optimizer.kind],
    parameter: (layer, name) =>
      placed.parameters.find((one) => one.layer === layer && one.spec.name === name),
    scratch: (sizeBytes) => {
      scratchBytes = Math.max(scratchBytes, sizeBytes);
    },
  };
  const input = compileInput(compiler, network, training?.fill);
  const { outputs, ...last } = compileLayers(compiler, network, input.tensor, training?.loss);
  const ends = compileEnds(compiler, network, last, training?.loss);
  scratchBytes = Math.ceil(scratchBytes / 64 + 1) * 64;
  const scratch = arena.allocate(scratchBytes * options.threads);
  const train = training === undefined ? undefined : compiler.forward.assemble(arena);
  const prepare = new Program();
  prepare.phase(1, compiler.prepare);
  const { pixels, transforms } = input;
  return {
    train,
    predict: compiler.predict.assemble(arena),
    prepare: prepare.assemble(arena),
    ...placed,
    ...ends,
    ...{ pixels, transforms, outputs, scratch, scratchBytes },
    output: last.output,
    dropoutKeys: compiler.dropoutKeys,
    settings: compiler.settings,
    memoryBytes: arena.sizeBytes,
  };
}

/** Weights first, then slots and gradients of what is trained: the state is one run of bytes. */
function placeParameters(
  arena: Arena,
  { network, training }: CompileOptions,
): Pick<Compiled, 'parameters' | 'state'> {
  const slots = training === undefined ? 0 : slotCount(training.optimizer);
  const specs = network.layers.flatMap((layer, index) =>
    layer.weights.map((spec) => ({
      spec,
      layer: index,
      ...placementOf(spec, inputStrideOf(network, index)),
    })),
  );
  const start = arena.sizeBytes;
  const addresses = specs.map(({ count }) => arena.allocate(count * 4));
  const slotAddresses = Array.from({ length: slots }, () =>
    specs.map(({ count, spec }) => (spec.trainable ? arena.allocate(count * 4) : 0)),
  );
  const state = { address: start, sizeBytes: arena.sizeBytes - start };
  const parameters = specs.map((one, index) => ({
    ...one,
    address: addresses[index] ?? 0,
    gradient: training && one.spec.trainable ? arena.allocate(one.count * 4) : 0,
    slots: slotAddresses.map((of) => of[index] ?? 0),
    sick: arena.allocate(4),
  }));
  return { parameters, state };
}

/** Channels between the pixels that a layer reads; the photo's own are not filled up for a convolution. */
function inputStrideOf({ layers, inputShape }: Network, index: number): number {
  const channels = layers[index]?.inputShape.at(-1) ?? 0;
  return index === 0 && layers[0]?.spec.kind === 'conv2d'
    ? inputShape[2]
    : Math.ceil(channels / 4) * 4;
}

function compileInput(
  compiler: Compiler,
  { inputShape, layers }: Network,
  fill: FillMode | undefined,
) {
  const [height, width, channels] = inputShape;
  const { arena, batchSize } = compiler;
  const exampleBytes = sizeOf(inputShape);
  const pixels = arena.allocate(batchSize * exampleBytes);
  const transforms = arena.allocate(batchSize * 48);
  const tensor = allocateTensor(arena, batchSize, inputShape, channels);
  const args = [pixels, exampleBytes, tensor.address, tensor.imageBytes, height, width, channels];
  compiler.predict.perImage(batchSize, 1, { kernel: 'input', args: [...args, 0, 0] });
  const warp = fill === undefined ? [0, 0] : [transforms, FILL_CODES[fill]];
  compiler.forward.perImage(batchSize, 1, { kernel: 'input', args: [...args, ...warp] });
  const spaced = layers[0]?.spec.kind === 'conv2d' ? tensor : reshape(compiler, tensor, inputShape);
  return { pixels, transforms, tensor: spaced };
}

function compileLayers(
  compiler: Compiler,
  network: Network,
  input: Tensor,
  loss: Loss | undefined,
): CompiledLayer & { readonly outputs: { layer: string; tensor: Tensor }[] } {
  const outputs: { layer: string; tensor: Tensor }[] = [];
  let current: LayerInput = { tensor: input, gradient: undefined };
  const { layers } = network;
  for (let index = 0; index < layers.length; index += 1) {
    const layer = layers[index];
    if (layer === undefined) continue;
    invariant(!isFrozen(layer) || current.gradient === undefined, 'frozen layers come first');
    const last = index === layers.length - 1;
    const pool = layers[index + 1];
    const pooled = pool !== undefined && canFusePool(layer, pool);
    const next = compileLayer(compiler, layer, index, current, {
      pooled,
      // The loss's gradient is the one before the last activation.
      endsWithLoss: last && loss !== undefined,
    });
    outputs.push({ layer: layer.name, tensor: next.output });
    if (pooled) index += 1;
    current = { tensor: next.output, gradient: next.gradient };
  }
  return { output: current.tensor, gradient: current.gradient, outputs };
}

function compileLayer(
  compiler: Compiler,
  layer: Layer,
  index: number,
  input: LayerInput,
  place: LayerPlace,
): CompiledLayer {
  const { spec } = layer;
  switch (spec.kind) {
    case 'conv2d':
      return compileConvolution(compiler, { ...layer, spec }, index, input, place);
    case 'dense':
      return compileDense(compiler, { ...layer, spec }, index, input, place);
    case 'maxPooling2d':
    case 'averagePooling2d':
    case 'globalAveragePooling2d':
      return compilePooling(compiler, { ...layer, spec }, input);
    case 'flatten': {
      const output = reshape(compiler, input.tensor, layer.outputShape);
      return { output, gradient: flattenBackward(compiler, input, output) };
    }
    case 'dropout':
      return compileDropout(compiler, spec.rate, index, input);
    case 'batchNormalization':
      return compileNormalization(compiler, { ...layer, spec }, index, input);
    case 'activation':
      return compileActivation(compiler, spec.function, input, place);
  }
}

/** Gradients of a vector go back to a feature map; where both lie alike they are the same memory. */
function flattenBackward(
  compiler: Compiler,
  input: LayerInput,
  output: Tensor,
): Tensor | undefined {
  const { tensor, gradient } = input;
  if (gradient === undefined) return undefined;
  if (output.address === tensor.address) {
    const { address } = gradient;
    return { ...output, address };
  }
  const own = gradientTensor(compiler, output);
  compiler.backward.push((program) => {
    const pixels = tensor.height * tensor.width;
    const { address, imageBytes } = own;
    const args = [address, imageBytes, pixels, tensor.channels, tensor.channels];
    const target = [gradient.address, gradient.imageBytes, tensor.stride, gradient.imageBytes];
    backwardCall(compiler, program, { kernel: 'respace', args: [...args, ...target] });
  });
  return own;
}

function canFusePool({ spec, outputShape }: Layer, { spec: pool }: Layer): boolean {
  if (spec.kind !== 'conv2d' || spec.activation !== 'relu') return false;
  if (pool.kind !== 'maxPooling2d' || pool.poolSize !== 2 || pool.strides !== 2) return false;
  const [height = 0, width = 0] = outputShape;
  // Padding of a pool adds nothing to even sides.
  return pool.padding === 'valid' || (height % 2 === 0 && width % 2 === 0);
}

const LAST_ACTIVATIONS: Readonly<Record<Loss, Activation>> = {
  binaryCrossentropy: 'sigmoid',
  categoricalCrossentropy: 'softmax',
};

/** The activation that a network ends with. */
function lastActivation({ layers }: Network): Activation | undefined {
  const spec = layers.at(-1)?.spec;
  if (spec?.kind === 'activation') return spec.function;
  return spec?.kind === 'dense' ? spec.activation : undefined;
}

/** The loss, the backward pass and the updates. */
function compileEnds(
  compiler: Compiler,
  network: Network,
  { output, gradient }: CompiledLayer,
  loss: Loss | undefined,
): Pick<Compiled, 'labels' | 'exampleWeights' | 'result'> {
  const { arena, batchSize, forward, predict } = compiler;
  const labels = arena.allocate(batchSize * 4);
  const exampleWeights = arena.allocate(batchSize * 4);
  const result = arena.allocate(16);
  const kind = loss === 'binaryCrossentropy' || lastActivation(network) === 'sigmoid' ? 0 : 1;
  const lossArgs = (target: number) => {
    const units = outputUnits(network);
    return [output.address, output.imageBytes, units, labels, exampleWeights, target, kind, result];
  };
  predict.phase(1, [{ kernel: 'crossEntropy', args: lossArgs(0) }]);
  if (loss !== undefined) {
    checkLoss(network, loss);
    forward.phase(1, [{ kernel: 'crossEntropy', args: lossArgs(gradient?.address ?? 0) }]);
    for (const step of compiler.backward.toReversed()) step(forward);
    for (const reduce of compiler.reductions) reduce(forward);
    forward.phase(1, [...compiler.finish, ...compiler.renew]);
  }
  return { labels, exampleWeights, result };
}

/** The kernels know the gradient of a loss only together with the activation it belongs to. */
function checkLoss(network: Network, loss: Loss): void {
  const activation = lastActivation(network);
  if (activation === LAST_ACTIVATIONS[loss] && network.layers.at(-1)?.outputShape.length === 1)
    return;
  const key = `model.layers.${String(network.layers.length - 1)}`;
  throw new PkgError('manifest', `${loss} takes a dense layer of ${LAST_ACTIVATIONS[loss]}`, {
    key,
    hint: 'End the layers with dense: { units: 1, activation: sigmoid } for two classes, or softmax and one unit a class.',
  });
}

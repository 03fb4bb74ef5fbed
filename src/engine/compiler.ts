/** What the compilers of layers share: programs under way, memory, and the calls they have in common. */
import { isFrozen, type Layer } from '../classifier/classifier.ts';
import { type Arena, allocateTensor, type Parameter, type Tensor } from './layout.ts';
import type { Call, Program } from './program.ts';

/** What the compilers of layers share. */
export interface Compiler {
  readonly arena: Arena;
  readonly batchSize: number;
  /** Images of a task of the backward pass, which is a group. */
  readonly groupImages: number;
  readonly groups: number;
  readonly forward: Program;
  /** Forward without what only training does. */
  readonly predict: Program;
  /** Calls of the backward pass, to be added last layer first. */
  readonly backward: ((program: Program) => void)[];
  /** Calls after the backward pass that end the gradients of convolutions, and update them. */
  readonly reductions: ((program: Program) => void)[];
  /** Calls after all gradients, in one task: small updates, and what is derived of the weights. */
  readonly finish: Call[];
  readonly prepare: Call[];
  /** Those of `prepare` that an update makes necessary again. */
  readonly renew: Call[];
  readonly training: boolean;
  /** Addresses of outputs that the backward pass reads, so that no layer may change them in place. */
  readonly kept: Set<number>;
  readonly dropoutKeys: { layer: number; address: number }[];
  readonly settings: number;
  readonly optimizerKind: number;
  parameter(layer: number, name: string): Parameter | undefined;
  scratch(sizeBytes: number): void;
}

/** A call for each image, in both programs, a task an image. */
export function forwardCall(compiler: Compiler, call: Call): void {
  compiler.forward.perImage(compiler.batchSize, 1, call);
  compiler.predict.perImage(compiler.batchSize, 1, call);
}

/** A call for each image of the backward pass, a task a group. */
export function backwardCall(compiler: Compiler, program: Program, call: Call): void {
  program.perImage(compiler.batchSize, compiler.groupImages, call);
}

/** A call that derives something of a layer's weights; it is done again after an update of them. */
export function prepareCall(compiler: Compiler, layer: Layer, call: Call): void {
  compiler.prepare.push(call);
  if (!isFrozen(layer)) compiler.renew.push(call);
}

/** Whether a layer is trained here, so that gradients are to come as far as its output. */
export function isTrained({ training }: Compiler, layer: Layer): boolean {
  return training && !isFrozen(layer);
}

/** The update of a parameter, by tasks of so many numbers. */
export function updateCall(compiler: Compiler, parameter: Parameter, taskCount: number): Call {
  const [first = 0, second = 0] = parameter.slots;
  const { address, gradient, count, sick } = parameter;
  const { settings, optimizerKind } = compiler;
  return {
    kernel: 'update',
    args: [address, gradient, first, second, count, taskCount, settings, optimizerKind, sick],
  };
}

/** A feature map of gradients as far apart as the values they belong to. */
export function gradientTensor(compiler: Compiler, { height, width, channels, stride }: Tensor) {
  return allocateTensor(compiler.arena, compiler.batchSize, [height, width, channels], stride);
}

/** Where a compiled layer left its values, and where it wants the gradients of them. */
export interface CompiledLayer {
  readonly output: Tensor;
  readonly gradient: Tensor | undefined;
}

/** The gradient of what a layer reads goes here; undefined where nobody wants it. */
export interface LayerInput {
  readonly tensor: Tensor;
  readonly gradient: Tensor | undefined;
}

/** How a layer stands among the others. */
export interface LayerPlace {
  /** Whether a max-pool of 2 x 2 is taken with a convolution. */
  readonly pooled: boolean;
  readonly endsWithLoss: boolean;
}

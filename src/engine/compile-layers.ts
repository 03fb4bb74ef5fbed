/** Layers other than convolutions as kernel calls. */
import {
  type Activation,
  type Layer,
  type LayerSpec,
  paddingBefore,
  type Shape,
} from '../classifier/classifier.ts';
import {
  backwardCall,
  type CompiledLayer,
  type Compiler,
  forwardCall,
  gradientTensor,
  isTrained,
  type LayerInput,
  type LayerPlace,
  updateCall,
} from './compiler.ts';
import { allocateTensor, filledUp, type Parameter, type Tensor } from './layout.ts';
import { floatBits } from './program.ts';

const ACTIVATION_KINDS: Readonly<Record<Activation, number>> = {
  linear: 0,
  relu: 1,
  sigmoid: 2,
  tanh: 3,
  softmax: 4,
};

/** Runs of inputs that a dense layer is cut into, at most; fixed, so that sums have one order. */
const DENSE_TASKS = 16;

type Spec<Kind> = Extract<LayerSpec, { readonly kind: Kind }>;

function activationArgs(activation: Activation, output: Tensor): readonly number[] {
  const { address, imageBytes, height, width, channels, stride } = output;
  return [address, imageBytes, height * width, channels, stride, ACTIVATION_KINDS[activation]];
}

/** Applies an activation in place. */
export function activationForward(
  compiler: Compiler,
  activation: Activation,
  output: Tensor,
): void {
  forwardCall(compiler, { kernel: 'activate', args: activationArgs(activation, output) });
}

/** Turns gradients after an activation into those before it, in place; `output` has to stay as it is. */
export function activationBackward(
  compiler: Compiler,
  activation: Activation,
  output: Tensor,
  gradient: Tensor,
): void {
  compiler.kept.add(output.address);
  const args = [...activationArgs(activation, output), gradient.address, gradient.imageBytes];
  compiler.backward.push((program) => {
    backwardCall(compiler, program, { kernel: 'activateBackward', args });
  });
}

export function compileActivation(
  compiler: Compiler,
  activation: Activation,
  { tensor, gradient }: LayerInput,
  { endsWithLoss }: LayerPlace,
): CompiledLayer {
  if (activation === 'linear') return { output: tensor, gradient };
  const output = compiler.kept.has(tensor.address) ? copied(compiler, tensor) : tensor;
  activationForward(compiler, activation, output);
  if (gradient !== undefined && !endsWithLoss) {
    activationBackward(compiler, activation, output, gradient);
  }
  return { output, gradient };
}

function copied(compiler: Compiler, tensor: Tensor): Tensor {
  const { arena, batchSize } = compiler;
  const { address, imageBytes, height, width, channels, stride } = tensor;
  const output = allocateTensor(arena, batchSize, [height, width, channels], stride);
  const from = [address, imageBytes, height * width, channels, stride];
  const to = [output.address, output.imageBytes, stride, output.imageBytes];
  forwardCall(compiler, { kernel: 'respace', args: [...from, ...to] });
  return output;
}

/** A tensor of another shape, copied where its numbers do not lie as they should already. */
export function reshape(compiler: Compiler, tensor: Tensor, shape: Shape): Tensor {
  const channels = shape.at(-1) ?? 0;
  const size = tensor.height * tensor.width * tensor.channels;
  const asVector = shape.length === 1 && tensor.stride === tensor.channels;
  if (asVector && filledUp(size) === size) {
    return { ...tensor, height: 1, width: 1, channels, stride: channels };
  }
  const output = allocateTensor(compiler.arena, compiler.batchSize, shape);
  const apart = shape.length === 1 ? tensor.channels : output.stride;
  forwardCall(compiler, {
    kernel: 'respace',
    args: [
      ...[tensor.address, tensor.imageBytes, tensor.height * tensor.width, tensor.channels],
      ...[tensor.stride, output.address, output.imageBytes, apart, output.imageBytes],
    ],
  });
  return output;
}

export function compileDense(
  compiler: Compiler,
  layer: Layer & { readonly spec: Spec<'dense'> },
  index: number,
  input: LayerInput,
  { endsWithLoss }: LayerPlace,
): CompiledLayer {
  const { arena, batchSize } = compiler;
  const { spec, outputShape } = layer;
  const kernel = compiler.parameter(index, 'kernel');
  if (kernel === undefined) throw new Error('invariant broken: a dense layer has a kernel');
  const bias = compiler.parameter(index, 'bias');
  const { tensor } = input;
  const inputs = tensor.channels;
  const output = allocateTensor(arena, batchSize, outputShape);
  const taskInputs = filledUp(Math.ceil(inputs / DENSE_TASKS));
  const tasks = Math.ceil(inputs / taskInputs);
  const partialBytes = batchSize * output.imageBytes;
  const partial = arena.allocate(tasks * partialBytes);
  const args = [
    ...[tensor.address, tensor.imageBytes, kernel.address, output.imageBytes, inputs, taskInputs],
    ...[partial, partialBytes],
  ];
  for (const program of [compiler.forward, compiler.predict]) {
    program.phase(tasks, [{ kernel: 'dense', args }]);
  }
  const relu = spec.activation === 'relu';
  const { address, imageBytes } = output;
  const sumArgs = [partial, partialBytes, tasks, bias?.address ?? 0, address, imageBytes];
  forwardCall(compiler, { kernel: 'sumDense', args: [...sumArgs, relu ? 1 : 0] });
  if (!relu && spec.activation !== 'linear') activationForward(compiler, spec.activation, output);
  if (!isTrained(compiler, layer)) return { output, gradient: undefined };
  const gradient = gradientTensor(compiler, output);
  denseBackward(compiler, { input, gradient, kernel, bias, taskInputs, tasks });
  if (spec.activation !== 'linear' && !endsWithLoss) {
    activationBackward(compiler, spec.activation, output, gradient);
  }
  return { output, gradient };
}

function denseBackward(
  compiler: Compiler,
  parts: {
    readonly input: LayerInput;
    readonly gradient: Tensor;
    readonly kernel: Parameter;
    readonly bias: Parameter | undefined;
    readonly taskInputs: number;
    readonly tasks: number;
  },
): void {
  const { input, gradient, kernel, bias, taskInputs, tasks } = parts;
  const { address, imageBytes, channels: inputs } = input.tensor;
  const own = [gradient.address, gradient.imageBytes];
  if (bias !== undefined) {
    compiler.finish.push(
      { kernel: 'gradientOfDenseBias', args: [...own, bias.gradient] },
      updateCall(compiler, bias, bias.count),
    );
  }
  compiler.backward.push((program) => {
    const to = input.gradient;
    program.phase(tasks, [
      ...(to === undefined
        ? []
        : [
            {
              kernel: 'gradientOfDenseInput',
              args: [...own, kernel.address, inputs, taskInputs, to.address, to.imageBytes],
            } as const,
          ]),
      {
        kernel: 'gradientOfDenseKernel',
        args: [address, imageBytes, ...own, inputs, taskInputs, kernel.gradient],
      },
      updateCall(compiler, kernel, (taskInputs * gradient.imageBytes) / 4),
    ]);
  });
}

export function compileDropout(
  compiler: Compiler,
  rate: number,
  index: number,
  { tensor, gradient }: LayerInput,
): CompiledLayer {
  const { arena, batchSize } = compiler;
  if (!compiler.training || rate === 0) return { output: tensor, gradient };
  const { height, width, channels, stride } = tensor;
  const output = allocateTensor(arena, batchSize, [height, width, channels], stride);
  const key = arena.allocate(8);
  compiler.dropoutKeys.push({ layer: index, address: key });
  const args = (from: Tensor, to: Tensor, dropped: number) => [
    ...[from.address, from.imageBytes, from.imageBytes / 4, to.address, to.imageBytes],
    ...[Math.min(Math.round(dropped * 2 ** 32), 2 ** 32 - 1), floatBits(1 / (1 - dropped)), key],
  ];
  const forward = { kernel: 'dropout', args: args(tensor, output, rate) } as const;
  compiler.forward.perImage(batchSize, 1, forward);
  compiler.predict.perImage(batchSize, 1, { kernel: 'dropout', args: args(tensor, output, 0) });
  if (gradient === undefined) return { output, gradient: undefined };
  const own = gradientTensor(compiler, output);
  compiler.backward.push((program) => {
    backwardCall(compiler, program, { kernel: 'dropout', args: args(own, gradient, rate) });
  });
  return { output, gradient: own };
}

export function compilePooling(
  compiler: Compiler,
  {
    spec,
    outputShape,
  }: Layer & {
    readonly spec: Spec<'maxPooling2d' | 'averagePooling2d' | 'globalAveragePooling2d'>;
  },
  { tensor, gradient }: LayerInput,
): CompiledLayer {
  const { arena, batchSize } = compiler;
  const output = allocateTensor(arena, batchSize, outputShape);
  const own = gradient === undefined ? undefined : gradientTensor(compiler, output);
  const result = { output, gradient: own };
  if (spec.kind === 'globalAveragePooling2d') {
    const args = (map: Tensor, vector: Tensor) => [
      ...[map.address, map.imageBytes, map.stride * 4, map.height * map.width],
      ...[vector.address, vector.imageBytes],
    ];
    forwardCall(compiler, { kernel: 'globalAverage', args: args(tensor, output) });
    if (own === undefined || gradient === undefined) return result;
    compiler.backward.push((program) => {
      const kernel = 'globalAverageBackward';
      backwardCall(compiler, program, { kernel, args: args(gradient, own) });
    });
    return result;
  }
  const { poolSize, strides, padding } = spec;
  const isMax = spec.kind === 'maxPooling2d';
  const positions = isMax ? arena.allocate(batchSize * output.imageBytes) : 0;
  const args = [
    ...[tensor.address, tensor.imageBytes, tensor.stride * 4, tensor.height, tensor.width],
    ...[poolSize, strides],
    paddingBefore(tensor.height, poolSize, strides, padding),
    paddingBefore(tensor.width, poolSize, strides, padding),
    ...[output.address, output.imageBytes, output.height, output.width],
    ...[positions, output.imageBytes, gradient?.address ?? 0, gradient?.imageBytes ?? 0],
    ...[own?.address ?? 0, own?.imageBytes ?? 0],
  ];
  forwardCall(compiler, { kernel: isMax ? 'maxPool' : 'averagePool', args });
  if (own === undefined) return result;
  compiler.backward.push((program) => {
    const kernel = isMax ? 'maxPoolBackward' : 'averagePoolBackward';
    backwardCall(compiler, program, { kernel, args });
  });
  return result;
}

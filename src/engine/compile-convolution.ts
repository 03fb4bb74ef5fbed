/** Convolutions as kernel calls: padded, by Winograd's algorithm where it fits, with the pool after them. */
import {
  type Layer,
  type LayerSpec,
  paddingBefore,
  windowOutput,
} from '../classifier/classifier.ts';
import { activationBackward, activationForward } from './compile-layers.ts';
import {
  backwardCall,
  type CompiledLayer,
  type Compiler,
  forwardCall,
  gradientTensor,
  isTrained,
  type LayerInput,
  type LayerPlace,
  prepareCall,
  updateCall,
} from './compiler.ts';
import { allocateTensor, filledUp, type Parameter, type Tensor } from './layout.ts';

type Convolution = Extract<LayerSpec, { readonly kind: 'conv2d' }>;

/** Everything about one convolution that its calls are made of. */
interface Plan {
  readonly layer: Layer;
  readonly spec: Convolution;
  readonly input: Tensor;
  readonly inputGradient: Tensor | undefined;
  readonly output: Tensor;
  readonly gradient: Tensor | undefined;
  /** Rows and columns before a pool. */
  readonly rows: number;
  readonly columns: number;
  /** Bytes that tell which pixel of a pooling window took part; 0 where no pool is taken with it. */
  readonly positions: number;
  readonly positionBytes: number;
  readonly kernel: Parameter;
  readonly bias: Parameter | undefined;
}

/** Tiles of Winograd's algorithm that the kernel works on at once. */
const WINOGRAD_BLOCK = 32;

/** What a band of the backward pass may take of a core's cache. */
const BAND_BYTES = 128 * 1024;

export function compileConvolution(
  compiler: Compiler,
  layer: Layer & { readonly spec: Convolution },
  index: number,
  input: LayerInput,
  place: LayerPlace,
): CompiledLayer {
  const { spec } = layer;
  const padded = compilePadding(compiler, spec, input);
  const [rows = 0, columns = 0] = layer.outputShape;
  const shape = place.pooled
    ? [Math.floor(rows / 2), Math.floor(columns / 2), spec.filters]
    : layer.outputShape;
  const output = allocateTensor(compiler.arena, compiler.batchSize, shape);
  const positionBytes = output.imageBytes / 4;
  const kernel = compiler.parameter(index, 'kernel');
  if (kernel === undefined) throw new Error('invariant broken: a convolution has a kernel');
  const plan: Plan = {
    layer,
    spec,
    input: padded.tensor,
    inputGradient: padded.gradient,
    output,
    gradient: isTrained(compiler, layer) ? gradientTensor(compiler, output) : undefined,
    rows,
    columns,
    positions: place.pooled ? compiler.arena.allocate(compiler.batchSize * positionBytes) : 0,
    positionBytes,
    kernel,
    bias: compiler.parameter(index, 'bias'),
  };
  compileForward(compiler, plan);
  if (plan.gradient !== undefined) compileBackward(compiler, plan, plan.gradient);
  if (spec.activation !== 'linear' && spec.activation !== 'relu') {
    activationForward(compiler, spec.activation, output);
  }
  // Pushed last, so that it comes first: the gradient before the activation.
  if (spec.activation !== 'linear' && !place.pooled && plan.gradient !== undefined) {
    activationBackward(compiler, spec.activation, output, plan.gradient);
  }
  return { output, gradient: plan.gradient };
}

/** Copies the input into a map with a border of zeros where the padding asks for one. */
function compilePadding(compiler: Compiler, spec: Convolution, input: LayerInput): LayerInput {
  const { tensor, gradient } = input;
  const { kernelSize, strides, padding } = spec;
  const sides = (side: number) => {
    const before = paddingBefore(side, kernelSize, strides, padding);
    const outputs = windowOutput(side, kernelSize, strides, padding);
    return { before, whole: Math.max(side + before, (outputs - 1) * strides + kernelSize) };
  };
  const high = sides(tensor.height);
  const wide = sides(tensor.width);
  if (high.whole === tensor.height && wide.whole === tensor.width) return input;
  const shape = [high.whole, wide.whole, tensor.channels];
  const padded = allocateTensor(compiler.arena, compiler.batchSize, shape, tensor.stride);
  const pixelBytes = tensor.stride * 4;
  const rowBytes = padded.width * pixelBytes;
  const inner = high.before * rowBytes + wide.before * pixelBytes;
  const args = (from: Tensor, to: Tensor) => [
    ...[from.address, from.imageBytes, from.height, from.width * pixelBytes],
    ...[to.address, to.imageBytes, rowBytes, inner, to.imageBytes],
  ];
  forwardCall(compiler, { kernel: 'pad', args: args(tensor, padded) });
  if (gradient === undefined) return { tensor: padded, gradient: undefined };
  const paddedGradient = gradientTensor(compiler, padded);
  compiler.backward.push((program) => {
    backwardCall(compiler, program, { kernel: 'unpad', args: args(gradient, paddedGradient) });
  });
  return { tensor: padded, gradient: paddedGradient };
}

function compileForward(compiler: Compiler, plan: Plan): void {
  const { spec, input } = plan;
  const inVectors = input.stride >= 8 && input.stride % 4 === 0;
  if (spec.kernelSize === 3 && spec.strides === 1 && inVectors) {
    compileWinograd(compiler, plan);
    return;
  }
  const { output, positions, positionBytes, kernel, bias, columns } = plan;
  const pixelBytes = input.stride * 4;
  const rowBytes = input.width * pixelBytes;
  const across = spec.strides * pixelBytes;
  const down = spec.strides * rowBytes;
  const pooled = positions !== 0;
  // The pixels of a tile: a pooling window, or neighbours in a row, which may have fewer than four.
  const offsets = pooled
    ? [across, down, down + across]
    : [1, 2, 3].map((pixel) => Math.min(pixel, columns - 1) * across);
  const outputBytes = output.stride * 4;
  forwardCall(compiler, {
    kernel: 'convolve',
    args: [
      ...[input.address, input.imageBytes, rowBytes, pooled ? 2 * down : down, 2 * across],
      ...offsets,
      ...[kernel.address, bias?.address ?? 0, spec.kernelSize, spec.kernelSize * pixelBytes],
      ...[outputBytes, output.height, pooled ? output.width : Math.ceil(columns / 4)],
      ...[output.address, output.imageBytes, output.width * outputBytes],
      ...[positions, positionBytes, spec.activation === 'relu' ? 1 : 0, columns, across],
    ],
  });
}

function compileWinograd(compiler: Compiler, plan: Plan): void {
  const { layer, spec, input, output, positions, positionBytes, kernel, bias, rows, columns } =
    plan;
  const outputBytes = output.stride * 4;
  const transformed = compiler.arena.allocate(16 * input.stride * outputBytes);
  prepareCall(compiler, layer, {
    kernel: 'transformKernel',
    args: [kernel.address, transformed, input.stride, outputBytes],
  });
  compiler.scratch(16 * WINOGRAD_BLOCK * (input.stride * 4 + outputBytes));
  const pooled = positions !== 0;
  const pixelBytes = input.stride * 4;
  forwardCall(compiler, {
    kernel: 'convolveWinograd',
    args: [
      ...[input.address, input.imageBytes, input.width * pixelBytes, pixelBytes, transformed],
      ...[bias?.address ?? 0, outputBytes],
      pooled ? output.height : Math.ceil(rows / 2),
      pooled ? output.width : Math.ceil(columns / 2),
      ...[output.address, output.imageBytes, output.width * outputBytes],
      ...[positions, positionBytes, spec.activation === 'relu' ? 1 : 0, rows, columns],
    ],
  });
}

/** Rows of gradients worked on together: their lists and the input under them stay in the cache. */
function bandRowsOf({ spec, input, positions }: Plan, gradient: Tensor, rowLists: number): number {
  const step = positions === 0 ? spec.strides : 2 * spec.strides;
  const inputBytes = step * input.width * input.stride * 4;
  const rows = Math.floor(BAND_BYTES / (rowLists + inputBytes));
  return Math.min(Math.max(rows, 1), gradient.height);
}

/** Arguments that both backward kernels begin with. */
function backwardArgs(plan: Plan, x: Tensor, gradient: Tensor): readonly number[] {
  const { spec, positions, positionBytes } = plan;
  const pixelBytes = x.stride * 4;
  const across = spec.strides * pixelBytes;
  const down = spec.strides * x.width * pixelBytes;
  const step = positions === 0 ? 1 : 2;
  return [
    ...[x.address, x.imageBytes, x.width * pixelBytes, spec.kernelSize * pixelBytes],
    ...[spec.kernelSize, gradient.address, gradient.imageBytes, positions, positionBytes],
    ...[gradient.height, gradient.width, gradient.stride, step * down, step * across],
    ...[across, down, down + across],
  ];
}

function compileBackward(compiler: Compiler, plan: Plan, gradient: Tensor): void {
  const { spec, input, inputGradient, kernel, bias } = plan;
  const { arena, groups, groupImages } = compiler;
  const length = spec.kernelSize * input.stride;
  const filled = filledUp(length);
  const kernelBytes = spec.filters * spec.kernelSize * filled * 4;
  const groupBytes = kernelBytes + filledUp(spec.filters) * 4;
  const partial = arena.allocate(groups * groupBytes);
  const biases = bias === undefined ? 0 : partial + kernelBytes;
  const rowLists = gradient.width * gradient.stride * 8;
  const bandRows = bandRowsOf(plan, gradient, rowLists);
  compiler.scratch(gradient.stride * 4 + bandRows * rowLists + 64);
  compiler.reductions.push((program) => {
    program.phase(spec.kernelSize + 1, [
      {
        kernel: 'sumPartials',
        args: [
          ...[partial, groupBytes, groupImages, kernel.gradient, spec.kernelSize, length, filled],
          ...[gradient.stride, spec.filters, biases, bias?.gradient ?? 0],
        ],
      },
      updateCall(compiler, kernel, length * gradient.stride),
    ]);
  });
  if (bias !== undefined) compiler.finish.push(updateCall(compiler, bias, bias.count));
  if (inputGradient !== undefined) compileInputGradient(compiler, plan, inputGradient, gradient);
  compiler.backward.push((program) => {
    backwardCall(compiler, program, {
      kernel: 'gradientOfKernel',
      args: [
        ...backwardArgs(plan, input, gradient),
        ...[partial, groupBytes, groupImages, filled * 4, biases, spec.filters, bandRows],
      ],
    });
  });
}

function compileInputGradient(
  compiler: Compiler,
  plan: Plan,
  inputGradient: Tensor,
  gradient: Tensor,
): void {
  const { layer, spec, input, kernel } = plan;
  const taps = spec.kernelSize * spec.kernelSize * input.stride;
  const turned = compiler.arena.allocate(taps * gradient.stride * 4);
  prepareCall(compiler, layer, {
    kernel: 'turnKernel',
    args: [kernel.address, turned, taps, gradient.stride],
  });
  compiler.scratch(gradient.stride * 8 * 5 + 64);
  compiler.backward.push((program) => {
    backwardCall(compiler, program, {
      kernel: 'gradientOfInput',
      args: [
        ...backwardArgs(plan, inputGradient, gradient),
        ...[turned, taps * 4, inputGradient.imageBytes],
      ],
    });
  });
}

/** Batch normalization as kernel calls: by the batch's statistics where it is trained, else by the moving ones. */
import type { Layer, LayerSpec } from '../classifier/classifier.ts';
import {
  backwardCall,
  type CompiledLayer,
  type Compiler,
  forwardCall,
  gradientTensor,
  isTrained,
  type LayerInput,
  prepareCall,
  updateCall,
} from './compiler.ts';
import { allocateTensor, type Tensor } from './layout.ts';
import { floatBits } from './program.ts';

type Normalization = Extract<LayerSpec, { readonly kind: 'batchNormalization' }>;

export function compileNormalization(
  compiler: Compiler,
  layer: Layer & { readonly spec: Normalization },
  index: number,
  { tensor, gradient }: LayerInput,
): CompiledLayer {
  const { arena, batchSize, groups } = compiler;
  const { spec } = layer;
  const { height, width, channels, stride } = tensor;
  const output = allocateTensor(arena, batchSize, [height, width, channels], stride);
  const own = isTrained(compiler, layer) ? gradientTensor(compiler, output) : undefined;
  const gamma = compiler.parameter(index, 'gamma');
  const beta = compiler.parameter(index, 'beta');
  const args = [
    ...[tensor.address, tensor.imageBytes, height * width, stride],
    ...[output.address, output.imageBytes, arena.allocate(4 * stride * 8)],
    ...[arena.allocate(groups * 2 * stride * 8), compiler.groupImages],
    ...[gamma?.address ?? 0, beta?.address ?? 0],
    compiler.parameter(index, 'moving_mean')?.address ?? 0,
    compiler.parameter(index, 'moving_variance')?.address ?? 0,
    ...[arena.allocate(2 * stride * 4), own?.address ?? 0, own?.imageBytes ?? 0],
    ...[gradient?.address ?? 0, gradient?.imageBytes ?? 0],
    ...[gamma?.gradient ?? 0, beta?.gradient ?? 0],
    ...[floatBits(spec.momentum), floatBits(spec.epsilon)],
  ];
  prepareCall(compiler, layer, { kernel: 'useMoving', args });
  if (own === undefined) {
    forwardCall(compiler, { kernel: 'normalize', args });
    return { output, gradient: undefined };
  }
  normalizeByBatch(compiler, args, gradient);
  for (const parameter of [gamma, beta]) {
    if (parameter === undefined) continue;
    compiler.finish.push(updateCall(compiler, parameter, parameter.count));
  }
  return { output, gradient: own };
}

/** Training by the statistics of the batch, which the moving ones follow; prediction by these. */
function normalizeByBatch(
  compiler: Compiler,
  args: readonly number[],
  gradient: Tensor | undefined,
): void {
  const { batchSize, forward, groupImages } = compiler;
  const normalize = { kernel: 'normalize', args } as const;
  compiler.predict.perImage(batchSize, 1, normalize);
  forward.perImage(batchSize, groupImages, { kernel: 'sumForward', args });
  forward.phase(1, [{ kernel: 'endMean', args }]);
  forward.perImage(batchSize, groupImages, { kernel: 'sumForwardSquares', args });
  forward.phase(1, [{ kernel: 'endVariance', args }]);
  forward.perImage(batchSize, 1, normalize);
  compiler.backward.push((program) => {
    backwardCall(compiler, program, { kernel: 'sumBackward', args });
    program.phase(1, [{ kernel: 'endBackward', args }]);
    if (gradient === undefined) return;
    backwardCall(compiler, program, { kernel: 'normalizeBackward', args });
  });
}

/** The compiled kernels: their module, and the numbers they are called by. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { PkgError } from '../runtime/errors.ts';
import { KERNELS_DIGEST } from './kernels-digest.ts';

/** Every kernel under the number that programs call it by; the order is that of kernels/index.ts. */
const KERNEL_NAMES = [
  'input',
  'convolve',
  'convolveWinograd',
  'gradientOfKernel',
  'gradientOfInput',
  'sumPartials',
  'turnKernel',
  'transformKernel',
  'dense',
  'sumDense',
  'gradientOfDenseInput',
  'gradientOfDenseKernel',
  'gradientOfDenseBias',
  'activate',
  'activateBackward',
  'dropout',
  'maxPool',
  'maxPoolBackward',
  'averagePool',
  'averagePoolBackward',
  'globalAverage',
  'globalAverageBackward',
  'pad',
  'unpad',
  'respace',
  'sumForward',
  'endMean',
  'sumForwardSquares',
  'endVariance',
  'useMoving',
  'normalize',
  'sumBackward',
  'endBackward',
  'normalizeBackward',
  'crossEntropy',
  'update',
] as const;

export type KernelName = (typeof KERNEL_NAMES)[number];

/** The number a program calls a kernel by. */
export function kernelNumber(name: KernelName): number {
  return KERNEL_NAMES.indexOf(name);
}

/** Bytes of a page of WebAssembly's memory. */
export const PAGE_BYTES = 65_536;

/** The most pages that 32-bit addresses reach. */
export const MAX_PAGES = 65_536;

/**
 * Compiles the module.
 * @throws PkgError `integrity` where the file is not the one that the toolchain states.
 */
export async function loadKernels(): Promise<WebAssembly.Module> {
  const bytes = await readFile(new URL('./kernels.wasm', import.meta.url));
  const digest = createHash('sha256').update(bytes).digest('hex');
  if (digest !== KERNELS_DIGEST) {
    throw new PkgError('integrity', `the kernels of this installation are damaged (${digest})`, {
      hint: 'Install pkg again.',
    });
  }
  return await WebAssembly.compile(bytes);
}

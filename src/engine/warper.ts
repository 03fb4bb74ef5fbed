/** The kernels that make a network's input of stored pixels, for networks that run elsewhere. */
import { FILL_CODES, type FillMode } from '../classifier/augment.ts';
import type { Batch, TrainingBatch } from '../classifier/engine.ts';
import { invariant } from '../runtime/errors.ts';
import { loadKernels, PAGE_BYTES } from './kernels.ts';
import { FIRST_FREE } from './machine.ts';

/** Where the map of an example stands: six numbers of 64 bits. */
const MATRIX = FIRST_FREE;
const MATRIX_NUMBERS = 6;
const SOURCE = MATRIX + 64;

/** Behind the pixels; the kernels read in steps of 16 bytes. */
const MARGIN_BYTES = 64;

type Kernel = (...numbers: readonly number[]) => void;

/** Pixels as the deterministic engine's input has them, bit for bit: float32 [count, height, width, 3]. */
export type Warper = (
  batch: Pick<Batch, 'count' | 'pixels'> & Partial<Pick<TrainingBatch, 'transforms'>>,
) => Float32Array;

/**
 * Loads the kernels in a memory of their own.
 * @param shape height, width, channels.
 * @param fill what stands beyond the border of an example that is warped.
 * @throws PkgError `integrity` where the kernels are not those of the toolchain.
 */
export async function createWarper(
  shape: readonly [number, number, number],
  fill: FillMode = 'nearest',
): Promise<Warper> {
  const [height, width, channels] = shape;
  const numbers = height * width * channels;
  const target = Math.ceil((SOURCE + numbers + MARGIN_BYTES) / 16) * 16;
  const pages = Math.ceil((target + 4 * numbers + MARGIN_BYTES) / PAGE_BYTES);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  const { exports } = new WebAssembly.Instance(await loadKernels(), { env: { memory } });
  const copy = kernelOf(exports, 'copyExample');
  const warp = kernelOf(exports, 'warpExample');
  const source = new Uint8Array(memory.buffer, SOURCE, numbers);
  const matrix = new Float64Array(memory.buffer, MATRIX, MATRIX_NUMBERS);
  const result = new Float32Array(memory.buffer, target, numbers);
  return ({ count, pixels, transforms }) => {
    const all = new Float32Array(count * numbers);
    for (let example = 0; example < count; example++) {
      source.set(pixels.subarray(example * numbers, (example + 1) * numbers));
      if (transforms === undefined) {
        copy(SOURCE, target, numbers);
      } else {
        const first = example * MATRIX_NUMBERS;
        matrix.set(transforms.subarray(first, first + MATRIX_NUMBERS));
        warp(SOURCE, target, height, width, channels, MATRIX, FILL_CODES[fill]);
      }
      all.set(result, example * numbers);
    }
    return all;
  };
}

function kernelOf(exports: Readonly<Record<string, unknown>>, name: string): Kernel {
  const kernel = exports[name];
  invariant(typeof kernel === 'function', `the kernel ${name} is exported`);
  return (...numbers) => void Reflect.apply(kernel, undefined, numbers);
}

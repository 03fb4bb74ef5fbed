/** Warps pictures by the kernel, in a memory where everything else is of a known value. */
import { FILL_CODES, type FillMode } from '../../src/classifier/augment.ts';
import { loadKernels } from './kernels.ts';

export interface Picture {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** Height, width, channels. */
  readonly pixels: Uint8Array;
}

/** Bytes between what is given and what is written, which the kernel has to leave alone. */
const GUARD_BYTES = 64;
const GUARD = 0xa5;

export interface Warper {
  warp(picture: Picture, matrix: Float64Array, fill: FillMode): Float32Array;
  copy(pixels: Uint8Array): Float32Array;
}

/** Loads the kernels; each call checks that nothing beside the target was written. */
export async function loadWarper(): Promise<Warper> {
  const { kernels, memory } = await loadKernels(64);
  const bytes = new Uint8Array(memory);
  const run = (pixels: Uint8Array, call: (source: number, target: number) => void) => {
    const source = 48 + GUARD_BYTES;
    const target = Math.ceil((source + pixels.length + GUARD_BYTES) / 4) * 4;
    const end = target + 4 * pixels.length;
    bytes.fill(GUARD, 48, end + GUARD_BYTES);
    bytes.set(pixels, source);
    call(source, target);
    const output = bytes.slice(target, end);
    bytes.fill(GUARD, target, end);
    bytes.fill(GUARD, source, source + pixels.length);
    const touched = bytes.subarray(48, end + GUARD_BYTES).some((byte) => byte !== GUARD);
    if (touched) throw new Error('the kernel wrote beside its target');
    return new Float32Array(output.buffer, output.byteOffset, pixels.length);
  };
  return {
    warp: ({ pixels, height, width, channels }, matrix, fill) =>
      run(pixels, (source, target) => {
        new Float64Array(memory, 0, 6).set(matrix);
        kernels.warpExample(source, target, height, width, channels, 0, FILL_CODES[fill]);
      }),
    copy: (pixels) =>
      run(pixels, (source, target) => {
        kernels.copyExample(source, target, pixels.length);
      }),
  };
}

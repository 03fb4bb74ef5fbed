/** The committed kernels in a memory of their own, to be called one by one. */
import { loadKernels as loadModule } from '../../src/engine/kernels.ts';

/** Pointers are byte offsets into the memory. */
export interface WarpKernels {
  copyExample(source: number, target: number, count: number): void;
  warpExample(
    source: number,
    target: number,
    height: number,
    width: number,
    channels: number,
    matrix: number,
    fill: number,
  ): void;
}

export interface Loaded {
  readonly kernels: WarpKernels;
  readonly memory: SharedArrayBuffer;
}

const MAX_PAGES = 65_536;

/** Loads the kernels beside a memory of so many pages of 64 KiB. */
export async function loadKernels(pages: number): Promise<Loaded> {
  const memory = new WebAssembly.Memory({ initial: pages, maximum: MAX_PAGES, shared: true });
  const { exports } = new WebAssembly.Instance(await loadModule(), { env: { memory } });
  return { kernels: exports as unknown as WarpKernels, memory: memory.buffer };
}

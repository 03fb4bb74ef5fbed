/** The kernels, compiled once a test file, in a memory of their own. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from './shared.ts';
import { temporaryFolder } from './temporary.ts';

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

/** What is used of the global of that name, which Node's types leave out. */
interface WebAssemblyApi {
  readonly Memory: new (limits: object) => { readonly buffer: SharedArrayBuffer };
  instantiate(bytes: Uint8Array, imports: object): Promise<{ instance: { exports: unknown } }>;
}

const FEATURES = ['--enable', 'simd,threads', '--importMemory', '--sharedMemory'];
const MAX_PAGES = 65_536;

/** Loads the kernels beside a memory of so many pages of 64 KiB. */
export async function loadKernels(pages: number): Promise<Loaded> {
  const outFile = join(await temporaryFolder(), 'kernels.wasm');
  const asc = join(ROOT, 'node_modules/assemblyscript/bin/asc.js');
  const options = ['-O3', '--runtime', 'stub', ...FEATURES, '--maximumMemory', String(MAX_PAGES)];
  const args = [asc, 'kernels/warp.ts', ...options, '--outFile', outFile];
  await promisify(execFile)(process.execPath, args, { cwd: ROOT });
  const wasm = (globalThis as unknown as { WebAssembly: WebAssemblyApi }).WebAssembly;
  const memory = new wasm.Memory({ initial: pages, maximum: MAX_PAGES, shared: true });
  const bytes = await readFile(outFile);
  const { instance } = await wasm.instantiate(bytes, { env: { memory } });
  return { kernels: instance.exports as WarpKernels, memory: memory.buffer };
}

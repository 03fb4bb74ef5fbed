/** A machine: the kernels on a memory of their own, run by one thread or several. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { invariant } from '../runtime/errors.ts';
import { PAGE_BYTES } from './kernels.ts';

/** Control words, in bytes from the memory's start; kernels/memory.ts has the same. */
const PHASES_DONE = 192;
const RUNS_STARTED = 256;
const THREADS = 260;
const STOPPED = 268;
const BATCH = 272;
const SCRATCH = 276;
const SCRATCH_BYTES = 280;

/** The first address that is free for anything else. */
export const FIRST_FREE = 1024;

/**
 * What a worker runs; it blocks in the kernels until it is told to stop. Where it fails, it wakes the
 * others, which would wait for it forever. No name in it is `module`, which Bun declares itself.
 */
const WORKER = `
const { workerData: { kernels, memory, thread, runsSeen } } = require('node:worker_threads');
const words = new Int32Array(memory.buffer);
try {
  new WebAssembly.Instance(kernels, { env: { memory } }).exports.work(thread, runsSeen);
} catch (error) {
  Atomics.store(words, ${String(STOPPED / 4)}, 2);
  Atomics.add(words, ${String(PHASES_DONE / 4)}, 1);
  Atomics.notify(words, ${String(PHASES_DONE / 4)});
  throw error;
}
`;

/** Functions the module exports. */
interface KernelExports {
  readonly run: (program: number) => void;
}

export interface Machine {
  readonly memory: WebAssembly.Memory;
  readonly kernels: KernelExports;
  /** Runs a program on a batch of so many examples; returns when it is done. */
  run(program: number, batch: number): void;
  close(): Promise<void>;
}

export interface MachineSize {
  readonly memoryBytes: number;
  /** Scratch memory: where thread 0's begins, and how much each has. */
  readonly scratch: number;
  readonly scratchBytes: number;
  readonly threads: number;
}

/**
 * Makes a machine; threads beyond the first are workers, which sleep between runs.
 * @throws the system's error where a thread cannot be started.
 */
export async function createMachine(
  module: WebAssembly.Module,
  size: MachineSize,
): Promise<Machine> {
  const pages = Math.ceil(size.memoryBytes / PAGE_BYTES);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  const words = new Int32Array(memory.buffer);
  words[THREADS / 4] = size.threads;
  words[SCRATCH / 4] = size.scratch;
  words[SCRATCH_BYTES / 4] = size.scratchBytes;
  const kernels = kernelsOf(new WebAssembly.Instance(module, { env: { memory } }));
  const workers = Array.from({ length: size.threads - 1 }, (_, index) => {
    const workerData = { kernels: module, memory, thread: index + 1, runsSeen: 0 };
    const worker = new Worker(WORKER, { eval: true, workerData });
    // That it failed is said by `run`, which finds STOPPED set; unheard it would end the process.
    worker.on('error', () => undefined);
    return worker;
  });
  // A run would wait forever for a thread that never starts.
  await Promise.all(workers.map((worker) => once(worker, 'online')));
  for (const worker of workers) worker.unref();
  return {
    memory,
    kernels,
    run(program, batch) {
      // Threads meet at the end of each phase: without any, a late one would run the next program twice.
      if (words[program / 4] === 0) return;
      words[BATCH / 4] = batch;
      kernels.run(program);
      invariant(Atomics.load(words, STOPPED / 4) === 0, 'a thread of the engine failed');
    },
    async close() {
      Atomics.store(words, STOPPED / 4, 1);
      Atomics.add(words, RUNS_STARTED / 4, 1);
      Atomics.notify(words, RUNS_STARTED / 4);
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
}

function kernelsOf({ exports }: WebAssembly.Instance): KernelExports {
  const { run } = exports;
  invariant(typeof run === 'function', 'kernels are exported');
  return { run: (program) => void Reflect.apply(run, undefined, [program]) };
}

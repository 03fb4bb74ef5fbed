/** Programs for the kernels, written down call by call and then put into memory as words. */

import { type KernelName, kernelNumber } from './kernels.ts';
import type { Arena } from './layout.ts';

/** Arguments are words: integers, addresses, or the bits of a 32-bit float. */
export interface Call {
  readonly kernel: KernelName;
  readonly args: readonly number[];
}

interface Phase {
  tasks: number;
  readonly images: number;
  readonly calls: Call[];
}

/** The bits of a number as a 32-bit float, as an integer. */
export function floatBits(value: number): number {
  return new Int32Array(Float32Array.of(value).buffer)[0] ?? 0;
}

/** Phases in order; `kernels/index.ts` says what they mean. */
export class Program {
  readonly #phases: Phase[] = [];

  /** A call for each image of the batch, by tasks of so many images; joins the phase before, if alike. */
  perImage(batchSize: number, images: number, call: Call): void {
    const tasks = Math.ceil(batchSize / images);
    const last = this.#phases.at(-1);
    if (last?.images === images && last.tasks === tasks) last.calls.push(call);
    else this.#phases.push({ tasks, images, calls: [call] });
  }

  /** Calls that are given the number of their task. */
  phase(tasks: number, calls: readonly Call[]): void {
    if (calls.length > 0) this.#phases.push({ tasks, images: 0, calls: [...calls] });
  }

  /** Words a program takes in memory, at the addresses that `allocate` gives. */
  assemble(arena: Arena): AssembledProgram {
    const writes: { address: number; words: readonly number[] }[] = [];
    const place = (words: readonly number[]): number => {
      const address = arena.allocate(words.length * 4);
      writes.push({ address, words });
      return address;
    };
    const words = [this.#phases.length];
    for (const { tasks, images, calls } of this.#phases) {
      words.push(tasks, images, calls.length);
      for (const { kernel, args } of calls) words.push(kernelNumber(kernel), place(args));
    }
    return { address: place(words), writes };
  }
}

export interface AssembledProgram {
  readonly address: number;
  readonly writes: readonly { readonly address: number; readonly words: readonly number[] }[];
}

/** Puts a program into memory. */
export function writeProgram(memory: WebAssembly.Memory, { writes }: AssembledProgram): void {
  const view = new Int32Array(memory.buffer);
  for (const { address, words } of writes) view.set(words, address / 4);
}

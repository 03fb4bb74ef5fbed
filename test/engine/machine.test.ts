/** The threads of a machine: one that fails ends the run, and none is left waiting. */
import { describe, expect, it } from 'vitest';
import { type KernelName, kernelNumber, loadKernels } from '../../src/engine/kernels.ts';
import { createMachine, FIRST_FREE, type Machine } from '../../src/engine/machine.ts';

const MEMORY_BYTES = 2 ** 20;

/** Where each part of the test's memory lies. */
const PROGRAM = FIRST_FREE;
const ARGS = 2048;
const SCRATCH = 2 ** 16;

interface Phase {
  readonly tasks: number;
  readonly kernel: KernelName;
  readonly args: readonly number[];
}

/** Puts a program of one phase into a machine's memory. */
function put({ memory }: Machine, { tasks, kernel, args }: Phase): void {
  const words = new Int32Array(memory.buffer);
  words.set([1, tasks, 0, 1, kernelNumber(kernel), ARGS], PROGRAM / 4);
  words.set(args, ARGS / 4);
}

/** A machine whose workers have no scratch memory, as it would begin behind the end of the memory. */
async function machineOf(threads: number): Promise<Machine> {
  const sized = { memoryBytes: MEMORY_BYTES, scratch: SCRATCH, scratchBytes: 2 ** 30, threads };
  return createMachine(await loadKernels(), sized);
}

/** A convolution of one tile of four channels, from zeros to zeros; it takes scratch memory. */
const CONVOLUTION = [
  ...[MEMORY_BYTES / 2, 0, 64, 16, MEMORY_BYTES / 4, 0, 16, 1, 1],
  ...[MEMORY_BYTES / 8, 0, 32, 0, 0, 0, 1, 1],
];

const NOTHING: Phase = { tasks: 0, kernel: 'turnKernel', args: [] };

describe('a machine', () => {
  it('runs tasks that each thread takes as it is free, each once', async () => {
    const machine = await machineOf(3);
    const floats = new Float32Array(machine.memory.buffer);
    // SGD without momentum: weights - 1 * gradients, 4 numbers a task.
    const [weights, gradients, settings] = [2 ** 17, 2 ** 18, 2 ** 12];
    floats.fill(1, gradients / 4, gradients / 4 + 4000);
    floats[settings / 4] = 1;
    const args = [weights, gradients, 0, 0, 4000, 4, settings, 0, 4096 + 64];
    put(machine, { tasks: 1000, kernel: 'update', args });
    for (let run = 0; run < 50; run += 1) machine.run(PROGRAM, 1);
    const updated = floats.slice(weights / 4, weights / 4 + 4001);
    await machine.close();
    expect(updated.subarray(0, 4000).every((value) => value === -50)).toBe(true);
    expect(updated[4000]).toBe(0);
  });

  it('says so where a thread fails, and does not wait for it', async () => {
    const machine = await machineOf(2);
    put(machine, NOTHING);
    machine.run(PROGRAM, 1);
    put(machine, { tasks: 200_000, kernel: 'convolveWinograd', args: CONVOLUTION });
    expect(() => {
      machine.run(PROGRAM, 1);
    }).toThrow('a thread of the engine failed');
    expect(() => {
      machine.run(PROGRAM, 1);
    }).toThrow('a thread of the engine failed');
    await machine.close();
  });

  it('ends its threads after a failure of any of them', async () => {
    const machine = await machineOf(3);
    put(machine, { tasks: 1, kernel: 'respace', args: [0, 0, 1, 4, 4, -16, 0, 4, 16] });
    expect(() => {
      machine.run(PROGRAM, 1);
    }).toThrow();
    await machine.close();
  });

  it('ends threads that have not begun yet', async () => {
    await (await machineOf(4)).close();
  });

  it('ends threads that sleep', async () => {
    const machine = await machineOf(3);
    put(machine, NOTHING);
    machine.run(PROGRAM, 1);
    await new Promise((resolve) => setTimeout(resolve, 100));
    machine.run(PROGRAM, 1);
    await new Promise((resolve) => setTimeout(resolve, 100));
    await machine.close();
  });
});

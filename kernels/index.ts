/** Programs of kernel calls, run by one thread or by several that share the memory. */
import { activate, activateBackward, dropout } from './activations';
import { convolve } from './convolution';
import {
  dense,
  gradientOfDenseBias,
  gradientOfDenseInput,
  gradientOfDenseKernel,
  sumDense,
} from './dense';
import { gradientOfInput, gradientOfKernel, sumPartials, turnKernel } from './gradients';
import {
  ARRIVED,
  at,
  batchSize,
  NEXT_TASK,
  PHASES_DONE,
  PROGRAM,
  RUNS_STARTED,
  STOPPED,
  THREADS,
  word,
} from './memory';
import {
  endBackward,
  endMean,
  endVariance,
  normalize,
  normalizeBackward,
  sumBackward,
  sumForward,
  useMoving,
} from './normalization';
import {
  averagePool,
  averagePoolBackward,
  globalAverage,
  globalAverageBackward,
  maxPool,
  maxPoolBackward,
  pad,
  respace,
  unpad,
} from './pooling';
import { crossEntropy, update } from './training';
import { copyExample, warpExample } from './warp';
import { convolveWinograd, transformKernel } from './winograd';

export { exponential, hyperbolicTangent, logarithm } from './mathematics';
export { copyExample, warpExample } from './warp';

// A program: number of phases; for each phase: tasks, images of a task (0: the task's number is handed
// on as it is), number of calls; for each call: kernel, address of its arguments. Phases follow each
// other; the tasks of a phase are taken by whichever thread is free, and each runs all calls in order.
// What a task writes depends on its number alone, so the bits do not depend on who runs it.

/** Looked at so many times before a thread goes to sleep. */
const SPINS = 4000;

// Arguments: 0 pixels (u8), 1 bytes of an example, 2 X, 3 image distance, 4 rows, 5 columns, 6 channels,
// 7 transforms (f64[6] each) or 0, 8 fill mode.

function input(args: usize, image: i32): void {
  const source = at(args, 0) + <usize>image * at(args, 1);
  const target = at(args, 2) + <usize>image * at(args, 3);
  if (at(args, 7) == 0) {
    copyExample(source, target, word(args, 4) * word(args, 5) * word(args, 6));
    return;
  }
  warpExample(
    source,
    target,
    word(args, 4),
    word(args, 5),
    word(args, 6),
    at(args, 7) + <usize>image * 48,
    word(args, 8),
  );
}

function call(kernel: i32, args: usize, task: i32, thread: i32): void {
  switch (kernel) {
    case 0:
      return input(args, task);
    case 1:
      return convolve(args, task);
    case 2:
      return convolveWinograd(args, task, thread);
    case 3:
      return gradientOfKernel(args, task, thread);
    case 4:
      return gradientOfInput(args, task, thread);
    case 5:
      return sumPartials(args, task, batchSize());
    case 6:
      return turnKernel(args);
    case 7:
      return transformKernel(args);
    case 8:
      return dense(args, task, batchSize());
    case 9:
      return sumDense(args, task);
    case 10:
      return gradientOfDenseInput(args, task, batchSize());
    case 11:
      return gradientOfDenseKernel(args, task, batchSize());
    case 12:
      return gradientOfDenseBias(args, batchSize());
    case 13:
      return activate(args, task);
    case 14:
      return activateBackward(args, task);
    case 15:
      return dropout(args, task);
    case 16:
      return maxPool(args, task);
    case 17:
      return maxPoolBackward(args, task);
    case 18:
      return averagePool(args, task);
    case 19:
      return averagePoolBackward(args, task);
    case 20:
      return globalAverage(args, task);
    case 21:
      return globalAverageBackward(args, task);
    case 22:
      return pad(args, task);
    case 23:
      return unpad(args, task);
    case 24:
      return respace(args, task);
    case 25:
      return sumForward(args, task, false);
    case 26:
      return endMean(args, batchSize());
    case 27:
      return sumForward(args, task, true);
    case 28:
      return endVariance(args, batchSize());
    case 29:
      return useMoving(args);
    case 30:
      return normalize(args, task);
    case 31:
      return sumBackward(args, task);
    case 32:
      return endBackward(args, batchSize());
    case 33:
      return normalizeBackward(args, task, batchSize());
    case 34:
      return crossEntropy(args, batchSize());
    case 35:
      return update(args, task);
    default:
      unreachable();
  }
}

function runTask(calls: usize, count: i32, images: i32, task: i32, thread: i32): void {
  if (images == 0) {
    for (let index = 0; index < count; index++) {
      const entry = calls + ((<usize>index) << 3);
      call(load<i32>(entry), at(entry, 1), task, thread);
    }
    return;
  }
  const end = min((task + 1) * images, batchSize());
  for (let image = task * images; image < end; image++) {
    for (let index = 0; index < count; index++) {
      const entry = calls + ((<usize>index) << 3);
      call(load<i32>(entry), at(entry, 1), image, thread);
    }
  }
}

/** Waits until every thread has ended the phase. */
function meet(threads: i32): void {
  const phase = atomic.load<i32>(PHASES_DONE);
  if (atomic.add<i32>(ARRIVED, 1) + 1 == threads) {
    atomic.store<i32>(ARRIVED, 0);
    atomic.store<i32>(NEXT_TASK, 0);
    atomic.add<i32>(PHASES_DONE, 1);
    atomic.notify(PHASES_DONE, threads);
    return;
  }
  for (let spin = 0; spin < SPINS; spin++) {
    if (atomic.load<i32>(PHASES_DONE) != phase) return;
  }
  while (atomic.load<i32>(PHASES_DONE) == phase && atomic.load<i32>(STOPPED) == 0) {
    atomic.wait<i32>(PHASES_DONE, phase, -1);
  }
}

function runAs(thread: i32): void {
  let cursor = at(PROGRAM, 0);
  const threads = load<i32>(THREADS);
  const phases = load<i32>(cursor);
  cursor += 4;
  for (let phase = 0; phase < phases; phase++) {
    const tasks = load<i32>(cursor);
    const images = word(cursor, 1);
    const count = word(cursor, 2);
    const calls = cursor + 12;
    cursor = calls + ((<usize>count) << 3);
    if (threads == 1) {
      for (let task = 0; task < tasks; task++) runTask(calls, count, images, task, thread);
      continue;
    }
    let task = atomic.add<i32>(NEXT_TASK, 1);
    while (task < tasks) {
      runTask(calls, count, images, task, thread);
      task = atomic.add<i32>(NEXT_TASK, 1);
    }
    meet(threads);
    if (atomic.load<i32>(STOPPED) != 0) return;
  }
}

/** Runs the program at an address, together with the threads that are in `work`. */
export function run(program: usize): void {
  store<u32>(PROGRAM, <u32>program);
  if (load<i32>(THREADS) > 1) {
    atomic.add<i32>(RUNS_STARTED, 1);
    atomic.notify(RUNS_STARTED, load<i32>(THREADS));
  }
  runAs(0);
}

/** Takes part in every run from now on, as thread 1, 2, ...; returns once STOPPED is set. */
export function work(thread: i32, runsSeen: i32): void {
  let seen = runsSeen;
  while (atomic.load<i32>(STOPPED) == 0) {
    for (let spin = 0; spin < SPINS && atomic.load<i32>(RUNS_STARTED) == seen; spin++) {}
    if (atomic.load<i32>(RUNS_STARTED) == seen) {
      atomic.wait<i32>(RUNS_STARTED, seen, -1);
      continue;
    }
    seen++;
    runAs(thread);
  }
}

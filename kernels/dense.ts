/** Dense layers forward and backward, cut into fixed runs of input rows. */
import { at, batchSize, word } from './memory';

// Legend. X: [example][inputs], kernel: [inputs][stride], Y and dY: [example][stride]; stride is the
// number of units, filled up to a multiple of four. A task is a run of inputs.

/** Two sums of four lanes each, in one fixed order: (0 + 1) + (2 + 3). */
// @ts-ignore: decorator
@inline
export function sumLanes(v: v128): f32 {
  const first = f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 1);
  return first + (f32x4.extract_lane(v, 2) + f32x4.extract_lane(v, 3));
}

// Arguments: 0 X, 1 bytes of an example of X, 2 kernel, 3 bytes of a kernel row, 4 inputs, 5 inputs of a
// task, 6 partial sums [task][example][stride], 7 distance to the next task's.

/** Partial sums of X times kernel over the task's inputs. */
export function dense(args: usize, task: i32, batch: i32): void {
  const first = task * word(args, 5);
  const steps = min(word(args, 5), word(args, 4) - first);
  const unitBytes = at(args, 3);
  const kernel = at(args, 2) + <usize>first * unitBytes;
  const x = at(args, 0) + ((<usize>first) << 2);
  const partial = at(args, 6) + <usize>task * at(args, 7);
  for (let example = 0; example < batch; example += 4) {
    for (let unit: usize = 0; unit < unitBytes; unit += 32) {
      if (unit + 16 < unitBytes) denseTile(args, x, kernel + unit, partial + unit, example, steps);
      else denseNarrowTile(args, x, kernel + unit, partial + unit, example, steps);
    }
  }
}

// In a batch that is no multiple of four the last tile holds its last example several times.

function denseTile(
  args: usize,
  x: usize,
  kernel: usize,
  partial: usize,
  example: i32,
  steps: i32,
): void {
  const last = batchSize() - 1;
  const exampleBytes = at(args, 1);
  const unitBytes = at(args, 3);
  let p0 = x + <usize>example * exampleBytes;
  let p1 = x + <usize>min(example + 1, last) * exampleBytes;
  let p2 = x + <usize>min(example + 2, last) * exampleBytes;
  let p3 = x + <usize>min(example + 3, last) * exampleBytes;
  let a0 = f32x4.splat(0);
  let a1 = a0;
  let a2 = a0;
  let a3 = a0;
  let b0 = a0;
  let b1 = a0;
  let b2 = a0;
  let b3 = a0;
  let weights = kernel;
  const end = p0 + ((<usize>steps) << 2);
  while (p0 < end) {
    const w0 = v128.load(weights);
    const w1 = v128.load(weights, 16);
    let value = v128.load32_splat(p0);
    a0 = f32x4.add(a0, f32x4.mul(value, w0));
    b0 = f32x4.add(b0, f32x4.mul(value, w1));
    value = v128.load32_splat(p1);
    a1 = f32x4.add(a1, f32x4.mul(value, w0));
    b1 = f32x4.add(b1, f32x4.mul(value, w1));
    value = v128.load32_splat(p2);
    a2 = f32x4.add(a2, f32x4.mul(value, w0));
    b2 = f32x4.add(b2, f32x4.mul(value, w1));
    value = v128.load32_splat(p3);
    a3 = f32x4.add(a3, f32x4.mul(value, w0));
    b3 = f32x4.add(b3, f32x4.mul(value, w1));
    weights += unitBytes;
    p0 += 4;
    p1 += 4;
    p2 += 4;
    p3 += 4;
  }
  const y0 = partial + <usize>example * unitBytes;
  const y1 = partial + <usize>min(example + 1, last) * unitBytes;
  const y2 = partial + <usize>min(example + 2, last) * unitBytes;
  const y3 = partial + <usize>min(example + 3, last) * unitBytes;
  v128.store(y0, a0);
  v128.store(y0, b0, 16);
  v128.store(y1, a1);
  v128.store(y1, b1, 16);
  v128.store(y2, a2);
  v128.store(y2, b2, 16);
  v128.store(y3, a3);
  v128.store(y3, b3, 16);
}

function denseNarrowTile(
  args: usize,
  x: usize,
  kernel: usize,
  partial: usize,
  example: i32,
  steps: i32,
): void {
  const last = batchSize() - 1;
  const exampleBytes = at(args, 1);
  const unitBytes = at(args, 3);
  for (let one = example; one <= min(example + 3, last); one++) {
    let p = x + <usize>one * exampleBytes;
    let weights = kernel;
    let a = f32x4.splat(0);
    const end = p + ((<usize>steps) << 2);
    for (; p < end; p += 4) {
      a = f32x4.add(a, f32x4.mul(v128.load32_splat(p), v128.load(weights)));
      weights += unitBytes;
    }
    v128.store(partial + <usize>one * unitBytes, a);
  }
}

// Arguments: 0 partial sums, 1 distance to the next task's, 2 tasks, 3 bias or 0, 4 Y, 5 bytes of a
// row of Y, 6 whether ReLU follows.

/** Y of one example: its partial sums in their order, plus bias. */
export function sumDense(args: usize, example: i32): void {
  const unitBytes = at(args, 5);
  const tasks = word(args, 2);
  const bias = at(args, 3);
  const floor = word(args, 6) != 0 ? f32x4.splat(0) : f32x4.splat(-Infinity);
  const row = <usize>example * unitBytes;
  for (let unit: usize = 0; unit < unitBytes; unit += 16) {
    let source = at(args, 0) + row + unit;
    let sum = v128.load(source);
    for (let task = 1; task < tasks; task++) {
      source += at(args, 1);
      sum = f32x4.add(sum, v128.load(source));
    }
    if (bias != 0) sum = f32x4.add(sum, v128.load(bias + unit));
    v128.store(at(args, 4) + row + unit, f32x4.pmax(sum, floor));
  }
}

// Arguments: 0 dY, 1 bytes of a row of dY, 2 kernel, 3 inputs, 4 inputs of a task, 5 dX, 6 bytes of
// an example of dX.

/** dX of the task's inputs: dY times the kernel turned around; what only fills up becomes 0. */
export function gradientOfDenseInput(args: usize, task: i32, batch: i32): void {
  const first = task * word(args, 4);
  const end = min(first + word(args, 4), word(args, 3));
  const unitBytes = at(args, 1);
  const last = batch - 1;
  for (let input = end; input < ((end + 3) / 4) * 4; input++) {
    for (let example = 0; example < batch; example++) {
      store<f32>(at(args, 5) + <usize>example * at(args, 6) + ((<usize>input) << 2), 0);
    }
  }
  for (let input = first; input < end; input++) {
    const kernel = at(args, 2) + <usize>input * unitBytes;
    const target = at(args, 5) + ((<usize>input) << 2);
    for (let example = 0; example < batch; example += 4) {
      const second = min(example + 1, last);
      const third = min(example + 2, last);
      const fourth = min(example + 3, last);
      const g0 = at(args, 0) + <usize>example * unitBytes;
      const g1 = at(args, 0) + <usize>second * unitBytes;
      const g2 = at(args, 0) + <usize>third * unitBytes;
      const g3 = at(args, 0) + <usize>fourth * unitBytes;
      let a0 = f32x4.splat(0);
      let a1 = a0;
      let a2 = a0;
      let a3 = a0;
      for (let unit: usize = 0; unit < unitBytes; unit += 16) {
        const weights = v128.load(kernel + unit);
        a0 = f32x4.add(a0, f32x4.mul(weights, v128.load(g0 + unit)));
        a1 = f32x4.add(a1, f32x4.mul(weights, v128.load(g1 + unit)));
        a2 = f32x4.add(a2, f32x4.mul(weights, v128.load(g2 + unit)));
        a3 = f32x4.add(a3, f32x4.mul(weights, v128.load(g3 + unit)));
      }
      store<f32>(target + <usize>example * at(args, 6), sumLanes(a0));
      store<f32>(target + <usize>second * at(args, 6), sumLanes(a1));
      store<f32>(target + <usize>third * at(args, 6), sumLanes(a2));
      store<f32>(target + <usize>fourth * at(args, 6), sumLanes(a3));
    }
  }
}

// Arguments: 0 X, 1 bytes of an example of X, 2 dY, 3 bytes of a row of dY, 4 inputs, 5 inputs of a
// task, 6 gradient of the kernel.

/** Gradient of the kernel's rows of the task: X turned around times dY, examples in order. */
export function gradientOfDenseKernel(args: usize, task: i32, batch: i32): void {
  const first = task * word(args, 5);
  const end = min(first + word(args, 5), word(args, 4));
  const unitBytes = at(args, 3);
  for (let input = first; input < end; input += 4) {
    const x = at(args, 0) + ((<usize>input) << 2);
    const target = at(args, 6) + <usize>input * unitBytes;
    const rows = min(4, end - input);
    for (let unit: usize = 0; unit < unitBytes; unit += 32) {
      const g = at(args, 2) + unit;
      if (rows == 4 && unit + 16 < unitBytes) denseKernelTile(args, x, g, target + unit, batch);
      else denseKernelNarrowTile(args, x, g, target + unit, batch, rows, min(32, unitBytes - unit));
    }
  }
}

function denseKernelTile(args: usize, x: usize, g: usize, target: usize, batch: i32): void {
  const exampleBytes = at(args, 1);
  const unitBytes = at(args, 3);
  let a0 = f32x4.splat(0);
  let a1 = a0;
  let a2 = a0;
  let a3 = a0;
  let b0 = a0;
  let b1 = a0;
  let b2 = a0;
  let b3 = a0;
  for (; batch > 0; batch--) {
    const g0 = v128.load(g);
    const g1 = v128.load(g, 16);
    let value = v128.load32_splat(x);
    a0 = f32x4.add(a0, f32x4.mul(value, g0));
    b0 = f32x4.add(b0, f32x4.mul(value, g1));
    value = v128.load32_splat(x, 4);
    a1 = f32x4.add(a1, f32x4.mul(value, g0));
    b1 = f32x4.add(b1, f32x4.mul(value, g1));
    value = v128.load32_splat(x, 8);
    a2 = f32x4.add(a2, f32x4.mul(value, g0));
    b2 = f32x4.add(b2, f32x4.mul(value, g1));
    value = v128.load32_splat(x, 12);
    a3 = f32x4.add(a3, f32x4.mul(value, g0));
    b3 = f32x4.add(b3, f32x4.mul(value, g1));
    x += exampleBytes;
    g += unitBytes;
  }
  v128.store(target, a0);
  v128.store(target, b0, 16);
  v128.store(target + unitBytes, a1);
  v128.store(target + unitBytes, b1, 16);
  v128.store(target + 2 * unitBytes, a2);
  v128.store(target + 2 * unitBytes, b2, 16);
  v128.store(target + 3 * unitBytes, a3);
  v128.store(target + 3 * unitBytes, b3, 16);
}

function denseKernelNarrowTile(
  args: usize,
  x: usize,
  g: usize,
  target: usize,
  batch: i32,
  rows: i32,
  bytes: usize,
): void {
  for (let row = 0; row < rows; row++) {
    for (let unit: usize = 0; unit < bytes; unit += 16) {
      let p = x + ((<usize>row) << 2);
      let q = g + unit;
      let a = f32x4.splat(0);
      for (let example = 0; example < batch; example++) {
        a = f32x4.add(a, f32x4.mul(v128.load32_splat(p), v128.load(q)));
        p += at(args, 1);
        q += at(args, 3);
      }
      v128.store(target + <usize>row * at(args, 3) + unit, a);
    }
  }
}

// Arguments: 0 dY, 1 bytes of a row of dY, 2 gradient of the bias.

/** Gradient of the bias: dY summed over the examples in order. */
export function gradientOfDenseBias(args: usize, batch: i32): void {
  const unitBytes = at(args, 1);
  for (let unit: usize = 0; unit < unitBytes; unit += 16) {
    let source = at(args, 0) + unit;
    let sum = f32x4.splat(0);
    for (let example = 0; example < batch; example++) {
      sum = f32x4.add(sum, v128.load(source));
      source += unitBytes;
    }
    v128.store(at(args, 2) + unit, sum);
  }
}

/** The loss at the end of a network, and the optimizers' updates. */
import { logarithm } from './mathematics';
import { at, word } from './memory';

// Arguments: 0 probabilities, 1 bytes of a row, 2 units, 3 classes of the examples (i32), 4 their weights
// (f32), 5 gradient before the last activation or 0, 6 kind (0 binary of sigmoids, 1 categorical of a
// softmax), 7 result: sum of the weighted losses (f64), examples right (i32).

/** Probabilities are held this far from 0 and 1 in the reported loss, as Keras does. */
const MARGIN: f64 = 1e-7;

/**
 * Cross-entropy of a batch, and its gradient before sigmoid or softmax: (p - y) * weight / batch. One
 * sigmoid is the probability of class 1; several are one for each class.
 */
export function crossEntropy(args: usize, batch: i32): void {
  const units = word(args, 2);
  const binary = word(args, 6) == 0;
  const share = <f64>batch * (binary ? <f64>units : 1);
  let sum: f64 = 0;
  let right = 0;
  for (let example = 0; example < batch; example++) {
    const row = at(args, 0) + <usize>example * at(args, 1);
    const label = load<i32>(at(args, 3) + ((<usize>example) << 2));
    const weight = <f64>load<f32>(at(args, 4) + ((<usize>example) << 2));
    const expected = units == 1 ? 0 : label;
    let loss: f64 = 0;
    for (let unit = 0; unit < units; unit++) {
      const p = <f64>load<f32>(row + ((<usize>unit) << 2));
      const y: f64 = units == 1 ? <f64>label : <f64>i32(unit == expected);
      if (binary) loss -= y * clippedLog(p) + (1 - y) * clippedLog(1 - p);
      else if (unit == expected) loss -= clippedLog(p);
      if (at(args, 5) != 0) {
        const target = at(args, 5) + <usize>example * at(args, 1) + ((<usize>unit) << 2);
        store<f32>(target, <f32>(((p - y) * weight) / share));
      }
    }
    if (at(args, 5) != 0) {
      const target = at(args, 5) + <usize>example * at(args, 1);
      for (let offset = (<usize>units) << 2; offset < at(args, 1); offset += 4) {
        store<f32>(target + offset, 0);
      }
    }
    sum += (weight * loss) / (binary ? <f64>units : 1);
    right += i32(predicted(row, units) == label);
  }
  store<f64>(at(args, 7), sum);
  store<i32>(at(args, 7), right, 8);
}

function clippedLog(p: f64): f64 {
  if (p != p) return p;
  return logarithm(min(max(p, MARGIN), 1 - MARGIN));
}

/** The class of the largest probability, the first of equals; of one sigmoid, 1 above one half. */
function predicted(row: usize, units: i32): i32 {
  if (units == 1) return i32(load<f32>(row) > 0.5);
  let best = 0;
  for (let unit = 1; unit < units; unit++) {
    if (load<f32>(row + ((<usize>unit) << 2)) > load<f32>(row + ((<usize>best) << 2))) best = unit;
  }
  return best;
}

// Arguments: 0 weights, 1 gradient, 2 first slot, 3 second slot, 4 numbers, 5 numbers of a task, 6 settings
// (f32: learning rate, then as each optimizer says), 7 kind (0 SGD, 1 RMSprop, 2 Adam), 8 set to 1 where a
// result is not finite. Numbers are filled up to a multiple of four.

/** One update of the task's run of weights; formulas are Keras 3's. */
export function update(args: usize, task: i32): void {
  const first = <usize>task * at(args, 5);
  if (first >= at(args, 4)) return;
  const end = min(first + at(args, 5), at(args, 4)) << 2;
  const start = first << 2;
  const settings = at(args, 6);
  const kind = word(args, 7);
  let sick = v128.splat<i32>(0);
  for (let offset = start; offset < end; offset += 16) {
    const w = at(args, 0) + offset;
    const g = v128.load(at(args, 1) + offset);
    const a = at(args, 2) + offset;
    const b = at(args, 3) + offset;
    let state: v128;
    if (kind == 1) state = rmsprop(settings, w, g, a, b);
    else if (kind == 2) state = adam(settings, w, g, a, b);
    else state = sgd(settings, w, g, a);
    const result = f32x4.add(v128.load(w), state);
    sick = v128.or(sick, f32x4.ne(f32x4.sub(result, result), f32x4.splat(0)));
  }
  if (v128.any_true(sick)) store<i32>(at(args, 8), 1);
}

// @ts-ignore: decorator
@inline
function setting(settings: usize, index: usize): v128 {
  return v128.load32_splat(settings + (index << 2));
}

/** Settings: 1 rho, 2 1 - rho, 3 momentum, 4 epsilon. Slots: mean square, momentum. */
// @ts-ignore: decorator
@inline
function rmsprop(settings: usize, w: usize, g: v128, a: usize, b: usize): v128 {
  const square = f32x4.add(
    f32x4.mul(setting(settings, 1), v128.load(a)),
    f32x4.mul(setting(settings, 2), f32x4.mul(g, g)),
  );
  v128.store(a, square);
  const root = f32x4.sqrt(f32x4.add(square, setting(settings, 4)));
  let step = f32x4.div(f32x4.mul(setting(settings, 0), g), root);
  if (load<f32>(settings, 12) > 0) {
    step = f32x4.add(f32x4.mul(setting(settings, 3), v128.load(b)), step);
    v128.store(b, step);
  }
  v128.store(w, f32x4.sub(v128.load(w), step));
  return square;
}

/** Settings: 0 learning rate with both corrections, 1 1 - beta1, 2 1 - beta2, 3 epsilon. Slots: moments. */
// @ts-ignore: decorator
@inline
function adam(settings: usize, w: usize, g: v128, a: usize, b: usize): v128 {
  const m = v128.load(a);
  const v = v128.load(b);
  const first = f32x4.add(m, f32x4.mul(f32x4.sub(g, m), setting(settings, 1)));
  const second = f32x4.add(v, f32x4.mul(f32x4.sub(f32x4.mul(g, g), v), setting(settings, 2)));
  v128.store(a, first);
  v128.store(b, second);
  const root = f32x4.add(f32x4.sqrt(second), setting(settings, 3));
  v128.store(w, f32x4.sub(v128.load(w), f32x4.div(f32x4.mul(first, setting(settings, 0)), root)));
  return second;
}

/** Settings: 1 momentum, 2 whether Nesterov's. Slot: momentum. */
// @ts-ignore: decorator
@inline
function sgd(settings: usize, w: usize, g: v128, a: usize): v128 {
  const step = f32x4.mul(setting(settings, 0), g);
  if (!(load<f32>(settings, 4) > 0)) {
    v128.store(w, f32x4.sub(v128.load(w), step));
    return f32x4.splat(0);
  }
  const momentum = f32x4.sub(f32x4.mul(v128.load(a), setting(settings, 1)), step);
  v128.store(a, momentum);
  const move =
    load<f32>(settings, 8) > 0
      ? f32x4.sub(f32x4.mul(momentum, setting(settings, 1)), step)
      : momentum;
  v128.store(w, f32x4.add(v128.load(w), move));
  return momentum;
}

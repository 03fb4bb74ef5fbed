/** Activations and dropout, in place or row by row. */
import { exponential, hyperbolicTangent, sigmoid } from './mathematics';
import { at, real, word } from './memory';

const RELU = 1;
const SIGMOID = 2;
const TANH = 3;

// Arguments: 0 Y, 1 image distance, 2 rows, 3 channels, 4 stride in channels, 5 kind (1 relu,
// 2 sigmoid, 3 tanh, 4 softmax over the channels of a row).

/** Applies an activation in place; channels that only fill up stay 0. */
export function activate(args: usize, image: i32): void {
  const y = at(args, 0) + <usize>image * at(args, 1);
  const rows = word(args, 2);
  const channels = word(args, 3);
  const stride = at(args, 4) << 2;
  const kind = word(args, 5);
  if (kind == RELU) {
    const bytes = <usize>rows * stride;
    const zero = f32x4.splat(0);
    for (let offset: usize = 0; offset < bytes; offset += 16) {
      v128.store(y + offset, f32x4.pmax(v128.load(y + offset), zero));
    }
    return;
  }
  for (let row = 0; row < rows; row++) {
    const start = y + <usize>row * stride;
    const end = start + ((<usize>channels) << 2);
    if (kind == SIGMOID) {
      for (let p = start; p < end; p += 4) store<f32>(p, sigmoid(load<f32>(p)));
    } else if (kind == TANH) {
      for (let p = start; p < end; p += 4) store<f32>(p, hyperbolicTangent(load<f32>(p)));
    } else {
      softmax(start, end);
    }
  }
}

function softmax(start: usize, end: usize): void {
  let largest = load<f32>(start);
  for (let p = start + 4; p < end; p += 4) largest = max(largest, load<f32>(p));
  let sum: f64 = 0;
  for (let p = start; p < end; p += 4) sum += exponential(<f64>load<f32>(p) - <f64>largest);
  for (let p = start; p < end; p += 4) {
    store<f32>(p, <f32>(exponential(<f64>load<f32>(p) - <f64>largest) / sum));
  }
}

// Arguments as above, then 6 dY, 7 image distance of dY.

/** Turns dY into the gradient before the activation, in place. */
export function activateBackward(args: usize, image: i32): void {
  const y = at(args, 0) + <usize>image * at(args, 1);
  const g = at(args, 6) + <usize>image * at(args, 7);
  const rows = word(args, 2);
  const channels = word(args, 3);
  const stride = at(args, 4) << 2;
  const kind = word(args, 5);
  if (kind == RELU) {
    const bytes = <usize>rows * stride;
    const zero = f32x4.splat(0);
    for (let offset: usize = 0; offset < bytes; offset += 16) {
      const live = f32x4.ne(v128.load(y + offset), zero);
      v128.store(g + offset, v128.and(v128.load(g + offset), live));
    }
    return;
  }
  for (let row = 0; row < rows; row++) {
    const start = <usize>row * stride;
    const end = start + ((<usize>channels) << 2);
    if (kind == SIGMOID) {
      for (let p = start; p < end; p += 4) {
        const value = load<f32>(y + p);
        store<f32>(g + p, load<f32>(g + p) * (value * (1 - value)));
      }
    } else if (kind == TANH) {
      for (let p = start; p < end; p += 4) {
        const value = load<f32>(y + p);
        store<f32>(g + p, load<f32>(g + p) * (1 - value * value));
      }
    } else {
      let sum: f64 = 0;
      for (let p = start; p < end; p += 4) sum += <f64>load<f32>(y + p) * <f64>load<f32>(g + p);
      for (let p = start; p < end; p += 4) {
        store<f32>(g + p, <f32>(<f64>load<f32>(y + p) * (<f64>load<f32>(g + p) - sum)));
      }
    }
  }
}

/** SplitMix64's output for a state: 64 bits that look random (Steele, Lea, Flood 2014). */
// @ts-ignore: decorator
@inline
export function mix(state: u64): u64 {
  let z = state;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

const GOLDEN: u64 = 0x9e3779b97f4a7c15;

// Arguments: 0 X, 1 image distance, 2 numbers of an image, 3 Y, 4 image distance of Y, 5 rate times
// 2^32, 6 what is kept is multiplied by this, 7 the key of 8 bytes.

/** Y = X where the key's stream says so, else 0; backward it is the same with dY and dX. */
export function dropout(args: usize, image: i32): void {
  const x = at(args, 0) + <usize>image * at(args, 1);
  const y = at(args, 3) + <usize>image * at(args, 4);
  const count = at(args, 2);
  const threshold = load<u32>(args + 20);
  const scale = real(args, 6);
  const key = load<u64>(at(args, 7)) + <u64>image * <u64>count * GOLDEN;
  for (let index: usize = 0; index < count; index++) {
    const drawn = <u32>(mix(key + <u64>(index + 1) * GOLDEN) >> 32);
    const value = load<f32>(x + (index << 2));
    store<f32>(y + (index << 2), drawn >= threshold ? value * scale : 0);
  }
}

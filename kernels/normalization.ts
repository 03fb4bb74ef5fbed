/** Batch normalization: statistics over batch and pixels in a fixed order, forward and backward. */
import { at, real, word } from './memory';

// Arguments of all: 0 X, 1 image distance, 2 pixels, 3 stride in channels, 4 Y, 5 image distance of Y,
// 6 statistics: mean, 1 / deviation, sum 1, sum 2 (f64 each, [stride]), 7 partial sums [group][2][stride]
// f64, 8 images in a group, 9 gamma, 10 beta, 11 moving mean, 12 moving variance, 13 scale and shift
// [2][stride] f32, 14 dY, 15 image distance of dY, 16 dX, 17 image distance of dX, 18 gradient of gamma,
// 19 gradient of beta, 20 momentum, 21 epsilon.

// @ts-ignore: decorator
@inline
function plane(args: usize): usize {
  return at(args, 3) << 3;
}

/** Where an image's group keeps its partial sums; set to 0 by its first image. */
function partialOf(args: usize, image: i32): usize {
  const each = word(args, 8);
  const partial = at(args, 7) + <usize>(image / each) * 2 * plane(args);
  if (image % each == 0) memory.fill(partial, 0, 2 * plane(args));
  return partial;
}

/** Adds an image's values, or the squares of their distances to the mean, to the partial sums. */
export function sumForward(args: usize, image: i32, squares: bool): void {
  const partial = partialOf(args, image);
  const stride = word(args, 3);
  let x = at(args, 0) + <usize>image * at(args, 1);
  for (let pixel = 0; pixel < word(args, 2); pixel++) {
    for (let channel = 0; channel < stride; channel++) {
      const target = partial + ((<usize>channel) << 3);
      const value = <f64>load<f32>(x + ((<usize>channel) << 2));
      if (squares) {
        const distance = value - load<f64>(at(args, 6) + ((<usize>channel) << 3));
        store<f64>(target, load<f64>(target) + distance * distance);
      } else {
        store<f64>(target, load<f64>(target) + value);
      }
    }
    x += (<usize>stride) << 2;
  }
}

/** Sums the partial sums of a channel over all groups, in their order. */
function total(args: usize, groups: i32, offset: usize): f64 {
  let source = at(args, 7) + offset;
  let sum: f64 = 0;
  for (let group = 0; group < groups; group++) {
    sum += load<f64>(source);
    source += 2 * plane(args);
  }
  return sum;
}

// @ts-ignore: decorator
@inline
function groupsOf(args: usize, batch: i32): i32 {
  return (batch + word(args, 8) - 1) / word(args, 8);
}

/** Means of the batch. */
export function endMean(args: usize, batch: i32): void {
  const count = <f64>batch * <f64>word(args, 2);
  for (let channel: usize = 0; channel < at(args, 3); channel++) {
    const sum = total(args, groupsOf(args, batch), channel << 3);
    store<f64>(at(args, 6) + (channel << 3), sum / count);
  }
}

/** Deviations of the batch, scale and shift of each channel, and the moving statistics brought on. */
export function endVariance(args: usize, batch: i32): void {
  const count = <f64>batch * <f64>word(args, 2);
  const momentum = <f64>real(args, 20);
  for (let channel: usize = 0; channel < at(args, 3); channel++) {
    const variance = total(args, groupsOf(args, batch), channel << 3) / count;
    const mean = load<f64>(at(args, 6) + (channel << 3));
    setScale(args, channel, mean, variance);
    const movingMean = at(args, 11) + (channel << 2);
    store<f32>(movingMean, <f32>(<f64>load<f32>(movingMean) * momentum + mean * (1 - momentum)));
    const moving = at(args, 12) + (channel << 2);
    store<f32>(moving, <f32>(<f64>load<f32>(moving) * momentum + variance * (1 - momentum)));
  }
}

/** Scale and shift of each channel by the moving statistics, for prediction. */
export function useMoving(args: usize): void {
  for (let channel: usize = 0; channel < at(args, 3); channel++) {
    const offset = channel << 2;
    setScale(
      args,
      channel,
      <f64>load<f32>(at(args, 11) + offset),
      <f64>load<f32>(at(args, 12) + offset),
    );
  }
}

function setScale(args: usize, channel: usize, mean: f64, variance: f64): void {
  const offset = channel << 2;
  const inverse = 1.0 / sqrt(variance + <f64>real(args, 21));
  store<f64>(at(args, 6) + plane(args) + (channel << 3), inverse);
  const scale = <f64>load<f32>(at(args, 9) + offset) * inverse;
  store<f32>(at(args, 13) + offset, <f32>scale);
  store<f32>(
    at(args, 13) + (at(args, 3) << 2) + offset,
    <f32>(<f64>load<f32>(at(args, 10) + offset) - mean * scale),
  );
}

/** Y = X * scale + shift. */
export function normalize(args: usize, image: i32): void {
  const rowBytes = at(args, 3) << 2;
  const x = at(args, 0) + <usize>image * at(args, 1);
  const y = at(args, 4) + <usize>image * at(args, 5);
  const end = <usize>word(args, 2) * rowBytes;
  for (let channel: usize = 0; channel < rowBytes; channel += 16) {
    const scale = v128.load(at(args, 13) + channel);
    const shift = v128.load(at(args, 13) + rowBytes + channel);
    for (let offset = channel; offset < end; offset += rowBytes) {
      v128.store(y + offset, f32x4.add(f32x4.mul(v128.load(x + offset), scale), shift));
    }
  }
}

/** Adds an image's dY, and dY times the normalized X, to the partial sums. */
export function sumBackward(args: usize, image: i32): void {
  const partial = partialOf(args, image);
  const stride = word(args, 3);
  let x = at(args, 0) + <usize>image * at(args, 1);
  let g = at(args, 14) + <usize>image * at(args, 15);
  for (let pixel = 0; pixel < word(args, 2); pixel++) {
    for (let channel = 0; channel < stride; channel++) {
      const offset = (<usize>channel) << 3;
      const gradient = <f64>load<f32>(g + (offset >> 1));
      const mean = load<f64>(at(args, 6) + offset);
      const inverse = load<f64>(at(args, 6) + plane(args) + offset);
      const normal = (<f64>load<f32>(x + (offset >> 1)) - mean) * inverse;
      const first = partial + offset;
      const second = first + plane(args);
      store<f64>(first, load<f64>(first) + gradient);
      store<f64>(second, load<f64>(second) + gradient * normal);
    }
    x += (<usize>stride) << 2;
    g += (<usize>stride) << 2;
  }
}

/** Gradients of beta and gamma. */
export function endBackward(args: usize, batch: i32): void {
  const groups = groupsOf(args, batch);
  for (let channel: usize = 0; channel < at(args, 3); channel++) {
    const offset = channel << 3;
    const first = total(args, groups, offset);
    const second = total(args, groups, plane(args) + offset);
    store<f64>(at(args, 6) + 2 * plane(args) + offset, first);
    store<f64>(at(args, 6) + 3 * plane(args) + offset, second);
    store<f32>(at(args, 19) + (channel << 2), <f32>first);
    store<f32>(at(args, 18) + (channel << 2), <f32>second);
  }
}

/** dX = scale * (dY - (sum dY + normalized X * sum (dY * normalized X)) / count). */
export function normalizeBackward(args: usize, image: i32, batch: i32): void {
  const stride = word(args, 3);
  const count = <f64>batch * <f64>word(args, 2);
  let x = at(args, 0) + <usize>image * at(args, 1);
  let g = at(args, 14) + <usize>image * at(args, 15);
  let dx = at(args, 16) + <usize>image * at(args, 17);
  for (let pixel = 0; pixel < word(args, 2); pixel++) {
    for (let channel = 0; channel < stride; channel++) {
      const offset = (<usize>channel) << 3;
      const statistics = at(args, 6) + offset;
      const inverse = load<f64>(statistics + plane(args));
      const normal = (<f64>load<f32>(x + (offset >> 1)) - load<f64>(statistics)) * inverse;
      const sums =
        load<f64>(statistics + 2 * plane(args)) + normal * load<f64>(statistics + 3 * plane(args));
      const gradient = <f64>load<f32>(g + (offset >> 1)) - sums / count;
      const scale = <f64>load<f32>(at(args, 13) + (offset >> 1));
      store<f32>(dx + (offset >> 1), <f32>(scale * gradient));
    }
    x += (<usize>stride) << 2;
    g += (<usize>stride) << 2;
    dx += (<usize>stride) << 2;
  }
}

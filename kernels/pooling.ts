/** Pooling and padding of feature maps, forward and backward. */
import { at, word } from './memory';

// Arguments: 0 X, 1 image distance, 2 bytes of a pixel, 3 rows, 4 columns, 5 window, 6 stride, 7 rows
// of zeros above, 8 columns of zeros before, 9 Y, 10 image distance of Y, 11 rows of Y, 12 columns of Y,
// 13 positions, 14 image distance of positions, 15 dX, 16 image distance of dX, 17 dY, 18 image distance
// of dY. Pixels outside X take no part.

/** The largest of each window; positions say where it was, as a distance from the image's start. */
export function maxPool(args: usize, image: i32): void {
  const x = at(args, 0) + <usize>image * at(args, 1);
  const pixelBytes = at(args, 2);
  const columns = word(args, 4);
  let y = at(args, 9) + <usize>image * at(args, 10);
  let positions = at(args, 13) + <usize>image * at(args, 14);
  for (let row = 0; row < word(args, 11); row++) {
    const top = row * word(args, 6) - word(args, 7);
    for (let column = 0; column < word(args, 12); column++) {
      const left = column * word(args, 6) - word(args, 8);
      for (let channel: usize = 0; channel < pixelBytes; channel += 16) {
        let largest = f32x4.splat(-Infinity);
        let position = i32x4.splat(0);
        for (let r = max(top, 0); r < min(top + word(args, 5), word(args, 3)); r++) {
          for (let c = max(left, 0); c < min(left + word(args, 5), columns); c++) {
            const offset = <usize>(r * columns + c) * pixelBytes + channel;
            const value = v128.load(x + offset);
            position = v128.bitselect(i32x4.splat(<i32>offset), position, f32x4.gt(value, largest));
            largest = f32x4.max(largest, value);
          }
        }
        v128.store(y + channel, largest);
        v128.store(positions + channel, position);
      }
      y += pixelBytes;
      positions += pixelBytes;
    }
  }
}

/** dX: each window's gradient to where its largest value was. */
export function maxPoolBackward(args: usize, image: i32): void {
  const pixelBytes = at(args, 2);
  const dx = at(args, 15) + <usize>image * at(args, 16);
  memory.fill(dx, 0, <usize>(word(args, 3) * word(args, 4)) * pixelBytes);
  let positions = at(args, 13) + <usize>image * at(args, 14);
  let g = at(args, 17) + <usize>image * at(args, 18);
  const end = g + <usize>(word(args, 11) * word(args, 12)) * pixelBytes;
  let lane: usize = 0;
  for (; g < end; g += 4) {
    const target = dx + <usize>load<u32>(positions) + lane;
    store<f32>(target, load<f32>(target) + load<f32>(g));
    positions += 4;
    lane = (lane + 4) & 15;
  }
}

/** The mean of each window. */
export function averagePool(args: usize, image: i32): void {
  const x = at(args, 0) + <usize>image * at(args, 1);
  const pixelBytes = at(args, 2);
  const columns = word(args, 4);
  let y = at(args, 9) + <usize>image * at(args, 10);
  for (let row = 0; row < word(args, 11); row++) {
    const top = row * word(args, 6) - word(args, 7);
    const bottom = min(top + word(args, 5), word(args, 3));
    for (let column = 0; column < word(args, 12); column++) {
      const left = column * word(args, 6) - word(args, 8);
      const right = min(left + word(args, 5), columns);
      const count = f32x4.splat(<f32>((bottom - max(top, 0)) * (right - max(left, 0))));
      for (let channel: usize = 0; channel < pixelBytes; channel += 16) {
        let sum = f32x4.splat(0);
        for (let r = max(top, 0); r < bottom; r++) {
          for (let c = max(left, 0); c < right; c++) {
            sum = f32x4.add(sum, v128.load(x + <usize>(r * columns + c) * pixelBytes + channel));
          }
        }
        v128.store(y + channel, f32x4.div(sum, count));
      }
      y += pixelBytes;
    }
  }
}

/** dX: each window's gradient shared out evenly. */
export function averagePoolBackward(args: usize, image: i32): void {
  const pixelBytes = at(args, 2);
  const columns = word(args, 4);
  const dx = at(args, 15) + <usize>image * at(args, 16);
  memory.fill(dx, 0, <usize>(word(args, 3) * columns) * pixelBytes);
  let g = at(args, 17) + <usize>image * at(args, 18);
  for (let row = 0; row < word(args, 11); row++) {
    const top = row * word(args, 6) - word(args, 7);
    const bottom = min(top + word(args, 5), word(args, 3));
    for (let column = 0; column < word(args, 12); column++) {
      const left = column * word(args, 6) - word(args, 8);
      const right = min(left + word(args, 5), columns);
      const count = f32x4.splat(<f32>((bottom - max(top, 0)) * (right - max(left, 0))));
      for (let channel: usize = 0; channel < pixelBytes; channel += 16) {
        const share = f32x4.div(v128.load(g + channel), count);
        for (let r = max(top, 0); r < bottom; r++) {
          for (let c = max(left, 0); c < right; c++) {
            const target = dx + <usize>(r * columns + c) * pixelBytes + channel;
            v128.store(target, f32x4.add(v128.load(target), share));
          }
        }
      }
      g += pixelBytes;
    }
  }
}

// Arguments: 0 X or dX, 1 image distance, 2 bytes of a pixel, 3 pixels, 4 Y or dY, 5 image distance of Y.

/** The mean of each channel over a whole feature map. */
export function globalAverage(args: usize, image: i32): void {
  const x = at(args, 0) + <usize>image * at(args, 1);
  const y = at(args, 4) + <usize>image * at(args, 5);
  const pixelBytes = at(args, 2);
  const end = <usize>word(args, 3) * pixelBytes;
  const count = f32x4.splat(<f32>word(args, 3));
  for (let channel: usize = 0; channel < pixelBytes; channel += 16) {
    let sum = f32x4.splat(0);
    for (let offset = channel; offset < end; offset += pixelBytes) {
      sum = f32x4.add(sum, v128.load(x + offset));
    }
    v128.store(y + channel, f32x4.div(sum, count));
  }
}

export function globalAverageBackward(args: usize, image: i32): void {
  const dx = at(args, 0) + <usize>image * at(args, 1);
  const g = at(args, 4) + <usize>image * at(args, 5);
  const pixelBytes = at(args, 2);
  const end = <usize>word(args, 3) * pixelBytes;
  const count = f32x4.splat(<f32>word(args, 3));
  for (let channel: usize = 0; channel < pixelBytes; channel += 16) {
    const share = f32x4.div(v128.load(g + channel), count);
    for (let offset = channel; offset < end; offset += pixelBytes) v128.store(dx + offset, share);
  }
}

// Arguments: 0 inner map, 1 image distance, 2 rows, 3 bytes of a row, 4 map with a border, 5 image
// distance, 6 bytes of a row, 7 distance of the first inner pixel, 8 bytes of an image.

/** Copies a feature map into one with a border of zeros. */
export function pad(args: usize, image: i32): void {
  let source = at(args, 0) + <usize>image * at(args, 1);
  const whole = at(args, 4) + <usize>image * at(args, 5);
  memory.fill(whole, 0, at(args, 8));
  let target = whole + at(args, 7);
  for (let row = 0; row < word(args, 2); row++) {
    memory.copy(target, source, at(args, 3));
    source += at(args, 3);
    target += at(args, 6);
  }
}

/** Copies the inner part of a feature map with a border. */
export function unpad(args: usize, image: i32): void {
  let target = at(args, 0) + <usize>image * at(args, 1);
  let source = at(args, 4) + <usize>image * at(args, 5) + at(args, 7);
  for (let row = 0; row < word(args, 2); row++) {
    memory.copy(target, source, at(args, 3));
    source += at(args, 6);
    target += at(args, 3);
  }
}

// Arguments: 0 X, 1 image distance, 2 pixels, 3 channels, 4 stride of X in channels, 5 Y, 6 image distance
// of Y, 7 stride of Y in channels, 8 bytes of an image of Y.

/** Copies pixels to another distance from each other; what lies between and behind them becomes 0. */
export function respace(args: usize, image: i32): void {
  let x = at(args, 0) + <usize>image * at(args, 1);
  let y = at(args, 5) + <usize>image * at(args, 6);
  memory.fill(y, 0, at(args, 8));
  const bytes = at(args, 3) << 2;
  for (let pixel = 0; pixel < word(args, 2); pixel++) {
    memory.copy(y, x, bytes);
    x += at(args, 4) << 2;
    y += at(args, 7) << 2;
  }
}

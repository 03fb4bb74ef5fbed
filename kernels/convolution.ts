/** Convolutions forward, directly: output pixels in tiles of four, with bias, ReLU and max-pool fused. */
import { at, word } from './memory';

// Legend. X: [height][width][inputStride], Y: [rows][columns][outputStride], both of one image;
// kernel: [kernel rows][kernel columns * inputStride][outputStride]. Strides count channels, those
// that only fill up are 0. All distances are in bytes.

/** Position of the largest of four values, 0 to 3, the first of equals. */
// @ts-ignore: decorator
@inline
export function firstLargest(y0: v128, y1: v128, y2: v128, y3: v128): v128 {
  const upper = f32x4.gt(y1, y0);
  const lower = f32x4.gt(y3, y2);
  const top = f32x4.pmax(y0, y1);
  const bottom = f32x4.pmax(y2, y3);
  const first = v128.and(upper, i32x4.splat(1));
  const second = v128.sub<i32>(i32x4.splat(2), lower);
  return v128.bitselect(second, first, f32x4.gt(bottom, top));
}

/** The largest of four values, plus bias; NaN where any of the four is not finite. */
// @ts-ignore: decorator
@inline
export function largestPlus(y0: v128, y1: v128, y2: v128, y3: v128, bias: v128): v128 {
  const sum = f32x4.add(f32x4.add(y0, y1), f32x4.add(y2, y3));
  const largest = f32x4.pmax(f32x4.pmax(y0, y1), f32x4.pmax(y2, y3));
  return f32x4.add(f32x4.add(largest, bias), f32x4.sub(sum, sum));
}

/** Values that ReLU stops have no position: 4. */
// @ts-ignore: decorator
@inline
export function liveOnly(position: v128, value: v128): v128 {
  return v128.bitselect(position, i32x4.splat(4), f32x4.ne(value, f32x4.splat(0)));
}

/** Stores four small integers as bytes. */
// @ts-ignore: decorator
@inline
export function storeBytes(target: usize, positions: v128): void {
  const halves = i16x8.narrow_i32x4_s(positions, positions);
  v128.store32_lane(target, i8x16.narrow_i16x8_s(halves, halves), 0);
}

// Arguments: 0 X, 1 image distance, 2 row distance, 3 tile distance down, 4 tile distance across,
// 5..7 distances of a tile's second to fourth pixel, 8 kernel, 9 bias or 0, 10 kernel rows,
// 11 bytes of a kernel row in X, 12 bytes of an output pixel, 13 tiles down, 14 tiles across,
// 15 Y, 16 image distance of Y, 17 row distance of Y, 18 positions or 0, 19 image distance of
// positions, 20 whether ReLU follows, 21 columns of Y, 22 distance between neighbouring pixels' patches.

/** One image. With positions the four pixels of a tile are a pooling window, else neighbours in a row. */
export function convolve(args: usize, image: i32): void {
  const x = at(args, 0) + <usize>image * at(args, 1);
  const y = at(args, 15) + <usize>image * at(args, 16);
  const positions: usize = at(args, 18) == 0 ? 0 : at(args, 18) + <usize>image * at(args, 19);
  const tilesDown = word(args, 13);
  const tilesAcross = word(args, 14);
  const pixelBytes = at(args, 12);
  const columns = word(args, 21);
  for (let down = 0; down < tilesDown; down++) {
    const row = x + <usize>down * at(args, 3);
    for (let across = 0; across < tilesAcross; across++) {
      if (positions != 0) {
        const patch = row + <usize>across * at(args, 4);
        const pixel = <usize>(down * tilesAcross + across);
        const target = y + pixel * pixelBytes;
        const places = positions + pixel * (pixelBytes >> 2);
        for (let channel: usize = 0; channel < pixelBytes; channel += 32) {
          if (channel + 16 < pixelBytes) convolveTile(args, patch, channel, target, places);
          else convolveNarrowTile(args, patch, channel, target, places);
        }
      } else {
        // The last tile of a row starts early where columns are no multiple of four.
        const column = max(0, min(across * 4, columns - 4));
        const patch = row + <usize>column * at(args, 22);
        const target = y + <usize>down * at(args, 17) + <usize>column * pixelBytes;
        for (let channel: usize = 0; channel < pixelBytes; channel += 32) {
          if (channel + 16 < pixelBytes) convolveTile(args, patch, channel, target, 0);
          else convolveNarrowTile(args, patch, channel, target, 0);
        }
      }
    }
  }
}

/** Four pixels, eight channels. */
function convolveTile(
  args: usize,
  patch: usize,
  channel: usize,
  target: usize,
  places: usize,
): void {
  const second = at(args, 5);
  const third = at(args, 6);
  const fourth = at(args, 7);
  const rowDistance = at(args, 2);
  const rowBytes = at(args, 11);
  const pixelBytes = at(args, 12);
  let a0 = f32x4.splat(0);
  let a1 = a0;
  let a2 = a0;
  let a3 = a0;
  let b0 = a0;
  let b1 = a0;
  let b2 = a0;
  let b3 = a0;
  let kernel = at(args, 8) + channel;
  let row = patch;
  for (let rows = word(args, 10); rows > 0; rows--) {
    const end = row + rowBytes;
    for (let p = row; p < end; p += 4) {
      const w0 = v128.load(kernel);
      const w1 = v128.load(kernel, 16);
      let pixel = v128.load32_splat(p);
      a0 = f32x4.add(a0, f32x4.mul(pixel, w0));
      b0 = f32x4.add(b0, f32x4.mul(pixel, w1));
      pixel = v128.load32_splat(p + second);
      a1 = f32x4.add(a1, f32x4.mul(pixel, w0));
      b1 = f32x4.add(b1, f32x4.mul(pixel, w1));
      pixel = v128.load32_splat(p + third);
      a2 = f32x4.add(a2, f32x4.mul(pixel, w0));
      b2 = f32x4.add(b2, f32x4.mul(pixel, w1));
      pixel = v128.load32_splat(p + fourth);
      a3 = f32x4.add(a3, f32x4.mul(pixel, w0));
      b3 = f32x4.add(b3, f32x4.mul(pixel, w1));
      kernel += pixelBytes;
    }
    row += rowDistance;
  }
  storeTile(args, channel, target, places, a0, a1, a2, a3);
  storeTile(args, channel + 16, target, places, b0, b1, b2, b3);
}

/** Four pixels, four channels. */
function convolveNarrowTile(
  args: usize,
  patch: usize,
  channel: usize,
  target: usize,
  places: usize,
): void {
  const second = at(args, 5);
  const third = at(args, 6);
  const fourth = at(args, 7);
  const rowDistance = at(args, 2);
  const rowBytes = at(args, 11);
  const pixelBytes = at(args, 12);
  let a0 = f32x4.splat(0);
  let a1 = a0;
  let a2 = a0;
  let a3 = a0;
  let kernel = at(args, 8) + channel;
  let row = patch;
  for (let rows = word(args, 10); rows > 0; rows--) {
    const end = row + rowBytes;
    for (let p = row; p < end; p += 4) {
      const w0 = v128.load(kernel);
      a0 = f32x4.add(a0, f32x4.mul(v128.load32_splat(p), w0));
      a1 = f32x4.add(a1, f32x4.mul(v128.load32_splat(p + second), w0));
      a2 = f32x4.add(a2, f32x4.mul(v128.load32_splat(p + third), w0));
      a3 = f32x4.add(a3, f32x4.mul(v128.load32_splat(p + fourth), w0));
      kernel += pixelBytes;
    }
    row += rowDistance;
  }
  storeTile(args, channel, target, places, a0, a1, a2, a3);
}

/** Ends four channels of a tile: bias, ReLU, and the pool where there are places for its positions. */
// @ts-ignore: decorator
@inline
function storeTile(
  args: usize,
  channel: usize,
  target: usize,
  places: usize,
  y0: v128,
  y1: v128,
  y2: v128,
  y3: v128,
): void {
  const zero = f32x4.splat(0);
  const bias = at(args, 9) == 0 ? zero : v128.load(at(args, 9) + channel);
  if (places != 0) {
    const value = f32x4.pmax(largestPlus(y0, y1, y2, y3, bias), zero);
    v128.store(target + channel, value);
    storeBytes(places + (channel >> 2), liveOnly(firstLargest(y0, y1, y2, y3), value));
    return;
  }
  // In a row of fewer than four pixels the last ones are the same pixel again.
  const pixelBytes = at(args, 12);
  const last = word(args, 21) - 1;
  const floor = word(args, 20) != 0 ? zero : f32x4.splat(-Infinity);
  v128.store(target + channel, f32x4.pmax(f32x4.add(y0, bias), floor));
  v128.store(
    target + channel + <usize>min(1, last) * pixelBytes,
    f32x4.pmax(f32x4.add(y1, bias), floor),
  );
  v128.store(
    target + channel + <usize>min(2, last) * pixelBytes,
    f32x4.pmax(f32x4.add(y2, bias), floor),
  );
  v128.store(
    target + channel + <usize>min(3, last) * pixelBytes,
    f32x4.pmax(f32x4.add(y3, bias), floor),
  );
}

/** Convolutions of 3 x 3 and stride 1 forward, by Winograd's minimal algorithm F(2 x 2, 3 x 3). */
import { firstLargest, largestPlus, liveOnly, storeBytes } from './convolution';
import { at, scratchOf, word } from './memory';

// Source: Lavin, Gray, "Fast Algorithms for Convolutional Neural Networks" (2016), section 4.1. For a
// tile of 2 x 2 output pixels Y = A' [ (G g G') * (B' d B) ] A, with d the 4 x 4 input pixels under it,
// g the kernel, and * a product of elements, summed over the input channels: 16 small matrix products.
// A tile is a pooling window of 2 x 2, so a pool that follows is taken from registers.

/** Tiles worked on at once, so that their transforms stay in the cache. */
const BLOCK: usize = 32;

// Arguments: 0 X, 1 image distance, 2 row distance, 3 pixel distance, 4 transformed kernel
// [16][input channels][output channels], 5 bias or 0, 6 bytes of an output pixel, 7 tiles down,
// 8 tiles across, 9 Y, 10 image distance of Y, 11 row distance of Y, 12 positions or 0, 13 image
// distance of positions, 14 whether ReLU follows, 15 rows of Y, 16 columns of Y. Scratch: V, M.

/** One image. */
export function convolveWinograd(args: usize, image: i32, thread: i32): void {
  const x = at(args, 0) + <usize>image * at(args, 1);
  const channelBytes = at(args, 3);
  const outputBytes = at(args, 6);
  const tilesDown = word(args, 7);
  const tilesAcross = word(args, 8);
  const v = scratchOf(thread);
  const m = v + 16 * BLOCK * channelBytes;
  for (let down = 0; down < tilesDown; down++) {
    for (let first = 0; first < tilesAcross; first += <i32>BLOCK) {
      const tiles = min(<i32>BLOCK, tilesAcross - first);
      const patch = x + <usize>(2 * down) * at(args, 2) + <usize>(2 * first) * channelBytes;
      transformInput(v, patch, at(args, 2), channelBytes, tiles);
      for (let element: usize = 0; element < 16; element++) {
        multiply(
          v + element * BLOCK * channelBytes,
          at(args, 4) + element * (channelBytes >> 2) * outputBytes,
          m + element * BLOCK * outputBytes,
          channelBytes,
          outputBytes,
          tiles,
        );
      }
      if (at(args, 12) != 0) storePooled(args, image, m, down, first, tiles);
      else storePlain(args, image, m, down, first, tiles);
    }
  }
}

/** V = B' d B for a row of tiles: [16][tile][channel]. */
function transformInput(
  v: usize,
  patch: usize,
  rowDistance: usize,
  pixelBytes: usize,
  tiles: i32,
): void {
  const row0 = patch;
  const row1 = row0 + rowDistance;
  const row2 = row1 + rowDistance;
  const row3 = row2 + rowDistance;
  const plane = BLOCK * pixelBytes;
  transformRow(v, row0, row2, pixelBytes, tiles, false);
  transformRow(v + 4 * plane, row1, row2, pixelBytes, tiles, true);
  transformRow(v + 8 * plane, row2, row1, pixelBytes, tiles, false);
  transformRow(v + 12 * plane, row1, row3, pixelBytes, tiles, false);
}

/** One of the four rows of B' d is the sum or difference of two rows of d; times B it gives four planes. */
// @ts-ignore: decorator
@inline
function transformRow(
  v: usize,
  above: usize,
  below: usize,
  pixelBytes: usize,
  tiles: i32,
  sum: bool,
): void {
  const plane = BLOCK * pixelBytes;
  for (let channel: usize = 0; channel < pixelBytes; channel += 16) {
    let p = above + channel;
    let q = below + channel;
    let target = v + channel;
    let t0 = combine(sum, v128.load(p), v128.load(q));
    let t1 = combine(sum, v128.load(p + pixelBytes), v128.load(q + pixelBytes));
    for (let tile = 0; tile < tiles; tile++) {
      p += 2 * pixelBytes;
      q += 2 * pixelBytes;
      const t2 = combine(sum, v128.load(p), v128.load(q));
      const t3 = combine(sum, v128.load(p + pixelBytes), v128.load(q + pixelBytes));
      v128.store(target, f32x4.sub(t0, t2));
      v128.store(target + plane, f32x4.add(t1, t2));
      v128.store(target + 2 * plane, f32x4.sub(t2, t1));
      v128.store(target + 3 * plane, f32x4.sub(t1, t3));
      t0 = t2;
      t1 = t3;
      target += pixelBytes;
    }
  }
}

// @ts-ignore: decorator
@inline
function combine(sum: bool, a: v128, b: v128): v128 {
  return sum ? f32x4.add(a, b) : f32x4.sub(a, b);
}

/** M = V U for one element: [tile][output channel], four tiles and eight channels at a time. */
function multiply(
  v: usize,
  u: usize,
  m: usize,
  channelBytes: usize,
  outputBytes: usize,
  tiles: i32,
): void {
  for (let channel: usize = 0; channel < outputBytes; channel += 32) {
    const wide = channel + 16 < outputBytes;
    for (let tile = 0; tile < tiles; tile += 4) {
      const source = v + <usize>tile * channelBytes;
      const target = m + <usize>tile * outputBytes + channel;
      if (wide) multiplyTile(source, u + channel, target, channelBytes, outputBytes);
      else multiplyNarrowTile(source, u + channel, target, channelBytes, outputBytes);
    }
  }
}

// @ts-ignore: decorator
@inline
function multiplyTile(v: usize, u: usize, m: usize, channelBytes: usize, outputBytes: usize): void {
  let a0 = f32x4.splat(0);
  let a1 = a0;
  let a2 = a0;
  let a3 = a0;
  let b0 = a0;
  let b1 = a0;
  let b2 = a0;
  let b3 = a0;
  const second = channelBytes;
  const third = channelBytes * 2;
  const fourth = channelBytes * 3;
  const end = v + channelBytes;
  for (let p = v; p < end; p += 4) {
    const u0 = v128.load(u);
    const u1 = v128.load(u, 16);
    let value = v128.load32_splat(p);
    a0 = f32x4.add(a0, f32x4.mul(value, u0));
    b0 = f32x4.add(b0, f32x4.mul(value, u1));
    value = v128.load32_splat(p + second);
    a1 = f32x4.add(a1, f32x4.mul(value, u0));
    b1 = f32x4.add(b1, f32x4.mul(value, u1));
    value = v128.load32_splat(p + third);
    a2 = f32x4.add(a2, f32x4.mul(value, u0));
    b2 = f32x4.add(b2, f32x4.mul(value, u1));
    value = v128.load32_splat(p + fourth);
    a3 = f32x4.add(a3, f32x4.mul(value, u0));
    b3 = f32x4.add(b3, f32x4.mul(value, u1));
    u += outputBytes;
  }
  v128.store(m, a0);
  v128.store(m, b0, 16);
  v128.store(m + outputBytes, a1);
  v128.store(m + outputBytes, b1, 16);
  v128.store(m + 2 * outputBytes, a2);
  v128.store(m + 2 * outputBytes, b2, 16);
  v128.store(m + 3 * outputBytes, a3);
  v128.store(m + 3 * outputBytes, b3, 16);
}

// @ts-ignore: decorator
@inline
function multiplyNarrowTile(
  v: usize,
  u: usize,
  m: usize,
  channelBytes: usize,
  outputBytes: usize,
): void {
  let a0 = f32x4.splat(0);
  let a1 = a0;
  let a2 = a0;
  let a3 = a0;
  const end = v + channelBytes;
  for (let p = v; p < end; p += 4) {
    const u0 = v128.load(u);
    a0 = f32x4.add(a0, f32x4.mul(v128.load32_splat(p), u0));
    a1 = f32x4.add(a1, f32x4.mul(v128.load32_splat(p + channelBytes), u0));
    a2 = f32x4.add(a2, f32x4.mul(v128.load32_splat(p + 2 * channelBytes), u0));
    a3 = f32x4.add(a3, f32x4.mul(v128.load32_splat(p + 3 * channelBytes), u0));
    u += outputBytes;
  }
  v128.store(m, a0);
  v128.store(m + outputBytes, a1);
  v128.store(m + 2 * outputBytes, a2);
  v128.store(m + 3 * outputBytes, a3);
}

/** One column of A' M: its upper row. */
// @ts-ignore: decorator
@inline
function upper(m: usize, plane: usize): v128 {
  return f32x4.add(f32x4.add(v128.load(m), v128.load(m + 4 * plane)), v128.load(m + 8 * plane));
}

/** One column of A' M: its lower row. */
// @ts-ignore: decorator
@inline
function lower(m: usize, plane: usize): v128 {
  return f32x4.sub(
    f32x4.sub(v128.load(m + 4 * plane), v128.load(m + 8 * plane)),
    v128.load(m + 12 * plane),
  );
}

/** A' M A, then the largest of the four pixels, bias and ReLU. */
function storePooled(args: usize, image: i32, m: usize, down: i32, first: i32, tiles: i32): void {
  const outputBytes = at(args, 6);
  const plane = BLOCK * outputBytes;
  const zero = f32x4.splat(0);
  const bias = at(args, 5);
  const pixel = <usize>(down * word(args, 8) + first);
  const y = at(args, 9) + <usize>image * at(args, 10) + pixel * outputBytes;
  const places = at(args, 12) + <usize>image * at(args, 13) + pixel * (outputBytes >> 2);
  const bytes = <usize>tiles * outputBytes;
  for (let tile: usize = 0; tile < bytes; tile += outputBytes) {
    for (let channel: usize = 0; channel < outputBytes; channel += 16) {
      const source = m + tile + channel;
      const p0 = upper(source, plane);
      const p1 = upper(source + plane, plane);
      const p2 = upper(source + 2 * plane, plane);
      const p3 = upper(source + 3 * plane, plane);
      const y0 = f32x4.add(f32x4.add(p0, p1), p2);
      const y1 = f32x4.sub(f32x4.sub(p1, p2), p3);
      const q0 = lower(source, plane);
      const q1 = lower(source + plane, plane);
      const q2 = lower(source + 2 * plane, plane);
      const q3 = lower(source + 3 * plane, plane);
      const y2 = f32x4.add(f32x4.add(q0, q1), q2);
      const y3 = f32x4.sub(f32x4.sub(q1, q2), q3);
      const offset = bias == 0 ? zero : v128.load(bias + channel);
      const value = f32x4.pmax(largestPlus(y0, y1, y2, y3, offset), zero);
      v128.store(y + tile + channel, value);
      storeBytes(places + ((tile + channel) >> 2), liveOnly(firstLargest(y0, y1, y2, y3), value));
    }
  }
}

/** A' M A, then bias and ReLU where it follows; the last row and column may be cut off. */
function storePlain(args: usize, image: i32, m: usize, down: i32, first: i32, tiles: i32): void {
  const outputBytes = at(args, 6);
  const rowDistance = at(args, 11);
  const plane = BLOCK * outputBytes;
  const floor = word(args, 14) != 0 ? f32x4.splat(0) : f32x4.splat(-Infinity);
  const bias = at(args, 5);
  const secondRow = 2 * down + 1 < word(args, 15);
  const columns = word(args, 16);
  const y = at(args, 9) + <usize>image * at(args, 10) + <usize>(2 * down) * rowDistance;
  for (let tile = 0; tile < tiles; tile++) {
    const column = 2 * (first + tile);
    const secondColumn = column + 1 < columns;
    for (let channel: usize = 0; channel < outputBytes; channel += 16) {
      const source = m + <usize>tile * outputBytes + channel;
      const target = y + <usize>column * outputBytes + channel;
      const offset = bias == 0 ? f32x4.splat(0) : v128.load(bias + channel);
      const p1 = upper(source + plane, plane);
      const p2 = upper(source + 2 * plane, plane);
      const y0 = f32x4.add(f32x4.add(upper(source, plane), p1), p2);
      const y1 = f32x4.sub(f32x4.sub(p1, p2), upper(source + 3 * plane, plane));
      v128.store(target, f32x4.pmax(f32x4.add(y0, offset), floor));
      if (secondColumn) v128.store(target + outputBytes, f32x4.pmax(f32x4.add(y1, offset), floor));
      if (!secondRow) continue;
      const q1 = lower(source + plane, plane);
      const q2 = lower(source + 2 * plane, plane);
      const y2 = f32x4.add(f32x4.add(lower(source, plane), q1), q2);
      const y3 = f32x4.sub(f32x4.sub(q1, q2), lower(source + 3 * plane, plane));
      v128.store(target + rowDistance, f32x4.pmax(f32x4.add(y2, offset), floor));
      if (secondColumn) {
        v128.store(target + rowDistance + outputBytes, f32x4.pmax(f32x4.add(y3, offset), floor));
      }
    }
  }
}

// Arguments: 0 kernel [9 * input stride][output stride], 1 transformed kernel, 2 input stride,
// 3 bytes of an output pixel.

/** U = G g G': [16][input channel][output channel]. */
export function transformKernel(args: usize): void {
  const inputs = word(args, 2);
  const outputBytes = at(args, 3);
  const tap = <usize>inputs * outputBytes;
  const bytes = tap;
  for (let offset: usize = 0; offset < bytes; offset += 16) {
    const g = at(args, 0) + offset;
    const u = at(args, 1) + offset;
    transformKernelRow(u, tap, v128.load(g), v128.load(g + tap), v128.load(g + 2 * tap));
    const half = f32x4.splat(0.5);
    for (let sign = 0; sign < 2; sign++) {
      transformKernelRow(
        u + (4 + 4 * <usize>sign) * tap,
        tap,
        halfSum(g, 3 * tap, sign, half),
        halfSum(g + tap, 3 * tap, sign, half),
        halfSum(g + 2 * tap, 3 * tap, sign, half),
      );
    }
    const last = g + 6 * tap;
    transformKernelRow(
      u + 12 * tap,
      tap,
      v128.load(last),
      v128.load(last + tap),
      v128.load(last + 2 * tap),
    );
  }
}

/** (a + b + c) / 2, or with b's sign turned, of three rows' values. */
// @ts-ignore: decorator
@inline
function halfSum(g: usize, row: usize, sign: i32, half: v128): v128 {
  const outer = f32x4.add(v128.load(g), v128.load(g + 2 * row));
  const middle = v128.load(g + row);
  return f32x4.mul(half, sign == 0 ? f32x4.add(outer, middle) : f32x4.sub(outer, middle));
}

// @ts-ignore: decorator
@inline
function transformKernelRow(u: usize, plane: usize, g0: v128, g1: v128, g2: v128): void {
  const half = f32x4.splat(0.5);
  const outer = f32x4.add(g0, g2);
  v128.store(u, g0);
  v128.store(u + plane, f32x4.mul(half, f32x4.add(outer, g1)));
  v128.store(u + 2 * plane, f32x4.mul(half, f32x4.sub(outer, g1)));
  v128.store(u + 3 * plane, g2);
}

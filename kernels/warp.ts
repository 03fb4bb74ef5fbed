/** From stored bytes to what the network takes: an example copied, or warped by an affine map. */

/** What stands beyond the border, in the order of AugmentParams' fill. */
const NEAREST: i32 = 0;
const REFLECT: i32 = 1;
const CONSTANT: i32 = 3;

/** Keras' `rescale=1/255`, which NumPy multiplies by as a 32-bit float. */
const SCALE: f32 = 1.0 / 255.0;

/**
 * `target[i] = source[i] / 255` for `count` numbers.
 * @param source u8
 * @param target f32
 */
export function copyExample(source: usize, target: usize, count: i32): void {
  const end = source + <usize>count;
  const vectorsEnd = source + <usize>(count & ~7);
  const scale = f32x4.splat(SCALE);
  while (source < vectorsEnd) {
    const eight = v128.load_ext<u8>(source);
    const low = f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_u(eight));
    const high = f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_u(eight));
    v128.store(target, f32x4.mul(low, scale));
    v128.store(target, f32x4.mul(high, scale), 16);
    source += 8;
    target += 32;
  }
  while (source < end) {
    store<f32>(target, <f32>load<u8>(source) * SCALE);
    source += 1;
    target += 4;
  }
}

/**
 * What scipy.ndimage.affine_transform(order=1, cval=0) gives for each channel, divided by 255: the
 * output at (row, column) is the input, read between its pixels, at
 * (m0 row + m1 column + m2, m3 row + m4 column + m5). Each place is computed by itself, in f64.
 * @param source u8 [height, width, channels]
 * @param target f32 [height, width, channels]
 * @param matrix f64 [2, 3]
 * @param fill 0 nearest, 1 reflect, 2 wrap (of period side - 1, as SciPy has it), 3 constant
 */
export function warpExample(
  source: usize,
  target: usize,
  height: i32,
  width: i32,
  channels: i32,
  matrix: usize,
  fill: i32,
): void {
  if (channels == 3 && height > 1 && width > 1) {
    warpColours(source, target, height, width, matrix, fill);
  } else {
    warpChannels(source, target, height, width, channels, matrix, fill);
  }
}

/** Three channels, at least two rows and columns: a pixel is a vector, and so is a place. */
function warpColours(
  source: usize,
  target: usize,
  height: i32,
  width: i32,
  matrix: usize,
  fill: i32,
): void {
  const perRow = pair(load<f64>(matrix), load<f64>(matrix, 24));
  const perColumn = pair(load<f64>(matrix, 8), load<f64>(matrix, 32));
  const offset = pair(load<f64>(matrix, 16), load<f64>(matrix, 40));
  const zero = f64x2.splat(0);
  const last = pair(<f64>(height - 1), <f64>(width - 1));
  const lastStart = pair(<f64>(height - 2), <f64>(width - 2));
  const scale = f32x4.splat(SCALE);
  const rowBytes = <usize>width * 3;
  for (let row = 0; row < height; row++) {
    const rowPart = f64x2.mul(perRow, f64x2.splat(<f64>row));
    for (let column = 0; column < width; column++) {
      const columnPart = f64x2.mul(perColumn, f64x2.splat(<f64>column));
      let place = f64x2.add(f64x2.add(rowPart, columnPart), offset);
      if (fill != NEAREST && !isInside(place, zero, last)) {
        if (fill == CONSTANT) {
          storeColours(target, zero);
          target += 12;
          continue;
        }
        place = pair(
          fold(f64x2.extract_lane(place, 0), height, fill),
          fold(f64x2.extract_lane(place, 1), width, fill),
        );
      }
      place = f64x2.pmax(f64x2.pmin(place, last), zero);
      const start = f64x2.pmin(f64x2.floor(place), lastStart);
      const fractions = f32x4.demote_f64x2_zero(f64x2.sub(place, start));
      const down = v128.shuffle<f32>(fractions, fractions, 0, 0, 0, 0);
      const right = v128.shuffle<f32>(fractions, fractions, 1, 1, 1, 1);
      const index = i32x4.trunc_sat_f64x2_s_zero(start);
      const pixel =
        source +
        <usize>i32x4.extract_lane(index, 0) * rowBytes +
        <usize>i32x4.extract_lane(index, 1) * 3;
      const upper = between(leftColours(pixel), rightColours(pixel), right);
      const below = pixel + rowBytes;
      const lower = between(leftColours(below), rightColours(below), right);
      storeColours(target, f32x4.mul(between(upper, lower, down), scale));
      target += 12;
    }
  }
}

/** The same numbers one by one, for any number of channels and sides of one pixel. */
function warpChannels(
  source: usize,
  target: usize,
  height: i32,
  width: i32,
  channels: i32,
  matrix: usize,
  fill: i32,
): void {
  const rightBytes: usize = width > 1 ? <usize>channels : 0;
  const rowBytes = <usize>channels * <usize>width;
  const downBytes: usize = height > 1 ? rowBytes : 0;
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      let y = placeOf(matrix, row, column);
      let x = placeOf(matrix + 24, row, column);
      const inside = y >= 0 && y <= <f64>(height - 1) && x >= 0 && x <= <f64>(width - 1);
      if (!inside && fill == CONSTANT) {
        memory.fill(target, 0, 4 * <usize>channels);
        target += 4 * <usize>channels;
        continue;
      }
      if (!inside && fill != NEAREST) {
        y = fold(y, height, fill);
        x = fold(x, width, fill);
      }
      y = clamp(y, <f64>(height - 1));
      x = clamp(x, <f64>(width - 1));
      const top = startOf(y, height);
      const left = startOf(x, width);
      const down = <f32>(y - <f64>top);
      const right = <f32>(x - <f64>left);
      let pixel = source + <usize>top * rowBytes + <usize>left * <usize>channels;
      for (let channel = 0; channel < channels; channel++) {
        const upper = mix(<f32>load<u8>(pixel), <f32>load<u8>(pixel + rightBytes), right);
        const below = pixel + downBytes;
        const lower = mix(<f32>load<u8>(below), <f32>load<u8>(below + rightBytes), right);
        store<f32>(target, mix(upper, lower, down) * SCALE);
        pixel += 1;
        target += 4;
      }
    }
  }
}

/**
 * Where a place outside is read instead: map_coordinate of SciPy's ni_interpolation.c. Folding may
 * leave it half a pixel outside, where the nearest pixel stands.
 */
function fold(place: f64, side: i32, fill: i32): f64 {
  if (side <= 1) return 0;
  const last = <f64>(side - 1);
  if (place >= 0 && place <= last) return place;
  if (fill == REFLECT) {
    const period = 2 * <f64>side;
    if (place < 0) {
      const near = place < -period ? period * trunc<f64>(-place / period) + place : place;
      return near < -(<f64>side) ? near + period : -near - 1;
    }
    const near = place - period * trunc<f64>(place / period);
    return near >= <f64>side ? period - near - 1 : near;
  }
  return place < 0
    ? place + last * (trunc<f64>(-place / last) + 1)
    : place - last * trunc<f64>(place / last);
}

function pair(first: f64, second: f64): v128 {
  return f64x2.replace_lane(f64x2.splat(first), 1, second);
}

function isInside(place: v128, zero: v128, last: v128): bool {
  return i64x2.all_true(v128.and(f64x2.ge(place, zero), f64x2.le(place, last)));
}

/** The colours of the pixel at `pixel`; the fourth lane is of no meaning. */
function leftColours(pixel: usize): v128 {
  return widened(v128.load_zero<u32>(pixel));
}

/** The colours of the pixel to its right, read without touching the byte after them. */
function rightColours(pixel: usize): v128 {
  return widened(i32x4.shr_u(v128.load_zero<u32>(pixel, 2), 8));
}

/** The first four bytes as f32. */
function widened(bytes: v128): v128 {
  return f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(bytes)));
}

function between(from: v128, to: v128, fraction: v128): v128 {
  return f32x4.add(from, f32x4.mul(f32x4.sub(to, from), fraction));
}

/** Stores three lanes: the fourth number may be another thread's. */
function storeColours(target: usize, colours: v128): void {
  v128.store_lane<u64>(target, colours, 0);
  v128.store_lane<u32>(target, colours, 2, 8);
}

function mix(from: f32, to: f32, fraction: f32): f32 {
  return from + (to - from) * fraction;
}

function placeOf(matrix: usize, row: i32, column: i32): f64 {
  return load<f64>(matrix) * <f64>row + load<f64>(matrix, 8) * <f64>column + load<f64>(matrix, 16);
}

/** Into [0, last]. */
function clamp(place: f64, last: f64): f64 {
  const below = last < place ? last : place;
  return below < 0 ? 0 : below;
}

/** The first of the two rows or columns that a place lies between. */
function startOf(place: f64, side: i32): i32 {
  const start = <i32>floor<f64>(place);
  return start > side - 2 ? max<i32>(side - 2, 0) : start;
}

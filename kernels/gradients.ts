/** Convolutions backward, over lists of the gradients that are not zero. */
import { at, scratchOf, word } from './memory';

// A max-pool passes a gradient to one pixel of its window and ReLU stops it altogether, so most of the
// gradients at a convolution's outputs are zero; what is left is gathered into lists first. Legend as
// in convolution.ts; dY: [rows][columns][outputStride], with positions [rows][columns][outputStride]
// telling which of the four pixels of a pooling window took part (4: none).

// Arguments of both: 0 X or dX, 1 image distance, 2 row distance, 3 bytes of a kernel row in X, 4 kernel
// rows, 5 dY, 6 image distance of dY, 7 positions or 0, 8 image distance of positions, 9 rows of dY,
// 10 columns of dY, 11 output stride in channels, 12 distance in X of neighbouring rows of dY, 13 of
// neighbouring columns; 14..16 of a window's second to fourth pixel; then as said at each.

// 17 partial gradients [output channel][kernel row][row, filled up to 16 bytes], 18 distance to the next
// group's, 19 images in a group, 20 bytes of a filled-up row, 21 partial bias gradients or 0, 22 output
// channels, 23 rows of dY in a band.

/**
 * Adds an image's share to the partial gradients of the kernel and bias of its group of images; the
 * first image of a group sets them. Works in bands of rows, so that what is read again for each channel
 * stays in the cache. Scratch: for each channel the end of its list, four offsets, then the lists.
 */
export function gradientOfKernel(args: usize, image: i32, thread: i32): void {
  const bandRows = word(args, 23);
  const ends = scratchOf(thread);
  const lists = ends + (at(args, 11) << 2) + 32;
  const listBytes = (<usize>(bandRows * word(args, 10))) << 3;
  const group = image / word(args, 19);
  const partial = at(args, 17) + <usize>group * at(args, 18);
  const biases: usize = at(args, 21) == 0 ? 0 : at(args, 21) + <usize>group * at(args, 18);
  const channelBytes = at(args, 4) * at(args, 20);
  const channels = word(args, 22);
  if (image % word(args, 19) == 0) {
    memory.fill(partial, 0, <usize>channels * channelBytes);
    if (biases != 0) memory.fill(biases, 0, (<usize>channels) << 2);
  }
  const x = at(args, 0) + <usize>image * at(args, 1);
  for (let first = 0; first < word(args, 9); first += bandRows) {
    const last = min(first + bandRows, word(args, 9));
    gatherByChannel(args, image, first, last, ends, lists, listBytes);
    for (let channel = 0; channel < channels; channel++) {
      const start = lists + <usize>channel * listBytes;
      const end = <usize>load<u32>(ends + ((<usize>channel) << 2));
      accumulate(args, start, end, x, partial + <usize>channel * channelBytes);
      if (biases != 0) addBias(start, end, biases + ((<usize>channel) << 2));
    }
  }
}

/** Sums gradient * X over a list into the gradient of a channel's kernel. */
function accumulate(args: usize, start: usize, end: usize, x: usize, target: usize): void {
  const rowBytes = at(args, 20);
  const rows = word(args, 4);
  if (rows == 3 && rowBytes == 48) {
    accumulateNine(start, end, x, at(args, 2), target);
    return;
  }
  for (let row = 0; row < rows; row++) {
    accumulateRow(start, end, x, target, rowBytes);
    x += at(args, 2);
    target += rowBytes;
  }
}

/** Lists by output channel, in order of pixels: (offset in X, gradient). */
function gatherByChannel(
  args: usize,
  image: i32,
  first: i32,
  last: i32,
  ends: usize,
  lists: usize,
  listBytes: usize,
): void {
  const stride = at(args, 11);
  const channels = <usize>word(args, 22);
  for (let channel: usize = 0; channel < channels; channel++) {
    store<u32>(ends + (channel << 2), <u32>(lists + channel * listBytes));
  }
  const columns = word(args, 10);
  const pixel = <usize>(first * columns) * stride;
  let gradients = at(args, 5) + <usize>image * at(args, 6) + (pixel << 2);
  const positions = at(args, 7);
  let places = positions + <usize>image * at(args, 8) + pixel;
  // The distances of a window's pixels, so that a position finds its own by an index.
  const offsets = ends + (stride << 2);
  store<u32>(offsets, 0);
  store<u32>(offsets, word(args, 14), 4);
  store<u32>(offsets, word(args, 15), 8);
  store<u32>(offsets, word(args, 16), 12);
  store<u32>(offsets, 0, 16);
  for (let row = first; row < last; row++) {
    let offset = <usize>row * at(args, 12);
    for (let column = 0; column < columns; column++) {
      if (positions != 0) {
        for (let channel: usize = 0; channel < channels; channel++) {
          const gradient = load<f32>(gradients + (channel << 2));
          const place = <usize>load<u8>(places + channel);
          const end = <usize>load<u32>(ends + (channel << 2));
          store<u32>(end, <u32>offset + load<u32>(offsets + (place << 2)));
          store<f32>(end, gradient, 4);
          const live = <usize>(i32(place != 4) & i32(gradient != 0));
          store<u32>(ends + (channel << 2), <u32>(end + (live << 3)));
        }
        places += stride;
      } else {
        for (let channel: usize = 0; channel < channels; channel++) {
          const gradient = load<f32>(gradients + (channel << 2));
          const end = <usize>load<u32>(ends + (channel << 2));
          store<u32>(end, <u32>offset);
          store<f32>(end, gradient, 4);
          store<u32>(ends + (channel << 2), <u32>(end + ((<usize>i32(gradient != 0)) << 3)));
        }
      }
      gradients += stride << 2;
      offset += at(args, 13);
    }
  }
}

/** Sums gradient * X over a list into a row of the kernel's gradient, six vectors at a time. */
function accumulateRow(start: usize, end: usize, x: usize, target: usize, rowBytes: usize): void {
  let offset: usize = 0;
  for (; offset + 96 <= rowBytes; offset += 96)
    accumulateSix(start, end, x + offset, target + offset);
  for (; offset < rowBytes; offset += 16) {
    let a = v128.load(target + offset);
    const source = x + offset;
    for (let entry = start; entry < end; entry += 8) {
      const patch = source + <usize>load<u32>(entry);
      a = f32x4.add(a, f32x4.mul(v128.load32_splat(entry, 4), v128.load(patch)));
    }
    v128.store(target + offset, a);
  }
}

function accumulateSix(start: usize, end: usize, x: usize, target: usize): void {
  let a0 = v128.load(target);
  let a1 = v128.load(target, 16);
  let a2 = v128.load(target, 32);
  let a3 = v128.load(target, 48);
  let a4 = v128.load(target, 64);
  let a5 = v128.load(target, 80);
  for (let entry = start; entry < end; entry += 8) {
    const patch = x + <usize>load<u32>(entry);
    const gradient = v128.load32_splat(entry, 4);
    a0 = f32x4.add(a0, f32x4.mul(gradient, v128.load(patch)));
    a1 = f32x4.add(a1, f32x4.mul(gradient, v128.load(patch, 16)));
    a2 = f32x4.add(a2, f32x4.mul(gradient, v128.load(patch, 32)));
    a3 = f32x4.add(a3, f32x4.mul(gradient, v128.load(patch, 48)));
    a4 = f32x4.add(a4, f32x4.mul(gradient, v128.load(patch, 64)));
    a5 = f32x4.add(a5, f32x4.mul(gradient, v128.load(patch, 80)));
  }
  v128.store(target, a0);
  v128.store(target, a1, 16);
  v128.store(target, a2, 32);
  v128.store(target, a3, 48);
  v128.store(target, a4, 64);
  v128.store(target, a5, 80);
}

/** Three rows of three vectors: a kernel of 3 x 3 over an input of 3 or 4 channels. */
function accumulateNine(
  start: usize,
  end: usize,
  x: usize,
  rowDistance: usize,
  target: usize,
): void {
  let a0 = v128.load(target);
  let a1 = v128.load(target, 16);
  let a2 = v128.load(target, 32);
  let a3 = v128.load(target, 48);
  let a4 = v128.load(target, 64);
  let a5 = v128.load(target, 80);
  let a6 = v128.load(target, 96);
  let a7 = v128.load(target, 112);
  let a8 = v128.load(target, 128);
  for (let entry = start; entry < end; entry += 8) {
    let patch = x + <usize>load<u32>(entry);
    const gradient = v128.load32_splat(entry, 4);
    a0 = f32x4.add(a0, f32x4.mul(gradient, v128.load(patch)));
    a1 = f32x4.add(a1, f32x4.mul(gradient, v128.load(patch, 16)));
    a2 = f32x4.add(a2, f32x4.mul(gradient, v128.load(patch, 32)));
    patch += rowDistance;
    a3 = f32x4.add(a3, f32x4.mul(gradient, v128.load(patch)));
    a4 = f32x4.add(a4, f32x4.mul(gradient, v128.load(patch, 16)));
    a5 = f32x4.add(a5, f32x4.mul(gradient, v128.load(patch, 32)));
    patch += rowDistance;
    a6 = f32x4.add(a6, f32x4.mul(gradient, v128.load(patch)));
    a7 = f32x4.add(a7, f32x4.mul(gradient, v128.load(patch, 16)));
    a8 = f32x4.add(a8, f32x4.mul(gradient, v128.load(patch, 32)));
  }
  v128.store(target, a0);
  v128.store(target, a1, 16);
  v128.store(target, a2, 32);
  v128.store(target, a3, 48);
  v128.store(target, a4, 64);
  v128.store(target, a5, 80);
  v128.store(target, a6, 96);
  v128.store(target, a7, 112);
  v128.store(target, a8, 128);
}

function addBias(start: usize, end: usize, target: usize): void {
  let sum = load<f32>(target);
  for (let entry = start; entry < end; entry += 8) sum += load<f32>(entry, 4);
  store<f32>(target, sum);
}

// 17 kernel turned around [output channel][kernel row][bytes of a kernel row in X], 18 bytes of all its
// rows, 19 bytes of dX of an image.

/**
 * dX of an image. Scratch: four lists, one for each pixel of a window, of (kernel of the channel,
 * gradient).
 */
export function gradientOfInput(args: usize, image: i32, thread: i32): void {
  const dx = at(args, 0) + <usize>image * at(args, 1);
  memory.fill(dx, 0, at(args, 19));
  const stride = at(args, 11);
  const lists = scratchOf(thread);
  const listBytes = stride << 3;
  const ends = lists + 5 * listBytes;
  const columns = word(args, 10);
  const positions = at(args, 7);
  let gradients = at(args, 5) + <usize>image * at(args, 6);
  let places = positions + <usize>image * at(args, 8);
  for (let row = 0; row < word(args, 9); row++) {
    let patch = dx + <usize>row * at(args, 12);
    for (let column = 0; column < columns; column++) {
      if (positions != 0) {
        gatherByPosition(args, gradients, places, lists, ends, listBytes);
        spread(args, lists, ends, patch);
        spread(args, lists + listBytes, ends + 4, patch + at(args, 14));
        spread(args, lists + 2 * listBytes, ends + 8, patch + at(args, 15));
        spread(args, lists + 3 * listBytes, ends + 12, patch + at(args, 16));
        places += stride;
      } else {
        gatherPixel(args, gradients, lists, ends);
        spread(args, lists, ends, patch);
      }
      gradients += stride << 2;
      patch += at(args, 13);
    }
  }
}

/** The gradients of a window, by the pixel that takes part. */
// @ts-ignore: decorator
@inline
function gatherByPosition(
  args: usize,
  gradients: usize,
  places: usize,
  lists: usize,
  ends: usize,
  listBytes: usize,
): void {
  store<u32>(ends, <u32>lists);
  store<u32>(ends, <u32>(lists + listBytes), 4);
  store<u32>(ends, <u32>(lists + 2 * listBytes), 8);
  store<u32>(ends, <u32>(lists + 3 * listBytes), 12);
  store<u32>(ends, <u32>(lists + 4 * listBytes), 16);
  const stride = at(args, 11);
  let kernel = at(args, 17);
  for (let channel: usize = 0; channel < stride; channel++) {
    const slot = ends + ((<usize>load<u8>(places + channel)) << 2);
    const end = <usize>load<u32>(slot);
    store<u32>(end, <u32>kernel);
    const gradient = load<f32>(gradients + (channel << 2));
    store<f32>(end, gradient, 4);
    store<u32>(slot, <u32>(end + 8));
    kernel += at(args, 18);
  }
}

/** The gradients of a pixel that are not zero. */
// @ts-ignore: decorator
@inline
function gatherPixel(args: usize, gradients: usize, list: usize, ends: usize): void {
  const stride = at(args, 11);
  let kernel = at(args, 17);
  let end = list;
  for (let channel: usize = 0; channel < stride; channel++) {
    const gradient = load<f32>(gradients + (channel << 2));
    store<u32>(end, <u32>kernel);
    store<f32>(end, gradient, 4);
    end += (<usize>i32(gradient != 0)) << 3;
    kernel += at(args, 18);
  }
  store<u32>(ends, <u32>end);
}

/** Adds gradient * kernel over a list to the pixels of X under one output pixel. */
// @ts-ignore: decorator
@inline
function spread(args: usize, list: usize, ends: usize, patch: usize): void {
  const end = <usize>load<u32>(ends);
  if (list == end) return;
  const rowBytes = at(args, 3);
  let kernelRow: usize = 0;
  for (let row = 0; row < word(args, 4); row++) {
    let offset: usize = 0;
    for (; offset + 96 <= rowBytes; offset += 96) {
      spreadSix(list, end, kernelRow + offset, patch + offset);
    }
    for (; offset < rowBytes; offset += 16) {
      let a = v128.load(patch + offset);
      for (let entry = list; entry < end; entry += 8) {
        const weights = <usize>load<u32>(entry) + kernelRow + offset;
        a = f32x4.add(a, f32x4.mul(v128.load32_splat(entry, 4), v128.load(weights)));
      }
      v128.store(patch + offset, a);
    }
    kernelRow += rowBytes;
    patch += at(args, 2);
  }
}

// @ts-ignore: decorator
@inline
function spreadSix(list: usize, end: usize, offset: usize, target: usize): void {
  let a0 = v128.load(target);
  let a1 = v128.load(target, 16);
  let a2 = v128.load(target, 32);
  let a3 = v128.load(target, 48);
  let a4 = v128.load(target, 64);
  let a5 = v128.load(target, 80);
  for (let entry = list; entry < end; entry += 8) {
    const weights = <usize>load<u32>(entry) + offset;
    const gradient = v128.load32_splat(entry, 4);
    a0 = f32x4.add(a0, f32x4.mul(gradient, v128.load(weights)));
    a1 = f32x4.add(a1, f32x4.mul(gradient, v128.load(weights, 16)));
    a2 = f32x4.add(a2, f32x4.mul(gradient, v128.load(weights, 32)));
    a3 = f32x4.add(a3, f32x4.mul(gradient, v128.load(weights, 48)));
    a4 = f32x4.add(a4, f32x4.mul(gradient, v128.load(weights, 64)));
    a5 = f32x4.add(a5, f32x4.mul(gradient, v128.load(weights, 80)));
  }
  v128.store(target, a0);
  v128.store(target, a1, 16);
  v128.store(target, a2, 32);
  v128.store(target, a3, 48);
  v128.store(target, a4, 64);
  v128.store(target, a5, 80);
}

// Arguments: 0 kernel [kernel row][bytes of a row in X / 4][output stride], 1 turned kernel
// [output channel][kernel row][bytes of a row in X / 4], 2 rows times row length, 3 output stride.

/** Turns a kernel around for `gradientOfInput`. */
export function turnKernel(args: usize): void {
  const taps = at(args, 2);
  const stride = at(args, 3);
  const source = at(args, 0);
  let target = at(args, 1);
  for (let channel: usize = 0; channel < stride; channel++) {
    for (let tap: usize = 0; tap < taps; tap++) {
      store<f32>(target, load<f32>(source + ((tap * stride + channel) << 2)));
      target += 4;
    }
  }
}

// Arguments: 0 partial gradients, 1 distance to the next group's, 2 images in a group, 3 gradient,
// 4 kernel rows, 5 row length in X, 6 filled-up row length, 7 output stride, 8 output channels,
// 9 partial bias gradients or 0, 10 bias gradient, 11 groups.

/** Sums the partial gradients of all groups, in their order, into [kernel row][row][output stride]. */
export function sumPartials(args: usize, task: i32, batch: i32): void {
  const each = word(args, 2);
  const groups = (batch + each - 1) / each;
  const channels = word(args, 8);
  const rows = word(args, 4);
  const length = word(args, 5);
  const filled = at(args, 6);
  const stride = at(args, 7);
  if (task == rows) {
    if (at(args, 9) != 0) sumBiases(args, groups, channels);
    return;
  }
  for (let step = 0; step < length; step++) {
    const target = at(args, 3) + ((<usize>(task * length + step) * stride) << 2);
    for (let channel = 0; channel < channels; channel++) {
      const index = <usize>(channel * rows + task) * filled + <usize>step;
      let source = at(args, 0) + (index << 2);
      let sum: f32 = load<f32>(source);
      for (let group = 1; group < groups; group++) {
        source += at(args, 1);
        sum += load<f32>(source);
      }
      store<f32>(target + ((<usize>channel) << 2), sum);
    }
    for (let channel = <usize>channels; channel < stride; channel++) {
      store<f32>(target + (channel << 2), 0);
    }
  }
}

function sumBiases(args: usize, groups: i32, channels: i32): void {
  const stride = word(args, 7);
  for (let channel = 0; channel < stride; channel++) {
    let sum: f32 = 0;
    if (channel < channels) {
      let source = at(args, 9) + ((<usize>channel) << 2);
      sum = load<f32>(source);
      for (let group = 1; group < groups; group++) {
        source += at(args, 1);
        sum += load<f32>(source);
      }
    }
    store<f32>(at(args, 10) + ((<usize>channel) << 2), sum);
  }
}

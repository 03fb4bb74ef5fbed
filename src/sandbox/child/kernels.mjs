/**
 * Convolutions, pooling and sums of TensorFlow.js' plain backend in a faster form: the gradients of a small
 * network take it minutes a batch otherwise. Each does what the backend's own kernel does, which stays in
 * use for shapes that are not handled here.
 */
import { multiply } from './multiply.mjs';

const BACKEND = 'cpu';

/** Puts the kernels in place of the backend's own. */
export function useFastKernels(tf) {
  for (const [kernelName, make] of Object.entries(FAST)) {
    const { kernelFunc: slow, ...kernel } = tf.getKernel(kernelName, BACKEND);
    const fast = make({ ...tf.backend_util, ...tf.util });
    tf.unregisterKernel(kernelName, BACKEND);
    tf.registerKernel({ ...kernel, kernelFunc: (call) => fast(call) ?? slow(call) });
  }
}

/** By the kernels' names; each gives undefined where it does not handle a call. */
const FAST = {
  Conv2D:
    (util) =>
    ({ inputs: { x, filter }, backend, attrs }) => {
      const place = placeOf(util, x.shape, filter.shape, attrs);
      if (place === undefined) return undefined;
      const out = convolve(place, valuesOf(backend, x), valuesOf(backend, filter));
      return backend.makeTensorInfo(place.outShape, 'float32', out);
    },
  FusedConv2D:
    (util) =>
    ({ inputs: { x, filter, bias }, backend, attrs }) => {
      const { activation } = attrs;
      const place = placeOf(util, x.shape, filter.shape, attrs);
      const isPlain = activation === 'linear' || activation === 'relu';
      if (place === undefined || !isPlain) return undefined;
      const isOfFilters = bias === undefined || bias.shape.join() === String(place.filters);
      if (!isOfFilters) return undefined;
      const out = convolve(place, valuesOf(backend, x), valuesOf(backend, filter));
      if (bias !== undefined) addToRows(out, valuesOf(backend, bias));
      if (activation === 'relu') clipBelow(out);
      return backend.makeTensorInfo(place.outShape, 'float32', out);
    },
  Conv2DBackpropFilter:
    (util) =>
    ({ inputs: { x, dy }, backend, attrs }) => {
      const place = placeOf(util, x.shape, attrs.filterShape, attrs);
      if (place === undefined) return undefined;
      const out = filterGradient(place, valuesOf(backend, x), valuesOf(backend, dy));
      return backend.makeTensorInfo(attrs.filterShape, 'float32', out);
    },
  Conv2DBackpropInput:
    (util) =>
    ({ inputs: { dy, filter }, backend, attrs }) => {
      const place = placeOf(util, attrs.inputShape, filter.shape, attrs);
      if (place === undefined) return undefined;
      const out = inputGradient(place, valuesOf(backend, dy), valuesOf(backend, filter));
      return backend.makeTensorInfo(attrs.inputShape, 'float32', out);
    },
  MaxPoolGrad:
    (util) =>
    ({ inputs: { dy, input }, backend, attrs: { filterSize, strides, pad, dimRoundingMode } }) => {
      const { shape } = input;
      const info = util.computePool2DInfo(shape, filterSize, strides, 1, pad, dimRoundingMode);
      const out = poolGradient(windowsOf(info), valuesOf(backend, input), valuesOf(backend, dy));
      return backend.makeTensorInfo(shape, 'float32', out);
    },
  Sum:
    (util) =>
    ({ inputs: { x }, backend, attrs: { axis, keepDims } }) => {
      const { shape, dtype } = x;
      const axes = util.parseAxisParam(axis, shape).toSorted((a, b) => a - b);
      const isOfFirst = axes.every((one, index) => one === index) && axes.length < shape.length;
      if (dtype !== 'float32' || !isOfFirst) return undefined;
      const rest = shape.slice(axes.length);
      const out = sumRows(valuesOf(backend, x), util.sizeFromShape(rest));
      return backend.makeTensorInfo(keepDims ? [...axes.map(() => 1), ...rest] : rest, dtype, out);
    },
};

function valuesOf(backend, { dataId }) {
  return backend.data.get(dataId).values;
}

/** Where windows lie; undefined for what is left to the backend's own kernel. */
function placeOf(util, inShape, filterShape, attrs) {
  const { strides, pad, dataFormat, dilations = 1, dimRoundingMode } = attrs;
  const isPlain = dataFormat === 'NHWC' && [dilations].flat().every((one) => one === 1);
  if (!isPlain) return undefined;
  const info = util.computeConv2DInfo(inShape, filterShape, strides, 1, pad, dimRoundingMode);
  return { ...windowsOf(info), filters: info.outChannels };
}

function windowsOf(info) {
  return {
    ...{ batch: info.batchSize, height: info.inHeight, width: info.inWidth },
    ...{ channels: info.inChannels, outHeight: info.outHeight, outWidth: info.outWidth },
    ...{ windowHeight: info.filterHeight, windowWidth: info.filterWidth },
    ...{ strideHeight: info.strideHeight, strideWidth: info.strideWidth },
    ...{ top: info.padInfo.top, left: info.padInfo.left, outShape: info.outShape },
  };
}

/** How many numbers a window, the windows of an image, and an image have. */
function sizesOf({ height, width, channels, outHeight, outWidth, windowHeight, windowWidth }) {
  return {
    depth: windowHeight * windowWidth * channels,
    windows: outHeight * outWidth,
    image: height * width * channels,
  };
}

/** [batch, height, width, channels] and [height, width, channels, filters] to [batch, height, width, filters]. */
function convolve(place, x, filter) {
  const { batch, filters } = place;
  const { depth, windows, image } = sizesOf(place);
  const out = new Float32Array(batch * windows * filters);
  const rows = new Float32Array(windows * depth);
  for (let index = 0; index < batch; index++) {
    unfold(place, x, index * image, rows);
    multiply(
      { rows: windows, columns: filters, depth },
      { values: rows, row: depth, step: 1 },
      { values: filter, step: filters, column: 1 },
      { values: out, at: index * windows * filters },
    );
  }
  return out;
}

/** The gradient of the filter, summed over the batch. */
function filterGradient(place, x, dy) {
  const { batch, filters } = place;
  const { depth, windows, image } = sizesOf(place);
  const out = new Float32Array(depth * filters);
  const rows = new Float32Array(windows * depth);
  for (let index = 0; index < batch; index++) {
    unfold(place, x, index * image, rows);
    multiply(
      { rows: depth, columns: filters, depth: windows },
      { values: rows, row: 1, step: depth },
      { values: dy, at: index * windows * filters, step: filters, column: 1 },
      { values: out },
    );
  }
  return out;
}

/** The gradient of the input. */
function inputGradient(place, dy, filter) {
  const { batch, filters } = place;
  const { depth, windows, image } = sizesOf(place);
  const out = new Float32Array(batch * image);
  const rows = new Float32Array(windows * depth);
  for (let index = 0; index < batch; index++) {
    rows.fill(0);
    multiply(
      { rows: windows, columns: depth, depth: filters },
      { values: dy, at: index * windows * filters, row: filters, step: 1 },
      { values: filter, step: 1, column: filters },
      { values: rows },
    );
    fold(place, rows, out, index * image);
  }
  return out;
}

/** Calls `use` with each row of each window: where it lies in the image (from `start`) and among the windows' numbers. */
function eachRow(place, start, use) {
  const { height, width, channels, outHeight, outWidth, windowHeight, windowWidth } = place;
  const { strideHeight, strideWidth, top, left } = place;
  const rowLength = windowWidth * channels;
  let at = 0;
  for (let row = 0; row < outHeight; row++) {
    for (let column = 0; column < outWidth; column++) {
      const first = column * strideWidth - left;
      const skipped = Math.max(0, -first);
      const length = (Math.min(first + windowWidth, width) - first - skipped) * channels;
      for (let line = 0; line < windowHeight; line++, at += rowLength) {
        const y = row * strideHeight - top + line;
        if (y < 0 || y >= height || length <= 0) continue;
        use(start + (y * width + first + skipped) * channels, at + skipped * channels, length);
      }
    }
  }
}

/** Writes each window's numbers one after the other, zeros where it reaches over the border. */
function unfold(place, x, start, rows) {
  rows.fill(0);
  eachRow(place, start, (from, to, length) => {
    for (let offset = 0; offset < length; offset++) rows[to + offset] = x[from + offset];
  });
}

/** Adds each window's numbers to the places they came from. */
function fold(place, rows, out, start) {
  eachRow(place, start, (to, from, length) => {
    for (let offset = 0; offset < length; offset++) out[to + offset] += rows[from + offset];
  });
}

function addToRows(values, row) {
  for (let start = 0; start < values.length; start += row.length) {
    for (let column = 0; column < row.length; column++) values[start + column] += row[column];
  }
}

function clipBelow(values) {
  for (let index = 0; index < values.length; index++) if (values[index] < 0) values[index] = 0;
}

/** The sum of rows of so many numbers: what a bias gets as its gradient. */
function sumRows(values, columns) {
  const sums = new Float64Array(columns);
  for (let start = 0; start < values.length; start += columns) {
    for (let column = 0; column < columns; column++) sums[column] += values[start + column];
  }
  return Float32Array.from(sums);
}

/** The gradient goes to the largest number of each window, the first of equals, as the backend has it. */
function poolGradient(place, x, dy) {
  const { batch, channels, outHeight, outWidth } = place;
  const { image } = sizesOf(place);
  const out = new Float32Array(batch * image);
  for (let index = 0; index < batch; index++) {
    for (let row = 0; row < outHeight; row++) {
      for (let column = 0; column < outWidth; column++) {
        const gradient = ((index * outHeight + row) * outWidth + column) * channels;
        for (let channel = 0; channel < channels; channel++) {
          const at = largestAt(place, x, index * image + channel, row, column);
          out[at] += dy[gradient + channel];
        }
      }
    }
  }
  return out;
}

function largestAt(place, x, start, row, column) {
  const { height, width, channels, windowHeight, windowWidth } = place;
  const firstRow = Math.max(0, row * place.strideHeight - place.top);
  const firstColumn = Math.max(0, column * place.strideWidth - place.left);
  const endRow = Math.min(height, row * place.strideHeight - place.top + windowHeight);
  const endColumn = Math.min(width, column * place.strideWidth - place.left + windowWidth);
  let best = start + (firstRow * width + firstColumn) * channels;
  for (let y = firstRow; y < endRow; y++) {
    for (let x0 = firstColumn; x0 < endColumn; x0++) {
      const at = start + (y * width + x0) * channels;
      if (x[at] > x[best]) best = at;
    }
  }
  return best;
}

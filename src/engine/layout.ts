/** The engine's memory: where tensors and weights lie, and how weights are spread out there. */
import { type Shape, sizeOf, type WeightSpec } from '../classifier/classifier.ts';
import { PkgError } from '../runtime/errors.ts';
import { MAX_PAGES, PAGE_BYTES } from './kernels.ts';
import { FIRST_FREE } from './machine.ts';

/** Beside each buffer, so that a vector read at its end stays inside the memory. */
const SLACK_BYTES = 64;

/** Hands out addresses, one after the other. */
export class Arena {
  #next = FIRST_FREE;

  /**
   * Room for so many bytes, at a multiple of 64.
   * @throws PkgError `manifest` where 32-bit addresses do not reach so far.
   */
  allocate(sizeBytes: number): number {
    const address = this.#next;
    this.#next = Math.ceil((address + sizeBytes + SLACK_BYTES) / 64) * 64;
    if (this.#next > MAX_PAGES * PAGE_BYTES) {
      throw new PkgError('manifest', 'the network with its batch needs more than 4 GiB', {
        key: 'model.fit.batchSize',
        hint: 'Lower model.fit.batchSize, model.input or the number of filters.',
      });
    }
    return address;
  }

  /** Bytes handed out so far, from the memory's start. */
  get sizeBytes(): number {
    return this.#next;
  }
}

/** A batch of feature maps, or of vectors (one pixel); numbers are 32-bit floats. */
export interface Tensor {
  readonly address: number;
  readonly imageBytes: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** Channels from a pixel to the next; those beyond `channels` are 0. */
  readonly stride: number;
}

/** The next multiple of four: how many numbers a vector of the processor holds. */
export function filledUp(count: number): number {
  return Math.ceil(count / 4) * 4;
}

/** A tensor of a shape, with channels filled up unless a stride is given. */
export function allocateTensor(
  arena: Arena,
  batchSize: number,
  shape: Shape,
  stride?: number,
): Tensor {
  const channels = shape.at(-1) ?? 0;
  const [height = 1, width = 1] = shape.slice(0, -1);
  const apart = stride ?? filledUp(channels);
  const imageBytes = filledUp(height * width * apart) * 4;
  const address = arena.allocate(batchSize * imageBytes);
  return { address, imageBytes, height, width, channels, stride: apart };
}

/** A weight of a layer in the engine's memory, with its gradient and the optimizer's memory of it. */
export interface Parameter {
  readonly spec: WeightSpec;
  /** Of its layer in the network. */
  readonly layer: number;
  /** Rows of `rowLength` numbers, `rowStride` apart; blocks of `blockRows` rows, `blockStride` rows apart. */
  readonly rowLength: number;
  readonly rowStride: number;
  readonly blockRows: number;
  readonly blockStride: number;
  /** Numbers in memory, those that fill up included. */
  readonly count: number;
  readonly address: number;
  readonly gradient: number;
  readonly slots: readonly number[];
  /** A word that is set where an update gave a number that is not finite. */
  readonly sick: number;
}

export type Placement = Pick<
  Parameter,
  'rowLength' | 'rowStride' | 'blockRows' | 'blockStride' | 'count'
>;

/**
 * How a weight lies in memory: the last side filled up to a multiple of four; of a convolution's kernel
 * also the input channels, to the distance between the input's pixels.
 */
export function placementOf({ shape }: WeightSpec, inputStride: number): Placement {
  const rowLength = shape.at(-1) ?? 0;
  const rowStride = filledUp(rowLength);
  const rows = sizeOf(shape) / rowLength;
  if (shape.length !== 4) {
    const count = filledUp(rows * rowStride);
    return { rowLength, rowStride, blockRows: rows, blockStride: rows, count };
  }
  const blockRows = shape[2] ?? 0;
  const count = (rows / blockRows) * inputStride * rowStride;
  return { rowLength, rowStride, blockRows, blockStride: inputStride, count };
}

/** Puts a weight's numbers, row-major without gaps, to their places. */
export function spreadOut(values: Float32Array, placement: Placement, memory: Float32Array): void {
  memory.fill(0);
  eachRow(values.length, placement, (from, to) => {
    memory.set(values.subarray(from, from + placement.rowLength), to);
  });
}

/** The opposite of `spreadOut`. */
export function gather(placement: Placement, memory: Float32Array, size: number): Float32Array {
  const values = new Float32Array(size);
  eachRow(size, placement, (from, to) => {
    values.set(memory.subarray(to, to + placement.rowLength), from);
  });
  return values;
}

function eachRow(size: number, placement: Placement, visit: (from: number, to: number) => void) {
  const { rowLength, rowStride, blockRows, blockStride } = placement;
  if (rowLength === rowStride && blockRows === blockStride) {
    visitWhole(size, placement, visit);
    return;
  }
  for (let row = 0; row * rowLength < size; row += 1) {
    const block = Math.floor(row / blockRows);
    visit(row * rowLength, (block * blockStride + (row - block * blockRows)) * rowStride);
  }
}

function visitWhole(
  size: number,
  { rowLength }: Placement,
  visit: (from: number, to: number) => void,
): void {
  for (let from = 0; from < size; from += rowLength) visit(from, from);
}

/** What dropout keeps, drawn by SplitMix64 as its paper has it, without the kernels. */
import { type Shape, sizeOf } from '../../src/classifier/classifier.ts';
import { streamKey } from '../../src/classifier/random.ts';

const BITS = 64;
const GOLDEN = 0x9e3779b97f4a7c15n;

const word = (value: bigint): bigint => BigInt.asUintN(BITS, value);

/** The n-th number of SplitMix64 from a seed, n from 1. */
export function splitMix64(seed: bigint, n: bigint): bigint {
  let z = word(seed + n * GOLDEN);
  z = word((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n);
  z = word((z ^ (z >> 27n)) * 0x94d049bb133111ebn);
  return z ^ (z >> 31n);
}

const fillUp = (count: number): number => Math.ceil(count / 4) * 4;

export interface Dropping {
  readonly seed: number;
  /** Of the layer in its network. */
  readonly layer: number;
  readonly iteration: number;
  readonly rate: number;
}

/** What each number of a batch is multiplied by, [count, ...shape]: 0, or 1 / (1 - rate). */
export function dropoutMask(shape: Shape, count: number, dropping: Dropping): Float32Array {
  const { seed, layer, iteration, rate } = dropping;
  const key = streamKey(seed, ['dropout', layer, iteration]);
  const channels = shape.at(-1) ?? 0;
  const pixels = sizeOf(shape) / channels;
  const stride = fillUp(channels);
  const each = fillUp(pixels * stride);
  const threshold = BigInt(Math.round(rate * 2 ** 32));
  return Float32Array.from({ length: count * sizeOf(shape) }, (_, index) => {
    const channel = index % channels;
    const pixel = Math.floor(index / channels) % pixels;
    const example = Math.floor(index / channels / pixels);
    const place = example * each + pixel * stride + channel;
    const drawn = splitMix64(key, BigInt(place + 1)) >> 32n;
    return drawn >= threshold ? 1 / (1 - rate) : 0;
  });
}

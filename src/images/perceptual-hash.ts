/** Fingerprints of what a picture looks like, to find copies that were scaled or saved again. */
import type { Pixels } from './images.ts';
import { loadSharp } from './sharp.ts';

/** What a picture looks like: where it gets brighter, and its colours. */
export interface Look {
  /** A difference hash of 256 bits, as 64 hex digits. */
  readonly hash: string;
  /** Mean red, green and blue of 8 by 8 cells, row by row, as 384 hex digits. */
  readonly colours: string;
}

/** Side of the reduced picture both are taken from. */
const SIDE = 32;
const COLOUR_SIDE = 8;

/** A step between neighbours counts from this many grey levels on, so that noise does not. */
const MIN_STEP = 2;

/**
 * Reduces a picture to 32 by 32 pixels. The hash (dHash) has a bit for each of 16 pairs of
 * neighbours in each of 16 double rows, set where luminance rises to the right.
 */
export async function lookOf(pixels: Pixels): Promise<Look> {
  const sharp = await loadSharp();
  const raw = { width: pixels.widthPx, height: pixels.heightPx, channels: 3 } as const;
  const reduced = await sharp(pixels.data, { raw })
    .resize(SIDE, SIDE, { fit: 'fill', kernel: 'lanczos3' })
    .raw()
    .toBuffer();
  return { hash: differenceHash(reduced), colours: colourGrid(reduced) };
}

/** In how many of 256 bits two hashes differ. */
export function hashDistance(a: string, b: string): number {
  let distance = 0;
  for (let index = 0; index < a.length; index += 8) {
    let word =
      Number.parseInt(a.slice(index, index + 8), 16) ^
      Number.parseInt(b.slice(index, index + 8), 16);
    for (; word !== 0; word &= word - 1) distance++;
  }
  return distance;
}

/** The mean absolute difference of two colour grids, in levels of 255. */
export function colourDifference(a: string, b: string): number {
  const right = Buffer.from(b, 'hex');
  let sum = 0;
  for (const [index, value] of Buffer.from(a, 'hex').entries()) {
    sum += Math.abs(value - (right[index] ?? 0));
  }
  return sum / (3 * COLOUR_SIDE * COLOUR_SIDE);
}

function differenceHash(reduced: Buffer): string {
  let hex = '';
  for (let row = 0; row < SIDE; row += 2) {
    for (let column = 0; column < SIDE; column += 8) {
      let nibble = 0;
      for (let pair = column; pair < column + 8; pair += 2) {
        const step = luminance(reduced, row, pair + 1) - luminance(reduced, row, pair);
        nibble = (nibble << 1) | (step >= MIN_STEP ? 1 : 0);
      }
      hex += nibble.toString(16);
    }
  }
  return hex;
}

/** Mean luminance of two pixels one above the other, by ITU-R BT.601 weights in 256ths. */
function luminance(reduced: Buffer, row: number, column: number): number {
  let sum = 0;
  for (const y of [row, row + 1]) {
    const offset = 3 * (y * SIDE + column);
    const [red = 0, green = 0, blue = 0] = reduced.subarray(offset, offset + 3);
    sum += 77 * red + 150 * green + 29 * blue;
  }
  return sum >> 9;
}

function colourGrid(reduced: Buffer): string {
  const cell = SIDE / COLOUR_SIDE;
  const sums = new Uint32Array(3 * COLOUR_SIDE * COLOUR_SIDE);
  for (const [index, value] of reduced.entries()) {
    const pixel = Math.floor(index / 3);
    const y = Math.floor(pixel / SIDE / cell);
    const x = Math.floor((pixel % SIDE) / cell);
    const slot = 3 * (y * COLOUR_SIDE + x) + (index % 3);
    sums[slot] = (sums[slot] ?? 0) + value;
  }
  return Buffer.from(sums.map((sum) => Math.floor(sum / (cell * cell)))).toString('hex');
}

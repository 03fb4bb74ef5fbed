/** The warp against the same sum in plain f64, for any movement of any picture. */
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { affineMatrix, FILL_CODES, type FillMode } from '../../src/classifier/augment.ts';
import { loadWarper, type Picture, type Warper } from '../support/warp.ts';

const side = fc.integer({ min: 1, max: 12 });

const pictures = (channels: number): fc.Arbitrary<Picture> =>
  fc.tuple(side, side).chain(([height, width]) => {
    const length = height * width * channels;
    return fc
      .uint8Array({ minLength: length, maxLength: length })
      .map((pixels) => ({ height, width, channels, pixels }));
  });

const number = (min: number, max: number) => fc.double({ min, max, noNaN: true });

const transforms = fc.record({
  thetaDegrees: number(-180, 180),
  tx: number(-30, 30),
  ty: number(-30, 30),
  shearDegrees: number(-90, 90),
  zx: number(0.01, 2),
  zy: number(0.01, 2),
  flipHorizontal: fc.boolean(),
  flipVertical: fc.boolean(),
});

const fills = fc.constantFrom(...(Object.keys(FILL_CODES) as FillMode[]));

const sizeOf = ({ height, width }: Picture) => ({ heightPx: height, widthPx: width });

/** Pixels of one axis with their weights; empty where `constant` is black. */
type Parts = readonly (readonly [index: number, weight: number])[];

/** What an axis is read from at a place; undefined so near to a jump that rounding decides. */
function partsAt(place: number, side: number, fill: FillMode): Parts | undefined {
  const last = side - 1;
  const between = (at: number, fold: (whole: number) => number): Parts => {
    const start = Math.floor(at);
    return [
      [fold(start), 1 - (at - start)],
      [fold(start + 1), at - start],
    ];
  };
  const clamp = (whole: number) => Math.min(last, Math.max(0, whole));
  const modulo = (value: number, period: number) => ((value % period) + period) % period;
  const isOutside = place < 0 || place > last;
  switch (fill) {
    case 'nearest':
      return between(Math.min(last, Math.max(0, place)), clamp);
    case 'reflect':
      return between(place, (whole) => {
        const within = modulo(whole, 2 * side);
        return within < side ? within : 2 * side - 1 - within;
      });
    case 'constant':
      return isOutside ? [] : between(place, clamp);
    case 'wrap': {
      if (!isOutside) return between(place, clamp);
      if (side === 1) return [[0, 1]];
      const within = modulo(place, last);
      return Math.min(within, last - within) < 1e-9 ? undefined : between(within, clamp);
    }
  }
}

/** Each output by the definition: the four pixels around its place. */
function reference(picture: Picture, matrix: Float64Array, fill: FillMode): (number | undefined)[] {
  const { height, width, channels, pixels } = picture;
  return Array.from(pixels, (_, index) => {
    const pixel = Math.floor(index / channels);
    const [row, column] = [Math.floor(pixel / width), pixel % width];
    const place = (at: number) => matrix[at]! * row + matrix[at + 1]! * column + matrix[at + 2]!;
    const rows = partsAt(place(0), height, fill);
    const columns = partsAt(place(3), width, fill);
    if (rows === undefined || columns === undefined) return undefined;
    let sum = 0;
    for (const [y, down] of rows) {
      for (const [x, right] of columns) {
        sum += down * right * pixels[(y * width + x) * channels + (index % channels)]!;
      }
    }
    return sum / 255;
  });
}

describe('the warp', () => {
  let warper: Warper;
  beforeAll(async () => {
    warper = await loadWarper();
  });

  it('is the mean of the four pixels around each place, weighed by nearness', () => {
    const picture = fc.constantFrom(1, 2, 3, 4).chain(pictures);
    fc.assert(
      fc.property(picture, transforms, fills, (from, transform, fill) => {
        const matrix = affineMatrix(transform, sizeOf(from));
        const expected = reference(from, matrix, fill);
        for (const [index, value] of warper.warp(from, matrix, fill).entries()) {
          expect(Math.abs(value - (expected[index] ?? value))).toBeLessThan(1e-6);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('gives colours, which go three at once, the bits of their channels one by one', () => {
    fc.assert(
      fc.property(pictures(3), transforms, fills, (picture, transform, fill) => {
        const matrix = affineMatrix(transform, sizeOf(picture));
        const colours = warper.warp(picture, matrix, fill);
        for (const channel of [0, 1, 2]) {
          const own = (_: number, index: number) => index % 3 === channel;
          const grey = { ...picture, channels: 1, pixels: picture.pixels.filter(own) };
          expect(warper.warp(grey, matrix, fill)).toEqual(colours.filter(own));
        }
      }),
      { numRuns: 500 },
    );
  });

  it('changes no bit of a picture that it does not move', () => {
    fc.assert(
      fc.property(pictures(3), fills, (picture, fill) => {
        const still = { thetaDegrees: 0, tx: 0, ty: 0, shearDegrees: 0, zx: 1, zy: 1 };
        const flips = { flipHorizontal: false, flipVertical: false };
        const matrix = affineMatrix({ ...still, ...flips }, sizeOf(picture));
        expect(warper.warp(picture, matrix, fill)).toEqual(warper.copy(picture.pixels));
      }),
    );
  });

  it('flips what it would give unflipped', () => {
    fc.assert(
      fc.property(pictures(3), transforms, (picture, transform) => {
        const give = (flipHorizontal: boolean) =>
          warper.warp(
            picture,
            affineMatrix({ ...transform, flipHorizontal }, sizeOf(picture)),
            'reflect',
          );
        const { width } = picture;
        const flipped = give(true);
        for (const [index, value] of give(false).entries()) {
          const pixel = Math.floor(index / 3);
          const mirrored = pixel - (pixel % width) + (width - 1 - (pixel % width));
          expect(flipped[3 * mirrored + (index % 3)]).toBeCloseTo(value, 5);
        }
      }),
    );
  });
});

/** Augmentation: what is drawn, which way things move, and what stands beyond the border. */
import { beforeAll, describe, expect, it } from 'vitest';
import {
  type AugmentParams,
  affineMatrix,
  DRAWS_PER_TRANSFORM,
  drawTransform,
  type FillMode,
  type Transform,
} from '../../src/classifier/augment.ts';
import { loadWarper, type Picture, type Warper } from '../support/warp.ts';

const NOTHING: AugmentParams = {
  rotationDegrees: 0,
  widthShift: 0,
  heightShift: 0,
  shear: 0,
  zoom: 0,
  horizontalFlip: false,
  verticalFlip: false,
  fill: 'nearest',
};

const EVERYTHING: AugmentParams = {
  rotationDegrees: 40,
  widthShift: 0.2,
  heightShift: 0.1,
  shear: 10,
  zoom: 0.5,
  horizontalFlip: true,
  verticalFlip: true,
  fill: 'nearest',
};

const STILL: Transform = {
  thetaDegrees: 0,
  tx: 0,
  ty: 0,
  shearDegrees: 0,
  zx: 1,
  zy: 1,
  flipHorizontal: false,
  flipVertical: false,
};

const SIZE = { heightPx: 20, widthPx: 30 };

let warper: Warper;
beforeAll(async () => {
  warper = await loadWarper();
});

describe('drawTransform', () => {
  /** Draws the given numbers in turn, and then fails. */
  const drawing = (draws: readonly number[]) => {
    const left = [...draws];
    return () => left.shift() ?? expect.fail('more draws than there are');
  };

  it('takes each part from its range, in the documented order', () => {
    const draws = [0.75, 0, 0.5, 0.25, 0, 0.75, 0.49, 0.5];
    expect(draws).toHaveLength(DRAWS_PER_TRANSFORM);
    expect(drawTransform(EVERYTHING, drawing(draws), SIZE)).toEqual({
      thetaDegrees: 20,
      tx: -2,
      ty: 0,
      shearDegrees: -5,
      zx: 0.5,
      zy: 1.25,
      flipHorizontal: true,
      flipVertical: false,
    });
  });

  it('leaves everything as it is where all ranges are empty', () => {
    const draws = [0.9, 0.1, 0.2, 0.3, 0.4, 0.5, 0, 0];
    expect(drawTransform(NOTHING, drawing(draws), SIZE)).toEqual(STILL);
  });

  it('draws as often whatever the parameters, so one does not shift the others', () => {
    const draws = Array.from({ length: DRAWS_PER_TRANSFORM }, (_, index) => index / 10);
    const all = drawTransform(EVERYTHING, drawing(draws), SIZE);
    const one = drawTransform({ ...NOTHING, zoom: 0.5 }, drawing(draws), SIZE);
    expect(one).toEqual({ ...STILL, zx: all.zx, zy: all.zy });
  });
});

describe('affineMatrix', () => {
  it('is the identity where nothing moves', () => {
    expect([...affineMatrix(STILL, SIZE)].map((number) => number + 0)).toEqual([1, 0, 0, 0, 1, 0]);
  });

  it('flips within the picture', () => {
    const flipped = affineMatrix({ ...STILL, flipHorizontal: true, flipVertical: true }, SIZE);
    expect([...flipped].map((number) => number + 0)).toEqual([-1, 0, 19, 0, -1, 29]);
  });

  it('keeps to known bits, whatever engine runs it', () => {
    const transform = { ...STILL, thetaDegrees: 33, tx: 1.5, ty: -2, shearDegrees: 12, zx: 0.9 };
    const bits = Buffer.from(affineMatrix(transform, SIZE).buffer).toString('hex');
    expect(bits).toBe(
      'cd3b7f669ea0e63f0170ca83075fdf3f181235c74e52f4bfcd3b7f669ea0e6bf799169b15927e83f32034b7e01dc2d40',
    );
  });
});

describe('the kernel warpExample', () => {
  /** What scipy.ndimage.affine_transform 1.17.1 gives, its origin moved by so many pixels. */
  const SCIPY: readonly (readonly [FillMode, number, readonly number[]])[] = [
    ['nearest', -4, [10, 10, 10, 10, 10, 20, 30, 40]],
    ['nearest', 4, [50, 60, 70, 80, 80, 80, 80, 80]],
    ['reflect', -4, [40, 30, 20, 10, 10, 20, 30, 40]],
    ['reflect', 4, [50, 60, 70, 80, 80, 70, 60, 50]],
    ['reflect', -20.25, [42.5, 32.5, 22.5, 12.5, 10, 17.5, 27.5, 37.5]],
    ['wrap', -4, [40, 50, 60, 70, 10, 20, 30, 40]],
    ['wrap', -7, [80, 20, 30, 40, 50, 60, 70, 10]],
    ['wrap', 4, [50, 60, 70, 80, 20, 30, 40, 50]],
    ['wrap', -20.25, [17.5, 27.5, 37.5, 47.5, 57.5, 67.5, 77.5, 17.5]],
    ['constant', -7, [0, 0, 0, 0, 0, 0, 0, 10]],
    ['constant', 4, [50, 60, 70, 80, 0, 0, 0, 0]],
  ];
  const ROW = [10, 20, 30, 40, 50, 60, 70, 80];
  const toBytes = (numbers: Float32Array) =>
    [...numbers].map((number) => Math.round(number * 255 * 100) / 100);

  it.each(SCIPY)('fills by %s, moved by %d, as SciPy does', (fill, move, expected) => {
    const row: Picture = { height: 1, width: 8, channels: 1, pixels: Uint8Array.from(ROW) };
    const column: Picture = { ...row, height: 8, width: 1 };
    const alongRow = Float64Array.of(1, 0, 0, 0, 1, move);
    const alongColumn = Float64Array.of(1, 0, move, 0, 1, 0);
    expect(toBytes(warper.warp(row, alongRow, fill))).toEqual(expected);
    expect(toBytes(warper.warp(column, alongColumn, fill))).toEqual(expected);
    const coloured = { ...row, height: 2, channels: 3 };
    const pixels = Uint8Array.from([...ROW, ...ROW].flatMap((value) => [value, 2 * value, 7]));
    const colours = toBytes(warper.warp({ ...coloured, pixels }, alongRow, fill));
    const outside = (value: number | undefined) => fill === 'constant' && value === 0;
    expect(colours).toEqual(
      [...expected, ...expected].flatMap((value) => [value, 2 * value, outside(value) ? 0 : 7]),
    );
  });

  it('shows a picture of one pixel everywhere, but by constant only in its place', () => {
    const pixel: Picture = { height: 1, width: 1, channels: 3, pixels: Uint8Array.of(1, 2, 3) };
    const away = Float64Array.of(1, 0, 0.5, 0, 1, -3);
    for (const fill of ['nearest', 'reflect', 'wrap'] as const) {
      expect(toBytes(warper.warp(pixel, away, fill))).toEqual([1, 2, 3]);
    }
    expect(toBytes(warper.warp(pixel, away, 'constant'))).toEqual([0, 0, 0]);
    expect(toBytes(warper.warp(pixel, affineMatrix(STILL, SIZE), 'constant'))).toEqual([1, 2, 3]);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, -1e300])(
    'reads and writes nothing amiss by a matrix of %d',
    (value) => {
      const pixels = new Uint8Array(5 * 4 * 3).fill(9);
      const wild = new Float64Array(6).fill(value);
      for (const fill of ['nearest', 'reflect', 'wrap', 'constant'] as const) {
        for (const picture of [
          { height: 5, width: 4, channels: 3, pixels },
          { height: 4, width: 15, channels: 1, pixels },
        ]) {
          expect(warper.warp(picture, wild, fill)).toHaveLength(60);
        }
      }
    },
  );
});

describe('the kernel copyExample', () => {
  it.each([0, 1, 7, 8, 9, 64, 300])('gives %d bytes as fractions of 255', (count) => {
    const pixels = Uint8Array.from({ length: count }, (_, index) => 255 - (index % 256));
    const scale = Math.fround(1 / 255);
    const expected = Float32Array.from(pixels, (byte) => Math.fround(byte * scale));
    expect(warper.copy(pixels)).toEqual(expected);
  });
});

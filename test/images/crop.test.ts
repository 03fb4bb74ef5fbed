/** cutCrop: size, quarter turns, formats, and the same bytes every time. */
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { type CropFormat, cropRectangle, cutCrop } from '../../src/images/crop.ts';
import { decodePicture } from '../../src/images/decode.ts';
import { identifyFormat, type Pixels } from '../../src/images/images.ts';
import { loadSharp } from '../../src/images/sharp.ts';
import { open, pixelAt, somePixels } from '../support/pictures.ts';

const PNG = { format: 'png', quality: 92 } as const;

/** Two by three pixels, all different: a b / c d / e f. */
const LETTERS: Pixels = {
  data: Buffer.from([1, 2, 3, 4, 5, 6].flatMap((n) => [n * 10, n * 20, n * 40])),
  widthPx: 2,
  heightPx: 3,
};

/** The letters of a picture's rows. */
function letters(pixels: Pixels): readonly string[] {
  return Array.from({ length: pixels.heightPx }, (_, y) =>
    Array.from(
      { length: pixels.widthPx },
      (_, x) => ' abcdef'[(pixelAt(pixels, x, y)[0] ?? 0) / 10],
    ).join(''),
  );
}

describe('cropRectangle', () => {
  it.each([
    [{ xMin: 0, xMax: 1, yMin: 0, yMax: 1 }, 0, [0, 0, 640, 480]],
    [{ xMin: 0.25, xMax: 0.5, yMin: 0.5, yMax: 0.75 }, 0, [160, 240, 160, 120]],
    [{ xMin: 0.2501, xMax: 0.4999, yMin: 0.5, yMax: 0.7501 }, 0, [160, 240, 160, 121]],
    [{ xMin: 0.999_999, xMax: 1, yMin: 0, yMax: 0.000_001 }, 0, [639, 0, 1, 1]],
    [{ xMin: 0.4, xMax: 0.6, yMin: 0.4, yMax: 0.6 }, 0.5, [192, 144, 256, 192]],
    [{ xMin: 0, xMax: 0.1, yMin: 0.9, yMax: 1 }, 10, [0, 0, 640, 480]],
  ])('of %j with padding %f is %j', (box, padding, [leftPx, topPx, widthPx, heightPx]) => {
    expect(cropRectangle(box, 640, 480, padding)).toEqual({ leftPx, topPx, widthPx, heightPx });
  });
});

describe('cutCrop', () => {
  const whole = { leftPx: 0, topPx: 0, widthPx: 2, heightPx: 3 };

  it.each([
    [0, ['ab', 'cd', 'ef']],
    [90, ['bdf', 'ace']],
    [180, ['fe', 'dc', 'ba']],
    [270, ['eca', 'fdb']],
  ])('turns a picture counter-clockwise by %i degrees', async (degrees, rows) => {
    const crop = await cutCrop(LETTERS, whole, degrees, PNG);
    expect(letters(await decodePicture(crop))).toEqual(rows);
  });

  it.each([
    [0, ['cd']],
    [90, ['d', 'c']],
    [180, ['dc']],
    [270, ['c', 'd']],
  ])('cuts in the stored frame, then turns by %i degrees', async (degrees, rows) => {
    const rectangle = { leftPx: 0, topPx: 1, widthPx: 2, heightPx: 1 };
    const crop = await cutCrop(LETTERS, rectangle, degrees, PNG);
    expect(letters(await decodePicture(crop))).toEqual(rows);
  });

  const photo = somePixels(200, 150, 11);
  const rectangle = { leftPx: 20, topPx: 30, widthPx: 101, heightPx: 57 };

  it.each(['jpeg', 'png', 'webp'] as const)('writes %s of the size cut', async (format) => {
    const crop = await cutCrop(photo, rectangle, 90, { format, quality: 90 });
    expect(identifyFormat(crop)?.toLowerCase()).toBe(format);
    expect(await decodePicture(crop)).toMatchObject({ widthPx: 57, heightPx: 101 });
  });

  it('keeps the pixels in PNG, and the colour resolution in JPEG', async () => {
    const png = await decodePicture(await cutCrop(photo, rectangle, 0, PNG));
    const expected = await open(photo)
      .extract({ left: 20, top: 30, width: 101, height: 57 })
      .raw()
      .toBuffer();
    expect(png.data.equals(expected)).toBe(true);
    const jpeg = await cutCrop(photo, rectangle, 0, { format: 'jpeg', quality: 92 });
    const { chromaSubsampling, exif, icc, isProgressive } = await sharp(jpeg).metadata();
    expect({ chromaSubsampling, exif, icc, isProgressive }).toEqual({
      chromaSubsampling: '4:4:4',
      exif: undefined,
      icc: undefined,
      isProgressive: false,
    });
  });

  it('is larger at a higher quality, except in PNG', async () => {
    const sizeOf = async (format: CropFormat, quality: number) =>
      (await cutCrop(photo, rectangle, 0, { format, quality })).length;
    for (const format of ['jpeg', 'webp'] as const) {
      expect(await sizeOf(format, 95)).toBeGreaterThan(await sizeOf(format, 40));
    }
    expect(await sizeOf('png', 95)).toBe(await sizeOf('png', 40));
  });

  it('gives the same bytes each time, alone or beside others, on one thread or several', async () => {
    const encodings = (['jpeg', 'png', 'webp'] as const).map((format) => ({ format, quality: 92 }));
    const cutAll = () =>
      Promise.all(encodings.map((encoding) => cutCrop(photo, rectangle, 270, encoding)));
    const first = await cutAll();
    const loaded = await loadSharp();
    for (const threads of [4, 1]) {
      loaded.concurrency(threads);
      const many = await Promise.all(Array.from({ length: 8 }, cutAll));
      for (const crops of many) {
        expect(crops.map((crop, index) => crop.equals(first[index] ?? crop))).toEqual([
          true,
          true,
          true,
        ]);
      }
    }
  });

  it('cuts a single pixel', async () => {
    const corner = { leftPx: 199, topPx: 149, widthPx: 1, heightPx: 1 };
    const crop = await decodePicture(await cutCrop(photo, corner, 90, PNG));
    expect(pixelAt(crop, 0, 0)).toEqual(pixelAt(photo, 199, 149));
  });
});

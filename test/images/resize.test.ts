/** decodeToInput: any picture as bytes of a fixed size, and a clear word about what is none. */
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { decodePicture } from '../../src/images/decode.ts';
import type { Pixels } from '../../src/images/images.ts';
import { decodeToInput } from '../../src/images/resize.ts';
import { digestOf } from '../../src/store/digest.ts';
import { bombPng, manyScans, meanColour, open, pixelAt, somePixels } from '../support/pictures.ts';

const pixels = somePixels(300, 200, 1);
const SIZE = { widthPx: 64, heightPx: 48 };

const toPixels = (data: Uint8Array, size = SIZE): Pixels => ({ data: Buffer.from(data), ...size });

const kinds: Readonly<Record<string, () => Promise<Buffer>>> = {
  'a JPEG': () => open(pixels).jpeg({ quality: 95 }).toBuffer(),
  'a progressive JPEG': () => open(pixels).jpeg({ progressive: true, quality: 95 }).toBuffer(),
  'a CMYK JPEG': () => open(pixels).toColourspace('cmyk').jpeg({ quality: 95 }).toBuffer(),
  'a PNG': () => open(pixels).png().toBuffer(),
  'a PNG of 16 bits': () => open(pixels).toColourspace('rgb16').png().toBuffer(),
  'a PNG with alpha': () => open(pixels).ensureAlpha(1).png().toBuffer(),
  'a palette PNG': () => open(pixels).png({ palette: true }).toBuffer(),
  'a WebP': () => open(pixels).webp({ quality: 95 }).toBuffer(),
  'an AVIF': () => open(pixels).avif({ quality: 90 }).toBuffer(),
  'a GIF': () => open(pixels).gif().toBuffer(),
  'a TIFF': () => open(pixels).tiff({ compression: 'lzw' }).toBuffer(),
};

describe('decodeToInput', () => {
  it.each(Object.keys(kinds))('keeps the colours of %s', async (kind) => {
    const encoded = (await kinds[kind]?.()) ?? Buffer.alloc(0);
    const input = await decodeToInput(encoded, SIZE);
    const whole = meanColour(await decodePicture(encoded));
    expect(input).toHaveLength(64 * 48 * 3);
    for (const [channel, mean] of meanColour(toPixels(input)).entries()) {
      expect(Math.abs(mean - (whole[channel] ?? 0))).toBeLessThan(0.5);
    }
  });

  it('keeps the bytes of a picture that has the size already', async () => {
    const png = await open(pixels).png().toBuffer();
    const input = await decodeToInput(png, { widthPx: 300, heightPx: 200 });
    expect(Buffer.from(input).equals(pixels.data)).toBe(true);
  });

  it('makes greys of a greyscale picture', async () => {
    const input = await decodeToInput(await open(pixels).greyscale().jpeg().toBuffer(), SIZE);
    for (let index = 0; index < input.length; index += 3) {
      expect([input[index + 1], input[index + 2]]).toEqual([input[index], input[index]]);
    }
  });

  it('squeezes what is wider, corner to corner', async () => {
    const halves = Buffer.alloc(200 * 10 * 3);
    for (let index = 0; index < halves.length; index++) {
      halves[index] = Math.floor(index / 3) % 200 < 100 ? 10 : 200;
    }
    const png = await open({ data: halves, widthPx: 200, heightPx: 10 }).png().toBuffer();
    const input = toPixels(await decodeToInput(png, { widthPx: 8, heightPx: 8 }), {
      widthPx: 8,
      heightPx: 8,
    });
    for (const y of [0, 7]) {
      expect([0, 2, 5, 7].map((x) => pixelAt(input, x, y)[0])).toEqual([10, 10, 200, 200]);
    }
  });

  it('averages what it shrinks and never overshoots', async () => {
    const stripes = Buffer.alloc(64 * 64 * 3);
    for (let index = 0; index < stripes.length; index++) {
      stripes[index] = Math.floor(index / 3) % 2 === 0 ? 50 : 150;
    }
    const png = await open({ data: stripes, widthPx: 64, heightPx: 64 }).png().toBuffer();
    const input = await decodeToInput(png, { widthPx: 8, heightPx: 8 });
    for (const value of input) expect(Math.abs(value - 100)).toBeLessThan(8);
    const edge = Buffer.from(
      stripes.map((_, index) => (Math.floor(index / 3) % 64 < 32 ? 50 : 150)),
    );
    const sharpEdge = await open({ data: edge, widthPx: 64, heightPx: 64 }).png().toBuffer();
    const shrunk = await decodeToInput(sharpEdge, { widthPx: 9, heightPx: 9 });
    expect([Math.min(...shrunk), Math.max(...shrunk)]).toEqual([50, 150]);
  });

  it('enlarges a picture of one pixel', async () => {
    const png = await open({ data: Buffer.from([7, 8, 9]), widthPx: 1, heightPx: 1 })
      .png()
      .toBuffer();
    const input = toPixels(await decodeToInput(png, SIZE));
    expect([pixelAt(input, 0, 0), pixelAt(input, 63, 47)]).toEqual([
      [7, 8, 9],
      [7, 8, 9],
    ]);
  });

  it('decodes a JPEG and a WebP to all their pixels before it shrinks them', async () => {
    const large = somePixels(1200, 900, 2);
    for (const encoded of [
      await open(large).jpeg().toBuffer(),
      await open(large).webp().toBuffer(),
    ]) {
      const whole = await open(await decodePicture(encoded))
        .png()
        .toBuffer();
      const input = await decodeToInput(encoded, SIZE);
      expect(Buffer.from(input).equals(Buffer.from(await decodeToInput(whole, SIZE)))).toBe(true);
    }
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8])(
    'stands upright by EXIF orientation %d',
    async (orientation) => {
      const tagged = await open(pixels).withMetadata({ orientation }).png().toBuffer();
      const upright = await sharp(tagged).autoOrient().png().toBuffer();
      const plain = await sharp(await sharp(upright).raw().toBuffer(), {
        raw: {
          ...(orientation < 5 ? { width: 300, height: 200 } : { width: 200, height: 300 }),
          channels: 3,
        },
      })
        .png()
        .toBuffer();
      const input = Buffer.from(await decodeToInput(tagged, SIZE));
      expect(input.equals(Buffer.from(await decodeToInput(plain, SIZE)))).toBe(true);
    },
  );

  it('lays what is transparent over white', async () => {
    const clear = await open(pixels).ensureAlpha(0).png().toBuffer();
    expect(new Set(await decodeToInput(clear, SIZE))).toEqual(new Set([255]));
  });

  it('gives known bytes, which every machine has to give', async () => {
    const png = await open(pixels).png().toBuffer();
    expect(digestOf(await decodeToInput(png, SIZE))).toBe(
      '46883dbf596664ffc078d68219644b4f901ca0dff22d9407bcef147207693877',
    );
    expect(digestOf(await decodeToInput(png, { widthPx: 500, heightPx: 333 }))).toBe(
      '83c0b34552356ac000dad7daa987d4e327eef7b426092f2ab97e2fe10e642c03',
    );
  });

  it.each([
    ['', 'the file is empty'],
    ['<html>', 'an HTML page'],
    ['BM\x36\0\0\0', 'a BMP picture'],
    ['<svg xmlns="http://www.w3.org/2000/svg"/>', 'an SVG drawing'],
    ['\xff\xd8\xff\xe0 no more', 'it does not decode to its end'],
  ])('says of %j that it is %s', async (content, detail) => {
    await expect(decodeToInput(Buffer.from(content, 'latin1'), SIZE)).rejects.toMatchObject({
      code: 'integrity',
      message: `the picture cannot be used: ${detail}`,
    });
  });

  it('refuses a picture that is cut off, has too many pixels or too many scans', async () => {
    const jpeg = await open(pixels).jpeg({ progressive: true }).toBuffer();
    const refusals = [
      [jpeg.subarray(0, jpeg.length / 2), 'it does not decode to its end'],
      [bombPng(30_000, 30_000), '30000 x 30000 pixels are more than 100 megapixels'],
      [manyScans(jpeg, 1000), 'scans'],
    ] as const;
    for (const [data, detail] of refusals) {
      await expect(decodeToInput(data, SIZE)).rejects.toMatchObject({
        code: 'integrity',
        message: expect.stringContaining(detail) as string,
        hint: expect.stringContaining('at most 100 megapixels') as string,
      });
    }
  });
});

/** inspectPicture and decodePicture: every format and kind of pixel, and what is refused. */
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { decodePicture, inspectPicture } from '../../src/images/decode.ts';
import { bombPng, manyScans, meanColour, open, pixelAt, somePixels } from '../support/pictures.ts';

const pixels = somePixels(64, 48, 1);

const encoders = {
  JPEG: () => open(pixels).jpeg().toBuffer(),
  PNG: () => open(pixels).png().toBuffer(),
  WebP: () => open(pixels).webp().toBuffer(),
  AVIF: () => open(pixels).avif().toBuffer(),
  GIF: () => open(pixels).gif().toBuffer(),
  TIFF: () => open(pixels).tiff({ compression: 'lzw' }).toBuffer(),
} as const;

const variants: Readonly<Record<string, () => Promise<Buffer>>> = {
  'a greyscale JPEG': () => open(pixels).greyscale().jpeg().toBuffer(),
  'a progressive JPEG': () => open(pixels).jpeg({ progressive: true }).toBuffer(),
  'a CMYK JPEG': () => open(pixels).toColourspace('cmyk').jpeg().toBuffer(),
  'a JPEG with an EXIF orientation': () =>
    open(pixels).withMetadata({ orientation: 6 }).jpeg().toBuffer(),
  'a palette PNG': () => open(pixels).png({ palette: true, colours: 16 }).toBuffer(),
  'a PNG of 16 bits': () => open(pixels).toColourspace('rgb16').png().toBuffer(),
  'a greyscale PNG of 16 bits': () => open(pixels).toColourspace('grey16').png().toBuffer(),
  'a greyscale PNG with alpha': () => open(pixels).greyscale().ensureAlpha(0.5).png().toBuffer(),
  'a PNG of one bit': () =>
    open(pixels).threshold(128).png({ palette: true, colours: 2 }).toBuffer(),
  'an interlaced PNG': () => open(pixels).png({ progressive: true }).toBuffer(),
  'a PNG with alpha': () => open(pixels).ensureAlpha(0.5).png().toBuffer(),
  'a WebP with alpha': () => open(pixels).ensureAlpha(0.5).webp().toBuffer(),
  'a TIFF with floats': () => open(pixels).toColourspace('scrgb').tiff().toBuffer(),
  'a TIFF of JPEG data': () => open(pixels).tiff({ compression: 'jpeg' }).toBuffer(),
  'a CMYK TIFF': () => open(pixels).toColourspace('cmyk').tiff().toBuffer(),
};

describe('inspectPicture', () => {
  it.each(Object.keys(encoders))('finds a whole %s good', async (format) => {
    const data = await encoders[format as keyof typeof encoders]();
    const size = { widthPx: 64, heightPx: 48 };
    expect(await inspectPicture(data)).toEqual({ status: 'ok', format, ...size });
  });

  it.each(Object.keys(variants))('finds %s good, in its stored frame', async (name) => {
    const data = (await variants[name]?.()) ?? Buffer.alloc(0);
    expect(await inspectPicture(data)).toMatchObject({ status: 'ok', widthPx: 64, heightPx: 48 });
  });

  it('finds one pixel good', async () => {
    const data = await open(somePixels(1, 1, 2))
      .png()
      .toBuffer();
    expect(await inspectPicture(data)).toMatchObject({ status: 'ok', widthPx: 1, heightPx: 1 });
  });

  it.each(Object.keys(encoders))('finds a %s corrupt wherever it is cut', async (format) => {
    const data = await encoders[format as keyof typeof encoders]();
    for (let percent = 0; percent < 95; percent += 5) {
      const cut = data.subarray(0, Math.floor((data.length * percent) / 100));
      expect([percent, (await inspectPicture(cut)).status]).toEqual([percent, 'corrupt']);
    }
  });

  it('finds a TIFF of JPEG data corrupt wherever it is cut', async () => {
    const data = await open(pixels).tiff({ compression: 'jpeg' }).toBuffer();
    for (let percent = 0; percent < 95; percent += 5) {
      const cut = data.subarray(0, Math.floor((data.length * percent) / 100));
      expect([percent, (await inspectPicture(cut)).status]).toEqual([percent, 'corrupt']);
    }
  });

  it.each([
    ['', 'corrupt', 'the file is empty'],
    ['<!doctype html><html></html>', 'corrupt', 'an HTML page'],
    ['Sorry, no photo', 'corrupt', 'no known picture format'],
    ['BM\x36\0\0\0', 'unsupported', 'a BMP picture'],
    ['\0\0\0\x18ftypheic\0\0\0\0', 'unsupported', 'an ISO media file that is not AVIF'],
    ['<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', 'unsupported', 'an SVG'],
  ])('says of %j: %s', async (content, status, detail) => {
    const found = await inspectPicture(Buffer.from(content, 'latin1'));
    expect(found).toMatchObject({ status, format: null });
    expect('detail' in found ? found.detail : '').toContain(detail);
  });

  it('calls a picture of more than 100 megapixels too large, without decoding it', async () => {
    const rssBefore = process.memoryUsage.rss();
    expect(await inspectPicture(bombPng(30_000, 30_000))).toMatchObject({
      status: 'too-large',
      format: 'PNG',
      widthPx: 30_000,
      heightPx: 30_000,
      detail: '30000 x 30000 pixels are more than 100 megapixels',
    });
    expect(process.memoryUsage.rss() - rssBefore).toBeLessThan(200e6);
  });

  it('calls a JPEG of a thousand scans too large, without decoding it', async () => {
    const progressive = await open(pixels).jpeg({ progressive: true }).toBuffer();
    expect(await inspectPicture(manyScans(progressive, 1000))).toMatchObject({
      status: 'too-large',
      format: 'JPEG',
      detail: expect.stringMatching(/^a JPEG of 1\d\d\d scans$/) as string,
    });
  });

  it('takes the first picture of an animation and of two JPEGs in one file', async () => {
    const frames = [somePixels(20, 10, 1), somePixels(20, 10, 2)].map((one) =>
      open(one).png().toBuffer(),
    );
    const animation = await sharp(await Promise.all(frames), { join: { animated: true } })
      .gif()
      .toBuffer();
    expect(await inspectPicture(animation)).toMatchObject({ status: 'ok', heightPx: 10 });
    const jpeg = await encoders.JPEG();
    expect(await inspectPicture(Buffer.concat([jpeg, jpeg]))).toMatchObject({ status: 'ok' });
  });
});

describe('decodePicture', () => {
  const decoded: Record<string, Awaited<ReturnType<typeof decodePicture>>> = {};

  beforeAll(async () => {
    for (const [name, encode] of [...Object.entries(encoders), ...Object.entries(variants)]) {
      decoded[name] = await decodePicture(await encode());
    }
  });

  it.each([...Object.keys(encoders), ...Object.keys(variants)])(
    'gives three bytes a pixel for %s',
    (name) => {
      const { data, widthPx, heightPx } = decoded[name] ?? somePixels(1, 1, 0);
      expect([widthPx, heightPx, data.length]).toEqual([64, 48, 64 * 48 * 3]);
    },
  );

  it('gives the very pixels of lossless files, and of 16 bits their upper half', () => {
    for (const name of ['PNG', 'TIFF', 'an interlaced PNG', 'a PNG of 16 bits']) {
      expect(decoded[name]?.data.equals(pixels.data), name).toBe(true);
    }
  });

  it('makes greys of a greyscale picture', () => {
    const { data = Buffer.alloc(0) } = decoded['a greyscale JPEG'] ?? {};
    for (let index = 0; index < data.length; index += 3) {
      expect(data[index] === data[index + 1] && data[index] === data[index + 2]).toBe(true);
    }
  });

  it('leaves the stored frame as it is, whatever EXIF says', async () => {
    const plain = await decodePicture(await encoders.JPEG());
    expect(decoded['a JPEG with an EXIF orientation']?.data.equals(plain.data)).toBe(true);
  });

  it('lays what is transparent over white', async () => {
    const clear = await open(somePixels(8, 8, 3))
      .ensureAlpha(0)
      .png()
      .toBuffer();
    expect(pixelAt(await decodePicture(clear), 3, 3)).toEqual([255, 255, 255]);
    const half = meanColour(decoded['a PNG with alpha'] ?? pixels);
    for (const [channel, mean] of meanColour(pixels).entries()) {
      expect(half[channel]).toBeCloseTo((mean + 255) / 2, -0.3);
    }
  });

  it('obeys an embedded colour profile', async () => {
    const tagged = await open(pixels).withIccProfile('p3').png().toBuffer();
    const start = tagged.indexOf('iCCP') - 4;
    const profileBytes = tagged.readUInt32BE(start) + 12;
    const untagged = Buffer.concat([
      tagged.subarray(0, start),
      tagged.subarray(start + profileBytes),
    ]);
    const furthest = async (data: Buffer) => {
      const other = (await decodePicture(data)).data;
      return pixels.data.reduce(
        (most, value, index) => Math.max(most, Math.abs(value - (other[index] ?? 0))),
        0,
      );
    };
    expect(await furthest(tagged)).toBeLessThan(4);
    expect(await furthest(untagged)).toBeGreaterThan(8);
  });

  it.each(['', '<html>', '\xff\xd8\xff\xe0 no more'])('refuses %j', async (content) => {
    await expect(decodePicture(Buffer.from(content, 'latin1'))).rejects.toMatchObject({
      code: 'integrity',
    });
  });

  it('never renders an SVG, nor reads the file that it names', async () => {
    const svg = Buffer.from(
      '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><image href="/etc/hostname"/></svg>',
    );
    await expect(decodePicture(svg)).rejects.toMatchObject({ code: 'integrity' });
  });
});

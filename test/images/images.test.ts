/** What format some bytes are, by their content alone. */
import { describe, expect, it } from 'vitest';
import { describeOtherContent, identifyFormat } from '../../src/images/images.ts';
import { countJpegScans } from '../../src/images/jpeg.ts';
import { manyScans, open, somePixels } from '../support/pictures.ts';

const pixels = somePixels(40, 30, 1);

const box = (brand: string) => Buffer.from(`\0\0\0\x18ftyp${brand}\0\0\0\0mif1`, 'latin1');

describe('identifyFormat', () => {
  it.each([
    ['JPEG', () => open(pixels).jpeg().toBuffer()],
    ['PNG', () => open(pixels).png().toBuffer()],
    ['WebP', () => open(pixels).webp().toBuffer()],
    ['WebP', () => open(pixels).webp({ lossless: true }).toBuffer()],
    ['AVIF', () => open(pixels).avif().toBuffer()],
    ['GIF', () => open(pixels).gif().toBuffer()],
    ['TIFF', () => open(pixels).tiff().toBuffer()],
    ['TIFF', () => open(pixels).tiff({ bigtiff: true }).toBuffer()],
  ] as const)('knows a real %s', async (format, encode) => {
    expect(identifyFormat(await encode())).toBe(format);
  });

  it.each([
    ['', 'the file is empty'],
    ['<!DOCTYPE html><title>404</title>', 'an HTML page'],
    ['\n  <html lang="en">', 'an HTML page'],
    ['<svg xmlns="http://www.w3.org/2000/svg"/>', 'an SVG drawing'],
    ['<?xml version="1.0"?>\n<svg/>', 'an SVG drawing'],
    ['BM\x36\0\0\0', 'a BMP picture'],
    ['hello', 'no known picture format'],
    ['\xff\xd8', 'no known picture format'],
    ['RIFF\0\0\0\0WAVE', 'no known picture format'],
  ])('knows no picture in %j', (content, description) => {
    const data = Buffer.from(content, 'latin1');
    expect(identifyFormat(data)).toBeUndefined();
    expect(describeOtherContent(data)).toBe(description);
  });

  it.each(['heic', 'mif1', 'isom', 'mp42'])('tells ISO media of brand %s from AVIF', (brand) => {
    expect(identifyFormat(box(brand))).toBeUndefined();
    expect(describeOtherContent(box(brand))).toBe('an ISO media file that is not AVIF');
    expect(identifyFormat(box('avif'))).toBe('AVIF');
  });
});

describe('countJpegScans', () => {
  it('counts one scan in a baseline file and several in a progressive one', async () => {
    const baseline = await open(pixels).jpeg().toBuffer();
    const progressive = await open(pixels).jpeg({ progressive: true }).toBuffer();
    expect(countJpegScans(baseline)).toBe(1);
    expect(countJpegScans(progressive)).toBeGreaterThan(3);
    expect(countJpegScans(manyScans(progressive, 1000))).toBeGreaterThan(1000);
  });

  it('counts those of the first of two pictures', async () => {
    const jpeg = await open(pixels).jpeg().toBuffer();
    expect(countJpegScans(Buffer.concat([jpeg, jpeg]))).toBe(1);
  });

  it('ends on bytes of any kind', () => {
    expect(countJpegScans(Buffer.alloc(0))).toBe(0);
    expect(countJpegScans(Buffer.alloc(100_000, 0xff))).toBe(0);
    expect(countJpegScans(Buffer.alloc(100_000))).toBe(0);
    expect(countJpegScans(Buffer.from('ffd8ffda0000ffda0000', 'hex'))).toBe(2);
  });
});

/** What makes a file no table, told with its name and line. */
import { readFile } from 'node:fs/promises';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import {
  boxesCsv,
  image,
  imagesCsv,
  manyBoxes,
  query,
  tableFile,
} from '../support/open-images-tables.ts';
import { csvToParquet } from '../support/parquet.ts';

const BOXES = boxesCsv(manyBoxes());
const IMAGES = imagesCsv(Array.from({ length: 80 }, (_, index) => image(`i${String(index)}`)));

describe('a broken table', () => {
  const spoil = (line: number, change: (text: string) => string, csv = BOXES) =>
    csv
      .split('\n')
      .map((text, index) => (index === line - 1 ? change(text) : text))
      .join('\n');
  const failure = async (boxes: string | Uint8Array) => {
    const error = await query({ boxes, images: IMAGES }).then(
      ({ counts }) => counts,
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({ code: 'manifest', key: 'data.source.boxes' });
    return error instanceof Error ? error.message : '';
  };

  it('names the line with too few or too many columns', async () => {
    const cut = (text: string) => text.split(',').slice(0, 5).join(',');
    expect(await failure(spoil(17, cut))).toBe('boxes.csv:17: expected 13 columns, found 5');
    expect(await failure(spoil(200, (text) => `${text},1`))).toBe(
      'boxes.csv:200: expected 13 columns, found 14',
    );
  });

  it('is noticed also in a row that the query would not take', async () => {
    const other = (text: string) => `${text.replace(/\/m\/\w+/, '/m/car')},1`;
    expect(await failure(spoil(40, other))).toBe('boxes.csv:40: expected 13 columns, found 14');
  });

  it('names the line of a quote that is not closed, or of text after one', async () => {
    const open = spoil(12, (text) => text.replace('xclick', '"xclick'));
    expect(await failure(open)).toMatch(/^boxes\.csv:12: a quote is not closed/);
    const after = spoil(12, (text) => text.replace('xclick', '"xclick"s'));
    expect(await failure(after)).toMatch(/^boxes\.csv:12: /);
  });

  it('names the line that is not UTF-8', async () => {
    const bytes = Buffer.from(spoil(30, (text) => text.replace('xclick', 'caf?')));
    bytes[bytes.indexOf('caf?') + 3] = 0xe9;
    expect(await failure(bytes)).toBe('boxes.csv:30: the text is not UTF-8');
  });

  it('names the line that never ends', async () => {
    const long = spoil(9, (text) => text.replace('xclick', 'x'.repeat(2_000_000)));
    expect(await failure(long)).toMatch(/^boxes\.csv:9: /);
  });

  it.each([
    ['', 'the file is empty'],
    ['\n\n', 'the file is empty'],
    ['<!DOCTYPE html>\n<html><body>Not found</body></html>\n', 'the column ImageID is missing'],
    ['{"error": "not found"}', ''],
    ['"ImageID,Source\n', ''],
    ['PAR1 but nothing more', ''],
  ])('is none at all: %j', async (content, why) => {
    expect(await failure(content)).toContain(`boxes.csv${why === '' ? '' : `:1: ${why}`}`);
  });

  it.each([0.02, 0.3, 0.9, 0.99])('is gzip cut at %f of its length', async (share) => {
    const packed = gzipSync(BOXES);
    const cut = packed.subarray(0, Math.floor(packed.length * share));
    expect(await failure(cut)).toContain('boxes.csv');
  });

  it('is a large gzip file cut in the middle, and not the rows before the cut', async () => {
    const header = BOXES.slice(0, BOXES.indexOf('\n') + 1);
    const packed = gzipSync(header + BOXES.slice(header.length).repeat(300));
    expect(await failure(packed.subarray(0, packed.length / 2))).toContain('boxes.csv');
  });

  it('is gzip with other bytes in its middle', async () => {
    const packed = gzipSync(BOXES);
    const middle = Math.floor(packed.length / 2);
    packed.fill(0xff, middle, middle + 50);
    expect(await failure(packed)).toContain('boxes.csv');
  });

  it('is gzip that does not fit its own checksum', async () => {
    const packed = gzipSync(BOXES);
    packed[packed.length - 6] = (packed[packed.length - 6] ?? 0) ^ 1;
    expect(() => gunzipSync(packed)).toThrow();
    expect(await failure(packed)).toContain('boxes.csv');
  });

  it('is Parquet cut short', async () => {
    const source = await tableFile(BOXES, 'boxes.csv');
    const path = `${source.path}.parquet`;
    await csvToParquet(source.path, path);
    const whole = await readFile(path);
    expect(await failure(whole.subarray(0, whole.length - 100))).toContain('boxes.csv');
  });

  it('is named by its number where there are several', async () => {
    const boxes = [await tableFile(BOXES, 'a.csv'), await tableFile('', 'b.csv')];
    await expect(query({ boxes, images: IMAGES })).rejects.toMatchObject({
      key: 'data.source.boxes.1',
      message: 'b.csv:1: the file is empty',
    });
  });
});

/** The table of images: its columns, its texts, its statuses. */
import { describe, expect, it } from 'vitest';
import { readCsv } from '../../src/openimages/csv.ts';
import {
  formatImagesTable,
  IMAGE_STATUSES,
  IMAGES_COLUMNS,
  imagesRow,
  statusOf,
} from '../../src/photos/photos.ts';
import { streamOf } from '../../src/store/digest.ts';
import { image } from '../support/open-images-tables.ts';

const FINDING = {
  Status: 'ok',
  LogicalKey: 'images/a.jpg',
  SizeBytes: '10',
  Digest: 'd',
  Format: 'JPEG',
  WidthPx: '4',
  HeightPx: '3',
  FinalURL: 'https://host/a.jpg',
  HttpStatus: '200',
  MD5Matches: 'true',
  Detail: '',
} as const;

describe('the table of images', () => {
  it('reads back as it was written, with titles of any text', async () => {
    const titles = ['plain', 'a, "b"', 'two\nlines', '=1+1', ' blank ', 'Ünïcode 🍔', ''];
    const rows = titles.map((Title, index) =>
      imagesRow({ ...image(`i${String(index)}`, { Title }), Table: '0' }, FINDING),
    );
    const text = formatImagesTable(rows);
    expect(text.split('\n')[0]).toBe(IMAGES_COLUMNS.join(','));
    const read = [];
    for await (const row of readCsv(streamOf(text), IMAGES_COLUMNS)) read.push(row);
    expect(read).toEqual(
      rows.map((row) => Object.fromEntries(IMAGES_COLUMNS.map((name) => [name, row[name]]))),
    );
  });

  it('knows its own statuses and no other', () => {
    for (const Status of IMAGE_STATUSES) expect(statusOf({ Status, ImageID: 'a' })).toBe(Status);
    expect(() => statusOf({ Status: 'fine', ImageID: 'a' })).toThrow('image a has status "fine"');
  });

  it('is refused where a column is missing', async () => {
    const read = async () => {
      for await (const _ of readCsv(streamOf('ImageID,Status\na,ok\n'), IMAGES_COLUMNS));
    };
    await expect(read()).rejects.toThrow('the table lacks one of');
  });
});

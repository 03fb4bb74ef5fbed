/** Source tables: the same rows from every format and layout, and what makes a file no table. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { TableFile } from '../../src/openimages/openimages.ts';
import { writeTableIndex } from '../../src/openimages/table-index.ts';
import {
  box,
  boxesCsv,
  image,
  imagesCsv,
  manyBoxes,
  query,
  tableFile,
} from '../support/open-images-tables.ts';
import { csvToParquet } from '../support/parquet.ts';
import { testRuntime } from '../support/runtime.ts';
import { temporaryFolder } from '../support/temporary.ts';

const BOXES = boxesCsv(
  manyBoxes().map((row, index) => ({ ...row, Confidence: index % 7 === 0 ? '' : '1' })),
);
const IMAGES = imagesCsv(
  Array.from({ length: 80 }, (_, index) =>
    image(`i${String(index)}`, {
      Title: ['say "hi", you', '', 'NULL', 'zwei\nZeilen', '漢字 🍔'][index % 5] ?? '',
      Rotation: index % 4 === 0 ? '' : '90.0',
    }),
  ),
);

async function writeParquet(csv: string, name: string): Promise<TableFile> {
  const source = await tableFile(csv, name);
  const path = `${source.path}.parquet`;
  await csvToParquet(source.path, path);
  return { path, name };
}

async function writeIndex(kind: 'boxes' | 'images', table: TableFile): Promise<TableFile> {
  const target = join(dirname(table.path), 'index.parquet');
  await writeTableIndex(testRuntime(), kind, table, target, await temporaryFolder());
  return { path: target, name: table.name };
}

const asCsv = await query({ boxes: BOXES, images: IMAGES });

describe('the same rows come from', () => {
  it('gzipped tables', async () => {
    expect(await query({ boxes: gzipSync(BOXES), images: gzipSync(IMAGES) })).toEqual(asCsv);
  });

  it('a gzip file of several members', async () => {
    const half = BOXES.indexOf('\n', BOXES.length / 2) + 1;
    const members = Buffer.concat([gzipSync(BOXES.slice(0, half)), gzipSync(BOXES.slice(half))]);
    expect(gunzipSync(members).toString()).toBe(BOXES);
    expect(await query({ boxes: members, images: IMAGES })).toEqual(asCsv);
  });

  it('Parquet', async () => {
    const boxes = [await writeParquet(BOXES, 'boxes')];
    const images = [await writeParquet(IMAGES, 'images')];
    expect(await query({ boxes, images })).toEqual(asCsv);
  });

  it('the index of a table, of CSV, gzip or Parquet', async () => {
    for (const boxes of [
      await tableFile(BOXES, 'boxes.csv'),
      await tableFile(gzipSync(BOXES), 'boxes.csv.gz'),
      await writeParquet(BOXES, 'boxes'),
    ]) {
      const images = [await writeIndex('images', await tableFile(IMAGES, 'images.csv'))];
      expect(await query({ boxes: [await writeIndex('boxes', boxes)], images })).toEqual(asCsv);
    }
  });

  it('a table with CRLF line ends, a byte order mark, or no last line end', async () => {
    // The line end inside a title belongs to the title and stays as it is.
    const crlf = imagesCsv(asCsv.images).replace(/(?<!zwei)\n/g, '\r\n');
    const known = await query({ boxes: BOXES, images: imagesCsv(asCsv.images) });
    expect(await query({ boxes: BOXES.replaceAll('\n', '\r\n'), images: IMAGES })).toEqual(asCsv);
    expect(await query({ boxes: BOXES, images: crlf })).toEqual(known);
    expect(await query({ boxes: `\u{feff}${BOXES}`, images: `\u{feff}${IMAGES}` })).toEqual(asCsv);
    expect(await query({ boxes: BOXES.trimEnd(), images: IMAGES.trimEnd() })).toEqual(asCsv);
  });

  it('a table with eight more columns, as V6 has them, or in another order', async () => {
    const clicks = ['XClick1X', 'XClick2X', 'XClick3X', 'XClick4X']
      .flatMap((name) => [name, name.replace(/X$/, 'Y')])
      .join(',');
    const lines = BOXES.trimEnd().split('\n');
    const v6 = lines.map((line, index) => `${line},${index === 0 ? clicks : '1,2,3,4,5,6,7,8'}\n`);
    expect(await query({ boxes: v6.join(''), images: IMAGES })).toEqual(asCsv);
    const turned = lines.map((line) => `${line.split(',').reverse().join(',')}\n`);
    expect(await query({ boxes: turned.join(''), images: IMAGES })).toEqual(asCsv);
  });

  it.each(["it's here", 'a [v4] b', 'q*', 'w?', 'sp ace ü'])(
    'files in a folder named %s, and not from its neighbour',
    async (name) => {
      const above = await temporaryFolder();
      // The neighbour is what the name would match, were it a pattern.
      const neighbour = join(above, name.replace(/\*|\?|\[v4\]/, 'v'));
      const folder = join(above, name);
      for (const path of [neighbour, folder]) await mkdir(path, { recursive: true });
      const other = { boxes: boxesCsv([box('i1')]), images: imagesCsv([]) };
      await writeFile(join(neighbour, 'boxes.csv'), other.boxes);
      await writeFile(join(neighbour, 'images.csv'), other.images);
      await writeFile(join(folder, 'boxes.csv'), BOXES);
      await writeFile(join(folder, 'images.csv'), IMAGES);
      const found = await query({
        boxes: [{ path: join(folder, 'boxes.csv'), name: 'boxes' }],
        images: [{ path: join(folder, 'images.csv'), name: 'images' }],
      });
      expect(found).toEqual(asCsv);
    },
  );
});

describe('a table without rows', () => {
  it('is a table, where it has a header', async () => {
    const { counts } = await query({ boxes: boxesCsv([]), images: IMAGES });
    expect(counts).toMatchObject({ boxes: 0, images: 0 });
    const orphans = await query({ boxes: BOXES, images: imagesCsv([]).trimEnd() });
    expect(orphans.counts).toMatchObject({ boxes: 300, orphan: 300, images: 0 });
  });
});

describe('a column', () => {
  const without = (csv: string, column: string) => {
    const lines = csv.trimEnd().split('\n');
    const index = lines[0]?.split(',').indexOf(column) ?? -1;
    return lines.map((line) => `${line.split(',').toSpliced(index, 1).join(',')}\n`).join('');
  };

  it.each(['ImageID', 'LabelName', 'XMin', 'IsGroupOf'])(
    '%s may not be missing',
    async (column) => {
      await expect(query({ boxes: without(BOXES, column), images: IMAGES })).rejects.toMatchObject({
        code: 'manifest',
        key: 'data.source.boxes',
        message: `boxes.csv:1: the column ${column} is missing`,
      });
    },
  );

  it('that is misspelt is told by the nearest name', async () => {
    const boxes = BOXES.replace('LabelName', 'LabelNane');
    await expect(query({ boxes, images: IMAGES })).rejects.toMatchObject({
      hint: 'did you mean "LabelNane"?',
    });
  });

  it('may be missing where some releases leave it out, and reads as empty', async () => {
    const boxes = without(without(BOXES, 'Confidence'), 'Source');
    const plain = imagesCsv([image('i0', { Title: 'x' })]);
    const images = without(without(plain, 'Rotation'), 'Thumbnail300KURL');
    const found = await query({ boxes, images });
    expect(found.boxes[0]).toMatchObject({ Confidence: '', Source: '' });
    expect(found.images).toMatchObject([{ Rotation: '', Thumbnail300KURL: '', Title: 'x' }]);
  });

  it('may not stand twice', async () => {
    const boxes = BOXES.replace('Source,', 'XMin,');
    await expect(query({ boxes, images: IMAGES })).rejects.toMatchObject({
      message: 'boxes.csv:1: the column "XMin" stands twice',
    });
  });
});

/** Open Images tables for tests: rows with defaults, written as files, queried as a whole. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type BoxQuery,
  type Selection,
  type SelectionCounts,
  selectBoxes,
} from '../../src/openimages/boxes.ts';
import { formatCsv } from '../../src/openimages/csv.ts';
import {
  BOX_COLUMNS,
  type BoxColumn,
  type BoxRow,
  IMAGE_COLUMNS,
  type ImageColumn,
  type ImageRow,
  type TableFile,
} from '../../src/openimages/openimages.ts';
import { testRuntime } from './runtime.ts';
import { temporaryFolder } from './temporary.ts';

export type BoxCells = Readonly<Record<BoxColumn, string>>;
export type ImageCells = Readonly<Record<ImageColumn, string>>;

/** A row of the box table; what is not given is a plain, valid box of an apple. */
export function box(ImageID: string, cells: Partial<BoxCells> = {}): BoxCells {
  return {
    ImageID,
    Source: 'xclick',
    LabelName: '/m/apple',
    Confidence: '1',
    XMin: '0.100000',
    XMax: '0.500000',
    YMin: '0.200000',
    YMax: '0.600000',
    IsOccluded: '0',
    IsTruncated: '0',
    IsGroupOf: '0',
    IsDepiction: '0',
    IsInside: '0',
    ...cells,
  };
}

/** A row of the image table. */
export function image(ImageID: string, cells: Partial<ImageCells> = {}): ImageCells {
  return {
    ImageID,
    Subset: 'train',
    OriginalURL: `https://photos.example/${ImageID}.jpg`,
    OriginalLandingURL: `https://photos.example/${ImageID}`,
    License: 'https://creativecommons.org/licenses/by/2.0/',
    AuthorProfileURL: 'https://photos.example/people/1',
    Author: 'Somebody',
    Title: `Photo ${ImageID}`,
    OriginalSize: '1000',
    OriginalMD5: 'AAAAAAAAAAAAAAAAAAAAAA==',
    Thumbnail300KURL: '',
    Rotation: '0.0',
    ...cells,
  };
}

export const boxesCsv = (rows: Iterable<BoxCells>) => formatCsv(BOX_COLUMNS, rows);
export const imagesCsv = (rows: Iterable<ImageCells>) => formatCsv(IMAGE_COLUMNS, rows);

/** 300 boxes of apples and oranges on 90 images, `i0` to `i89`. */
export function manyBoxes(): readonly BoxCells[] {
  return Array.from({ length: 300 }, (_, index) =>
    box(`i${String(index % 90)}`, {
      XMin: (index / 1000).toFixed(6),
      LabelName: index % 3 === 0 ? '/m/orange' : '/m/apple',
    }),
  );
}

/** Writes a table into a fresh folder; `name` is what messages call it. */
export async function tableFile(content: string | Uint8Array, name: string): Promise<TableFile> {
  const path = join(await temporaryFolder(), name);
  await writeFile(path, content);
  return { path, name };
}

export const APPLE = { mid: '/m/apple', displayName: 'Apple', labels: ['/m/apple'] };
export const ORANGE = { mid: '/m/orange', displayName: 'Orange', labels: ['/m/orange'] };

export interface Selected {
  readonly boxes: readonly BoxRow[];
  readonly images: readonly ImageRow[];
  readonly counts: SelectionCounts;
}

/** A selection read to its end. */
async function readSelection({ boxes, images, counts }: Selection): Promise<Selected> {
  const rows = { boxes: [] as BoxRow[], images: [] as ImageRow[] };
  for await (const row of boxes) rows.boxes.push(row);
  for await (const row of images) rows.images.push(row);
  return { ...rows, counts };
}

/** Runs a query over tables that are given as rows, as texts or as files. */
export async function query(
  tables: {
    readonly boxes: readonly BoxCells[] | string | Uint8Array | readonly TableFile[];
    readonly images: readonly ImageCells[] | string | Uint8Array | readonly TableFile[];
  },
  options: Partial<Omit<BoxQuery, 'boxes' | 'images'>> & { readonly concurrency?: number } = {},
): Promise<Selected> {
  const { concurrency = 2, ...rest } = options;
  const boxes = await filesOf(tables.boxes, boxesCsv, 'boxes.csv');
  const images = await filesOf(tables.images, imagesCsv, 'images.csv');
  return await selectBoxes(
    testRuntime({ concurrency }),
    {
      boxes,
      images,
      classes: [APPLE, ORANGE],
      where: undefined,
      imagesPerClass: undefined,
      seed: 1,
      ...rest,
    },
    await temporaryFolder(),
    readSelection,
  );
}

async function filesOf<Row extends object>(
  given: readonly Row[] | string | Uint8Array | readonly TableFile[],
  format: (rows: Iterable<Row>) => string,
  name: string,
): Promise<readonly TableFile[]> {
  if (typeof given === 'string' || given instanceof Uint8Array) {
    return [await tableFile(given, name)];
  }
  const [first] = given;
  if (first !== undefined && 'path' in first) return given as readonly TableFile[];
  return [await tableFile(format(given as readonly Row[]), name)];
}

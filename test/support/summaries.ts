/** Rows and summaries for tests of what people read. */
import { IMAGES_COLUMNS, type ImagesRow } from '../../src/photos/photos.ts';
import { CROPS_COLUMNS, type CropsRow } from '../../src/steps/crops-table.ts';
import { type Summary, summarize } from '../../src/summaries/summaries.ts';

/** A row of images.csv; what is not given is a plain photo. */
export function imagesRow(ImageID: string, cells: Partial<ImagesRow> = {}): ImagesRow {
  const empty = Object.fromEntries(IMAGES_COLUMNS.map((column) => [column, ''])) as ImagesRow;
  return {
    ...empty,
    ImageID,
    Status: 'ok',
    LogicalKey: `images/${ImageID}.jpg`,
    Digest: '0'.repeat(64),
    MD5Matches: 'true',
    License: 'https://creativecommons.org/licenses/by/2.0/',
    Author: 'Somebody',
    ...cells,
  };
}

/** A row of images.csv for a photo that could not be had. */
export function tombstone(ImageID: string, Status: string, Detail = ''): ImagesRow {
  const nothing = { LogicalKey: '', Digest: '', MD5Matches: '' };
  return imagesRow(ImageID, { Status, Detail, ...nothing });
}

/** A row of crops.csv; what is not given is a crop of an apple in train. */
export function cropsRow(ImageID: string, cells: Partial<CropsRow> = {}): CropsRow {
  const empty = Object.fromEntries(CROPS_COLUMNS.map((column) => [column, ''])) as CropsRow;
  return {
    ...empty,
    LogicalKey: `images_cropped/Apple/${ImageID}_0.jpg`,
    ImageID,
    LabelName: '/m/apple',
    Class: 'Apple',
    Split: 'train',
    ...cells,
  };
}

/** A row of crops.csv for a box without a crop. */
export function skipped(ImageID: string, Reason: string, cells: Partial<CropsRow> = {}): CropsRow {
  return cropsRow(ImageID, { LogicalKey: '', Split: '', Reason, ...cells });
}

const LABELS = [
  { LabelName: '/m/apple', DisplayName: 'Apple', Class: 'Apple' },
  { LabelName: '/m/pear', DisplayName: 'Pear', Class: 'Apple' },
  { LabelName: '/m/orange', DisplayName: 'Orange', Class: 'Orange' },
];

export const COUNTS = {
  boxes: 7,
  images: 5,
  orphan: 1,
  'invalid-box': 0,
  'repeated-box': 0,
  repeatedImages: 0,
};

const ABOUT = {
  name: 'user/fruit',
  description: 'Some fruit.',
  license: 'CC-BY-4.0',
  engine: undefined,
  selection: COUNTS,
};

/** A summary of the given rows. */
export function summaryOf(
  images: readonly ImagesRow[],
  crops: readonly CropsRow[],
  parts: Partial<typeof ABOUT> = {},
  labels = LABELS,
): Summary {
  return summarize({ ...ABOUT, ...parts }, labels, images, crops);
}

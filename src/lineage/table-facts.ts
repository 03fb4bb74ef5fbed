/** Rows of a package's tables about one photo, one crop or one model. */
import type { OpenedPackage } from '../installation/opened-package.ts';
import { readCsv } from '../openimages/csv.ts';
import { messageOf } from '../runtime/errors.ts';
import { SPLITS } from './lineage.ts';
import { isTableFault } from './make-lineage.ts';
import { readPart } from './recipe.ts';
import type { CountsBySplit, CropFacts, CropName, PhotoFacts } from './why.ts';

const IMAGES = 'metadata/images.csv';
const CROPS = 'metadata/crops.csv';
const CLASSES = 'metadata/classes.csv';

const MAX_TABLE_BYTES = 2 ** 30;
const PIECE_BYTES = 1 << 16;

const IMAGE_TEXTS = [
  ...([
    'Status',
    'LogicalKey',
    'Digest',
    'WidthPx',
    'HeightPx',
    'OriginalURL',
    'FinalURL',
  ] as const),
  ...(['License', 'Author', 'OriginalLandingURL', 'Title'] as const),
] as const;

const FLAGS = ['IsOccluded', 'IsTruncated', 'IsGroupOf', 'IsDepiction', 'IsInside'] as const;
const CROP_TEXTS = [
  ...(['LabelName', 'Class', 'XMin', 'XMax', 'YMin', 'YMax', 'Split', 'Reason'] as const),
  ...(['LeftPx', 'TopPx', 'WidthPx', 'HeightPx', 'Rotation', ...FLAGS] as const),
] as const;

type CropRow = Readonly<Record<(typeof CROP_TEXTS)[number] | 'ImageID' | 'LogicalKey', string>>;

/** The row of a photo, by its ImageID or logical key. */
export async function findPhoto(
  opened: OpenedPackage,
  wanted: { readonly imageId: string } | { readonly logicalKey: string },
  unknown: string[],
): Promise<PhotoFacts | undefined> {
  const what = 'author, licence and addresses of the photo';
  let found: PhotoFacts | undefined;
  await eachRow(
    opened,
    IMAGES,
    { needed: ['ImageID'], optional: IMAGE_TEXTS, what },
    unknown,
    (row) => {
      const isWanted =
        'imageId' in wanted ? row.ImageID === wanted.imageId : row.LogicalKey === wanted.logicalKey;
      if (!isWanted || found !== undefined) return;
      found = {
        ...{ imageId: row.ImageID, logicalKey: row.LogicalKey, status: row.Status },
        ...{ author: row.Author, licence: row.License, title: row.Title },
        ...{ landingUrl: row.OriginalLandingURL, originalUrl: row.OriginalURL },
        ...{ finalUrl: row.FinalURL, digest: row.Digest },
        ...{ widthPx: row.WidthPx, heightPx: row.HeightPx },
      };
    },
  );
  return found;
}

/** The box of a crop, and the ImageID of its photo. */
export async function findCrop(
  opened: OpenedPackage,
  logicalKey: string,
  unknown: string[],
): Promise<{ readonly imageId: string; readonly crop: CropFacts } | undefined> {
  let found: CropRow | undefined;
  await eachCrop(opened, 'box, class and split of the crop', unknown, (row) => {
    if (row.LogicalKey === logicalKey) found ??= row;
  });
  if (found === undefined) return undefined;
  return {
    imageId: found.ImageID,
    crop: toFacts(found, await displayName(opened, found, unknown)),
  };
}

/** The boxes of a photo, each with its crop or the reason for none. */
export async function findCropsOf(
  opened: OpenedPackage,
  imageId: string,
  unknown: string[],
): Promise<readonly CropName[]> {
  const crops: CropName[] = [];
  await eachCrop(opened, 'crops of the photo', unknown, (row) => {
    if (row.ImageID !== imageId) return;
    const { LogicalKey: logicalKey, Class, Split: split, Reason: reason } = row;
    crops.push({ logicalKey, class: Class, split, reason });
  });
  return crops;
}

/** The crops of each class in each split, and how many different photos are trained on. */
export async function countCrops(
  opened: OpenedPackage,
  unknown: string[],
): Promise<{ readonly crops: CountsBySplit; readonly trainedPhotos: number }> {
  const bySplit = { train: counts(), validation: counts(), test: counts() };
  const photos = new Set<string>();
  await eachCrop(opened, 'the crops it was trained on', unknown, (row) => {
    const split = SPLITS.find((known) => known === row.Split);
    if (split === undefined || row.LogicalKey === '') return;
    bySplit[split].set(row.Class, (bySplit[split].get(row.Class) ?? 0) + 1);
    if (split === 'train') photos.add(row.ImageID);
  });
  const { train, validation, test } = bySplit;
  return {
    crops: { train: sorted(train), validation: sorted(validation), test: sorted(test) },
    trainedPhotos: photos.size,
  };
}

function counts(): Map<string, number> {
  return new Map<string, number>();
}

function sorted(byClass: ReadonlyMap<string, number>): Record<string, number> {
  return Object.fromEntries([...byClass].sort(([a], [b]) => (a < b ? -1 : 1)));
}

async function eachCrop(
  opened: OpenedPackage,
  what: string,
  unknown: string[],
  take: (row: CropRow) => void,
): Promise<void> {
  const needed = ['ImageID', 'LogicalKey'] as const;
  await eachRow(opened, CROPS, { needed, optional: CROP_TEXTS, what }, unknown, take);
}

/** The name of a label, where it is not the class itself. */
async function displayName(
  opened: OpenedPackage,
  { LabelName }: CropRow,
  unknown: string[],
): Promise<string> {
  let name = '';
  const columns = {
    needed: ['LabelName', 'DisplayName'] as const,
    optional: [],
    what: 'names of labels',
  };
  await eachRow(opened, CLASSES, columns, unknown, (row) => {
    if (row.LabelName === LabelName) name = row.DisplayName;
  });
  return name;
}

function toFacts(row: CropRow, name: string): CropFacts {
  return {
    ...{ class: row.Class, labelName: row.LabelName, displayName: name, split: row.Split },
    box: { xMin: row.XMin, xMax: row.XMax, yMin: row.YMin, yMax: row.YMax },
    rectangle: {
      ...{ leftPx: row.LeftPx, topPx: row.TopPx },
      ...{ widthPx: row.WidthPx, heightPx: row.HeightPx },
    },
    rotation: row.Rotation,
    flags: FLAGS.filter((flag) => row[flag] === '1'),
    reason: row.Reason,
  };
}

interface Columns<Needed extends string, Optional extends string> {
  readonly needed: readonly Needed[];
  readonly optional: readonly Optional[];
  /** What the table is asked for, in the plural, for the sentence that it cannot be told. */
  readonly what: string;
}

async function eachRow<Needed extends string, Optional extends string>(
  opened: OpenedPackage,
  logicalKey: string,
  { needed, optional, what }: Columns<Needed, Optional>,
  unknown: string[],
  take: (row: Readonly<Record<Needed | Optional, string>>) => void,
): Promise<void> {
  const bytes = await readPart(opened, logicalKey, unknown, what, MAX_TABLE_BYTES);
  if (bytes === undefined) return;
  try {
    for await (const row of readCsv(piecesOf(bytes), needed, optional)) take(row);
  } catch (error) {
    if (!isTableFault(error)) throw error;
    unknown.push(`${logicalKey} cannot be read: ${messageOf(error)}; ${what} are not known`);
  }
}

async function* piecesOf(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += PIECE_BYTES) {
    yield await Promise.resolve(bytes.subarray(start, start + PIECE_BYTES));
  }
}

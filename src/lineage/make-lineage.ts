/** The lineage of a revision, made of its own tables. */
import { CsvError } from 'csv-parse';
import { z } from 'zod';
import { readCsv } from '../openimages/csv.ts';
import type { Entry } from '../package/entry.ts';
import { isTopHash, type Package, type TopHash } from '../package/package.ts';
import { messageOf, PkgError, systemErrorCode } from '../runtime/errors.ts';
import { encodeLineage, lineageOfOne } from './encode-lineage.ts';
import {
  type LineageBase,
  type LineageCrop,
  type LineagePhoto,
  SPLITS,
  termHash,
} from './lineage.ts';
import { MAX_LINEAGE_BYTES } from './lineage-format.ts';

/** An entry's bytes; the stream fails where they are not what the entry says. */
export type OpenEntry = (entry: Entry) => AsyncIterable<Uint8Array>;

const IMAGES = 'metadata/images.csv';
const CROPS = 'metadata/crops.csv';
const LOCKFILE = 'manifest.lock.json';
const MODELS = 'models/';

const MAX_LOCKFILE_BYTES = 64 * 2 ** 20;

/** A table of more photos is left out, and named, so that a push holds bounded memory. */
const MAX_PHOTOS = 2_000_000;

const basesSchema = z.array(
  z.object({ use: z.enum(['data', 'model']), name: z.string(), topHash: z.string() }),
);

/** Why a table is none of ours. */
class TableProblem extends Error {}

/**
 * The lineage of a package as bytes, which depend on nothing but the package. A package without photos
 * and models has one too, so that nobody has to look into it to know that. A table that is no table of
 * photos or crops is named and left out.
 * @throws PkgError `integrity` where its bytes are damaged.
 */
export async function makeLineage(
  pkg: Package,
  topHash: TopHash,
  open: OpenEntry,
): Promise<Buffer> {
  const { wanted, hasModel } = findTables(pkg);
  const [images, crops, lockfile] = [IMAGES, CROPS, LOCKFILE].map((key) => wanted.get(key));
  const unread: string[] = [];
  const rowsOf = async <T>(key: string, none: T, read: () => Promise<T>): Promise<T> => {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof TableProblem)) throw error;
      unread.push(key);
      return none;
    }
  };
  const byPhoto =
    crops === undefined
      ? newCrops()
      : await rowsOf(CROPS, newCrops(), () => readCrops(crops, open));
  const photos =
    images === undefined ? [] : await rowsOf(IMAGES, [], () => readPhotos(images, open, byPhoto));
  for (const [imageId, own] of byPhoto) photos.push(photoOf({ ImageID: imageId }, own));
  const revision = {
    ...{ topHash, hasModel, unread },
    hasPhotos: images !== undefined || crops !== undefined,
    bases: lockfile === undefined ? [] : await readBases(lockfile, open),
  };
  const bytes = encodeLineage(lineageOfOne(revision, photos));
  if (bytes.length <= MAX_LINEAGE_BYTES) return bytes;
  const none = { ...revision, unread: [CROPS, IMAGES] };
  return encodeLineage(lineageOfOne(none, []));
}

function findTables({ entries }: Package) {
  const wanted = new Map<string, Entry>();
  let hasModel = false;
  for (const entry of entries) {
    if (entry.logicalKey.startsWith(MODELS)) hasModel = true;
    if ([IMAGES, CROPS, LOCKFILE].includes(entry.logicalKey)) wanted.set(entry.logicalKey, entry);
  }
  return { wanted, hasModel };
}

function newCrops(): CropsByPhoto {
  return new Map<string, LineageCrop[]>();
}

type CropsByPhoto = Map<string, LineageCrop[]>;

async function readCrops(entry: Entry, open: OpenEntry): Promise<CropsByPhoto> {
  const crops: CropsByPhoto = new Map();
  await eachRow(entry, open, ['LogicalKey', 'ImageID', 'Split'], ({ LogicalKey, ...row }) => {
    if (LogicalKey === '') return;
    const split = SPLITS.find((known) => known === row.Split);
    const own = crops.get(row.ImageID);
    if (own === undefined) crops.set(row.ImageID, [{ logicalKey: LogicalKey, split }]);
    else own.push({ logicalKey: LogicalKey, split });
  });
  return crops;
}

const TEXTS = [
  'Status',
  'Author',
  'License',
  'OriginalURL',
  'OriginalLandingURL',
  'FinalURL',
] as const;

type PhotoRow = Readonly<Partial<Record<(typeof TEXTS)[number], string>>> & {
  readonly ImageID: string;
};

/** Takes the crops of the photos that it finds out of `crops`, once it has found all. */
async function readPhotos(
  entry: Entry,
  open: OpenEntry,
  crops: CropsByPhoto,
): Promise<LineagePhoto[]> {
  const photos: LineagePhoto[] = [];
  const known = new Set<string>();
  await eachRow(
    entry,
    open,
    ['ImageID'],
    (row) => {
      if (photos.length >= MAX_PHOTOS) {
        throw new TableProblem(`${IMAGES} has more than ${String(MAX_PHOTOS)} photos`);
      }
      // A photo that stands twice has its crops once.
      const own = known.has(row.ImageID) ? undefined : crops.get(row.ImageID);
      photos.push(photoOf(row, own ?? []));
      known.add(row.ImageID);
    },
    TEXTS,
  );
  for (const imageId of known) crops.delete(imageId);
  return photos;
}

function photoOf(row: PhotoRow, crops: readonly LineageCrop[]): LineagePhoto {
  const { ImageID, Status = '', Author = '', License = '' } = row;
  const addresses = [row.OriginalURL, row.OriginalLandingURL, row.FinalURL];
  const others = new Set([ImageID, Author, License].map(termHash));
  const hashes = addresses.filter((url) => url !== undefined && url.trim() !== '').map(hashOf);
  const urls = [...new Set(hashes)].filter((hash) => !others.has(hash)).sort();
  return { imageId: ImageID, status: Status, author: Author, licence: License, urls, crops };
}

function hashOf(url: string | undefined): string {
  return termHash(url ?? '');
}

async function eachRow<Column extends string, Optional extends string = never>(
  entry: Entry,
  open: OpenEntry,
  columns: readonly Column[],
  take: (row: Readonly<Record<Column | Optional, string>>) => void,
  optional: readonly Optional[] = [],
): Promise<void> {
  try {
    for await (const row of readCsv(open(entry), columns, optional)) take(row);
  } catch (error) {
    if (!isTableFault(error)) throw error;
    throw new TableProblem(`${entry.logicalKey} is ${messageOf(error)}`, { cause: error });
  }
}

/** Whether the rows, not the disk, the network or this tool, are to blame. */
export function isTableFault(error: unknown): boolean {
  if (error instanceof CsvError) return true;
  if (!(error instanceof Error) || error instanceof PkgError) return false;
  if (error instanceof TypeError || error instanceof RangeError) return false;
  return systemErrorCode(error) === undefined;
}

/** What `manifest.lock.json` says the package was made from; one that cannot be read says nothing. */
async function readBases(entry: Entry, open: OpenEntry): Promise<readonly LineageBase[]> {
  if (entry.sizeBytes > MAX_LOCKFILE_BYTES) return [];
  const chunks: Uint8Array[] = [];
  for await (const chunk of open(entry)) chunks.push(chunk);
  return basesIn(Buffer.concat(chunks).toString('utf8'));
}

/** The base packages that a lockfile's text names. */
export function basesIn(lockfile: string): readonly LineageBase[] {
  try {
    const parsed = z.object({ bases: basesSchema.optional() }).safeParse(JSON.parse(lockfile));
    return (parsed.data?.bases ?? []).flatMap(({ use, name, topHash }) =>
      isTopHash(topHash) ? [{ use, name, topHash }] : [],
    );
  } catch (error) {
    if (error instanceof SyntaxError) return [];
    throw error;
  }
}

/** What a package's tables say of how its crops were cut: a task for each photo. */
import type { Rectangle } from '../images/crop.ts';
import { MAX_PIXELS } from '../images/sharp.ts';
import { readCsv } from '../openimages/csv.ts';
import { IMAGES_COLUMNS, type ImagesRow } from '../photos/photos.ts';
import { messageOf, PkgError, storageError, systemErrorCode } from '../runtime/errors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { CROPS_COLUMNS, type CropsRow } from '../steps/crops-table.ts';
import type { Digest } from '../store/digest.ts';
import { type Choice, type ChosenCrop, CROPS_KEY, IMAGES_KEY } from './choose.ts';
import { FETCH_INSTEAD } from './recipe.ts';
import type { Supplied, Supply } from './supply.ts';

export interface CropTask {
  readonly logicalKey: string;
  readonly rectangle: Rectangle;
  /** What it has to become. */
  readonly chosen: ChosenCrop;
}

export interface PhotoTask {
  readonly row: ImagesRow;
  /** In the order of the table, which is the order in which the crop step cuts. */
  readonly crops: readonly CropTask[];
}

/** Photos with the same bytes, which are needed only once. */
export interface PhotoGroup {
  readonly photo: Supplied;
  readonly tasks: readonly PhotoTask[];
}

/**
 * Reads the rows of what was chosen out of the tables, which were brought. Crops that no row stands
 * for are left out.
 * @throws PkgError `integrity` for tables that do not fit each other or the package.
 */
export async function readTasks(
  runtime: Runtime,
  supply: Supply,
  choice: Choice,
): Promise<readonly PhotoGroup[]> {
  const { needed, photos } = choice;
  const images = await supply.openKept(needed[IMAGES_KEY]);
  const rows = await inTable(runtime, IMAGES_KEY, () => readPhotos(images, photos));
  const table = await supply.openKept(needed[CROPS_KEY]);
  const crops = await inTable(runtime, CROPS_KEY, () => readCrops(table, choice, rows));
  const groups = new Map<Digest, { photo: Supplied; tasks: PhotoTask[] }>();
  for (const [imageId, tasks] of crops) {
    const photo = photos.get(imageId);
    const row = rows.get(imageId);
    if (photo === undefined || row === undefined) continue;
    const group = groups.get(photo.digest) ?? { photo, tasks: [] };
    groups.set(photo.digest, group);
    group.tasks.push({ row, crops: tasks });
  }
  return [...groups.values()];
}

async function readPhotos(
  bytes: AsyncIterable<Uint8Array>,
  photos: Choice['photos'],
): Promise<ReadonlyMap<string, ImagesRow>> {
  const rows = new Map<string, ImagesRow>();
  for await (const row of readCsv(bytes, IMAGES_COLUMNS)) {
    const photo = photos.get(row.ImageID);
    if (photo === undefined) continue;
    const isIts = row.LogicalKey === photo.entry.logicalKey && row.Digest === photo.digest;
    if (!isIts) throw misfit(IMAGES_KEY, `names another photo for ${row.ImageID}`);
    const pixels = pixelsIn(row.WidthPx) * pixelsIn(row.HeightPx);
    if (!(pixels > 0 && pixels <= MAX_PIXELS)) {
      throw misfit(IMAGES_KEY, `gives ${row.LogicalKey} an impossible size`);
    }
    rows.set(row.ImageID, row);
  }
  return rows;
}

async function readCrops(
  bytes: AsyncIterable<Uint8Array>,
  { crops: chosen }: Choice,
  rows: ReadonlyMap<string, ImagesRow>,
): Promise<ReadonlyMap<string, readonly CropTask[]>> {
  const found = new Map<string, CropTask[]>();
  const seen = new Set<string>();
  for await (const row of readCsv(bytes, CROPS_COLUMNS)) {
    const { LogicalKey: logicalKey, ImageID: imageId } = row;
    const crop = chosen.get(logicalKey);
    if (crop === undefined) continue;
    const photo = rows.get(imageId);
    if (photo === undefined || crop.imageId !== imageId || seen.has(logicalKey)) {
      throw misfit(CROPS_KEY, `does not say of which photo ${logicalKey} is`);
    }
    seen.add(logicalKey);
    const tasks = found.get(imageId) ?? [];
    found.set(imageId, tasks);
    tasks.push({ logicalKey, rectangle: rectangleOf(row, photo), chosen: crop });
  }
  return found;
}

/** The pixels that were cut, padding and all. */
function rectangleOf(row: CropsRow, photo: ImagesRow): Rectangle {
  const [leftPx, topPx] = [pixelsIn(row.LeftPx), pixelsIn(row.TopPx)];
  const [widthPx, heightPx] = [pixelsIn(row.WidthPx), pixelsIn(row.HeightPx)];
  const isInside =
    widthPx > 0 &&
    heightPx > 0 &&
    leftPx + widthPx <= pixelsIn(photo.WidthPx) &&
    topPx + heightPx <= pixelsIn(photo.HeightPx);
  if (!isInside) throw misfit(CROPS_KEY, `places ${row.LogicalKey} outside ${photo.LogicalKey}`);
  return { leftPx, topPx, widthPx, heightPx };
}

/** A number of pixels in a cell; NaN where there is none. */
function pixelsIn(cell: string): number {
  return /^\d{1,9}$/.test(cell) ? Number(cell) : Number.NaN;
}

/** Says which table it is that cannot be read. */
async function inTable<T>({ signal }: Runtime, key: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof PkgError || signal.aborted) throw error;
    const isOfSystem = /^E[A-Z0-9]+$/.test(systemErrorCode(error) ?? '');
    if (isOfSystem) throw storageError(error, `cannot read ${key}`);
    throw misfit(key, `cannot be read: ${messageOf(error)}`, error);
  }
}

function misfit(table: string, what: string, cause?: unknown): PkgError {
  return new PkgError('integrity', `${table} ${what}`, { hint: FETCH_INSTEAD, cause });
}

/** Boxes of photos, out of an Open Images table or one of a package's own. */
import { CsvError } from 'csv-parse';
import { readCsv } from '../openimages/csv.ts';
import { messageOf, PkgError, systemErrorCode } from '../runtime/errors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { fileBytes } from '../store/digest.ts';
import type { Box } from './prediction.ts';

export interface BoxTask {
  readonly box: Box;
  /** Why it is no box. */
  readonly problem?: string;
}

export interface PhotoBoxes {
  /** By ImageID, each in the table's order. */
  readonly boxes: ReadonlyMap<string, readonly BoxTask[]>;
  /** How many more there are, of other photos. */
  readonly others: number;
}

const NEEDED_COLUMNS = ['ImageID', 'XMin', 'XMax', 'YMin', 'YMax'] as const;

/** A crop table says which way its photos are turned; a box table does not, and they are left so. */
const FURTHER_COLUMNS = ['LabelName', 'Rotation'] as const;

type BoxCells = Readonly<
  Record<(typeof NEEDED_COLUMNS)[number] | (typeof FURTHER_COLUMNS)[number], string>
>;

/**
 * Reads the boxes of some photos; the table may be as long as it likes.
 * @throws PkgError `not-found` where there is no such file, `usage` where it is no table of boxes.
 */
export async function readBoxes(
  runtime: Runtime,
  file: string,
  imageIds: ReadonlySet<string>,
): Promise<PhotoBoxes> {
  const boxes = new Map<string, BoxTask[]>();
  let others = 0;
  try {
    const bytes = fileBytes(file, runtime.signal);
    for await (const row of readCsv(bytes, NEEDED_COLUMNS, FURTHER_COLUMNS)) {
      if (!imageIds.has(row.ImageID)) {
        others += 1;
        continue;
      }
      const own = boxes.get(row.ImageID);
      if (own === undefined) boxes.set(row.ImageID, [parseBox(row)]);
      else own.push(parseBox(row));
    }
  } catch (error) {
    runtime.signal.throwIfAborted();
    throw unreadable(file, error);
  }
  return { boxes, others };
}

function parseBox(row: BoxCells): BoxTask {
  const [xMin, xMax] = [parseFraction(row.XMin), parseFraction(row.XMax)];
  const [yMin, yMax] = [parseFraction(row.YMin), parseFraction(row.YMax)];
  const label = row.LabelName === '' ? {} : { label: row.LabelName };
  const box = { xMin, xMax, yMin, yMax, turnDegrees: quarterTurns(row.Rotation), ...label };
  const isBox = xMin >= 0 && xMin < xMax && xMax <= 1 && yMin >= 0 && yMin < yMax && yMax <= 1;
  if (isBox) return { box };
  return { box, problem: 'the box is not inside the photo, or has no area' };
}

/** NaN for what is no number. */
function parseFraction(text: string): number {
  return /^\s*$/.test(text) ? Number.NaN : Number(text);
}

/** Other turns than quarters, and unknown ones, count as none, as in the crop step. */
function quarterTurns(text: string): number {
  const degrees = Number(text);
  return degrees === 90 || degrees === 180 || degrees === 270 ? degrees : 0;
}

function unreadable(file: string, error: unknown): unknown {
  const code = systemErrorCode(error);
  if (error instanceof PkgError) return error;
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return new PkgError('not-found', `there is no file ${file}`, { cause: error });
  }
  if (code === undefined || error instanceof CsvError) {
    return new PkgError('usage', `${file} is no table of boxes: ${messageOf(error)}`, {
      hint: `Give an Open Images box table, or a package's metadata/boxes.csv or metadata/crops.csv.`,
      cause: error,
    });
  }
  return new PkgError('storage', `cannot read ${file} (${code})`, { cause: error });
}

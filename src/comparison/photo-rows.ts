/** Rows of `metadata/images.csv`: which photos died, came back or became others. */
import { IMAGE_STATUSES } from '../photos/photos.ts';
import { PHOTO_CHANGES, type PhotoChange, type RowsChange } from './comparison.ts';
import { joinByPhoto, type TableBytes } from './rows.ts';
import { RowTally } from './tallies.ts';

const COLUMNS = ['Status', 'Digest'] as const;

type Row = Readonly<Record<(typeof COLUMNS)[number], string>>;

/** Statuses of images that are there; all others are tombstones. */
const PRESENT: ReadonlySet<string> = new Set(['ok', 'changed']);
const KNOWN: ReadonlySet<string> = new Set(IMAGE_STATUSES);

/**
 * What became of the photos, by status.
 * @throws DocumentProblem where a table is no table of images in their order.
 */
export async function comparePhotos(
  before: TableBytes,
  after: TableBytes,
  maxNames: number,
): Promise<readonly RowsChange<PhotoChange>[]> {
  const tally = new RowTally(PHOTO_CHANGES, maxNames);
  for await (const photo of joinByPhoto(before, after, COLUMNS)) {
    const rows = Math.max(photo.before.length, photo.after.length);
    for (let index = 0; index < rows; index++) {
      const found = changeOf(photo.before[index], photo.after[index]);
      if (found !== undefined) tally.add(found.change, found.sort, photo.imageId);
    }
  }
  return tally.finish();
}

interface Found {
  readonly change: PhotoChange;
  readonly sort: string;
}

function changeOf(before: Row | undefined, after: Row | undefined): Found | undefined {
  const [was, is] = [statusOf(before), statusOf(after)];
  if (was === undefined) return is === undefined ? undefined : { change: 'selected', sort: is };
  if (is === undefined) return { change: 'deselected', sort: was };
  if (was === is) {
    return before?.Digest === after?.Digest ? undefined : { change: 'photo-bytes', sort: is };
  }
  if (PRESENT.has(was) && !PRESENT.has(is)) return { change: 'died', sort: is };
  if (!PRESENT.has(was) && PRESENT.has(is)) return { change: 'came-back', sort: was };
  return { change: 'other-status', sort: `${was} -> ${is}` };
}

/** A status that the format does not know is told as such. */
function statusOf(row: Row | undefined): string | undefined {
  if (row === undefined) return undefined;
  return KNOWN.has(row.Status) ? row.Status : 'of unknown status';
}

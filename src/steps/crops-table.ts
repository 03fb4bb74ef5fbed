/** `metadata/crops.csv`: for each selected box its crop, or the reason why there is none. */
import { formatCsv } from '../openimages/csv.ts';
import type { BoxFault } from '../openimages/openimages.ts';
import type { ImageStatus } from '../photos/photos.ts';

/** Why a box has no crop: its own fault, its image's status, or the crop's size. */
export type CropReason = '' | BoxFault | Exclude<ImageStatus, 'ok'> | 'too-small';

export const CROPS_COLUMNS = [
  'LogicalKey',
  'ImageID',
  'LabelName',
  'Class',
  'XMin',
  'XMax',
  'YMin',
  'YMax',
  'LeftPx',
  'TopPx',
  'WidthPx',
  'HeightPx',
  'Rotation',
  'IsOccluded',
  'IsTruncated',
  'IsGroupOf',
  'IsDepiction',
  'IsInside',
  'Split',
  'Digest',
  'Reason',
] as const;

/** A row of the table as text; what is unknown is empty. */
export type CropsRow = Readonly<Record<(typeof CROPS_COLUMNS)[number], string>>;

export function formatCropsTable(rows: Iterable<CropsRow>): string {
  return formatCsv(CROPS_COLUMNS, rows);
}

/** File systems hold names of 255 bytes; a number may follow. */
const MAX_FOLDER_BYTES = 200;

/** The longest start of a text, in whole characters, of at most so many bytes of UTF-8. */
function startWithin(text: string, maxBytes: number): string {
  let start = '';
  let sizeBytes = 0;
  for (const character of text) {
    sizeBytes += Buffer.byteLength(character);
    if (sizeBytes > maxBytes) break;
    start += character;
  }
  return start;
}

/**
 * A folder name for each class: its display name without what file systems or logical keys cannot
 * hold; two classes that would share one get numbers.
 */
export function classFolders(classes: Iterable<string>): ReadonlyMap<string, string> {
  const folders = new Map<string, string>();
  const taken = new Set<string>();
  for (const name of [...new Set(classes)].sort()) {
    const harmless = name.normalize('NFC').replace(/[\\/:*?"<>|\p{Cc}\p{Cs}]/gu, '_');
    const plain = startWithin(harmless, MAX_FOLDER_BYTES).replace(/^[. ]+|[. ]+$/g, '_');
    let folder = plain || '_';
    for (let number = 2; taken.has(folder.toLowerCase()); number++) {
      folder = `${plain}_${String(number)}`;
    }
    taken.add(folder.toLowerCase());
    folders.set(name, folder);
  }
  return folders;
}

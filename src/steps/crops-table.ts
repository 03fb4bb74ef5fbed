/** `metadata/crops.csv`: for each selected box its crop, or the reason why there is none. */
import { formatCsvRow } from '../openimages/csv.ts';
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
  const lines = [formatCsvRow(CROPS_COLUMNS)];
  for (const row of rows) lines.push(formatCsvRow(CROPS_COLUMNS.map((column) => row[column])));
  return lines.join('');
}

/**
 * A folder name for each class: its display name without what file systems or logical keys cannot
 * hold; two classes that would share one get numbers.
 */
export function classFolders(classes: Iterable<string>): ReadonlyMap<string, string> {
  const folders = new Map<string, string>();
  const taken = new Set<string>();
  for (const name of [...new Set(classes)].sort()) {
    const plain = name
      .normalize('NFC')
      .replace(/[\\/:*?"<>|\p{Cc}]/gu, '_')
      .replace(/^[. ]+|[. ]+$/g, '_')
      .slice(0, 100);
    let folder = plain || '_';
    for (let number = 2; taken.has(folder.toLowerCase()); number++) {
      folder = `${plain}_${String(number)}`;
    }
    taken.add(folder.toLowerCase());
    folders.set(name, folder);
  }
  return folders;
}

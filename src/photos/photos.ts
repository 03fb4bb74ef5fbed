/** Photos: what became of each selected image, a row of `metadata/images.csv`. */

import { formatCsv } from '../openimages/csv.ts';
import type { ImageRow } from '../openimages/openimages.ts';

/** What became of an image; all but `ok` and `changed` are tombstones. */
export const IMAGE_STATUSES = [
  'ok',
  'changed',
  'missing',
  'gone',
  'placeholder',
  'corrupt',
  'unsupported',
  'too-large',
] as const;

export type ImageStatus = (typeof IMAGE_STATUSES)[number];

export const IMAGES_COLUMNS = [
  'ImageID',
  'Subset',
  'Status',
  'LogicalKey',
  'SizeBytes',
  'Digest',
  'Format',
  'WidthPx',
  'HeightPx',
  'OriginalURL',
  'FinalURL',
  'HttpStatus',
  'OriginalMD5',
  'MD5Matches',
  'OriginalSize',
  'Rotation',
  'License',
  'Author',
  'AuthorProfileURL',
  'OriginalLandingURL',
  'Title',
  'Detail',
] as const;

/** A row of the table as text; what is unknown is empty. */
export type ImagesRow = Readonly<Record<(typeof IMAGES_COLUMNS)[number], string>>;

/** What was found out about an image, beside its metadata. */
export type ImageFinding = Pick<
  ImagesRow,
  'LogicalKey' | 'SizeBytes' | 'Digest' | 'Format' | 'WidthPx' | 'HeightPx' | 'FinalURL'
> &
  Pick<ImagesRow, 'HttpStatus' | 'MD5Matches' | 'Detail'> & { readonly Status: ImageStatus };

export function imagesRow(image: ImageRow, finding: ImageFinding): ImagesRow {
  return { ...image, ...finding };
}

export function formatImagesTable(rows: Iterable<ImagesRow>): string {
  return formatCsv(IMAGES_COLUMNS, rows);
}

/** The status written in a row; throws a plain Error where the table is not ours. */
export function statusOf(row: Pick<ImagesRow, 'Status' | 'ImageID'>): ImageStatus {
  const found = IMAGE_STATUSES.find((status) => status === row.Status);
  if (found === undefined) throw new Error(`image ${row.ImageID} has status "${row.Status}"`);
  return found;
}

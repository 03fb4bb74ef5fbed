/** The Open Images tables: their files, columns and the words for what is wrong with a box. */

/** Columns of the box table; Open Images V6 adds more, which are left aside. */
export const BOX_COLUMNS = [
  'ImageID',
  'Source',
  'LabelName',
  'Confidence',
  'XMin',
  'XMax',
  'YMin',
  'YMax',
  'IsOccluded',
  'IsTruncated',
  'IsGroupOf',
  'IsDepiction',
  'IsInside',
] as const;

/** Columns of the image table. */
export const IMAGE_COLUMNS = [
  'ImageID',
  'Subset',
  'OriginalURL',
  'OriginalLandingURL',
  'License',
  'AuthorProfileURL',
  'Author',
  'Title',
  'OriginalSize',
  'OriginalMD5',
  'Thumbnail300KURL',
  'Rotation',
] as const;

export type BoxColumn = (typeof BOX_COLUMNS)[number];
export type ImageColumn = (typeof IMAGE_COLUMNS)[number];

/** Columns that some releases leave out; they read as empty text. */
export const OPTIONAL_COLUMNS: ReadonlySet<string> = new Set([
  'Source',
  'Confidence',
  'Thumbnail300KURL',
  'Rotation',
]);

/** The SQL type a predicate sees for each column; the rest are text. */
export const COLUMN_TYPES: Readonly<Partial<Record<BoxColumn | ImageColumn, string>>> = {
  Confidence: 'DOUBLE',
  XMin: 'DOUBLE',
  XMax: 'DOUBLE',
  YMin: 'DOUBLE',
  YMax: 'DOUBLE',
  IsOccluded: 'INTEGER',
  IsTruncated: 'INTEGER',
  IsGroupOf: 'INTEGER',
  IsDepiction: 'INTEGER',
  IsInside: 'INTEGER',
  OriginalSize: 'BIGINT',
  Rotation: 'DOUBLE',
};

/**
 * What is wrong with a selected box row, or nothing: `orphan`, no such ImageID in the image table;
 * `invalid-box`, coordinates not numbers with 0 <= min < max <= 1; `repeated-box`, the same label
 * and coordinates on the same image as a row before it.
 */
export type BoxFault = '' | 'orphan' | 'invalid-box' | 'repeated-box';

/** A row of the box table as text, with the chosen class it counts for. */
export type BoxRow = Readonly<Record<BoxColumn, string>> & {
  readonly Class: string;
  readonly Fault: BoxFault;
};

/** A row of the image table as text, with the number of the table it stands in, from 0. */
export type ImageRow = Readonly<Record<ImageColumn, string>> & { readonly Table: string };

/** The columns of a selection's own tables. */
export const SELECTED_BOX_COLUMNS = [...BOX_COLUMNS, 'Class', 'Fault'] as const;
export const SELECTED_IMAGE_COLUMNS = [...IMAGE_COLUMNS, 'Table'] as const;

/** A source table on this disk; `name` is what messages call it, such as its URL. */
export interface TableFile {
  readonly path: string;
  readonly name: string;
}

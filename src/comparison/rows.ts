/** Rows of two tables side by side, photo by photo, both read once and never held whole. */
import { CsvError } from 'csv-parse';
import { readCsv } from '../openimages/csv.ts';
import { messageOf, PkgError, systemErrorCode } from '../runtime/errors.ts';
import { DocumentProblem } from './comparison.ts';

/** No photo has more rows; a table that says so would fill the memory. */
const MAX_ROWS_OF_PHOTO = 100_000;

/** What a sentence quotes of a parser's message at most. */
const MAX_QUOTED_LENGTH = 200;

/** A table's rows as they arrive. */
export interface TableBytes {
  /** For sentences: `metadata/images.csv of A`. */
  readonly name: string;
  readonly bytes: AsyncIterable<Uint8Array>;
}

type PhotoRow<Column extends string> = Readonly<Record<Column | 'ImageID', string>>;

/** The rows of one photo in both tables, either of which may have none. */
export interface PhotoRows<Column extends string> {
  readonly imageId: string;
  readonly before: readonly PhotoRow<Column>[];
  readonly after: readonly PhotoRow<Column>[];
}

/**
 * Joins two tables by ImageID, in whose order (by UTF-16 code unit) both have to be.
 * @throws DocumentProblem where one is no such table.
 */
export async function* joinByPhoto<Column extends string>(
  before: TableBytes,
  after: TableBytes,
  columns: readonly Column[],
): AsyncGenerator<PhotoRows<Column>> {
  const [left, right] = [groupByPhoto(before, columns), groupByPhoto(after, columns)];
  try {
    let was = await nextGroup(left);
    let is = await nextGroup(right);
    while (was !== undefined || is !== undefined) {
      const imageId = firstOf(was?.imageId, is?.imageId);
      const [inBefore, inAfter] = [was?.imageId === imageId, is?.imageId === imageId];
      yield {
        imageId,
        before: inBefore ? (was?.rows ?? []) : [],
        after: inAfter ? (is?.rows ?? []) : [],
      };
      if (inBefore) was = await nextGroup(left);
      if (inAfter) is = await nextGroup(right);
    }
  } finally {
    await left.return(undefined);
    await right.return(undefined);
  }
}

interface Group<Column extends string> {
  readonly imageId: string;
  readonly rows: PhotoRow<Column>[];
}

async function nextGroup<Column extends string>(
  groups: AsyncIterator<Group<Column>, unknown>,
): Promise<Group<Column> | undefined> {
  const next = await groups.next();
  return next.done === true ? undefined : next.value;
}

function firstOf(a: string | undefined, b: string | undefined): string {
  if (a === undefined || b === undefined) return a ?? b ?? '';
  return a < b ? a : b;
}

async function* groupByPhoto<Column extends string>(
  table: TableBytes,
  columns: readonly Column[],
): AsyncGenerator<Group<Column>> {
  let group: Group<Column> | undefined;
  for await (const row of readRows(table, columns)) {
    if (row.ImageID === group?.imageId) {
      if (group.rows.length >= MAX_ROWS_OF_PHOTO) {
        const most = String(MAX_ROWS_OF_PHOTO);
        throw new DocumentProblem(`${table.name} has more than ${most} rows of one photo`);
      }
      group.rows.push(row);
      continue;
    }
    if (group !== undefined && row.ImageID < group.imageId) {
      throw new DocumentProblem(`${table.name} is not in the order of its ImageIDs`);
    }
    if (group !== undefined) yield group;
    group = { imageId: row.ImageID, rows: [row] };
  }
  if (group !== undefined) yield group;
}

function readRows<Column extends string>(
  table: TableBytes,
  columns: readonly Column[],
): AsyncGenerator<PhotoRow<Column>> {
  return readTable<Column | 'ImageID'>(table, ['ImageID', ...columns]);
}

/**
 * The rows of a table, with columns that it must have.
 * @throws DocumentProblem where it is no such table.
 */
export async function* readTable<Column extends string>(
  { name, bytes }: TableBytes,
  columns: readonly Column[],
): AsyncGenerator<Readonly<Record<Column, string>>> {
  try {
    yield* readCsv<Column>(bytes, columns);
  } catch (error) {
    throw tableProblem(name, error);
  }
}

/** A failure while a table was read: a problem of the table, where the rows are to blame. */
export function tableProblem(name: string, error: unknown): unknown {
  if (error instanceof DocumentProblem || !isTableFault(error)) return error;
  const why = messageOf(error).slice(0, MAX_QUOTED_LENGTH);
  return new DocumentProblem(`${name} cannot be read: ${why}`, { cause: error });
}

/** Whether the rows, not the disk, the network or this tool, are to blame. */
function isTableFault(error: unknown): boolean {
  if (error instanceof CsvError) return true;
  if (!(error instanceof Error) || error instanceof PkgError) return false;
  if (error instanceof TypeError || error instanceof RangeError) return false;
  return systemErrorCode(error) === undefined;
}

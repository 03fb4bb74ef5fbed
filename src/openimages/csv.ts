/** CSV as Open Images writes it: RFC 4180, UTF-8, LF, a header line. */
import { Readable } from 'node:stream';
import { parse } from 'csv-parse';

/** One line with its line end; a value is quoted only where it must be. */
export function formatCsvRow(values: readonly (string | number)[]): string {
  const cells = values.map((value) => {
    const text = String(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  });
  return `${cells.join(',')}\n`;
}

/** A whole table: the columns as header, then the rows. */
export function formatCsv<Column extends string>(
  columns: readonly Column[],
  rows: Iterable<Readonly<Record<Column, string | number>>>,
): string {
  const lines = [formatCsvRow(columns)];
  for (const row of rows) lines.push(formatCsvRow(columns.map((column) => row[column])));
  return lines.join('');
}

/** No row is longer, in bytes; without a limit, a quote that is never closed would fill the memory. */
const MAX_ROW_BYTES = 16 * 2 ** 20;

/**
 * Rows of a table, in file order, as text by column; `optional` columns read as empty where the table
 * lacks them.
 * @throws Error where the bytes are not such a table.
 */
export async function* readCsv<Column extends string, Optional extends string = never>(
  bytes: AsyncIterable<Uint8Array>,
  columns: readonly Column[],
  optional: readonly Optional[] = [],
): AsyncGenerator<Readonly<Record<Column | Optional, string>>> {
  const all = [...columns, ...optional];
  const parser = parse({ bom: true, max_record_size: MAX_ROW_BYTES });
  const source = Readable.from(bytes);
  source.on('error', (error) => parser.destroy(error));
  parser.on('close', () => source.destroy());
  const rows: AsyncIterable<readonly string[]> = source.pipe(parser);
  let positions: readonly number[] | undefined;
  for await (const cells of rows) {
    if (positions === undefined) {
      positions = all.map((column) => cells.indexOf(column));
      if (positions.slice(0, columns.length).includes(-1))
        throw new Error(`the table lacks one of ${columns.join(', ')}`);
    } else {
      yield pickCells(cells, all, positions);
    }
  }
}

/** All rows of a table that fits into memory. */
export async function collectRows<Row>(rows: AsyncIterable<Row>): Promise<readonly Row[]> {
  const all: Row[] = [];
  for await (const row of rows) all.push(row);
  return all;
}

function pickCells<Column extends string>(
  cells: readonly string[],
  columns: readonly Column[],
  positions: readonly number[],
): Readonly<Record<Column, string>> {
  const row: Partial<Record<Column, string>> = {};
  for (const [index, column] of columns.entries())
    row[column] = cells[positions[index] ?? -1] ?? '';
  return row as Record<Column, string>;
}

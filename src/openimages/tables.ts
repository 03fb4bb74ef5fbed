/** How a source table on disk is scanned: CSV, gzipped CSV or Parquet, told apart by content. */
import { open } from 'node:fs/promises';
import { gunzipSync, constants as zlib } from 'node:zlib';
import type { DuckDBConnection } from '@duckdb/node-api';
import { parse } from 'csv-parse/sync';
import { messageOf, PkgError } from '../runtime/errors.ts';
import { didYouMean } from '../runtime/suggest.ts';
import { OPTIONAL_COLUMNS, type TableFile } from './openimages.ts';
import { sqlPath, sqlText } from './sql.ts';

/** A header line longer than this is not one of a table. */
const HEADER_MAX_BYTES = 1 << 16;

/** Bytes DuckDB reads at once for each thread; its default of 32 MB only costs memory. */
const SCAN_BUFFER_BYTES = 4_000_000;

/**
 * An SQL table expression over a source table: the named columns as text, NULL where a cell is
 * empty (`orEmpty` makes text of that) or where the file lacks an optional column.
 * @throws PkgError `manifest` where the file is not a table or lacks a column.
 */
export async function scanTable(
  connection: DuckDBConnection,
  table: TableFile,
  columns: readonly string[],
  key: string,
): Promise<string> {
  const start = await readStart(table.path);
  if (start.subarray(0, 4).toString('latin1') === 'PAR1') {
    return await scanParquet(connection, table, columns, key);
  }
  const gzipped = start[0] === 0x1f && start[1] === 0x8b;
  const header = parseHeader(gzipped ? gunzipStart(start, table, key) : start, table, key);
  const source =
    `read_csv(${sqlPath(table.path)}, header = true, auto_detect = false, delim = ',', ` +
    `quote = '"', escape = '"', compression = '${gzipped ? 'gzip' : 'none'}', ` +
    `buffer_size = ${String(SCAN_BUFFER_BYTES)}, max_line_size = 1000000, ` +
    `columns = {${header.map((name) => `${sqlText(name)}: 'VARCHAR'`).join(', ')}})`;
  return selectColumns(source, header, columns, table, key);
}

/** A select list of the columns with NULL as empty text. */
export function orEmpty(table: string, columns: readonly string[]): string {
  return columns.map((column) => `coalesce(${table}."${column}", '') AS "${column}"`).join(', ');
}

/**
 * Makes a sentence of DuckDB's report on a broken line: file, line and what is wrong with it.
 * Other errors are returned as they are.
 */
export function explainScanError(error: unknown, table: TableFile, key: string): unknown {
  const message = messageOf(error);
  const hint = 'Fix the line, or fetch the file again if it was cut off.';
  const line = /CSV Error on Line: (\d+)/.exec(message)?.[1];
  const columns = /Expected Number of Columns: (\d+) Found: (\d+)/.exec(message);
  const why =
    columns !== null
      ? `expected ${columns[1] ?? ''} columns, found ${columns[2] ?? ''}`
      : /unterminated quote/.test(message)
        ? 'a quote is not closed'
        : /not utf-8/i.test(message)
          ? 'the text is not UTF-8'
          : /Maximum line size/i.test(message)
            ? 'the line is longer than 1,000,000 bytes'
            : 'the line does not follow RFC 4180';
  if (line !== undefined) {
    return new PkgError('manifest', `${table.name}:${line}: ${why}`, { key, hint, cause: error });
  }
  if (/CSV Parser|CSV File|not a GZIP|gzip|Parquet|Thrift|Snappy|ZSTD/i.test(message)) {
    const first = message.split('\n')[0] ?? message;
    return new PkgError('manifest', `${table.name} cannot be read as a table: ${first}`, {
      key,
      hint: 'A table is RFC 4180 CSV with one kind of line end, the same gzipped, or Parquet.',
      cause: error,
    });
  }
  return error;
}

async function readStart(path: string): Promise<Buffer> {
  const file = await open(path);
  try {
    const buffer = Buffer.alloc(HEADER_MAX_BYTES);
    const { bytesRead } = await file.read(buffer, 0, HEADER_MAX_BYTES, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

function gunzipStart(start: Buffer, table: TableFile, key: string): Buffer {
  try {
    return gunzipSync(start, {
      finishFlush: zlib.Z_SYNC_FLUSH,
      maxOutputLength: 1200 * HEADER_MAX_BYTES,
    });
  } catch (error) {
    throw new PkgError('manifest', `${table.name} is not valid gzip: ${messageOf(error)}`, {
      key,
      cause: error,
    });
  }
}

function parseHeader(start: Buffer, table: TableFile, key: string): readonly string[] {
  const end = start.indexOf('\n');
  const line = start.subarray(0, end < 0 ? start.length : end).toString('utf8');
  const fail = (why: string) =>
    new PkgError('manifest', `${table.name}:1: ${why}`, {
      key,
      hint: 'Expected a header line with the columns of Open Images, such as ImageID.',
    });
  if (line.trim() === '') throw fail('the file is empty');
  let rows: string[][];
  try {
    rows = parse(line, { bom: true, trim: true });
  } catch (error) {
    throw fail(`not a CSV header (${messageOf(error)})`);
  }
  const header = rows[0] ?? [];
  const repeated = header.find((name, index) => header.indexOf(name) !== index);
  if (repeated !== undefined) throw fail(`the column "${repeated}" stands twice`);
  return header;
}

async function scanParquet(
  connection: DuckDBConnection,
  table: TableFile,
  columns: readonly string[],
  key: string,
): Promise<string> {
  const source = `read_parquet(${sqlPath(table.path)})`;
  try {
    const reader = await connection.runAndReadAll(`DESCRIBE SELECT * FROM ${source}`);
    const header = reader
      .getRowsJson()
      .flatMap(([name]) => (typeof name === 'string' ? [name] : []));
    return selectColumns(source, header, columns, table, key);
  } catch (error) {
    throw explainScanError(error, table, key);
  }
}

function selectColumns(
  source: string,
  header: readonly string[],
  columns: readonly string[],
  table: TableFile,
  key: string,
): string {
  const expressions = columns.map((column) => {
    if (header.includes(column)) return `"${column}"::VARCHAR AS "${column}"`;
    if (OPTIONAL_COLUMNS.has(column)) return `NULL::VARCHAR AS "${column}"`;
    throw new PkgError('manifest', `${table.name}:1: the column ${column} is missing`, {
      key,
      hint: didYouMean(column, header) ?? `The file has ${header.join(', ')}.`,
    });
  });
  return `(SELECT ${expressions.join(', ')} FROM ${source})`;
}

/** Reading the tables that tests compare. */
import { readFileSync } from 'node:fs';
import { parse } from 'csv-parse/sync';

export type Row = Readonly<Record<string, string>>;

export function readTable(path: string): readonly Row[] {
  return parse(readFileSync(path), { columns: true, bom: true });
}

/** A cell of a row; fails where the table has no such column. */
export function cell(row: Row, column: string): string {
  const value = row[column];
  if (value === undefined) throw new Error(`no column ${column}`);
  return value;
}

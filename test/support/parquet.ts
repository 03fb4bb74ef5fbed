/** Parquet files for tests, written by DuckDB itself. */
import { DuckDBInstance } from '@duckdb/node-api';

/** Copies a CSV file to Parquet, all columns as text. */
export async function csvToParquet(csvPath: string, parquetPath: string): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  await connection.run(
    `COPY (FROM read_csv('${csvPath}', header = true, all_varchar = true)) TO '${parquetPath}' (FORMAT parquet)`,
  );
  connection.closeSync();
  instance.closeSync();
}

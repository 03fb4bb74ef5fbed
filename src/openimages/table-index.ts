/** A source table again as sorted Parquet, so that the next query reads only the rows it needs. */
import type { Runtime } from '../runtime/runtime.ts';
import { BOX_COLUMNS, IMAGE_COLUMNS, type TableFile } from './openimages.ts';
import { sqlText, withDatabase } from './sql.ts';
import { scanTable } from './tables.ts';

export type TableKind = 'boxes' | 'images';

/**
 * Memory for the sort, for each thread; what does not fit goes to the temporary folder. Less does not
 * do for the 14.6 million boxes of Open Images, and more threads only need more of it.
 */
const SORT_MEGABYTES_PER_THREAD = 256;
const MAX_SORT_THREADS = 2;

const INDEXES: Readonly<
  Record<TableKind, { columns: readonly string[]; order: string; rowsPerGroup: number }>
> = {
  boxes: { columns: BOX_COLUMNS, order: 'LabelName, ImageID', rowsPerGroup: 100_000 },
  images: { columns: IMAGE_COLUMNS, order: 'ImageID', rowsPerGroup: 20_000 },
};

/**
 * Writes the columns a query can need to `target`: boxes sorted by label, images by ImageID. A
 * query gives the same rows from it as from the table itself.
 */
export async function writeTableIndex(
  runtime: Runtime,
  kind: TableKind,
  table: TableFile,
  target: string,
  temporaryFolder: string,
): Promise<void> {
  const { columns, order, rowsPerGroup } = INDEXES[kind];
  const threads = Math.min(MAX_SORT_THREADS, runtime.concurrency);
  const limits = {
    memoryMegabytes: SORT_MEGABYTES_PER_THREAD * threads,
    threads,
    temporaryFolder,
    files: [table.path, target],
  };
  await withDatabase(runtime, limits, async (connection) => {
    const scan = await scanTable(connection, table, columns, `data.source.${kind}`);
    await connection.run(
      `COPY (SELECT * FROM ${scan} ORDER BY ${order}) TO ${sqlText(target)} ` +
        `(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE ${String(rowsPerGroup)})`,
    );
  });
}

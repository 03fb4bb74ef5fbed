/** The query: the box rows and images that a manifest's classes, predicate and sample select. */
import type { DuckDBConnection } from '@duckdb/node-api';
import { PkgError } from '../runtime/errors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { ChosenClass } from './labels.ts';
import {
  BOX_COLUMNS,
  type BoxRow,
  COLUMN_TYPES,
  IMAGE_COLUMNS,
  type ImageRow,
  SELECTED_BOX_COLUMNS,
  SELECTED_IMAGE_COLUMNS,
  type TableFile,
} from './openimages.ts';
import { checkPredicate, whereClause } from './predicate.ts';
import { fixMemory, type SqlLimits, sqlText, withDatabase } from './sql.ts';
import { explainScanError, orEmpty, scanTable } from './tables.ts';

export interface BoxQuery {
  /** Box and image tables; several are read as one. */
  readonly boxes: readonly TableFile[];
  readonly images: readonly TableFile[];
  readonly classes: readonly ChosenClass[];
  readonly where: string | undefined;
  readonly imagesPerClass: number | undefined;
  readonly seed: number;
}

/** How many rows a selection has, and what was set aside on the way. */
export interface SelectionCounts {
  readonly boxes: number;
  readonly images: number;
  readonly orphan: number;
  readonly 'invalid-box': number;
  readonly 'repeated-box': number;
  /** Further rows of the image tables for an ImageID that already has one. */
  readonly repeatedImages: number;
}

/** A selection, readable once: boxes by (ImageID, LabelName, box), images by ImageID. */
export interface Selection {
  readonly boxes: AsyncIterable<BoxRow>;
  readonly images: AsyncIterable<ImageRow>;
  readonly counts: SelectionCounts;
}

/**
 * Memory DuckDB may hold while tables are scanned: a base, and the buffers of each thread. Node and
 * the library itself add about 100 MB.
 */
const SCAN_MEMORY_MEGABYTES = { base: 60, perThread: 20 };

/** Sorting and joining what was selected needs more, in proportion; the rest goes to disk. */
const MEGABYTES_PER_MILLION_BOXES = 40;

/** Whether a box's coordinates, as doubles, are a rectangle inside the picture. */
const VALID_BOX =
  'coalesce(isfinite(x0) AND isfinite(x1) AND isfinite(y0) AND isfinite(y1) AND ' +
  '0 <= x0 AND x0 < x1 AND x1 <= 1 AND 0 <= y0 AND y0 < y1 AND y1 <= 1, false)';

const BOX_ORDER =
  'ImageID, LabelName, x0 NULLS LAST, x1 NULLS LAST, y0 NULLS LAST, y1 NULLS LAST, ' +
  BOX_COLUMNS.slice(1)
    .map((column) => `"${column}"`)
    .join(', ');

/**
 * Runs a query and hands its selection to `use`. Images join boxes by ImageID; the sample of
 * `imagesPerClass` takes the images with the smallest SHA-256 of `seed:ImageID`, so that it does
 * not depend on the order of any file.
 * @throws PkgError `manifest` for a predicate that is none, or for a broken table with its line.
 */
export async function selectBoxes<T>(
  runtime: Runtime,
  query: BoxQuery,
  temporaryFolder: string,
  use: (selection: Selection) => Promise<T>,
): Promise<T> {
  const files = [...query.boxes, ...query.images].map(({ path }) => path);
  const limits = scanLimits(runtime, temporaryFolder, files);
  return await withDatabase(runtime, limits, async (connection) => {
    if (query.where !== undefined) await checkPredicate(connection, query.where);
    await loadBoxes(connection, query);
    const [boxes = 0] = await readNumbers(connection, 'SELECT count(*) FROM box');
    const extra = Math.ceil((boxes / 1e6) * MEGABYTES_PER_MILLION_BOXES);
    await fixMemory(connection, limits.memoryMegabytes + extra);
    const repeatedImages = await loadImages(connection, query);
    await markBoxes(connection, query);
    return await use({
      boxes: streamRows(connection, SELECTED_BOXES, SELECTED_BOX_COLUMNS),
      images: streamRows(connection, SELECTED_IMAGES, SELECTED_IMAGE_COLUMNS),
      counts: await countSelection(connection, repeatedImages),
    });
  });
}

/** Checks a predicate without any table at hand. */
export async function checkWhere(
  runtime: Runtime,
  where: string,
  temporaryFolder: string,
): Promise<void> {
  const limits = scanLimits(runtime, temporaryFolder, []);
  await withDatabase(runtime, limits, (connection) => checkPredicate(connection, where));
}

function scanLimits(
  { concurrency: threads }: Runtime,
  temporaryFolder: string,
  files: readonly string[],
): SqlLimits {
  const { base, perThread } = SCAN_MEMORY_MEGABYTES;
  return { memoryMegabytes: base + perThread * threads, threads, temporaryFolder, files };
}

async function loadBoxes(connection: DuckDBConnection, query: BoxQuery): Promise<void> {
  const labelRows = query.classes.flatMap((chosen) =>
    chosen.labels.map((label) => `(${sqlText(label)}, ${sqlText(chosen.displayName)})`),
  );
  await connection.run(
    `CREATE TEMP TABLE label_class AS SELECT * FROM (VALUES ${labelRows.join(', ')}) t(LabelName, Class)`,
  );
  const columns = BOX_COLUMNS.map((column) => `"${column}" VARCHAR`).join(', ');
  await connection.run(`CREATE TEMP TABLE box (${columns}, Class VARCHAR)`);
  const labels = query.classes.flatMap((chosen) => chosen.labels.map(sqlText)).join(', ');
  for (const [index, table] of query.boxes.entries()) {
    const key = tableKey('boxes', index, query.boxes.length);
    await load(
      connection,
      table,
      BOX_COLUMNS,
      key,
      (scan) =>
        `INSERT INTO box SELECT ${orEmpty('s', BOX_COLUMNS)}, c.Class FROM ${scan} s JOIN label_class c USING (LabelName) ` +
        `WHERE s.LabelName IN (${labels})`,
    );
  }
}

async function loadImages(connection: DuckDBConnection, query: BoxQuery): Promise<number> {
  const columns = IMAGE_COLUMNS.map((column) => `"${column}" VARCHAR`).join(', ');
  await connection.run(`CREATE TEMP TABLE found (${columns}, "Table" VARCHAR)`);
  for (const [index, table] of query.images.entries()) {
    const key = tableKey('images', index, query.images.length);
    await load(
      connection,
      table,
      IMAGE_COLUMNS,
      key,
      (scan) =>
        `INSERT INTO found SELECT ${orEmpty('s', IMAGE_COLUMNS)}, '${String(index)}' FROM ${scan} s WHERE ImageID IN (SELECT ImageID FROM box)`,
    );
  }
  const order = IMAGE_COLUMNS.map((column) => `"${column}"`).join(', ');
  await connection.run(
    `CREATE TEMP TABLE image AS SELECT * FROM found ` +
      `QUALIFY row_number() OVER (PARTITION BY ImageID ORDER BY "Table"::INTEGER, ${order}) = 1`,
  );
  const counted = await readNumbers(
    connection,
    'SELECT (SELECT count(*) FROM found) - (SELECT count(*) FROM image)',
  );
  return counted[0] ?? 0;
}

async function load(
  connection: DuckDBConnection,
  table: TableFile,
  columns: readonly string[],
  key: string,
  statement: (scan: string) => string,
): Promise<void> {
  const scan = await scanTable(connection, table, columns, key);
  try {
    await connection.run(statement(scan));
  } catch (error) {
    throw explainScanError(error, table, key);
  }
}

/** Joins, applies the predicate, names each row's fault and draws the sample: table `selected`. */
async function markBoxes(connection: DuckDBConnection, query: BoxQuery): Promise<void> {
  const imageColumns = IMAGE_COLUMNS.slice(1).map((column) => typed('i', column));
  const boxColumns = BOX_COLUMNS.map((column) => typed('b', column));
  await connection.run(
    `CREATE TEMP VIEW joined AS SELECT b.*, b.rowid AS number, i.ImageID IS NULL AS orphan,
       TRY_CAST(b.XMin AS DOUBLE) AS x0, TRY_CAST(b.XMax AS DOUBLE) AS x1,
       TRY_CAST(b.YMin AS DOUBLE) AS y0, TRY_CAST(b.YMax AS DOUBLE) AS y1
     FROM box b LEFT JOIN image i USING (ImageID)`,
  );
  const predicate =
    query.where === undefined
      ? ''
      : `WHERE number IN (SELECT number FROM (SELECT ${[...boxColumns, ...imageColumns].join(', ')},
           b.number FROM joined b LEFT JOIN image i USING (ImageID)) boxes ${whereClause(query.where)})`;
  try {
    await connection.run(
      `CREATE TEMP TABLE marked AS SELECT *, CASE WHEN orphan THEN 'orphan'
         WHEN NOT ${VALID_BOX} THEN 'invalid-box'
         WHEN row_number() OVER (PARTITION BY ImageID, LabelName, x0, x1, y0, y1
           ORDER BY ${BOX_ORDER}) > 1 THEN 'repeated-box' ELSE '' END AS Fault
       FROM joined ${predicate}`,
    );
  } catch (error) {
    throw explainPredicateError(error, query.where);
  }
  await connection.run(`CREATE TEMP TABLE selected AS SELECT * FROM marked ${sample(query)}`);
}

function sample(query: BoxQuery): string {
  if (query.imagesPerClass === undefined) return '';
  return `WHERE orphan OR (Class, ImageID) IN (
       SELECT (Class, ImageID) FROM (SELECT DISTINCT Class, ImageID FROM marked WHERE Fault = '')
       QUALIFY row_number() OVER (PARTITION BY Class
         ORDER BY sha256(${sqlText(`${String(query.seed)}:`)} || ImageID), ImageID)
         <= ${String(query.imagesPerClass)})`;
}

const SELECTED_BOXES = `SELECT ${SELECTED_BOX_COLUMNS.map((column) => `"${column}"`).join(', ')}
  FROM selected ORDER BY ${BOX_ORDER}, Fault`;

const SELECTED_IMAGES = `SELECT ${SELECTED_IMAGE_COLUMNS.map((column) => `"${column}"`).join(', ')}
  FROM image WHERE ImageID IN (SELECT ImageID FROM selected) ORDER BY ImageID`;

async function countSelection(
  connection: DuckDBConnection,
  repeatedImages: number,
): Promise<SelectionCounts> {
  const faults = ['orphan', 'invalid-box', 'repeated-box'];
  const counts = await readNumbers(
    connection,
    `SELECT count(*), (SELECT count(*) FROM image WHERE ImageID IN (SELECT ImageID FROM selected)),
       ${faults.map((fault) => `count(*) FILTER (Fault = ${sqlText(fault)})`).join(', ')}
     FROM selected`,
  );
  const [boxes = 0, images = 0, orphan = 0, invalid = 0, repeated = 0] = counts;
  return {
    boxes,
    images,
    orphan,
    'invalid-box': invalid,
    'repeated-box': repeated,
    repeatedImages,
  };
}

async function* streamRows<Row>(
  connection: DuckDBConnection,
  statement: string,
  columns: readonly string[],
): AsyncGenerator<Row> {
  const result = await connection.stream(statement);
  for await (const rows of result.yieldRowsJson()) {
    for (const cells of rows) {
      yield Object.fromEntries(columns.map((column, index) => [column, cells[index]])) as Row;
    }
  }
}

async function readNumbers(
  connection: DuckDBConnection,
  statement: string,
): Promise<readonly number[]> {
  const reader = await connection.runAndReadAll(statement);
  return (reader.getRowsJson()[0] ?? []).map(Number);
}

function typed(table: string, column: (typeof BOX_COLUMNS | typeof IMAGE_COLUMNS)[number]): string {
  const type = COLUMN_TYPES[column];
  const cell = `${table}."${column}"`;
  return `${type === undefined ? cell : `TRY_CAST(${cell} AS ${type})`} AS "${column}"`;
}

function tableKey(kind: 'boxes' | 'images', index: number, count: number): string {
  return count === 1 ? `data.source.${kind}` : `data.source.${kind}.${String(index)}`;
}

function explainPredicateError(error: unknown, where: string | undefined): unknown {
  if (!(error instanceof Error) || where === undefined) return error;
  if (!/Binder Error|Conversion Error|Invalid Input Error|Out of Range Error/.test(error.message))
    return error;
  const first = error.message.split('\n')[0] ?? error.message;
  return new PkgError('manifest', first, { key: 'data.query.where', cause: error });
}

/** The query step: from source tables to the selected boxes, images and classes. */
import { access, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { QueryParams } from '../manifest/manifest.ts';
import {
  type BoxQuery,
  checkWhere,
  type SelectionCounts,
  selectBoxes,
} from '../openimages/boxes.ts';
import { formatCsv, formatCsvRow } from '../openimages/csv.ts';
import {
  type ChosenClass,
  chooseClasses,
  type HierarchyNode,
  readHierarchy,
  readLabels,
} from '../openimages/labels.ts';
import {
  SELECTED_BOX_COLUMNS,
  SELECTED_IMAGE_COLUMNS,
  type TableFile,
} from '../openimages/openimages.ts';
import { type TableKind, writeTableIndex } from '../openimages/table-index.ts';
import { PkgError, systemErrorCode } from '../runtime/errors.ts';
import { startProgress } from '../runtime/progress.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { withTemporaryFile } from '../store/atomic-file.ts';
import type { Descriptor } from '../store/digest.ts';
import type { Store } from '../store/store.ts';
import { type Tree, treeOf } from '../store/tree.ts';
import type { StepOutputs, StepSpec } from './step.ts';

/** A pinned table with the place of its bytes and the address that messages call it by. */
export interface SourceTable extends Descriptor, TableFile {}

/** The source tables of a query. */
export interface QuerySources {
  readonly classes: SourceTable;
  readonly boxes: readonly SourceTable[];
  readonly images: readonly SourceTable[];
  readonly hierarchy: SourceTable | undefined;
}

/** The index format; it stands in the file names, so another never reads these files. */
const INDEX_VERSION = 'v1';

const IMAGE_ID_PATTERN = /^[A-Za-z0-9_-]{1,64}$/;

/**
 * Selects boxes and images. Outputs one tree, `selection`: `boxes.csv` and `images.csv` (all columns
 * of the source, sorted), `classes.csv`,
 * `hierarchy.json` where there is one, and `counts.json`.
 * @throws PkgError `manifest` for an unknown class, a bad predicate or a broken table.
 */
export async function queryBoxes(
  runtime: Runtime,
  store: Store,
  params: Extract<StepSpec, { name: 'query' }>['params'],
  sources: QuerySources,
): Promise<StepOutputs> {
  const labels = await readLabels(sources.classes);
  const hierarchy =
    sources.hierarchy === undefined ? undefined : await readHierarchy(sources.hierarchy);
  const classes = await resolveClasses(params, sources);
  const progress = startProgress(runtime, 'query', undefined);
  const selected = await selectWithIndexes(runtime, store, sources, (boxes, images) => ({
    boxes,
    images,
    classes,
    where: params.where,
    imagesPerClass: params.imagesPerClass,
    seed: params.seed,
  }));
  const { counts } = selected;
  progress.finish(`${String(counts.boxes)} boxes on ${String(counts.images)} images`);
  const names = new Map(labels.map(({ mid, displayName }) => [mid, displayName]));
  const texts = [
    ['classes.csv', formatClasses(classes, names)],
    ['counts.json', `${JSON.stringify(counts, null, 2)}\n`],
    ...(hierarchy === undefined ? [] : [['hierarchy.json', formatHierarchy(hierarchy, names)]]),
  ] as const;
  const small = await Promise.all(
    texts.map(async ([path = '', text = '']) => ({ path, ...(await store.putBytes(text)) })),
  );
  return { selection: treeOf([...small, ...selected.tables]) };
}

/**
 * Checks what can be checked of a query before any table is fetched: its predicate.
 * @throws PkgError `manifest` for one that is none.
 */
export async function checkQuery(
  runtime: Runtime,
  store: Store,
  params: QueryParams,
): Promise<void> {
  if (params.where === undefined) return;
  await checkWhere(runtime, params.where, await store.scratchFolder('tmp'));
}

/**
 * The classes of a query, checked against the class table and the hierarchy.
 * @throws PkgError `manifest` for a class that the table lacks.
 */
export async function resolveClasses(
  params: QueryParams,
  sources: Pick<QuerySources, 'classes' | 'hierarchy'>,
): Promise<readonly ChosenClass[]> {
  const labels = await readLabels(sources.classes);
  if (!params.descendants) return chooseClasses(labels, params.classes, undefined);
  if (sources.hierarchy === undefined) {
    throw new PkgError('manifest', 'descendants needs data.source.hierarchy', {
      key: 'data.query.descendants',
    });
  }
  return chooseClasses(labels, params.classes, await readHierarchy(sources.hierarchy));
}

/**
 * Writes what makes the next query on these tables instant, where it is not there yet. Meant to run
 * beside other work, after the answer.
 */
export async function indexTables(
  runtime: Runtime,
  store: Store,
  sources: QuerySources,
): Promise<void> {
  const folder = await store.scratchFolder('index');
  const temporaryFolder = await store.scratchFolder('tmp');
  for (const [kind, table] of tablesOf(sources)) {
    const target = join(folder, indexName(kind, table));
    if (await exists(target)) continue;
    await withTemporaryFile(folder, async (temporaryPath) => {
      await writeTableIndex(runtime, kind, table, temporaryPath, temporaryFolder);
      await rename(temporaryPath, target);
    });
  }
}

async function selectWithIndexes(
  runtime: Runtime,
  store: Store,
  sources: QuerySources,
  queryOf: (boxes: readonly TableFile[], images: readonly TableFile[]) => BoxQuery,
): Promise<{ readonly tables: Tree; readonly counts: SelectionCounts }> {
  const folder = await store.scratchFolder('index');
  const indexed = new Map<TableFile, TableFile>();
  for (const [kind, table] of tablesOf(sources)) {
    const path = join(folder, indexName(kind, table));
    if (await exists(path)) indexed.set(table, { path, name: table.name });
  }
  const select = (tables: ReadonlyMap<TableFile, TableFile>) => {
    const pick = (table: TableFile) => tables.get(table) ?? table;
    return storeSelection(
      runtime,
      store,
      queryOf(sources.boxes.map(pick), sources.images.map(pick)),
    );
  };
  if (indexed.size === 0) return await select(new Map());
  try {
    return await select(indexed);
  } catch (error) {
    const aboutTables = error instanceof PkgError && error.key?.startsWith('data.source') === true;
    if (!aboutTables) throw error;
    // A damaged index must not be taken for a damaged source.
    for (const { path } of indexed.values()) await rm(path, { force: true });
    return await select(new Map());
  }
}

async function storeSelection(runtime: Runtime, store: Store, query: BoxQuery) {
  const temporaryFolder = await store.scratchFolder('tmp');
  return await selectBoxes(runtime, query, temporaryFolder, async ({ boxes, images, counts }) => {
    const written = [
      ['boxes.csv', csvOf(SELECTED_BOX_COLUMNS, boxes)],
      ['images.csv', csvOf(SELECTED_IMAGE_COLUMNS, checkIds(images, query))],
    ] as const;
    const entries = [];
    for (const [path, bytes] of written) entries.push({ path, ...(await store.put(bytes)) });
    return { tables: treeOf(entries), counts };
  });
}

async function* csvOf<Column extends string>(
  columns: readonly Column[],
  rows: AsyncIterable<Readonly<Record<Column, string>>>,
): AsyncGenerator<Uint8Array> {
  let pending = formatCsvRow(columns);
  for await (const row of rows) {
    pending += formatCsvRow(columns.map((column) => row[column]));
    if (pending.length > 1 << 16) {
      yield Buffer.from(pending);
      pending = '';
    }
  }
  yield Buffer.from(pending);
}

/** ImageIDs become file names, so a table may not put anything else in their place. */
async function* checkIds<Row extends { readonly ImageID: string; readonly Table: string }>(
  rows: AsyncIterable<Row>,
  query: BoxQuery,
): AsyncGenerator<Row> {
  for await (const row of rows) {
    if (!IMAGE_ID_PATTERN.test(row.ImageID)) {
      const table = query.images[Number(row.Table)]?.name ?? 'the image table';
      throw new PkgError(
        'manifest',
        `${table}: ImageID ${JSON.stringify(row.ImageID)} is refused`,
        {
          key: 'data.source.images',
          hint: 'ImageIDs are of letters, digits, "_" and "-", at most 64.',
        },
      );
    }
    yield row;
  }
}

function formatClasses(
  classes: readonly ChosenClass[],
  names: ReadonlyMap<string, string>,
): string {
  const rows = classes.flatMap((chosen) =>
    chosen.labels.map((mid) => ({
      LabelName: mid,
      DisplayName: names.get(mid) ?? mid,
      Class: chosen.displayName,
    })),
  );
  return formatCsv(['LabelName', 'DisplayName', 'Class'], rows);
}

/** The hierarchy with display names, for people and for charts. */
function formatHierarchy(root: HierarchyNode, names: ReadonlyMap<string, string>): string {
  const plain = (node: HierarchyNode): object => ({
    LabelName: node.LabelName,
    DisplayName: names.get(node.LabelName) ?? (node === root ? 'Entity' : node.LabelName),
    ...(node.Subcategory === undefined ? {} : { Subcategory: node.Subcategory.map(plain) }),
    ...(node.Part === undefined ? {} : { Part: node.Part.map(plain) }),
  });
  return `${JSON.stringify(plain(root))}\n`;
}

function tablesOf(sources: QuerySources): readonly (readonly [TableKind, SourceTable])[] {
  return [
    ...sources.boxes.map((table) => ['boxes', table] as const),
    ...sources.images.map((table) => ['images', table] as const),
  ];
}

function indexName(kind: TableKind, table: SourceTable): string {
  return `${table.digest}-${kind}-${INDEX_VERSION}.parquet`;
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return false;
    throw error;
  }
}

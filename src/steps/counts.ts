/** Counts over a data set's own tables, for a command to report. */
import { readCsv } from '../openimages/csv.ts';
import { IMAGE_STATUSES } from '../photos/photos.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { fileBytes } from '../store/digest.ts';
import type { Store } from '../store/store.ts';
import { entryAt, type Tree } from '../store/tree.ts';

export interface TableCounts {
  /** Images selected, and how many have each status that occurs. */
  readonly images: Readonly<Record<string, number>> & { readonly selected: number };
  readonly crops: {
    readonly written: number;
    /** Boxes without a crop, by reason. */
    readonly skipped: Readonly<Record<string, number>>;
  };
}

/** Counts `images.csv` by status and `crops.csv` by reason. */
export async function countTables(
  runtime: Runtime,
  store: Store,
  images: Tree,
  crops: Tree,
): Promise<TableCounts> {
  const open = (tree: Tree, path: string) =>
    fileBytes(store.path(entryAt(tree, path).digest), runtime.signal);
  const statuses = await tally(open(images, 'images.csv'), 'Status');
  const { '': written = 0, ...skipped } = await tally(open(crops, 'crops.csv'), 'Reason');
  const selected = Object.values(statuses).reduce((sum, n) => sum + n, 0);
  const ordered = IMAGE_STATUSES.filter((status) => (statuses[status] ?? 0) > 0).map(
    (status) => [status, statuses[status] ?? 0] as const,
  );
  return { images: { selected, ...Object.fromEntries(ordered) }, crops: { written, skipped } };
}

async function tally(
  bytes: AsyncIterable<Uint8Array>,
  column: string,
): Promise<Readonly<Record<string, number>>> {
  const counts = new Map<string, number>();
  for await (const row of readCsv(bytes, [column])) {
    const value = row[column] ?? '';
    counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  return Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
}

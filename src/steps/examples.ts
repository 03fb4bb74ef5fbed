/** The examples step: every crop that has a split, decoded and resized to the network's input. */
import { MAX_DECODED_BYTES } from '../images/images.ts';
import { decodeToInput } from '../images/resize.ts';
import { formatCsv, readCsv } from '../openimages/csv.ts';
import { mapLimit, type WeightLimit, weightLimit } from '../runtime/concurrency.ts';
import { PkgError } from '../runtime/errors.ts';
import { startProgress } from '../runtime/progress.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { fileBytes } from '../store/digest.ts';
import type { Store } from '../store/store.ts';
import { entryAt, type TreeEntry, treeOf } from '../store/tree.ts';
import type { StepInputs, StepOutputs } from './step.ts';

/** The size of the network's input. */
export interface ExamplesParams {
  readonly widthPx: number;
  readonly heightPx: number;
}

export const EXAMPLES_COLUMNS = ['LogicalKey', 'ImageID', 'Class', 'Split'] as const;

/** What a shard may have at most, unless one example alone has more. */
const SHARD_BYTES = 16 * 2 ** 20;

/** What is needed of a row of crops.csv. */
const CROP_COLUMNS = [...EXAMPLES_COLUMNS, 'WidthPx', 'HeightPx'] as const;

type CropRow = Readonly<Record<(typeof CROP_COLUMNS)[number], string>>;

/**
 * Makes an example of each crop of `inputs.table`'s `crops.csv` that has a split; the pictures are in
 * `inputs.crops`. Outputs `examples`: `examples.csv`, in the table's order, and `shard-00000.bin` and so
 * on, the examples in the same order: `uint8` [height, width, 3 colours], nothing between them, as many
 * in each shard as fit into 16 MiB.
 */
export async function makeExamples(
  runtime: Runtime,
  store: Store,
  params: ExamplesParams,
  inputs: StepInputs,
): Promise<StepOutputs> {
  const table = entryAt(inputs['table'] ?? [], 'crops.csv');
  const rows: CropRow[] = [];
  for await (const row of readCsv(
    fileBytes(store.path(table.digest), runtime.signal),
    CROP_COLUMNS,
  )) {
    if (row.LogicalKey !== '' && row.Split !== '') rows.push(row);
  }
  const progress = startProgress(runtime, 'examples', rows.length);
  const crops = new Map((inputs['crops'] ?? []).map((entry) => [entry.path, entry]));
  const exampleBytes = 3 * params.widthPx * params.heightPx;
  const atOnce = Math.min(runtime.concurrency, Math.ceil(MAX_DECODED_BYTES / exampleBytes / 2));
  const context = { store, params, crops, memory: weightLimit(MAX_DECODED_BYTES) };
  const pictures = mapLimit(rows, atOnce, async (row) => {
    runtime.signal.throwIfAborted();
    const picture = await exampleOf(context, row);
    progress.advance({ sizeBytes: picture.length });
    return picture;
  });
  const entries: TreeEntry[] = [];
  const perShard = Math.max(1, Math.floor(SHARD_BYTES / exampleBytes));
  try {
    for (let first = 0; first < rows.length; first += perShard) {
      const path = `shard-${String(entries.length).padStart(5, '0')}.bin`;
      entries.push({ path, ...(await store.put(take(pictures, perShard))) });
    }
  } finally {
    await pictures.return(undefined);
  }
  const csv = await store.putBytes(formatCsv(EXAMPLES_COLUMNS, rows));
  progress.finish(`${String(rows.length)} examples in ${String(entries.length)} shards`);
  return { examples: treeOf([{ path: 'examples.csv', ...csv }, ...entries]) };
}

/** The next items, at most `count`; the generator goes on from there. */
async function* take<T>(items: AsyncGenerator<T>, count: number): AsyncGenerator<T> {
  for (let taken = 0; taken < count; taken++) {
    const next = await items.next();
    if (next.done === true) return;
    yield next.value;
  }
}

interface ExampleContext {
  readonly store: Store;
  readonly params: ExamplesParams;
  readonly crops: ReadonlyMap<string, TreeEntry>;
  readonly memory: WeightLimit;
}

async function exampleOf(context: ExampleContext, row: CropRow): Promise<Uint8Array> {
  const { store, params, crops, memory } = context;
  const entry = crops.get(row.LogicalKey);
  if (entry === undefined) throw new Error(`the crops have no ${row.LogicalKey}`);
  const decodedBytes = 3 * Number(row.WidthPx) * Number(row.HeightPx);
  return await memory.run(decodedBytes, async () => {
    const bytes = await store.read(entry.digest);
    try {
      return await decodeToInput(bytes, params);
    } catch (error) {
      if (!(error instanceof PkgError) || error.code !== 'integrity') throw error;
      throw new PkgError('integrity', `${row.LogicalKey}: ${error.message}`, { cause: error });
    }
  });
}

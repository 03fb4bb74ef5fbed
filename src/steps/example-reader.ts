/** Reading examples: their classes and splits, and the pixels of any of them. */
import { readCsv } from '../openimages/csv.ts';
import { invariant } from '../runtime/errors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { streamOf } from '../store/digest.ts';
import { openObject, type PositionalReader } from '../store/positional.ts';
import type { Store } from '../store/store.ts';
import { entryAt, type Tree } from '../store/tree.ts';
import { EXAMPLES_COLUMNS } from './examples.ts';
import type { SplitName } from './split.ts';

export interface ExampleRow {
  readonly logicalKey: string;
  readonly imageId: string;
  readonly className: string;
  readonly split: SplitName;
}

/** Open examples; to be closed. */
export interface Examples {
  /** In the order of `index`. */
  readonly rows: readonly ExampleRow[];
  /** Height times width times three: what `read` fills. 0 where there is no example. */
  readonly exampleBytes: number;
  /** Fills `into` with the pixels of an example: `uint8` [height, width, 3]. Reads may overlap. */
  read(index: number, into: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens the tree that `makeExamples` gave. All shards are hashed here, and no more when they are read.
 * @throws PkgError `integrity` where a shard is absent or is not what its digest says.
 */
export async function openExamples(runtime: Runtime, store: Store, tree: Tree): Promise<Examples> {
  const table = entryAt(tree, 'examples.csv');
  const bytes = streamOf(await store.read(table.digest));
  const rows: ExampleRow[] = [];
  for await (const row of readCsv(bytes, EXAMPLES_COLUMNS)) {
    const split = parseSplit(row.Split);
    rows.push({ logicalKey: row.LogicalKey, imageId: row.ImageID, className: row.Class, split });
  }
  // Trees are sorted by path, so shards stand in their order.
  const shards = tree.filter(({ path }) => path.startsWith('shard-'));
  const sizeBytes = shards.reduce((sum, shard) => sum + shard.sizeBytes, 0);
  const exampleBytes = rows.length === 0 ? 0 : sizeBytes / rows.length;
  const perShard = (shards[0]?.sizeBytes ?? 0) / exampleBytes;
  invariant(rows.length === 0 || Number.isInteger(perShard), 'shards do not fit their table');
  const readers: PositionalReader[] = [];
  const close = async () => {
    for (const reader of readers.splice(0)) await reader.close();
  };
  try {
    for (const shard of shards) readers.push(await openObject(runtime, store, shard));
  } catch (error) {
    await close();
    throw error;
  }
  return {
    rows,
    exampleBytes,
    async read(index, into) {
      const reader = readers[Math.floor(index / perShard)];
      const isOne = Number.isInteger(index) && index >= 0 && index < rows.length;
      invariant(isOne && reader !== undefined, `there is no example ${String(index)}`);
      invariant(into.length === exampleBytes, `an example has ${String(exampleBytes)} bytes`);
      await reader.read(into, (index % perShard) * exampleBytes);
    },
    close,
  };
}

function parseSplit(text: string): SplitName {
  switch (text) {
    case 'train':
    case 'validation':
    case 'test':
      return text;
    default:
      throw new Error(`"${text}" is no split`);
  }
}

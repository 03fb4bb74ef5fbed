/** The examples step and its reader: pixels of crops, in order, in shards. */
import { readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { decodeToInput } from '../../src/images/resize.ts';
import { readCsv } from '../../src/openimages/csv.ts';
import { type CropsRow, formatCropsTable } from '../../src/steps/crops-table.ts';
import { openExamples } from '../../src/steps/example-reader.ts';
import { EXAMPLES_COLUMNS, makeExamples } from '../../src/steps/examples.ts';
import { streamOf } from '../../src/store/digest.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import { entryAt, type Tree, type TreeEntry, treeOf } from '../../src/store/tree.ts';
import { open, somePixels } from '../support/pictures.ts';
import { testRuntime } from '../support/runtime.ts';
import { cropsRow, skipped } from '../support/summaries.ts';
import { temporaryFolder } from '../support/temporary.ts';

const CLASSES = ['Apple', 'Orange'];
const SPLITS = ['train', 'validation', 'test'];

/** Wide enough that a shard of 16 MiB holds seven. */
const LARGE = { widthPx: 1024, heightPx: 768 };
const PER_SHARD = 7;
const SMALL = { widthPx: 16, heightPx: 12 };

interface Fixture {
  readonly store: Store;
  readonly rows: readonly CropsRow[];
  readonly inputs: { readonly crops: Tree; readonly table: Tree };
}

/** A store with crops of all formats and sizes, and between them boxes that have none. */
async function makeFixture(): Promise<Fixture> {
  const store = await openStore(join(await temporaryFolder(), 'store'), Date.now());
  const rows: CropsRow[] = [];
  const crops: TreeEntry[] = [];
  for (let index = 0; index < 17; index++) {
    const [width, height] = [10 + 17 * index, 140 - 7 * index];
    const pixels = open(somePixels(width, height, index));
    const encoded =
      index % 3 === 0 ? pixels.jpeg() : index % 3 === 1 ? pixels.png() : pixels.webp();
    const Class = CLASSES[index % 2] ?? '';
    // Against the order of the table, as a tree sorts by path.
    const path = `images_cropped/${Class}/${String(99 - index)}.jpg`;
    const entry = { path, ...(await store.putBytes(await encoded.toBuffer())) };
    crops.push(entry);
    rows.push(
      skipped(`skipped${String(index)}`, 'too-small'),
      cropsRow(`image${String(index)}`, {
        LogicalKey: path,
        Class,
        Split: SPLITS[index % 5] ?? '',
        WidthPx: String(width),
        HeightPx: String(height),
        Digest: entry.digest,
      }),
    );
  }
  const table = await store.putBytes(formatCropsTable(rows));
  return {
    store,
    rows,
    inputs: { crops: treeOf(crops), table: [{ path: 'crops.csv', ...table }] },
  };
}

describe('the examples step', () => {
  let fixture: Fixture;
  beforeAll(async () => {
    fixture = await makeFixture();
  });

  const make = async (params: typeof SMALL, concurrency = 2) => {
    const { store, inputs } = fixture;
    const outputs = await makeExamples(testRuntime({ concurrency }), store, params, inputs);
    return outputs['examples'] ?? [];
  };

  const usable = () => fixture.rows.filter((row) => row.LogicalKey !== '' && row.Split !== '');

  it('lists the crops that have a split, in the table’s order', async () => {
    const tree = await make(SMALL);
    const table = streamOf(await fixture.store.read(entryAt(tree, 'examples.csv').digest));
    const rows = [];
    for await (const row of readCsv(table, EXAMPLES_COLUMNS)) rows.push(row);
    expect(usable().length).toBeLessThan(17);
    expect(rows).toEqual(
      usable().map(({ LogicalKey, ImageID, Class, Split }) => ({
        LogicalKey,
        ImageID,
        Class,
        Split,
      })),
    );
  });

  it('puts their pixels one after the other, as many in a shard as fit into 16 MiB', async () => {
    const tree = await make(LARGE);
    const count = usable().length;
    const exampleBytes = 3 * LARGE.widthPx * LARGE.heightPx;
    expect(tree.map(({ path, sizeBytes }) => [path, sizeBytes]).slice(1)).toEqual([
      ['shard-00000.bin', PER_SHARD * exampleBytes],
      ['shard-00001.bin', (count - PER_SHARD) * exampleBytes],
    ]);
    const shards = [];
    for (const { digest } of tree.slice(1)) shards.push(await fixture.store.read(digest));
    const expected = [];
    for (const row of usable()) {
      const { digest } = entryAt(fixture.inputs.crops, row.LogicalKey);
      expected.push(await decodeToInput(await fixture.store.read(digest), LARGE));
    }
    expect(Buffer.concat(shards).equals(Buffer.concat(expected))).toBe(true);
  });

  it('gives the same tree whatever the concurrency', async () => {
    expect(await make(LARGE, 1)).toEqual(await make(LARGE, 8));
  });

  it('gives other pixels for another size', async () => {
    const [one, other] = [await make(SMALL), await make({ widthPx: 12, heightPx: 16 })];
    expect(one[0]).toEqual(other[0]);
    expect(one[1]?.sizeBytes).toBe(other[1]?.sizeBytes);
    expect(one[1]?.digest).not.toBe(other[1]?.digest);
  });

  it('gives a table and no shard where no crop has a split', async () => {
    const { store, inputs } = fixture;
    const rows = fixture.rows.map((row) => ({ ...row, Split: '' }));
    const table = await store.putBytes(formatCropsTable(rows));
    const none = { ...inputs, table: [{ path: 'crops.csv', ...table }] };
    const runtime = testRuntime();
    const tree = (await makeExamples(runtime, store, SMALL, none))['examples'] ?? [];
    expect(tree.map(({ path }) => path)).toEqual(['examples.csv']);
    const examples = await openExamples(runtime, store, tree);
    expect(examples.rows).toEqual([]);
    await expect(examples.read(0, new Uint8Array(0))).rejects.toThrow('no example 0');
    await examples.close();
  });

  it('tells of its progress', async () => {
    const runtime = testRuntime({ concurrency: 2 });
    await makeExamples(runtime, fixture.store, SMALL, fixture.inputs);
    const count = usable().length;
    expect(runtime.events[0]).toEqual({ kind: 'started', task: 'examples', total: count });
    expect(runtime.events.at(-2)).toMatchObject({ kind: 'advanced', done: count, total: count });
    expect(runtime.events.at(-1)).toEqual({
      kind: 'finished',
      task: 'examples',
      summary: `${String(count)} examples in 1 shards`,
    });
  });

  it('ends when it is aborted, and leaves nothing half written', async () => {
    const { store, inputs } = await makeFixture();
    const controller = new AbortController();
    const runtime = testRuntime({
      signal: controller.signal,
      concurrency: 1,
      report: (event) => {
        if (event.kind === 'advanced' && event.done === 3) controller.abort(new Error('enough'));
      },
    });
    await expect(makeExamples(runtime, store, LARGE, inputs)).rejects.toThrow('enough');
    expect(await readdir(await store.scratchFolder('tmp'))).toEqual([]);
  });

  it('names the crop that does not decode', async () => {
    const { store, inputs } = fixture;
    const [first, ...others] = inputs.crops;
    const broken = { ...first!, ...(await store.putBytes('no picture')) };
    const crops = [broken, ...others];
    const work = makeExamples(testRuntime(), store, SMALL, { ...inputs, crops });
    await expect(work).rejects.toMatchObject({
      code: 'integrity',
      message: `${broken.path}: the picture cannot be used: no known picture format`,
    });
  });

  it('refuses crops whose bytes have changed', async () => {
    const { store, inputs } = await makeFixture();
    const { digest } = inputs.crops[0]!;
    await writeFile(store.path(digest), 'something else');
    const work = makeExamples(testRuntime(), store, SMALL, inputs);
    await expect(work).rejects.toMatchObject({ code: 'integrity' });
  });
});

describe('openExamples', () => {
  let fixture: Fixture;
  let tree: Tree;
  beforeAll(async () => {
    fixture = await makeFixture();
    tree =
      (await makeExamples(testRuntime(), fixture.store, LARGE, fixture.inputs))['examples'] ?? [];
  });

  it('reads any example, across shards, in any order and at once', async () => {
    const { store, rows, inputs } = fixture;
    const examples = await openExamples(testRuntime(), store, tree);
    const usable = rows.filter((row) => row.LogicalKey !== '' && row.Split !== '');
    expect(examples.rows).toEqual(
      usable.map((row) => ({
        logicalKey: row.LogicalKey,
        imageId: row.ImageID,
        className: row.Class,
        split: row.Split,
      })),
    );
    const check = async (index: number) => {
      // The engine's memory is shared between threads.
      const into = new Uint8Array(new SharedArrayBuffer(examples.exampleBytes + 5), 5);
      await examples.read(index, into);
      const { digest } = entryAt(inputs.crops, usable[index]?.LogicalKey ?? '');
      const expected = await decodeToInput(await store.read(digest), LARGE);
      expect(Buffer.compare(into, expected)).toBe(0);
    };
    await Promise.all([8, 0, 7, 6, 0, 3, examples.rows.length - 1].map(check));
    await examples.close();
  });

  it('refuses what is no example and what does not hold one', async () => {
    const examples = await openExamples(testRuntime(), fixture.store, tree);
    const into = new Uint8Array(examples.exampleBytes);
    for (const index of [-1, 0.5, examples.rows.length]) {
      await expect(examples.read(index, into)).rejects.toThrow('no example');
    }
    await expect(examples.read(0, into.subarray(1))).rejects.toThrow('an example has');
    await examples.close();
  });

  it.each(['changed', 'cut off', 'gone'])('refuses a shard that is %s', async (fate) => {
    const { store, inputs } = await makeFixture();
    const made = (await makeExamples(testRuntime(), store, LARGE, inputs))['examples'] ?? [];
    const shard = entryAt(made, 'shard-00001.bin');
    const path = store.path(shard.digest);
    if (fate === 'gone') await rm(path);
    else if (fate === 'cut off') await truncate(path, shard.sizeBytes - 1);
    else await writeFile(path, Buffer.alloc(shard.sizeBytes));
    await expect(openExamples(testRuntime(), store, made)).rejects.toMatchObject({
      code: 'integrity',
      message: expect.stringContaining(shard.digest) as string,
    });
    expect(await store.hasDigest(shard.digest)).toBe(false);
  });

  it('ends when it is aborted', async () => {
    const controller = new AbortController();
    controller.abort(new Error('enough'));
    const runtime = testRuntime({ signal: controller.signal });
    await expect(openExamples(runtime, fixture.store, tree)).rejects.toThrow('enough');
  });
});

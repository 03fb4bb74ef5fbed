/** The query step: its tables, its indexes, and the names that no table may bring in. */
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { indexTables, type QuerySources, queryBoxes } from '../../src/steps/query.ts';
import { describe as describeBytes } from '../../src/store/digest.ts';
import { openStore } from '../../src/store/store.ts';
import { entryAt } from '../../src/store/tree.ts';
import { box, boxesCsv, image, imagesCsv, tableFile } from '../support/open-images-tables.ts';
import { testRuntime } from '../support/runtime.ts';
import { temporaryFolder } from '../support/temporary.ts';

const PARAMS = {
  classes: ['Apple'],
  descendants: false,
  where: undefined,
  imagesPerClass: undefined,
  seed: 1,
};

const TREE = JSON.stringify({
  LabelName: '/m/food',
  Subcategory: [{ LabelName: '/m/apple', Subcategory: [{ LabelName: '/m/orange' }] }],
});

async function setUp(boxes: string, images: string) {
  const runtime = testRuntime({ concurrency: 2 });
  const store = await openStore(join(await temporaryFolder(), 'store'), Date.now());
  const table = async (content: string, name: string) => ({
    ...(await tableFile(content, name)),
    ...describeBytes(content),
  });
  const sources: QuerySources = {
    classes: await table('/m/apple,Apple\n/m/orange,Orange\n', 'classes.csv'),
    boxes: [await table(boxes, 'boxes.csv')],
    images: [await table(images, 'images.csv')],
    hierarchy: await table(TREE, 'tree.json'),
  };
  const run = (params: Partial<typeof PARAMS> = {}) =>
    queryBoxes(runtime, store, { ...PARAMS, ...params }, sources);
  const read = async (outputs: Awaited<ReturnType<typeof run>>, path: string) =>
    await store.readText(entryAt(outputs['selection'] ?? [], path).digest);
  return { runtime, store, sources, run, read };
}

const BOXES = boxesCsv([box('b'), box('a'), box('lost'), box('a', { LabelName: '/m/orange' })]);
const IMAGES = imagesCsv([image('a'), image('b'), image('c')]);

describe('the query step', () => {
  it('writes the selected rows, the classes, the hierarchy with names, and the counts', async () => {
    const { run, read } = await setUp(BOXES, IMAGES);
    const outputs = await run();
    expect((outputs['selection'] ?? []).map(({ path }) => path)).toEqual([
      ...['boxes.csv', 'classes.csv', 'counts.json', 'hierarchy.json', 'images.csv'],
    ]);
    expect(
      (await read(outputs, 'boxes.csv')).split('\n').map((line) => line.split(',')[0]),
    ).toEqual(['ImageID', 'a', 'b', 'lost', '']);
    expect(await read(outputs, 'classes.csv')).toBe(
      'LabelName,DisplayName,Class\n/m/apple,Apple,Apple\n',
    );
    expect(JSON.parse(await read(outputs, 'counts.json'))).toMatchObject({ boxes: 3, orphan: 1 });
    expect(JSON.parse(await read(outputs, 'hierarchy.json'))).toEqual({
      LabelName: '/m/food',
      DisplayName: 'Entity',
      Subcategory: [
        {
          LabelName: '/m/apple',
          DisplayName: 'Apple',
          Subcategory: [{ LabelName: '/m/orange', DisplayName: 'Orange' }],
        },
      ],
    });
  });

  it('takes the labels below only where it is told so', async () => {
    const { run, read } = await setUp(BOXES, IMAGES);
    const outputs = await run({ descendants: true });
    expect(await read(outputs, 'classes.csv')).toBe(
      'LabelName,DisplayName,Class\n/m/apple,Apple,Apple\n/m/orange,Orange,Apple\n',
    );
  });

  it('gives the same trees from indexes, and when an index is damaged', async () => {
    const { runtime, store, sources, run } = await setUp(BOXES, IMAGES);
    const first = await run();
    await indexTables(runtime, store, sources);
    const folder = await store.scratchFolder('index');
    const indexes = await readdir(folder);
    expect(indexes).toHaveLength(2);
    expect(await run()).toEqual(first);
    for (const name of indexes) await writeFile(join(folder, name), 'PAR1 and nothing more');
    expect(await run()).toEqual(first);
    expect(await readdir(folder)).toEqual([]);
  });

  it.each(['../../etc/passwd', 'a/b', '.', 'a b', 'ä', 'x'.repeat(65), 'a\u0000b', '-.jpg'])(
    'refuses the ImageID %j, since it would become a file name',
    async (id) => {
      const { run } = await setUp(boxesCsv([box(id)]), imagesCsv([image(id)]));
      await expect(run()).rejects.toMatchObject({
        code: 'manifest',
        key: 'data.source.images',
        message: expect.stringContaining('images.csv: ImageID') as string,
      });
    },
  );

  it('names a class that the table lacks before it reads a box', async () => {
    const { run } = await setUp('', '');
    await expect(run({ classes: ['Aple'] })).rejects.toMatchObject({
      key: 'data.query.classes.0',
      hint: 'did you mean "Apple"?',
    });
  });
});

/** Labels: the class table, the hierarchy, and which labels a chosen class takes. */
import { describe, expect, it } from 'vitest';
import {
  chooseClasses,
  type HierarchyNode,
  type Label,
  readHierarchy,
  readLabels,
} from '../../src/openimages/labels.ts';
import { tableFile } from '../support/open-images-tables.ts';
import { describeWithShared, shared } from '../support/shared.ts';

const LABELS: readonly Label[] = [
  { mid: '/m/food', displayName: 'Food' },
  { mid: '/m/fruit', displayName: 'Fruit' },
  { mid: '/m/apple', displayName: 'Apple' },
  { mid: '/m/orange', displayName: 'Orange' },
  { mid: '/m/snack', displayName: 'Snack' },
  { mid: '/m/pie', displayName: 'Apple pie' },
  { mid: '/m/core', displayName: 'Core' },
  { mid: '/m/bat1', displayName: 'Bat' },
  { mid: '/m/bat2', displayName: 'Bat' },
];

const node = (name: string, Subcategory: HierarchyNode[] = [], Part: HierarchyNode[] = []) => ({
  LabelName: `/m/${name}`,
  Subcategory,
  Part,
});

/** The labels each chosen class takes, without the `/m/`. */
function taken(names: readonly string[], hierarchy: HierarchyNode | undefined) {
  return chooseClasses(LABELS, names, hierarchy).map(({ displayName, labels }) => [
    displayName,
    labels.map((label) => label.slice(3)).join(' '),
  ]);
}

describe('a class', () => {
  it('is chosen by its name or its MID, in the order of the manifest', () => {
    expect(chooseClasses(LABELS, ['Orange', '/m/apple'], undefined)).toEqual([
      { mid: '/m/orange', displayName: 'Orange', labels: ['/m/orange'] },
      { mid: '/m/apple', displayName: 'Apple', labels: ['/m/apple'] },
    ]);
  });

  it.each([
    [['Apple', 'Orang'], 'unknown class "Orang"', 'data.query.classes.1', 'did you mean "Orange"?'],
    [['apple'], 'unknown class "apple"', 'data.query.classes.0', 'did you mean "Apple"?'],
    [['Xylophone'], 'unknown class "Xylophone"', 'data.query.classes.0', 'has 9 classes'],
    [['Apple', 'Apple'], 'class "Apple" is named twice', 'data.query.classes.1', undefined],
    [['Apple', '/m/apple'], 'class "Apple" is named twice', 'data.query.classes.1', undefined],
    [['Bat'], '"Bat" names several classes', 'data.query.classes.0', '/m/bat1 or /m/bat2'],
  ])('is refused: %j', (names, message, key, hint) => {
    const choose = () => chooseClasses(LABELS, names, undefined);
    expect(choose).toThrow(
      expect.objectContaining({
        code: 'manifest',
        message,
        key,
        ...(hint === undefined ? {} : { hint: expect.stringContaining(hint) as string }),
      }),
    );
  });

  it('of a shared name can be chosen by its MID', () => {
    expect(taken(['/m/bat2'], undefined)).toEqual([['Bat', 'bat2']]);
  });
});

describe('the labels below a class', () => {
  const tree = node('food', [
    node('fruit', [node('apple', [], [node('core')]), node('orange')]),
    node('snack', [node('pie'), node('apple')]),
  ]);

  it('count for it, those of its parts do not', () => {
    expect(taken(['Fruit'], tree)).toEqual([['Fruit', 'apple fruit orange']]);
    expect(taken(['Food'], tree)).toEqual([['Food', 'apple food fruit orange pie snack']]);
    expect(taken(['Apple'], tree)).toEqual([['Apple', 'apple']]);
  });

  it('count for a class of their own where that is chosen too', () => {
    expect(taken(['Food', 'Apple'], tree)).toEqual([
      ['Food', 'food fruit orange pie snack'],
      ['Apple', 'apple'],
    ]);
  });

  it('count for the nearest of several classes above', () => {
    expect(taken(['Food', 'Fruit'], tree)).toEqual([
      ['Food', 'food pie snack'],
      ['Fruit', 'apple fruit orange'],
    ]);
  });

  it('count at equal distance for the class named first', () => {
    expect(taken(['Fruit', 'Snack'], tree)).toEqual([
      ['Fruit', 'apple fruit orange'],
      ['Snack', 'pie snack'],
    ]);
    expect(taken(['Snack', 'Fruit'], tree)).toEqual([
      ['Snack', 'apple pie snack'],
      ['Fruit', 'fruit orange'],
    ]);
  });

  it('are those of every place where the class stands', () => {
    const places = node('food', [
      node('fruit', [node('snack', [node('orange', [node('pie')])])]),
      node('snack', [node('apple')]),
    ]);
    expect(taken(['Snack'], places)).toEqual([['Snack', 'apple orange pie snack']]);
    expect(taken(['Fruit', 'Snack'], places)).toEqual([
      ['Fruit', 'fruit'],
      ['Snack', 'apple orange pie snack'],
    ]);
  });

  it('count for the nearest of their places', () => {
    const deep = node('fruit', [node('orange', [node('core', [node('pie')])])]);
    const near = node('snack', [node('core', [node('pie')])]);
    expect(taken(['Fruit', 'Snack'], node('food', [deep, near]))).toEqual([
      ['Fruit', 'fruit orange'],
      ['Snack', 'core pie snack'],
    ]);
  });

  it('are none for a class that the hierarchy lacks', () => {
    expect(taken(['/m/bat1'], tree)).toEqual([['Bat', 'bat1']]);
  });
});

describe('a class table', () => {
  const read = async (text: string) => await readLabels(await tableFile(text, 'classes.csv'));
  const apple = { mid: '/m/1', displayName: 'Apple' };

  it('is read with or without a header line, CRLF, byte order mark and last line end', async () => {
    expect(await read('/m/1,Apple\n')).toEqual([apple]);
    expect(await read('LabelName,DisplayName\n/m/1,Apple\n')).toEqual([apple]);
    expect(await read('\u{feff}/m/1,Apple\r\n')).toEqual([apple]);
    expect(await read('/m/1,Apple')).toEqual([apple]);
    expect(await read('/m/1,"Apple, ""red"""\n')).toEqual([
      { mid: '/m/1', displayName: 'Apple, "red"' },
    ]);
  });

  it.each(['/m/1,Apple\n/m/2\n', '/m/1,Apple\n,Orange\n', '/m/1,Apple\n/m/2,Orange,x\n'])(
    'is refused with the line of a row that has not two columns: %j',
    async (text) => {
      await expect(read(text)).rejects.toMatchObject({
        code: 'manifest',
        key: 'data.source.classes',
        message: 'classes.csv:2: expected two columns, MID and display name',
      });
    },
  );

  it('is refused where it is no CSV', async () => {
    await expect(read('/m/1,"Apple\n/m/2,Orange\n')).rejects.toMatchObject({
      code: 'manifest',
      key: 'data.source.classes',
    });
  });
});

describe('a hierarchy', () => {
  const read = async (text: string) => await readHierarchy(await tableFile(text, 'tree.json'));

  it.each([
    '',
    '[]',
    '{}',
    '"text"',
    '{"LabelName": 5}',
    '{"LabelName": "/m/1", "Subcategory": {}}',
    '{"LabelName": "/m/1", "Part": [{"Name": "x"}]}',
    `${'{"LabelName":"/m/1","Subcategory":['.repeat(500)}${']}'.repeat(500)}`,
    `${'['.repeat(300_000)}${']'.repeat(300_000)}`,
  ])('is refused where it is none (%#)', async (text) => {
    await expect(read(text)).rejects.toMatchObject({
      code: 'manifest',
      key: 'data.source.hierarchy',
      message: expect.stringMatching(/^tree\.json is not a label hierarchy: /) as string,
    });
  });

  it('may have any number of labels side by side', async () => {
    const below = Array.from({ length: 300_000 }, (_, index) => ({
      LabelName: `/m/${String(index)}`,
    }));
    const hierarchy = await read(JSON.stringify({ LabelName: '/m/top', Subcategory: below }));
    const labels = [{ mid: '/m/top', displayName: 'Top' }];
    const [top] = chooseClasses(labels, ['Top'], hierarchy);
    expect(top?.labels).toHaveLength(300_001);
  });
});

const withMeta = describeWithShared('data', 'oid-meta');

withMeta('the real class list and hierarchy', () => {
  const files = {
    classes: { path: shared('data/oid-meta/class-descriptions-boxable.csv'), name: 'classes' },
    hierarchy: { path: shared('data/oid-meta/bbox_labels_600_hierarchy.json'), name: 'tree' },
  };

  it('have 601 labels and 848 nodes of 602 labels', async () => {
    const labels = await readLabels(files.classes);
    expect(labels).toHaveLength(601);
    const nodes: string[] = [];
    const pending = [await readHierarchy(files.hierarchy)];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      nodes.push(next.LabelName);
      pending.push(...(next.Subcategory ?? []), ...(next.Part ?? []));
    }
    expect([nodes.length, new Set(nodes).size]).toEqual([848, 602]);
  });

  it('make a hamburger a kind of sandwich, unless it is chosen itself', async () => {
    const labels = await readLabels(files.classes);
    const hierarchy = await readHierarchy(files.hierarchy);
    const labelsOf = (names: readonly string[]) =>
      chooseClasses(labels, names, hierarchy).map((chosen) => chosen.labels);
    const [sandwich = []] = labelsOf(['Sandwich']);
    expect(sandwich).toEqual(expect.arrayContaining(['/m/0cdn1', '/m/0l515']));
    const [hamburger = [], rest = []] = labelsOf(['Hamburger', 'Sandwich']);
    expect(hamburger).toEqual(['/m/0cdn1']);
    expect([...rest, '/m/0cdn1'].sort()).toEqual(sandwich);
  });
});

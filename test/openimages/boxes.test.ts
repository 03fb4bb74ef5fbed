/** selectBoxes: the join, the order, what is set aside and why, several tables, the predicate. */
import { describe, expect, it } from 'vitest';
import type { BoxRow } from '../../src/openimages/openimages.ts';
import {
  box,
  boxesCsv,
  image,
  imagesCsv,
  query,
  tableFile,
} from '../support/open-images-tables.ts';

const brief = (rows: readonly BoxRow[]) =>
  rows.map(({ ImageID, LabelName, XMin, Fault }) => [ImageID, LabelName, XMin, Fault].join(' '));

describe('a query', () => {
  it('joins boxes of the chosen labels to their images and leaves the rest aside', async () => {
    const { boxes, images, counts } = await query({
      boxes: [box('a'), box('b', { LabelName: '/m/orange' }), box('a', { LabelName: '/m/car' })],
      images: [image('c'), image('b', { Title: 'B', Rotation: '90.0' }), image('a')],
    });
    expect(boxes).toEqual([
      { ...box('a'), Class: 'Apple', Fault: '' },
      { ...box('b', { LabelName: '/m/orange' }), Class: 'Orange', Fault: '' },
    ]);
    expect(images).toEqual([
      { ...image('a'), Table: '0' },
      { ...image('b', { Title: 'B', Rotation: '90.0' }), Table: '0' },
    ]);
    expect(counts).toEqual({
      boxes: 2,
      images: 2,
      orphan: 0,
      'invalid-box': 0,
      'repeated-box': 0,
      repeatedImages: 0,
    });
  });

  it('counts the labels of a class together', async () => {
    const fruit = { mid: '/m/fruit', displayName: 'Fruit', labels: ['/m/apple', '/m/orange'] };
    const { boxes } = await query(
      { boxes: [box('a', { LabelName: '/m/orange' }), box('a')], images: [image('a')] },
      { classes: [fruit] },
    );
    expect(boxes.map(({ LabelName, Class }) => [LabelName, Class])).toEqual([
      ['/m/apple', 'Fruit'],
      ['/m/orange', 'Fruit'],
    ]);
  });

  it('keeps texts as they are: quotes, commas, line ends, blanks and words like NULL', async () => {
    const titles = [
      'say "hi", you',
      ' leading',
      'two\nlines',
      'NULL',
      '=1+1',
      '\\',
      'émoji 🍔',
      '',
    ];
    const { images } = await query({
      boxes: titles.map((_, index) => box(`i${String(index)}`)),
      images: titles.map((Title, index) => image(`i${String(index)}`, { Title })),
    });
    expect(images.map(({ Title }) => Title)).toEqual(titles);
  });

  it('gives rows by image, label and box, whatever the order in the files', async () => {
    const rows = [
      box('a', { XMin: '0.300000' }),
      box('a', { XMin: '0.3', XMax: '0.45' }),
      box('a', { LabelName: '/m/orange', XMin: '0.01' }),
      box('A', { XMin: '0.2' }),
      box('b', { XMin: '0.0625' }),
      box('b', { XMin: '1e-3' }),
    ];
    const images = [image('b'), image('a'), image('A')];
    const forwards = await query({ boxes: rows, images });
    const backwards = await query(
      { boxes: [...rows].reverse(), images: [...images].reverse() },
      { concurrency: 1 },
    );
    expect(backwards).toEqual(forwards);
    expect(brief(forwards.boxes)).toEqual([
      'A /m/apple 0.2 ',
      'a /m/apple 0.3 ',
      'a /m/apple 0.300000 ',
      'a /m/orange 0.01 ',
      'b /m/apple 1e-3 ',
      'b /m/apple 0.0625 ',
    ]);
    expect(forwards.images.map(({ ImageID }) => ImageID)).toEqual(['A', 'a', 'b']);
  });
});

describe('a box row that is no box', () => {
  it('is marked as an orphan where no image has its ImageID', async () => {
    const { boxes, images, counts } = await query({
      boxes: [box('a'), box('gone'), box('gone')],
      images: [image('a')],
    });
    expect(boxes.map(({ Fault }) => Fault)).toEqual(['', 'orphan', 'orphan']);
    expect(images).toHaveLength(1);
    expect(counts).toMatchObject({ boxes: 3, images: 1, orphan: 2, 'repeated-box': 0 });
  });

  it.each([
    { XMin: '0.5', XMax: '0.5' },
    { XMin: '0.6', XMax: '0.5' },
    { YMin: '0.6', YMax: '0.6' },
    { XMax: '1.000938' },
    { YMin: '-0.000001' },
    { XMin: '' },
    { YMax: '' },
    { XMin: 'nan' },
    { XMax: 'inf' },
    { YMax: 'infinity' },
    { XMin: 'a tenth' },
    { XMin: '0,1' },
    { XMin: '0x0' },
  ])('is marked as invalid: %o', async (cells) => {
    const { boxes, counts } = await query({ boxes: [box('a', cells)], images: [image('a')] });
    expect(boxes).toEqual([{ ...box('a', cells), Class: 'Apple', Fault: 'invalid-box' }]);
    expect(counts).toMatchObject({ boxes: 1, images: 1, 'invalid-box': 1 });
  });

  it.each([
    { XMin: '0', XMax: '1', YMin: '0.000000', YMax: '1.000000' },
    { XMin: '0.1', XMax: '0.100001' },
    { XMin: '1e-5' },
  ])('is not a box at the border or a thin one: %o', async (cells) => {
    const { boxes } = await query({ boxes: [box('a', cells)], images: [image('a')] });
    expect(boxes.map(({ Fault }) => Fault)).toEqual(['']);
  });

  it('is marked as repeated where label and corners stand before, whatever the flags', async () => {
    const rows = [
      box('a', { IsOccluded: '1' }),
      box('a', { XMin: '0.1' }),
      box('a'),
      box('a', { LabelName: '/m/orange' }),
      box('b'),
    ];
    const images = [image('a'), image('b')];
    const forwards = await query({ boxes: rows, images });
    const backwards = await query({ boxes: [...rows].reverse(), images });
    expect(backwards).toEqual(forwards);
    expect(forwards.boxes.map(({ ImageID, Fault }) => `${ImageID} ${Fault}`)).toEqual([
      'a ',
      'a repeated-box',
      'a repeated-box',
      'a ',
      'b ',
    ]);
    expect(forwards.counts).toMatchObject({ boxes: 5, 'repeated-box': 2 });
  });

  it('is not a repetition of a row that the predicate leaves out', async () => {
    const { boxes } = await query(
      { boxes: [box('a', { IsGroupOf: '1' }), box('a')], images: [image('a')] },
      { where: 'NOT IsGroupOf' },
    );
    expect(boxes).toEqual([{ ...box('a'), Class: 'Apple', Fault: '' }]);
  });
});

describe('several tables', () => {
  it('are read as one, and each image knows its table', async () => {
    const boxes = [
      await tableFile(boxesCsv([box('b'), box('d')]), 'train.csv'),
      await tableFile(boxesCsv([box('a'), box('b')]), 'test.csv'),
    ];
    const images = [
      await tableFile(imagesCsv([image('b', { Title: 'first' }), image('d')]), 'train.csv'),
      await tableFile(imagesCsv([image('a'), image('b', { Title: 'a second' })]), 'test.csv'),
    ];
    const found = await query({ boxes, images });
    expect(brief(found.boxes)).toEqual([
      'a /m/apple 0.100000 ',
      'b /m/apple 0.100000 ',
      'b /m/apple 0.100000 repeated-box',
      'd /m/apple 0.100000 ',
    ]);
    expect(found.images.map(({ ImageID, Table, Title }) => [ImageID, Table, Title])).toEqual([
      ['a', '1', 'Photo a'],
      ['b', '0', 'first'],
      ['d', '0', 'Photo d'],
    ]);
    expect(found.counts.repeatedImages).toBe(1);
  });

  it('keep the order of the manifest past the tenth', async () => {
    const images = [];
    for (let index = 0; index < 12; index++) {
      const rows = index === 2 || index === 11 ? [image('a', { Title: String(index) })] : [];
      images.push(await tableFile(imagesCsv(rows), `${String(index)}.csv`));
    }
    const found = await query({ boxes: [box('a')], images });
    expect(found.images.map(({ Table, Title }) => [Table, Title])).toEqual([['2', '2']]);
  });
});

describe('the predicate', () => {
  const tables = {
    boxes: [
      box('a', { IsGroupOf: '1' }),
      box('b', { IsDepiction: '1', XMax: '0.9' }),
      box('c', { IsGroupOf: '-1' }),
      box('d', { Source: 'activemil', Confidence: '' }),
      box('lost'),
    ],
    images: [
      image('a', { Rotation: '' }),
      image('b', { Rotation: '90.0', OriginalSize: '999' }),
      image('c', { Title: 'An apple, "red"', OriginalSize: '1000000' }),
      image('d', { Title: '100%', Subset: 'test' }),
    ],
  };
  it.each([
    ['NOT IsGroupOf AND NOT IsDepiction', ['d', 'lost']],
    ['IsGroupOf = -1', ['c']],
    ['Confidence IS NULL', ['d']],
    ['XMax - XMin > 0.5', ['b']],
    ['Rotation = 90', ['b']],
    ['Rotation IS NULL', ['a', 'lost']],
    ['OriginalSize < 1000', ['b']],
    ['OriginalSize > 99999', ['c']],
    ["Title LIKE '%apple%'", ['c']],
    ["Title LIKE '100!%' ESCAPE '!'", ['d']],
    ["Subset = 'test' OR ImageID = 'a'", ['a', 'd']],
    ['false', []],
  ])('%s selects %j', async (where, expected) => {
    const { boxes, images, counts } = await query(tables, { where });
    expect(boxes.map(({ ImageID }) => ImageID)).toEqual(expected);
    expect(images.map(({ ImageID }) => ImageID)).toEqual(expected.filter((id) => id !== 'lost'));
    expect(counts.boxes).toBe(expected.length);
  });
});

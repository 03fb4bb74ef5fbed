/** summarize: what is counted, and in which order it is told. */
import { describe, expect, it } from 'vitest';
import {
  COUNTS,
  cropsRow,
  imagesRow,
  skipped,
  summaryOf,
  tombstone,
} from '../support/summaries.ts';

const BY = 'https://creativecommons.org/licenses/by/2.0/';

const IMAGES = [
  imagesRow('a', { Author: 'Ann' }),
  imagesRow('b', { Author: 'Bob', License: '' }),
  imagesRow('c', { Author: '', Status: 'changed', MD5Matches: 'false' }),
  tombstone('d', 'missing', 'HTTP 404'),
  tombstone('e', 'corrupt', 'an HTML page'),
];

const CROPS = [
  cropsRow('a'),
  cropsRow('a', { LabelName: '/m/pear', LogicalKey: 'images_cropped/Apple/a_1.jpg' }),
  cropsRow('b', { Split: 'validation' }),
  cropsRow('c', { Class: 'Orange', LabelName: '/m/orange', Split: 'test' }),
  skipped('a', 'too-small'),
  skipped('d', 'missing', { Class: 'Orange', LabelName: '/m/orange' }),
  skipped('lost', 'orphan'),
  skipped('d', 'missing'),
];

describe('summarize', () => {
  const summary = summaryOf(IMAGES, CROPS);

  it('counts boxes, photos, crops and splits of each class, with its labels', () => {
    expect(summary.classes).toEqual([
      {
        name: 'Apple',
        labels: [
          { mid: '/m/apple', displayName: 'Apple' },
          { mid: '/m/pear', displayName: 'Pear' },
        ],
        boxes: 6,
        photos: 2,
        crops: 3,
        splits: { train: 2, validation: 1, test: 0 },
      },
      {
        name: 'Orange',
        labels: [{ mid: '/m/orange', displayName: 'Orange' }],
        boxes: 2,
        photos: 1,
        crops: 1,
        splits: { train: 0, validation: 0, test: 1 },
      },
    ]);
  });

  it('counts statuses in their own order, and `ok` also where there is none', () => {
    expect(summary.statuses).toEqual([
      ['ok', 2],
      ['changed', 1],
      ['missing', 1],
      ['corrupt', 1],
    ]);
    expect(summaryOf([tombstone('x', 'gone')], []).statuses).toEqual([
      ['ok', 0],
      ['gone', 1],
    ]);
  });

  it('counts reasons, the commonest first and equals by name', () => {
    expect(summary.reasons).toEqual([
      ['missing', 2],
      ['orphan', 1],
      ['too-small', 1],
    ]);
  });

  it('counts licences and authors of the photos that are in the package', () => {
    expect(summary).toMatchObject({
      crops: 4,
      photos: 3,
      authors: 2,
      licenses: [
        [BY, 2],
        ['not stated', 1],
      ],
    });
  });

  it('carries on what it is told, and names every image that is not ok', () => {
    expect(summary).toMatchObject({ name: 'user/fruit', license: 'CC-BY-4.0', selection: COUNTS });
    expect(summary.unlike.map(({ ImageID }) => ImageID)).toEqual(['c', 'd', 'e']);
  });

  it('counts nothing in nothing', () => {
    expect(summaryOf([], [], {}, [])).toMatchObject({ classes: [], crops: 0, photos: 0 });
  });
});

/** Lineage, both ways, as lines for a person. */
import { expect, it } from 'vitest';
import { impactLines, reindexLines } from '../../src/cli/impact-lines.ts';
import { whyLines } from '../../src/cli/why-lines.ts';
import { type Impact, NO_CROPS } from '../../src/lineage/impact.ts';
import type { FileLineage } from '../../src/lineage/why.ts';
import { parseTopHash } from '../../src/package/package.ts';

const HASH = parseTopHash('ab'.repeat(32));
const ESC = '\u001b';

const REVISION: Impact['revisions'][number] = {
  ...{ name: 'a/b', topHash: HASH, isNewest: true, pushedSeconds: 1, tags: ['good'] },
  ...{ photos: 2, imageIds: ['0a'], by: 'lineage' },
  crops: { train: 3, validation: 0, test: 1, none: 0 },
  cropKeys: [`images_cropped/${ESC}[31mApple/0a_1.jpg`],
};

const IMPACT: Impact = {
  ...{ query: 'by/2.0', registry: 's3://bucket', photos: 2, unknown: [], notes: ['a note'] },
  matched: { kinds: ['licence'], licences: ['https://l.example/by/2.0/'] },
  revisions: [REVISION, { ...REVISION, isNewest: false, tags: [], crops: NO_CROPS, cropKeys: [] }],
  models: [
    { name: 'm/a', topHash: HASH, isNewest: true, use: 'trained', crops: REVISION.crops, via: [] },
    {
      ...{ name: 'm/b', topHash: HASH, isNewest: false, use: 'based', crops: NO_CROPS },
      via: [`m/a@${HASH}`, `m/c@${HASH}`],
    },
  ],
  looked: { revisions: 5, byTables: 2 },
};

it('says of a question what it means, and what it reaches', () => {
  expect(impactLines(IMPACT)).toEqual([
    'by/2.0 (licence, meaning https://l.example/by/2.0/): 2 photos in 2 revisions of 1 package, 2 models, in s3://bucket',
    '',
    'revisions',
    '  a/b@abababababab (newest)  [good]  2 photos, 4 crops (train 3, test 1)',
    '    images_cropped/\uFFFD[31mApple/0a_1.jpg and 3 more',
    '  a/b@abababababab  2 photos, 0 crops',
    '    0a and 1 more',
    '',
    'models',
    '  m/a@abababababab (newest)  was trained on them (train 3, test 1)',
    '  m/b@abababababab  is based on what has learnt of them: m/a@abababababab -> m/c@abababababab',
    'note: a note',
    '',
    '5 revisions looked through; of 2 revisions without a lineage the tables were read, pkg impact ' +
      '--reindex writes what is missing. What lineages say is not signed; pkg verify --registry ' +
      'holds them against the tables.',
  ]);
});

it('says what is not known', () => {
  const lines = impactLines({ ...IMPACT, unknown: [`why${ESC}`] });
  expect(lines.slice(lines.indexOf('not known')).slice(0, 2)).toEqual(['not known', '  why\uFFFD']);
  const counts = { registry: 'r', revisions: 9, written: 4, merged: 9, unknown: ['why'] };
  expect(reindexLines(counts)).toEqual([
    'r',
    '9  revisions\n4  lineages written\n9  lineages put into one',
    'not known: why',
  ]);
});

it('tells the lineage of a file, whatever its texts hold', () => {
  const lineage: FileLineage = {
    ...{ name: 'a/b', topHash: HASH, where: 'r', logicalKey: `x${ESC}`, sizeBytes: 2000 },
    ...{ hash: { type: 'SHA256', value: HASH }, kind: 'crop', unknown: ['why'] },
    step: { name: 'crop', output: 'crops', key: HASH },
    parameters: { minSidePx: 16 },
    crop: {
      ...{ class: 'Apple', labelName: '/m/x', displayName: 'Granny Smith', split: 'train' },
      box: { xMin: '0.1', xMax: '0.2', yMin: '0.3', yMax: '0.4' },
      rectangle: { leftPx: '1', topPx: '2', widthPx: '3', heightPx: '4' },
      ...{ rotation: '90', flags: ['IsOccluded'], reason: '' },
    },
    sources: [{ name: 'boxes', url: 'https://o.example/b.csv', digest: HASH, sizeBytes: 1 }],
    bases: [{ use: 'model', name: 'm/a', topHash: HASH, path: 'models/model.json' }],
    code: { repository: 'https://g.example', revision: 'main', commit: 'c0ffee', dirty: true },
  };
  expect(whyLines(lineage).map((line) => line.replace(/ +/g, ' ').trim())).toEqual([
    'x\uFFFD',
    'of a/b@abababababab in r',
    `bytes 2.00 kB, SHA256 ${HASH}`,
    'made by step crop, step key abababababab',
    'with {"minSidePx":16}',
    'class Apple (Granny Smith /m/x)',
    'split train',
    'box x 0.1 to 0.2, y 0.3 to 0.4 IsOccluded',
    'cut 3 x 4 px at 1, 2, turned by 90 degrees',
    'based on model of m/a@abababababab models/model.json',
    'source boxes abababababab https://o.example/b.csv',
    'code c0ffee of https://g.example, with changes',
    'not known: why',
  ]);
});

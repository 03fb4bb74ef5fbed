/** Rows of a package's tables, compared photo by photo and box by box. */
import { describe, expect, it } from 'vitest';
import { PkgError } from '../../src/runtime/errors.ts';
import { compare, cropsTable, imagesTable, sideOf } from './sides.ts';

const IMAGES = 'metadata/images.csv';
const CROPS = 'metadata/crops.csv';

/** Changes as `change rows {of} names`. */
async function photos(before: string, after: string, maxNames?: number) {
  const found = await compare({ [IMAGES]: before }, { [IMAGES]: after }, maxNames);
  expect(found.notes).toEqual([]);
  return found.photos.map(({ change, rows, of, names }) => [change, rows, of, names]);
}

async function crops(before: string, after: string) {
  const found = await compare({ [CROPS]: before }, { [CROPS]: after });
  expect(found.notes).toEqual([]);
  return found.crops.map(({ change, rows, of, names }) => [change, rows, of, names]);
}

/** A stream that ends with an error of the registry. */
async function* failing(): AsyncGenerator<Uint8Array> {
  yield Buffer.from(imagesTable());
  await Promise.reject(new PkgError('integrity', 'other bytes'));
}

describe('photos', () => {
  it('die where a photo became a tombstone, and come back the other way', async () => {
    const before = imagesTable('1 ok a', '2 changed b', '3 ok c', '4 missing', '5 gone');
    const after = imagesTable('1 missing', '2 missing', '3 corrupt c', '4 ok d', '5 changed e');
    expect(await photos(before, after)).toEqual([
      ['died', 3, { missing: 2, corrupt: 1 }, ['1', '2', '3']],
      ['came-back', 2, { gone: 1, missing: 1 }, ['4', '5']],
    ]);
  });

  it('that stay photos, or tombstones, under another status are told as such', async () => {
    const before = imagesTable('1 ok a', '2 missing', '3 ok c');
    const after = imagesTable('1 changed b', '2 gone', '3 ok d');
    expect(await photos(before, after)).toEqual([
      ['other-status', 2, { 'missing -> gone': 1, 'ok -> changed': 1 }, ['1', '2']],
      ['photo-bytes', 1, { ok: 1 }, ['3']],
    ]);
  });

  it('of one side only were selected or deselected', async () => {
    const before = imagesTable('1 ok a', '2 ok b', '9 gone');
    const after = imagesTable('0 missing', '2 ok b', '3 ok c');
    expect(await photos(before, after)).toEqual([
      ['selected', 2, { missing: 1, ok: 1 }, ['0', '3']],
      ['deselected', 2, { gone: 1, ok: 1 }, ['1', '9']],
    ]);
  });

  it('are named up to a number and counted beyond it', async () => {
    const ids = Array.from({ length: 50 }, (_, index) => String(index).padStart(2, '0'));
    const after = imagesTable(...ids.map((id) => `${id} gone`));
    const found = await photos(imagesTable(...ids.map((id) => `${id} ok ${id}`)), after, 2);
    expect(found).toEqual([['died', 50, { gone: 50 }, ['00', '01']]]);
  });
});

describe('crops', () => {
  it('are new in a class and gone from one, with their box or on their own', async () => {
    const before = cropsTable('1 Apple 0.5 train x', '2 Orange 0.5 train y', '3 Apple 0.5 missing');
    const after = cropsTable('2 Orange 0.5 too-small', '3 Apple 0.5 train z', '4 Apple 0.5 test w');
    expect(await crops(before, after)).toEqual([
      ['new', 2, { Apple: 2 }, ['Apple/3_0.5.jpg', 'Apple/4_0.5.jpg']],
      ['gone', 2, { Apple: 1, Orange: 1 }, ['Apple/1_0.5.jpg', 'Orange/2_0.5.jpg']],
    ]);
  });

  it('of a box with another label are relabelled, not gone and new', async () => {
    const before = cropsTable('1 Apple 0.5 train x', '1 Apple 0.7 train y');
    const after = cropsTable('1 Apple 0.7 train y', '1 Orange 0.50 train x');
    expect(await crops(before, after)).toEqual([
      ['relabelled', 1, { 'Apple -> Orange': 1 }, ['Orange/1_0.50.jpg']],
    ]);
  });

  it('change their split and their bytes', async () => {
    const before = cropsTable('1 Apple 0.5 train x', '2 Apple 0.5 train y');
    const after = cropsTable('1 Apple 0.5 validation x', '2 Apple 0.5 train other');
    expect(await crops(before, after)).toEqual([
      ['other-split', 1, { 'train -> validation': 1 }, ['Apple/1_0.5.jpg']],
      ['crop-bytes', 1, { Apple: 1 }, ['Apple/2_0.5.jpg']],
    ]);
  });

  it('that never were have reasons, and boxes come and go without crops', async () => {
    const before = cropsTable('1 Apple 0.5 missing', '2 Apple 0.5 orphan');
    const after = cropsTable('1 Apple 0.5 corrupt', '3 Apple 0.5 too-small');
    expect(await crops(before, after)).toEqual([
      ['other-reason', 1, { 'missing -> corrupt': 1 }, ['1 /m/Apple']],
      ['box-new', 1, { 'too-small': 1 }, ['3 /m/Apple']],
      ['box-gone', 1, { orphan: 1 }, ['2 /m/Apple']],
    ]);
  });

  it('of one label that counts for another class are told as such', async () => {
    const before = cropsTable('1 Apple 0.5 train x');
    const found = await crops(before, before.replace(',Apple,', ',Fruit,'));
    expect(found).toEqual([['other-class', 1, { 'Apple -> Fruit': 1 }, ['Apple/1_0.5.jpg']]]);
  });

  it('of boxes that stand several times in a photo are paired in their order', async () => {
    const twice = ['1 Apple 0.5 train x', '1 Apple 0.5 repeated-box'];
    expect(await crops(cropsTable(...twice), cropsTable(...twice, twice[1] ?? ''))).toEqual([
      ['box-new', 1, { 'repeated-box': 1 }, ['1 /m/Apple']],
    ]);
  });
});

describe('a table that is none of ours', () => {
  const good = imagesTable('1 ok a');
  const cases = [
    ['has no columns of ours', 'a,b\n1,2\n', 'the table lacks one of ImageID, Status, Digest'],
    ['is not in order', imagesTable('2 ok a', '1 ok b'), 'is not in the order of its ImageIDs'],
    ['has ragged rows', 'ImageID,Status,Digest\n1,ok\n', 'cannot be read'],
    ['is bytes', Buffer.from([0, 255, 34, 10, 34, 34, 1]), 'cannot be read'],
  ] as const;

  it.each(cases)('and %s is named, and all else compared', async (_, table, why) => {
    const found = await compare({ [IMAGES]: good, x: '1' }, { [IMAGES]: table, x: '2' });
    expect(found.notes).toHaveLength(1);
    expect(found.notes[0]).toContain('metadata/images.csv of B');
    expect(found.notes[0]).toContain(why);
    expect(found.notes[0]).toMatch(/; photos are not compared$/);
    expect(found.photos).toEqual([]);
    expect(found.files.changed.map(({ logicalKey }) => logicalKey)).toEqual([IMAGES, 'x']);
  });

  it('and is absent on one side is named', async () => {
    const found = await compare({ [IMAGES]: good }, { x: '1' });
    expect(found.notes).toEqual(['B has no metadata/images.csv; photos are not compared']);
  });

  it('and is empty has no rows', async () => {
    const found = await compare({ [IMAGES]: good }, { [IMAGES]: '' });
    expect(found.photos).toEqual([{ change: 'deselected', rows: 1, of: { ok: 1 }, names: ['1'] }]);
  });

  it('and says anything as status or class does not fill the result with it', async () => {
    const ids = Array.from({ length: 1200 }, (_, index) => String(index).padStart(4, '0'));
    const found = await compare(
      { [IMAGES]: imagesTable(), [CROPS]: cropsTable() },
      {
        [IMAGES]: imagesTable(...ids.map((id) => `${id} status${id} a`)),
        [CROPS]: cropsTable(...ids.map((id) => `${id} class${'x'.repeat(500)}${id} 0.5 train x`)),
      },
      1,
    );
    expect(found.photos).toEqual([
      { change: 'selected', rows: 1200, of: { 'of unknown status': 1200 }, names: ['0000'] },
    ]);
    expect(Object.keys(found.crops[0]?.of ?? {}).length).toBeLessThanOrEqual(1001);
    expect(JSON.stringify(found.crops).length).toBeLessThan(300_000);
  });

  it('and names things as JavaScript does harms nothing', async () => {
    const found = await compare(
      { [CROPS]: cropsTable() },
      { [CROPS]: cropsTable('1 __proto__ 0.5 train x', '2 constructor 0.5 train x') },
    );
    expect(Object.entries(found.crops[0]?.of ?? {})).toEqual([
      ['__proto__', 1],
      ['constructor', 1],
    ]);
  });

  it('and cannot be had is an error, not a difference', async () => {
    const lost = sideOf(
      { [IMAGES]: imagesTable() },
      {
        open: failing,
      },
    );
    await expect(compare({ [IMAGES]: good }, lost)).rejects.toThrow('other bytes');
  });
});

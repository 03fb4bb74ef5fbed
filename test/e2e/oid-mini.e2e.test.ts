/** Real photos with real boxes and real mess: every row against the answers of the data set. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runJson } from '../support/cli.ts';
import {
  chooseOidClasses,
  OID_FOLDER,
  STATUS_OF_ANSWER,
  sourceBoxes,
  writeOidManifest,
} from '../support/oid.ts';
import { type RunningServer, startImageServer } from '../support/servers.ts';
import { describeWithShared } from '../support/shared.ts';
import { cell, type Row, readTable } from '../support/tables.ts';
import { temporaryFolder } from '../support/temporary.ts';

interface BuildDocument {
  readonly topHash: string;
  readonly images: Readonly<Record<string, number>>;
  readonly crops: { readonly written: number; readonly skipped: Readonly<Record<string, number>> };
}

const boxKey = (row: Row) =>
  ['ImageID', 'LabelName', 'XMin', 'XMax', 'YMin', 'YMax'].map((name) => cell(row, name)).join(' ');

describeWithShared('data/oid-mini/EXPECTED_IMAGES.csv')('a package of two classes', () => {
  const classes = chooseOidClasses();
  let server: RunningServer;
  let built: BuildDocument;
  let folder: string;
  let images: readonly Row[];
  let crops: readonly Row[];

  beforeAll(async () => {
    server = await startImageServer();
    const work = await temporaryFolder();
    const manifest = await writeOidManifest(work, {
      baseUrl: server.url,
      classes: classes.values(),
    });
    const store = ['--store', join(work, 'store')];
    const registry = ['--registry', join(work, 'registry')];
    built = await runJson<BuildDocument>(['build', manifest, ...store]);
    await runJson(['push', 'test/oid', ...store, ...registry]);
    folder = join(work, 'installed');
    await runJson(['install', 'test/oid', ...registry, '--dest', folder]);
    images = readTable(join(folder, 'metadata/images.csv'));
    crops = readTable(join(folder, 'metadata/crops.csv'));
  });
  afterAll(() => server.stop());

  it('has one row for each image with a box of these classes, in order', () => {
    const known = new Set(
      readTable(join(OID_FOLDER, 'train-images-boxable-with-rotation.csv')).map((row) =>
        cell(row, 'ImageID'),
      ),
    );
    const selected = sourceBoxes(new Set(classes.keys())).map((row) => cell(row, 'ImageID'));
    const expected = [...new Set(selected)].filter((id) => known.has(id)).sort();
    expect(images.map((row) => cell(row, 'ImageID'))).toEqual(expected);
  });

  it('gives every image the status of the answers', () => {
    const answers = new Map(
      readTable(join(OID_FOLDER, 'EXPECTED_IMAGES.csv')).map((row) => [cell(row, 'ImageID'), row]),
    );
    const found = images.map((row) => [cell(row, 'ImageID'), cell(row, 'Status')]);
    const expected = images.map((row) => {
      const id = cell(row, 'ImageID');
      return [id, STATUS_OF_ANSWER[answers.get(id)?.['Status'] ?? '']];
    });
    expect(found).toEqual(expected);
  });

  it('keeps the bytes that were served for every usable photo', () => {
    const answers = new Map(
      readTable(join(OID_FOLDER, 'EXPECTED_IMAGES.csv')).map((row) => [cell(row, 'ImageID'), row]),
    );
    const usable = images.filter((row) => cell(row, 'LogicalKey') !== '');
    expect(usable.length).toBeGreaterThan(0);
    for (const row of usable) {
      const file = cell(answers.get(cell(row, 'ImageID')) ?? {}, 'File');
      const served = readFileSync(join(OID_FOLDER, 'images', file));
      expect(readFileSync(join(folder, cell(row, 'LogicalKey'))).equals(served)).toBe(true);
    }
  });

  it('has one row for each box row, a crop or a reason, never both', () => {
    const selected = sourceBoxes(new Set(classes.keys()));
    expect(crops.map(boxKey).sort()).toEqual(selected.map(boxKey).sort());
    for (const row of crops) {
      expect(cell(row, 'LogicalKey') === '').toBe(cell(row, 'Reason') !== '');
    }
  });

  it('cuts exactly the boxes of the answers, with their rectangles', () => {
    const expected = readTable(join(OID_FOLDER, 'EXPECTED_CROPS.csv'))
      .filter((row) => classes.has(cell(row, 'LabelName')))
      .map((row) => [
        boxKey(row),
        ...['Left', 'Top', 'Width', 'Height', 'Rotation'].map((name) => cell(row, name)),
      ]);
    const found = crops
      .filter((row) => cell(row, 'LogicalKey') !== '')
      .map((row) => [
        boxKey(row),
        ...['LeftPx', 'TopPx', 'WidthPx', 'HeightPx', 'Rotation'].map((name) => cell(row, name)),
      ]);
    expect(found.sort()).toEqual(expected.sort());
  });

  it('gives every crop the mean colour of the answers within 1.5, CMYK aside', async () => {
    const modes = new Map(
      readTable(join(OID_FOLDER, 'EXPECTED_IMAGES.csv')).map((row) => [
        cell(row, 'ImageID'),
        cell(row, 'Mode'),
      ]),
    );
    const answers = new Map(
      readTable(join(OID_FOLDER, 'EXPECTED_CROPS.csv')).map((row) => [boxKey(row), row]),
    );
    for (const row of crops.filter((crop) => cell(crop, 'LogicalKey') !== '')) {
      if (modes.get(cell(row, 'ImageID')) === 'CMYK') continue;
      const answer = answers.get(boxKey(row)) ?? {};
      const { channels } = await sharp(join(folder, cell(row, 'LogicalKey'))).stats();
      for (const [index, name] of ['MeanR', 'MeanG', 'MeanB'].entries()) {
        const difference = Math.abs((channels[index]?.mean ?? 999) - Number(cell(answer, name)));
        expect(difference, `${boxKey(row)} ${name}`).toBeLessThanOrEqual(1.5);
      }
    }
  });

  it('turns the crops of turned photos upright, so their sides are exchanged', async () => {
    for (const row of crops.filter((crop) => cell(crop, 'LogicalKey') !== '')) {
      const { width, height } = await sharp(join(folder, cell(row, 'LogicalKey'))).metadata();
      const turned = ['90.0', '270.0'].includes(cell(row, 'Rotation'));
      const sides = [Number(cell(row, 'WidthPx')), Number(cell(row, 'HeightPx'))];
      expect([width, height]).toEqual(turned ? sides.reverse() : sides);
    }
  });

  it('counts in its report what the tables hold', () => {
    const statuses: Record<string, number> = { selected: images.length };
    for (const row of images) {
      const status = cell(row, 'Status');
      statuses[status] = (statuses[status] ?? 0) + 1;
    }
    expect(built.images).toEqual(statuses);
    expect(built.crops.written).toBe(crops.filter((row) => cell(row, 'LogicalKey') !== '').length);
    const skipped = Object.values(built.crops.skipped).reduce((sum, n) => sum + n, 0);
    expect(built.crops.written + skipped).toBe(crops.length);
  });

  it('keeps all crops of one photo, and of photos with the same bytes, in one split', () => {
    const digests = new Map(images.map((row) => [cell(row, 'ImageID'), cell(row, 'Digest')]));
    const splits = new Map<string, string>();
    for (const row of crops.filter((crop) => cell(crop, 'LogicalKey') !== '')) {
      const photo = digests.get(cell(row, 'ImageID')) ?? '';
      const split = cell(row, 'Split');
      expect(['train', 'validation', 'test']).toContain(split);
      expect(splits.get(photo) ?? split).toBe(split);
      splits.set(photo, split);
    }
  });
});

/** What paths and tables of boxes stand for, and what is said where they stand for nothing. */
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { formatCsv } from '../../src/openimages/csv.ts';
import { BOX_COLUMNS } from '../../src/openimages/openimages.ts';
import { planPhotos } from '../../src/prediction/photos.ts';
import { PkgError } from '../../src/runtime/errors.ts';
import { testRuntime } from '../support/runtime.ts';
import { temporaryFolder } from '../support/temporary.ts';

const BOXES = 'ImageID,XMin,XMax,YMin,YMax\n';

async function withTable(text: string | Uint8Array) {
  const folder = await temporaryFolder();
  const table = join(folder, 'boxes.csv');
  await writeFile(table, text);
  const runtime = testRuntime();
  return {
    table,
    runtime,
    plan: (...photos: string[]) => planPhotos(runtime, photos, table),
  };
}

describe('paths', () => {
  it('stand for the files they name, in their order, once for each time', async () => {
    const paths = ['b.jpg', '/nowhere/a.png', 'b.jpg', './b.jpg'];
    const tasks = await planPhotos(testRuntime(), paths);
    expect(tasks.map(({ photo }) => photo)).toEqual(paths);
  });

  it('of folders stand for the pictures right in them, by name in code unit order', async () => {
    const folder = await temporaryFolder();
    const names = ['b.jpg', 'a.PNG', 'Z.webp', 'é.jpeg', 'c10.tif', 'c9.gif', 'd.avif', 'e.tiff'];
    const others = ['.hidden.jpg', '.DS_Store', 'notes.txt', 'jpg', 'boxes.csv'];
    for (const name of [...names, ...others]) await writeFile(join(folder, name), '');
    await mkdir(join(folder, 'deeper'));
    await writeFile(join(folder, 'deeper/x.jpg'), '');
    const tasks = await planPhotos(testRuntime(), [folder]);
    expect(tasks).toEqual([...names].sort().map((name) => ({ photo: join(folder, name) })));
  });

  it('that lead nowhere, or to folders without pictures, are told with the others', async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, 'empty'));
    await symlink('loop', join(folder, 'loop'));
    const paths = ['empty', 'absent', 'loop', 'absent/below'].map((name) => join(folder, name));
    const tasks = await planPhotos(testRuntime(), [...paths, 'photo.jpg']);
    expect(tasks.map(({ problem }) => problem)).toEqual([
      'the folder holds no pictures itself',
      'there is no such file',
      'it cannot be read (ELOOP)',
      'there is no such file',
      'there is no such file',
    ]);
  });

  it.skipIf(process.getuid?.() === 0)('to folders one may not read say so', async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, 'closed'), { mode: 0 });
    const [task] = await planPhotos(testRuntime(), [join(folder, 'closed')]);
    expect(task?.problem).toBe('it cannot be read (EACCES)');
    await chmod(join(folder, 'closed'), 0o700);
  });
});

describe('a table of boxes', () => {
  const folder = temporaryFolder();
  const photo = async (name: string) => {
    const path = join(await folder, name);
    await writeFile(path, '');
    return path;
  };

  it('gives each photo the boxes of its ImageID, in the table’s order', async () => {
    const { plan, runtime } = await withTable(
      `${BOXES}b,0,1,0,.5\na,0.1,0.2,0.3,0.4\nb,0,1,0,1e-2\n`,
    );
    const [a, b] = [await photo('a.jpg'), await photo('b.tar.png')];
    const c = await photo('b.png');
    expect(await plan(a, b, c, c)).toEqual([
      {
        photo: a,
        boxes: [{ box: { xMin: 0.1, xMax: 0.2, yMin: 0.3, yMax: 0.4, turnDegrees: 0 } }],
      },
      ...[c, c].map((path) => ({
        photo: path,
        boxes: [
          { box: { xMin: 0, xMax: 1, yMin: 0, yMax: 0.5, turnDegrees: 0 } },
          { box: { xMin: 0, xMax: 1, yMin: 0, yMax: 0.01, turnDegrees: 0 } },
        ],
      })),
    ]);
    expect(runtime.events).toEqual([
      {
        kind: 'warned',
        message: expect.stringMatching(/^left out: 1 of the photos, .*no box in/) as string,
      },
    ]);
  });

  it('may be Open Images’ own, of which other photos’ boxes are counted, not kept', async () => {
    const row = (ImageID: string) => ({
      ...Object.fromEntries(BOX_COLUMNS.map((column) => [column, '0'])),
      ...{ ImageID, LabelName: '/m/0cdn1', XMin: '0.25', XMax: '0.5', YMin: '0', YMax: '1' },
    });
    const rows = Array.from({ length: 20_000 }, (_, index) => row(String(index)));
    const { plan, runtime } = await withTable(formatCsv<string>(BOX_COLUMNS, rows));
    const path = await photo('77.jpg');
    const box = { xMin: 0.25, xMax: 0.5, yMin: 0, yMax: 1, turnDegrees: 0, label: '/m/0cdn1' };
    expect(await plan(path)).toEqual([{ photo: path, boxes: [{ box }] }]);
    expect(runtime.events[0]).toHaveProperty(
      'message',
      expect.stringMatching(/^left out: 19999 of the boxes/),
    );
  });

  it('may say how photos are turned; what is no quarter turn counts as none', async () => {
    const turns = ['90.0', '180', '270.0', '0.0', '', '45', 'x'];
    const rows = turns.map((turn) => `a,0,1,0,1,${turn}\n`);
    const { plan } = await withTable(`ImageID,XMin,XMax,YMin,YMax,Rotation\n${rows.join('')}`);
    const [task] = await plan(await photo('a.jpg'));
    const found = task?.boxes?.map(({ box }) => box.turnDegrees);
    expect(found).toEqual([90, 180, 270, 0, 0, 0, 0]);
  });

  it('has rows that are no boxes, each with its problem', async () => {
    const bad = ['0,1,0,', 'x,1,0,1', '0.5,0.5,0,1', '0.6,0.5,0,1', '-0.1,1,0,1', '0,1.1,0,1'];
    const rows = [...bad, '0,1,Infinity,1', '0,1,0,1'].map((cells) => `a,${cells}\n`);
    const { plan } = await withTable(`${BOXES}${rows.join('')}`);
    const [task] = await plan(await photo('a.jpg'));
    const problems = task?.boxes?.map(({ problem }) => problem !== undefined);
    expect(problems).toEqual([...Array<boolean>(7).fill(true), false]);
  });

  it('keeps photos that are not there among the rows', async () => {
    const { plan } = await withTable(`${BOXES}a,0,1,0,1\n`);
    const [, missing] = await plan(await photo('a.jpg'), '/nowhere/z.jpg');
    expect(missing).toEqual({ photo: '/nowhere/z.jpg', problem: 'there is no such file' });
  });

  it('that is absent, no table, cut off, or of other photos ends the command', async () => {
    const path = await photo('a.jpg');
    const failures: [string | Uint8Array, string, RegExp][] = [
      ['', 'not-found', /has no box of any of the photos/],
      [`${BOXES}b,0,1,0,1\n`, 'not-found', /has no box of any of the photos/],
      ['ImageID,XMin,XMax,YMin\na,0,1,0\n', 'usage', /is no table of boxes: .*lacks/],
      [`${BOXES}a,0,1,0,1\na,0,1\n`, 'usage', /is no table of boxes: Invalid Record Length/],
      [`${BOXES}a,0,1,0,"1\n`, 'usage', /is no table of boxes: Quote Not Closed/],
      [`${BOXES}"${'x'.repeat(40_000_000)}`, 'usage', /is no table of boxes: Max Record Size/],
      [Buffer.alloc(100_000, 0xff), 'usage', /is no table of boxes/],
    ];
    for (const [text, code, message] of failures) {
      const { plan } = await withTable(text);
      const failure: unknown = await plan(path).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(PkgError);
      expect(failure).toMatchObject({ code, message: expect.stringMatching(message) as string });
    }
    const of = (table: string) => planPhotos(testRuntime(), [path], table);
    await expect(of('/nowhere/boxes.csv')).rejects.toMatchObject({ code: 'not-found' });
    await expect(of(await folder)).rejects.toMatchObject({ code: 'storage' });
  });
});

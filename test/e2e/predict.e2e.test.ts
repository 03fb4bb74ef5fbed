/** `pkg predict` as a user runs it: from a registry, a folder, a build; tables, JSON and exit codes. */
import { cp, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { runCli, runJson } from '../support/cli.ts';
import { open, somePixels } from '../support/pictures.ts';
import { writeFiles } from '../support/sample-packages.ts';
import { ROOT } from '../support/shared.ts';
import { cell, readTable } from '../support/tables.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { modelFiles, tinyModel } from '../support/tiny-model.ts';

const NAME = 'quilt/tiny';

interface Row {
  readonly photo: string;
  readonly error?: string;
  readonly class?: string;
  readonly probability?: number;
  readonly probabilities?: Readonly<Record<string, number>>;
  readonly box?: object;
}

interface Document {
  readonly model: { readonly name?: string; readonly topHash?: string; readonly folder?: string };
  readonly classes: readonly string[];
  readonly predicted: number;
  readonly failed: number;
  readonly predictions: readonly Row[];
  readonly warnings?: readonly string[];
}

let home: string;
let registry: string[];
let store: string[];
let photos: string;

beforeAll(async () => {
  home = await temporaryFolder();
  registry = ['--registry', join(home, 'registry')];
  store = ['--store', join(home, 'store')];
  photos = join(home, 'photos');
  await writeFiles(join(home, 'package'), { 'README.md': 'tiny', ...modelFiles(tinyModel()) });
  await writeFiles(photos, { 'notes.txt': 'no picture' });
  for (const [index, name] of ['a.jpg', 'b.png', 'c.webp'].entries()) {
    const pixels = open(somePixels(90 + index, 60, index));
    await writeFile(
      join(photos, name),
      await pixels.toFormat(name.endsWith('jpg') ? 'jpeg' : 'png').toBuffer(),
    );
  }
  await runJson(['push', NAME, '--dir', join(home, 'package'), ...registry, ...store]);
});

async function installed(): Promise<string> {
  const folder = join(await temporaryFolder(), 'tiny');
  await runJson(['install', NAME, ...registry, '--dest', folder]);
  return folder;
}

describe('pkg predict', () => {
  it('says the same from a registry, an installed folder and a folder of its own', async () => {
    const folder = await installed();
    const [remote, local, plain] = [
      await runJson<Document>(['predict', NAME, photos, ...registry]),
      await runJson<Document>(['predict', folder, photos]),
      await runJson<Document>(['predict', join(home, 'package/models'), photos]),
    ];
    expect(remote.predictions.map(({ photo }) => photo)).toEqual(
      ['a.jpg', 'b.png', 'c.webp'].map((name) => join(photos, name)),
    );
    expect(local.predictions).toEqual(remote.predictions);
    expect(plain.predictions).toEqual(remote.predictions);
    expect(remote).toMatchObject({ classes: ['Hamburger', 'Sandwich'], predicted: 3, failed: 0 });
    expect(remote.model).toMatchObject({ name: NAME, topHash: local.model.topHash });
    expect(local.model.folder).toBe(folder);
    expect(plain.model.topHash).toBeUndefined();
    const { probability = 0, probabilities = {} } = remote.predictions[0] ?? {};
    expect(Math.max(...Object.values(probabilities))).toBe(probability);
  });

  it('writes nothing into the folder it runs in, nor into a store, from a registry', async () => {
    const cwd = await temporaryFolder();
    const env = { XDG_CACHE_HOME: join(cwd, 'cache') };
    const result = await runCli(['predict', NAME, photos, ...registry], { cwd, env });
    expect(result.exitCode).toBe(0);
    expect(await readdir(cwd)).toEqual([]);
  });

  it('prints a line a photo, with columns that stand below each other', async () => {
    const { stdout, stderr, exitCode } = await runCli(['predict', NAME, photos, ...registry]);
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
    const lines = stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(3);
    for (const line of lines) expect(line).toMatch(/^\S+ +(Hamburger|Sandwich ) {2}[01]\.\d{4}$/);
    expect(new Set(lines.map((line) => line.length)).size).toBe(1);
    const all = await runCli(['predict', NAME, photos, '--all', ...registry]);
    expect(all.stdout).toMatch(/ {2}Hamburger [01]\.\d{4} {2}Sandwich [01]\.\d{4}\n/);
  });

  it('gives the same text and JSON for any number of workers', async () => {
    const run = (workers: string, ...more: string[]) =>
      runCli(['predict', NAME, photos, photos, '--concurrency', workers, ...more, ...registry]);
    expect(await run('3')).toEqual(await run('1'));
    expect(await run('3', '--json')).toEqual(await run('1', '--json'));
  });

  it('ends with 3 where photos cannot be used, says which and predicts the others', async () => {
    const broken = join(home, 'broken\u001b[31m.jpg');
    await writeFile(broken, 'no picture');
    const args = ['predict', NAME, '/nowhere/x.jpg', join(photos, 'a.jpg'), broken, ...registry];
    const text = await runCli(args);
    expect(text.exitCode).toBe(3);
    expect(text.stdout).toMatch(/^\S*a\.jpg +\S+ +[01]\.\d{4}\n$/);
    expect(text.stderr.split('\n')).toEqual([
      'warning: /nowhere/x.jpg: there is no such file',
      `warning: ${join(home, 'broken\uFFFD[31m.jpg')}: the picture cannot be used: no known picture format`,
      '',
    ]);
    const json = await runCli([...args, '--json']);
    expect(json).toMatchObject({ exitCode: 3, stderr: '' });
    const document = JSON.parse(json.stdout) as Document;
    expect(document).toMatchObject({ predicted: 1, failed: 2 });
    expect(document.predictions.map(({ error }) => error)).toEqual([
      'there is no such file',
      undefined,
      'the picture cannot be used: no known picture format',
    ]);
  });

  it('ends with 13 where an installed model was changed', async () => {
    const folder = await installed();
    const path = join(folder, 'models/weights.bin');
    const bytes = await readFile(path);
    bytes[9] = (bytes[9] ?? 0) ^ 1;
    await writeFile(path, bytes);
    const result = await runCli(['predict', folder, photos]);
    expect(result).toMatchObject({ exitCode: 13, stdout: '' });
    expect(result.stderr).toMatch(/^error: .*weights\.bin has other bytes than its package says\n/);
  });

  it('ends with 12 where there is no such folder, package or model, with what to do', async () => {
    await writeFiles(join(home, 'bare'), { 'README.md': 'bare' });
    await runJson(['push', 'quilt/bare', '--dir', join(home, 'bare'), ...registry, ...store]);
    const failures: [string[], RegExp][] = [
      [['./nowhere', photos], /there is no folder \.\/nowhere\n.*installed/],
      [['quilt/none', photos, ...registry], /has no quilt\/none\n/],
      [['quilt/bare', photos, ...registry], /quilt\/bare@[0-9a-f]{64} has no model\n/],
      [[join(home, 'bare'), photos], /bare has no model\n/],
      [['quilt/none', photos, ...store], /none was not built into .*, and no registry.*\n.*--reg/],
      [['quilt/none:v1', photos, ...store], /by its name or its whole top hash alone/],
    ];
    for (const [args, message] of failures) {
      const result = await runCli(['predict', ...args]);
      expect(result).toMatchObject({ exitCode: 12, stdout: '' });
      expect(result.stderr).toMatch(message);
    }
  });

  it('ends with 2 where words are missing or in the wrong order', async () => {
    const photo = join(photos, 'a.jpg');
    for (const [args, message] of [
      [[], /missing required argument 'model'/],
      [[NAME], /missing required argument 'photos'/],
      [[photo, photo], /a\.jpg is a file; the model's folder or package comes first/],
      [['no reference', photo], /"no reference" is not a reference/],
    ] as const) {
      const result = await runCli(['predict', ...args]);
      expect(result).toMatchObject({ exitCode: 2, stdout: '' });
      expect(result.stderr).toMatch(message);
    }
  });

  it('takes the registry of the environment, and a folder before a reference', async () => {
    const env = { PKG_REGISTRY: join(home, 'registry') };
    const remote = await runCli(['predict', NAME, photos, '--json', ...store], { env });
    expect(JSON.parse(remote.stdout)).toMatchObject({ model: { name: NAME }, failed: 0 });
    const cwd = await temporaryFolder();
    await cp(join(home, 'package'), join(cwd, NAME), { recursive: true });
    const local = await runCli(['predict', NAME, photos, '--json', ...registry], { cwd });
    expect(JSON.parse(local.stdout)).toMatchObject({ model: { folder: NAME } });
  });
});

describe('pkg predict of a package with its own photos', () => {
  const name = 'quilt/open_images_sample';
  let built: string[];
  let dest: string;

  beforeAll(async () => {
    const folder = await temporaryFolder();
    built = ['--store', join(folder, 'store')];
    await cp(join(ROOT, 'manifests'), join(folder, 'manifests'), { recursive: true });
    await runJson(['build', join(folder, 'manifests/sample.yaml'), ...built]);
    const shared = ['--registry', join(folder, 'registry')];
    await runJson(['push', name, ...built, ...shared]);
    dest = join(folder, 'sample');
    await runJson(['install', name, ...shared, '--dest', dest]);
  });

  it('says of crops, straight out of the store, what the package says of them', async () => {
    const rows = readTable(join(dest, 'models/predictions.csv'));
    expect(rows.length).toBeGreaterThan(10);
    const crops = rows.map((row) => join(dest, cell(row, 'LogicalKey')));
    const { model, predictions } = await runJson<Document>(['predict', name, ...crops, ...built]);
    expect(model.name).toBe(name);
    for (const [index, row] of rows.entries()) {
      const { probabilities = {}, ...said } = predictions[index] ?? {};
      expect(said).toMatchObject({ photo: crops[index], class: cell(row, 'Predicted') });
      const stated = Object.keys(probabilities).map((of) => Number(cell(row, `Probability:${of}`)));
      expect(Object.values(probabilities)).toEqual(stated);
    }
  });

  it('says of boxes what it says of the crops that were made of them', async () => {
    const table = join(dest, 'metadata/crops.csv');
    const rows = readTable(table).filter((row) => cell(row, 'LogicalKey') !== '');
    const crops = await runJson<Document>([
      ...['predict', dest, ...rows.map((row) => join(dest, cell(row, 'LogicalKey')))],
    ]);
    const byBox = new Map(
      rows.map((row, index) => [boxKey(row), crops.predictions[index]?.probabilities]),
    );
    const args = ['predict', dest, join(dest, 'images'), '--boxes', table];
    const boxes = JSON.parse((await runCli([...args, '--json'])).stdout) as Document;
    const said = boxes.predictions.filter((row) => byBox.has(keyOfRow(row)));
    expect(rows.length).toBeGreaterThan(100);
    expect(new Set(said.map(keyOfRow)).size).toBe(byBox.size);
    for (const row of said) expect(row.probabilities).toEqual(byBox.get(keyOfRow(row)));
    const text = await runCli(args);
    expect(text.stdout).toMatch(/\.jpg +\S+ +[01]\.\d{4} {2}[\d.]+,[\d.]+,[\d.]+,[\d.]+\n/);
  });
});

function boxKey(row: Readonly<Record<string, string>>): string {
  const sides = ['XMin', 'XMax', 'YMin', 'YMax'].map((side) => Number(cell(row, side)));
  return [cell(row, 'ImageID'), cell(row, 'LabelName'), ...sides].join(' ');
}

function keyOfRow({ photo, box }: Row): string {
  const { xMin, xMax, yMin, yMax, label } = { label: '', ...box } as Record<string, unknown>;
  const imageId = /([^/]+)\.[a-z]+$/.exec(photo)?.[1];
  return [imageId, label, xMin, xMax, yMin, yMax].join(' ');
}

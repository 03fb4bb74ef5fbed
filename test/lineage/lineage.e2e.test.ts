/** Lineage of a real package, both ways, by the command line. */
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runCli, runJson } from '../support/cli.ts';
import { chooseOidClasses, OID_FOLDER, writeOidManifest } from '../support/oid.ts';
import { type RunningServer, startImageServer } from '../support/servers.ts';
import { describeWithShared } from '../support/shared.ts';
import { cell, type Row, readTable } from '../support/tables.ts';
import { temporaryFolder } from '../support/temporary.ts';

const NAME = 'test/oid';

const MODEL = `model:
  input: { widthPx: 32, heightPx: 32 }
  layers:
    - conv2d: { filters: 8, kernelSize: 3, activation: relu }
    - globalAveragePooling2d
    - dense: { units: 1, activation: sigmoid }
  fit: { batchSize: 8, epochs: 1, optimizer: { rmsprop: { learningRate: 0.01 } } }
`;

interface Built {
  readonly topHash: string;
}

interface Answer {
  readonly photos: number;
  readonly revisions: readonly {
    readonly topHash: string;
    readonly by: string;
    readonly cropKeys: readonly string[];
  }[];
  readonly models: readonly { readonly topHash: string; readonly use: string }[];
}

interface Why {
  readonly kind: string;
  readonly step?: { readonly name: string };
  readonly photo?: Readonly<Record<string, string>>;
  readonly crop?: { readonly split: string; readonly box: Readonly<Record<string, string>> };
  readonly model?: { readonly classes: readonly string[]; readonly trainedPhotos: number };
  readonly sources: readonly { readonly name: string; readonly url: string }[];
}

describeWithShared('data/oid-mini/EXPECTED_IMAGES.csv')('the lineage of real photos', () => {
  let server: RunningServer;
  let registry: readonly string[];
  let folder: string;
  let first: Built;
  let second: Built;
  let crops: readonly Row[];
  let chosen: Row;

  beforeAll(async () => {
    server = await startImageServer();
    const work = await temporaryFolder();
    const store = ['--store', join(work, 'store')];
    registry = ['--registry', join(work, 'registry'), ...store];
    const manifest = await writeOidManifest(work, {
      ...{ name: NAME, baseUrl: server.url, classes: chooseOidClasses().values() },
      query: '    imagesPerClass: 20',
    });
    await appendFile(manifest, MODEL);
    first = await runJson<Built>(['build', manifest, ...store]);
    await runJson(['push', NAME, ...registry]);
    folder = join(work, 'installed');
    await runJson(['install', NAME, ...registry, '--dest', folder]);
    const text = await readFile(manifest, 'utf8');
    await writeFile(manifest, text.replace('epochs: 1', 'epochs: 3'));
    second = await runJson<Built>(['build', manifest, ...store, '--update']);
    await runJson(['push', NAME, ...registry]);
    crops = readTable(join(folder, 'metadata/crops.csv'));
    const trained = crops.find((row) => cell(row, 'Split') === 'train');
    if (trained === undefined) throw new Error('nothing was trained on');
    chosen = trained;
  });
  afterAll(() => server.stop());

  it('goes from a crop to the rows of the source tables', async () => {
    const key = cell(chosen, 'LogicalKey');
    const imageId = cell(chosen, 'ImageID');
    const why = await runJson<Why>(['why', join(folder, key)]);
    const source = readTable(join(OID_FOLDER, 'train-images-boxable-with-rotation.csv')).find(
      (row) => cell(row, 'ImageID') === imageId,
    );
    expect(why.photo).toMatchObject({
      imageId,
      author: cell(source ?? {}, 'Author'),
      licence: cell(source ?? {}, 'License'),
      title: cell(source ?? {}, 'Title'),
      landingUrl: cell(source ?? {}, 'OriginalLandingURL').replace('{BASE}', server.url),
    });
    expect(why).toMatchObject({ kind: 'crop', step: { name: 'crop' } });
    expect(why.crop?.box).toMatchObject({ xMin: cell(chosen, 'XMin'), yMax: cell(chosen, 'YMax') });
    expect(why.sources.map(({ name }) => name).sort()).toEqual([
      ...['boxes', 'classes', 'hierarchy', 'images'],
    ]);
    const told = await runCli(['why', NAME, key, ...registry]);
    expect(told.stdout).toContain(cell(source ?? {}, 'Author'));
    expect(told.exitCode).toBe(0);
    const model = await runJson<Why>(['why', 'models/weights.bin', '--in', folder]);
    expect(model.model?.classes).toEqual([...chooseOidClasses().values()].sort());
    expect(model.model?.trainedPhotos).toBeGreaterThan(1);
  });

  it('goes from a photo, its author and licence to crops, revisions and models', async () => {
    const imageId = cell(chosen, 'ImageID');
    const answer = await runJson<Answer>(['impact', imageId, ...registry]);
    const own = crops
      .filter((row) => cell(row, 'ImageID') === imageId && cell(row, 'LogicalKey') !== '')
      .map((row) => cell(row, 'LogicalKey'));
    expect(answer.photos).toBe(1);
    expect(new Set(answer.revisions.map(({ topHash }) => topHash))).toEqual(
      new Set([first.topHash, second.topHash]),
    );
    for (const { cropKeys, by } of answer.revisions) {
      expect([...cropKeys].sort()).toEqual([...own].sort());
      expect(by).toBe('lineage');
    }
    expect(answer.models.map(({ use }) => use)).toEqual(['trained', 'trained']);
    const rows = readTable(join(folder, 'metadata/images.csv'));
    const row = rows.find((one) => cell(one, 'ImageID') === imageId);
    const author = cell(row ?? {}, 'Author');
    const byAuthor = await runJson<Answer>(['impact', author.toUpperCase(), ...registry]);
    expect(byAuthor.photos).toBe(rows.filter((one) => cell(one, 'Author') === author).length);
    const licence = cell(row ?? {}, 'License');
    const told = await runCli(['impact', licence, ...registry]);
    expect(told.stdout).toMatch(/\(licence\): \d+ photos? in 2 revisions of 1 package, 2 models/);
    expect((await runCli(['impact', 'nobody at all', ...registry])).exitCode).toBe(12);
    expect((await runCli(['impact', ...registry])).exitCode).toBe(2);
    expect(await runJson(['impact', '--reindex', ...registry])).toMatchObject({ written: 0 });
    expect((await runCli(['verify', ...registry])).exitCode).toBe(0);
  });

  it('shows what another training changed in metrics and predictions', async () => {
    const refs = [first, second].map(({ topHash }) => `${NAME}@${topHash}`);
    const { stdout } = await runCli(['diff', ...refs, ...registry]);
    expect(stdout).toMatch(/predictions\n {2}of \d+ crops? judged by both, \d+ taken for another/);
    const { predictions } = await runJson<{ predictions: { judged: number; meanChange: number } }>([
      ...['diff', ...refs, ...registry],
    ]);
    expect(predictions.judged).toBe(
      crops.filter((row) => cell(row, 'Split') === 'validation').length,
    );
    expect(predictions.meanChange).toBeGreaterThan(0);
  });
});

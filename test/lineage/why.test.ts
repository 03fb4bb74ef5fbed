/** Why a file is in a package, out of packages made of a few rows. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { installPackage } from '../../src/installation/install.ts';
import { openInstalled, openRevision } from '../../src/installation/opened-package.ts';
import { explainFile, findInstalledAround, keyInFolder } from '../../src/lineage/explain-file.ts';
import type { FileLineage } from '../../src/lineage/why.ts';
import { parseReference } from '../../src/registry/reference.ts';
import { DirectoryStorage } from '../../src/storage/directory.ts';
import { testRuntime } from '../support/runtime.ts';
import type { Files } from '../support/sample-packages.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { push } from './impact-contract.ts';
import { photoPackage, type SamplePhoto } from './sample-lineages.ts';

const ANNA: SamplePhoto = { id: '000a', author: 'Anna', crops: ['Apple train', 'Apple test'] };
const BEN: SamplePhoto = { id: '000b', author: 'Ben', crops: ['Orange validation'] };
const CROP = 'images_cropped/Apple/000a_000000000001.jpg';

const LOCKFILE = JSON.stringify({
  lockfileVersion: 1,
  parameters: { crop: { minSidePx: 16 }, model: { seed: 1 } },
  sources: {
    classes: { url: 'https://oid.example/classes.csv', digest: 'c'.repeat(64), sizeBytes: 10 },
    boxes: [{ url: 'boxes.csv', digest: 'b'.repeat(64), sizeBytes: 20 }],
  },
  bases: [{ use: 'model', name: 'x/base', topHash: 'f'.repeat(64), path: 'models/model.json' }],
  code: { repository: 'https://git.example/r', revision: 'main', commit: 'd'.repeat(40) },
});

const FILES: Files = {
  'metadata/classes.csv': 'LabelName,DisplayName,Class\n/m/x,Granny Smith,Apple\n',
  'manifest.lock.json': LOCKFILE,
  'models/model.json': JSON.stringify({ userDefinedMetadata: { classes: ['Apple', 'Orange'] } }),
  'images/000a.jpg': 'a photo',
  [CROP]: 'a crop',
};

/** A package in a registry and, as far as `paths` say, in a folder. */
async function placed(more: Files = FILES, paths: readonly string[] = []) {
  const runtime = testRuntime();
  const registry = new DirectoryStorage(runtime, await temporaryFolder());
  await push(registry, 'a/b', photoPackage([ANNA, BEN], { more }));
  const reference = parseReference('a/b');
  const folder = join(await temporaryFolder(), 'installed');
  await installPackage(runtime, registry, reference, {
    ...{ folder, paths, foreignFiles: 'refuse' },
  });
  return { folder, opened: await openRevision(runtime, registry, reference) };
}

describe('pkg why', () => {
  it('tells a crop from its box to the address and author of its photo', async () => {
    const { opened, folder } = await placed();
    const lineage = await explainFile(opened, CROP);
    expect(lineage).toMatchObject({
      ...{ name: 'a/b', logicalKey: CROP, kind: 'crop', sizeBytes: 6 },
      step: { name: 'crop', output: 'crops' },
      parameters: { minSidePx: 16 },
      crop: { class: 'Apple', split: 'test', flags: [], reason: '' },
      photo: {
        ...{ imageId: '000a', status: 'ok', author: 'Anna' },
        ...{ originalUrl: 'https://photos.example/000a_o.jpg' },
        ...{ landingUrl: 'https://photos.example/view/000a/' },
      },
      code: { commit: 'd'.repeat(40), dirty: false },
      unknown: ['the package has no provenance.json; step keys are not known'],
    });
    expect(lineage.sources.map(({ name, url }) => [name, url])).toEqual([
      ['classes', 'https://oid.example/classes.csv'],
      ['boxes', 'boxes.csv'],
    ]);
    const installed = await explainFile(await openInstalled(folder), CROP);
    expect({ ...installed, where: '' }).toEqual({ ...lineage, where: '' });
  });

  it('tells which crops a photo has, and where it came from', async () => {
    const { opened } = await placed();
    const { photo, crops, kind, step } = await explainFile(opened, 'images/000a.jpg');
    expect([kind, step?.name]).toEqual(['photo', 'fetch']);
    expect(photo).toMatchObject({ imageId: '000a', author: 'Anna' });
    expect(crops).toEqual([
      { logicalKey: CROP.replace('1.jpg', '0.jpg'), class: 'Apple', split: 'train', reason: '' },
      { logicalKey: CROP, class: 'Apple', split: 'test', reason: '' },
    ]);
  });

  it('tells what a model was trained and is based on', async () => {
    const { opened } = await placed();
    expect((await explainFile(opened, 'models/model.json')).model).toEqual({
      classes: ['Apple', 'Orange'],
      crops: { train: { Apple: 1 }, validation: { Orange: 1 }, test: { Apple: 1 } },
      trainedPhotos: 1,
    });
    const { bases, parameters } = await explainFile(opened, 'models/model.json');
    expect(bases).toMatchObject([{ use: 'model', name: 'x/base' }]);
    expect(parameters).toEqual({ seed: 1 });
  });

  it('finds the folder above a file, wherever the user stands', async () => {
    const { folder } = await placed();
    const { logicalKey, opened } = await findInstalledAround(join(folder, CROP));
    expect([logicalKey, opened.where]).toEqual([CROP, folder]);
    expect(keyInFolder(folder, join(folder, CROP))).toBe(CROP);
    expect(keyInFolder(folder, CROP)).toBe(CROP);
    const elsewhere = await temporaryFolder();
    await mkdir(join(elsewhere, 'deep'));
    await expect(findInstalledAround(join(elsewhere, 'deep/file'))).rejects.toMatchObject({
      code: 'not-found',
    });
  });

  it('answers with what was installed, and says what was not', async () => {
    const { folder } = await placed(FILES, ['images_cropped']);
    const { crop, photo, unknown } = await explainFile(await openInstalled(folder), CROP);
    expect([crop, photo]).toEqual([undefined, undefined]);
    expect(unknown.join('\n')).toMatch(/crops\.csv was not installed; box, class and split/);
  });

  it('names the file that was meant where there is no such file', async () => {
    const { opened } = await placed();
    await expect(explainFile(opened, CROP.replace('_00', '_01'))).rejects.toMatchObject({
      ...{ code: 'not-found', hint: `did you mean "${CROP}"?` },
    });
  });

  it.each([
    ['provenance.json', '{"_type": "https://in-toto.io/Statement/v1"}', /not the provenance/],
    ['provenance.json', 'no JSON', /not the provenance/],
    ['manifest.lock.json', 'no JSON', /cannot be read as a lockfile/],
    ['manifest.lock.json', '[1]', /cannot be read as a lockfile/],
    ['metadata/crops.csv', 'LogicalKey\n"', /crops\.csv cannot be read/],
    ['metadata/images.csv', 'x\n1\n', /images\.csv cannot be read/],
    ['models/model.json', '{"userDefinedMetadata": {"classes": [1]}}', /does not say its classes/],
  ])('goes on without a broken %s: %s', async (key, content, why) => {
    const { opened } = await placed({ ...FILES, [key]: content });
    const of = key.startsWith('models/') ? key : CROP;
    const { unknown }: FileLineage = await explainFile(opened, of);
    expect(unknown.join('\n')).toMatch(why);
  });
});

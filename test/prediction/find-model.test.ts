/** Where models are found, and that no byte of one is believed that its package does not vouch for. */
import { mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { installPackage } from '../../src/installation/install.ts';
import type { Model } from '../../src/models/models.ts';
import { objectKey } from '../../src/objects/layout.ts';
import { writeSettings } from '../../src/objects/settings.ts';
import { topHash } from '../../src/package/top-hash.ts';
import {
  readBuiltModel,
  readFolderModel,
  readRegistryModel,
} from '../../src/prediction/find-model.ts';
import { parseReference } from '../../src/registry/reference.ts';
import { DirectoryStorage } from '../../src/storage/directory.ts';
import { IF_ABSENT } from '../../src/storage/storage.ts';
import { digestOf } from '../../src/store/digest.ts';
import { openStore } from '../../src/store/store.ts';
import { SMALL, sampleModel } from '../models/sample-models.ts';
import { plant, push } from '../registry/registry-contract.ts';
import { testRuntime } from '../support/runtime.ts';
import { type Files, samplePackage, writeFiles } from '../support/sample-packages.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { modelFiles, tinyModel } from '../support/tiny-model.ts';

const REFERENCE = parseReference('user/name');
const FILES: Files = { 'README.md': 'read me', 'images/a.jpg': 'a', ...modelFiles(tinyModel()) };

async function withRegistry(files: Files = FILES) {
  const root = await temporaryFolder();
  const registry = new DirectoryStorage(testRuntime(), root);
  const sample = samplePackage(files);
  await writeSettings(registry, { policy: 'objects', looseObjects: false }, IF_ABSENT);
  await push(registry, sample);
  return { registry, topHash: topHash(sample.pkg) };
}

async function withInstalled(paths: readonly string[] = []) {
  const { registry, topHash: hash } = await withRegistry();
  const folder = join(await temporaryFolder(), 'installed');
  const options = { folder, paths, foreignFiles: 'refuse' } as const;
  await installPackage(testRuntime(), registry, REFERENCE, options);
  return { folder, topHash: hash };
}

async function withFolder(files: Files) {
  const folder = await temporaryFolder();
  await writeFiles(folder, files);
  return folder;
}

const inFolder = (folder: string) => readFolderModel(testRuntime(), folder);
const error = (code: string, message: RegExp) => ({
  code,
  message: expect.stringMatching(message) as string,
});

describe('a model in a registry', () => {
  const inRegistry = (registry: DirectoryStorage) =>
    readRegistryModel(testRuntime(), registry, REFERENCE);

  it('is the one of the package, which is told', async () => {
    const { registry, topHash: hash } = await withRegistry();
    const { model, origin } = await inRegistry(registry);
    expect(model).toEqual(tinyModel());
    expect(origin).toEqual({
      where: 'user/name/models/model.json',
      name: 'user/name',
      topHash: hash,
      registry: registry.url,
    });
  });

  it('needs no other file of the package, not even that it is there', async () => {
    const { registry } = await withRegistry();
    await plant(registry, objectKey(digestOf('read me')), 'damaged');
    expect((await inRegistry(registry)).model).toEqual(tinyModel());
  });

  it('whose bytes are others there is an integrity error', async () => {
    const weights = Buffer.from(FILES['models/weights.bin'] ?? '');
    const digest = digestOf(weights);
    const flipped = Buffer.from(weights);
    flipped[5] = (flipped[5] ?? 0) ^ 1;
    for (const planted of [flipped, weights.subarray(1), Buffer.concat([weights, weights])]) {
      const { registry } = await withRegistry();
      await plant(registry, objectKey(digest), planted);
      await expect(inRegistry(registry)).rejects.toMatchObject(
        error('integrity', /models\/weights\.bin (has other bytes|is cut short|is longer)/),
      );
    }
  });

  it('that is not there is not found', async () => {
    const { registry } = await withRegistry({ 'README.md': 'x', 'models/model.json': '{}' });
    await expect(inRegistry(registry)).rejects.toMatchObject(
      error('not-found', /^user\/name@[0-9a-f]{64} has no model$/),
    );
    const other = parseReference('user/other');
    await expect(readRegistryModel(testRuntime(), registry, other)).rejects.toMatchObject(
      error('not-found', /has no user\/other/),
    );
  });
});

describe('a model in an installed folder', () => {
  it('is found from the package’s folder and from models/ in it', async () => {
    const { folder, topHash: hash } = await withInstalled();
    for (const place of [folder, `${folder}/`, join(folder, 'models')]) {
      const { model, origin } = await inFolder(place);
      expect(model).toEqual(tinyModel());
      expect(origin).toMatchObject({ name: 'user/name', topHash: hash });
    }
  });

  it('needs only the model to be installed', async () => {
    const { folder } = await withInstalled(['models']);
    expect((await inFolder(folder)).model).toEqual(tinyModel());
  });

  it('is refused where a byte of it was changed, from either place', async () => {
    for (const key of ['models/model.json', 'models/weights.bin']) {
      const { folder } = await withInstalled();
      const path = join(folder, key);
      const bytes = await readFile(path);
      bytes[5] = (bytes[5] ?? 0) ^ 1;
      await writeFile(path, bytes);
      for (const place of [folder, join(folder, 'models')]) {
        await expect(inFolder(place)).rejects.toMatchObject(error('integrity', /has other bytes/));
      }
      await rm(path);
      await expect(inFolder(folder)).rejects.toMatchObject(error('integrity', /is missing/));
      await mkdir(path);
      await expect(inFolder(folder)).rejects.toMatchObject(error('not-found', /is not a file/));
    }
  });

  it('that was not installed is not found, with how to get it', async () => {
    const { folder } = await withInstalled(['images']);
    await expect(inFolder(folder)).rejects.toMatchObject({
      ...error('not-found', /model\.json was not installed/),
      hint: `Install it too, with: pkg install user/name models --dest ${folder}`,
    });
  });
});

describe('a model in any other folder', () => {
  it('stands there, or in models/', async () => {
    const deep = await withFolder(modelFiles(tinyModel()));
    for (const place of [deep, join(deep, 'models')]) {
      const { model, origin } = await inFolder(place);
      expect(model).toEqual(tinyModel());
      expect(origin).toEqual({ where: join(deep, 'models/model.json'), folder: place });
    }
  });

  it('is not found where a file is missing, is a folder or the folder is not there', async () => {
    const folder = await withFolder({ 'model.json': '{}' });
    await expect(inFolder(folder)).rejects.toMatchObject(error('not-found', /has no model$/));
    await mkdir(join(folder, 'weights.bin'));
    await expect(inFolder(folder)).rejects.toMatchObject(error('not-found', /is not a file/));
    await expect(inFolder('/nowhere')).rejects.toMatchObject(error('not-found', /has no model$/));
    await rm(join(folder, 'weights.bin'), { recursive: true });
    await symlink('weights.bin', join(folder, 'weights.bin'));
    await expect(inFolder(folder)).rejects.toMatchObject(error('storage', /ELOOP/));
  });

  const asModel = async (change: Partial<Model> | { json: (text: string) => string }) => {
    const files = modelFiles({ ...tinyModel(), ...('json' in change ? {} : change) });
    const json = String(files['models/model.json']);
    const changed = 'json' in change ? change.json(json) : json;
    return await inFolder(await withFolder({ ...files, 'models/model.json': changed }));
  };

  it('is refused where it is broken or hostile', async () => {
    const changes: ((text: string) => string)[] = [
      () => '',
      (text) => text.slice(0, 500),
      (text) => text.replaceAll('"units": 1', '"units": 1000000'),
      (text) => text.replace('"filters": 5', '"filters": 65536'),
      (text) => text.replace(/"widthPx": \d+/, '"widthPx": 8000'),
      (text) => text.replace('"Sandwich"', '"Hamburger"'),
    ];
    for (const json of changes) {
      await expect(asModel({ json })).rejects.toMatchObject(error('integrity', /model\.json: /));
    }
  });

  it('is refused where its input or its outputs are not ours', async () => {
    const input = { ...tinyModel().input, rescale: 1 };
    await expect(asModel({ input })).rejects.toMatchObject(error('usage', /rescaled by 1$/));
    const json = (text: string) => text.replace('"sigmoid"', '"tanh"');
    await expect(asModel({ json })).rejects.toMatchObject(error('usage', /sigmoid or softmax/));
    const channels = { channels: 'RGB' } as const;
    const nearly = { ...tinyModel().input, ...channels, rescale: Math.fround(1 / 255) };
    expect((await asModel({ input: nearly })).model.input.rescale).toBe(nearly.rescale);
    const map = sampleModel([{ kind: 'activation', function: 'softmax' }], [2, 2, 3]);
    await expect(asModel(map)).rejects.toMatchObject(error('usage', /vector of sigmoid/));
  });

  it('may have layers the engine has not, which only predicting finds out', async () => {
    expect((await asModel(SMALL)).model.classes).toEqual(SMALL.classes);
  });
});

describe('a model that was built', () => {
  it('is read out of the store by its digests', async () => {
    const store = await openStore(await temporaryFolder(), 0);
    const { pkg } = samplePackage(FILES);
    const built = { name: 'user/name', topHash: topHash(pkg), pkg };
    for (const content of Object.values(FILES)) await store.putBytes(content);
    const { model, origin } = await readBuiltModel(store, built);
    expect(model).toEqual(tinyModel());
    expect(origin).toEqual({
      ...{ where: 'user/name/models/model.json', name: 'user/name', topHash: built.topHash },
    });
    const path = store.path(digestOf(Buffer.from(FILES['models/weights.bin'] ?? '')));
    await writeFile(path, 'damaged');
    await expect(readBuiltModel(store, built)).rejects.toMatchObject({ code: 'integrity' });
    expect(await readdir(join(store.root, 'v1'))).toContain('objects');
  });
});

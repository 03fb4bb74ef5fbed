/** The spot check of a training on a base: the package holds all that is needed, and a false base is found. */
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { OpenedPackage } from '../../src/installation/opened-package.ts';
import { formatTfjs } from '../../src/models/tfjs.ts';
import type { Entry } from '../../src/package/entry.ts';
import { describeContent } from '../../src/package/object-hash.ts';
import { fileEntry, packageOf } from '../../src/package/package.ts';
import { topHash } from '../../src/package/top-hash.ts';
import { spotCheck } from '../../src/reproduction/spot-check.ts';
import { createRuntime } from '../../src/runtime/runtime.ts';
import { trainClassifier } from '../../src/steps/train.ts';
import { streamOf } from '../../src/store/digest.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import {
  BASE,
  BASE_PACKAGE,
  SEED,
  transferInputs,
  transferParams,
} from '../steps/transfer-fixture.ts';
import { testRuntime } from '../support/runtime.ts';
import { temporaryFolder } from '../support/temporary.ts';

const MANIFEST = `version: 1
name: quilt/cats
data:
  source: { classes: classes.csv, boxes: boxes.csv, images: images.csv }
  query: { classes: [Lion, Tiger] }
model:
  base: { package: ${BASE_PACKAGE}, freeze: 3 }
  layers:
    - dense: { units: 1, activation: sigmoid }
  augment: { rotationDegrees: 10 }
  fit: { batchSize: 4, epochs: 3, optimizer: adam }
seed: ${String(SEED)}
`;

const runtime = createRuntime({ concurrency: 2 });

describe('the spot check of a training on a base', () => {
  let files: ReadonlyMap<string, Uint8Array>;

  /** A package of these files that lies nowhere. */
  const opened = async (contents: ReadonlyMap<string, Uint8Array>): Promise<OpenedPackage> => {
    const entries: Entry[] = [];
    for (const [key, bytes] of contents) {
      entries.push(
        fileEntry(key, '/nowhere', await describeContent(streamOf(bytes), bytes.length)),
      );
    }
    const pkg = packageOf(new Map(), entries);
    const read = (entry: Entry) =>
      Promise.resolve(Buffer.from(contents.get(entry.logicalKey) ?? []));
    const readMany: OpenedPackage['readMany'] = async (wanted, take) => {
      for (const entry of wanted) await take(entry, await read(entry));
    };
    return { name: 'quilt/cats', topHash: topHash(pkg), pkg, where: 'nowhere', read, readMany };
  };

  const freshStore = async (): Promise<Store> =>
    await openStore(join(await temporaryFolder(), 'store'), Date.now());

  const check = async (changes: Readonly<Record<string, string | Uint8Array | undefined>> = {}) => {
    const contents = new Map(files);
    for (const [key, bytes] of Object.entries(changes)) {
      if (bytes === undefined) contents.delete(key);
      else contents.set(key, Buffer.from(bytes));
    }
    return await spotCheck(runtime, await freshStore(), await opened(contents), 100);
  };

  beforeAll(async () => {
    const store = await freshStore();
    const inputs = await transferInputs(store);
    const params = transferParams({ freeze: 3 });
    const { model = [] } = await trainClassifier(testRuntime(), store, params, inputs);
    const contents = new Map<string, Uint8Array>([['manifest.yaml', Buffer.from(MANIFEST)]]);
    for (const { path, digest } of [...inputs.crops, ...model]) {
      contents.set(path, await store.read(digest));
    }
    const [table] = inputs.table;
    if (table !== undefined) contents.set('metadata/crops.csv', await store.read(table.digest));
    files = contents;
  });

  it('proves an honest package in an empty store', async () => {
    expect(await check()).toMatchObject({ proved: true, weights: 'same', findings: [] });
  });

  it('finds that the training did not begin with the base that lies there', async () => {
    const weights = BASE.weights.map((values) => values.map((value) => value * 1.001));
    const { weightsBin } = formatTfjs({ ...BASE, weights });
    const result = await check({ 'models/base/weights.bin': weightsBin });
    expect(result.proved).toBe(false);
    expect(result.findings).toEqual([
      'the state after iteration 4 is another than the package says',
    ]);
  });

  it('finds a frozen weight that was changed afterwards', async () => {
    const bytes = Buffer.from(files.get('models/weights.bin') ?? []);
    bytes[0] = (bytes[0] ?? 0) ^ 1;
    expect(await check({ 'models/weights.bin': bytes })).toMatchObject({
      proved: false,
      weights: 'differ',
    });
  });

  it('finds that less was frozen than the manifest says', async () => {
    const result = await check({ 'manifest.yaml': MANIFEST.replace('freeze: 3', 'freeze: 6') });
    expect(result.proved).toBe(false);
  });

  it.each(['models/base/model.json', 'models/base/weights.bin'])('asks for %s', async (key) => {
    await expect(check({ [key]: undefined })).rejects.toMatchObject({
      code: 'not-found',
      message: `quilt/cats has no ${key}`,
    });
  });

  it('refuses a base that is broken', async () => {
    await expect(check({ 'models/base/model.json': '{}' })).rejects.toMatchObject({
      code: 'integrity',
    });
  });
});

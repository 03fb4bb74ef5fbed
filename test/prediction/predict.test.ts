/** Predicting photos: the same as in training, the same whatever works on it, and nothing stops it. */
import { execFileSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { createEngine } from '../../src/engine/engine.ts';
import { cropRectangle, cutCrop } from '../../src/images/crop.ts';
import { decodePicture } from '../../src/images/decode.ts';
import { decodeToInput } from '../../src/images/resize.ts';
import { manifestSchema } from '../../src/manifest/manifest.ts';
import type { Model } from '../../src/models/models.ts';
import { CROP_ENCODING } from '../../src/prediction/inputs.ts';
import type { PhotoTask } from '../../src/prediction/photos.ts';
import { batchSizeFor, predictPhotos } from '../../src/prediction/predict.ts';
import { isFailure, type PhotoPrediction } from '../../src/prediction/prediction.ts';
import { SMALL, sampleModel } from '../models/sample-models.ts';
import { bombPng, open, somePixels } from '../support/pictures.ts';
import { testRuntime } from '../support/runtime.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { tinyModel } from '../support/tiny-model.ts';

let folder: string;
let photos: string[];

beforeAll(async () => {
  folder = await temporaryFolder();
  photos = [];
  for (let index = 0; index < 37; index++) {
    const pixels = open(somePixels(30 + 5 * index, 170 - 3 * index, index));
    const kinds = [pixels.jpeg(), pixels.png(), pixels.webp(), pixels.tiff()];
    const path = join(folder, `${String(index)}.jpg`);
    await writeFile(path, (await kinds[index % kinds.length]?.toBuffer()) ?? '');
    photos.push(path);
  }
});

interface Changes {
  readonly model?: Model;
  readonly concurrency?: number;
  readonly batchSize?: number;
}

async function predict(tasks: readonly PhotoTask[], changes: Changes = {}) {
  const { model = tinyModel(), concurrency = 2, batchSize } = changes;
  const found = { model, origin: { where: 'model.json' } };
  const rows: PhotoPrediction[] = [];
  const runtime = testRuntime({ concurrency });
  for await (const row of predictPhotos(runtime, found, tasks, batchSize)) rows.push(row);
  return rows;
}

const whole = (paths: readonly string[]): PhotoTask[] => paths.map((photo) => ({ photo }));

/** What the engine itself gives for encoded pictures, one at a time. */
async function outputsOf(model: Model, pictures: readonly Uint8Array[]): Promise<number[]> {
  const { network, weights, input } = model;
  const engine = await createEngine({
    ...{ network, batchSize: 1, threads: 1, seed: 0, training: undefined },
  });
  engine.writeWeights(weights);
  const outputs: number[] = [];
  for (const picture of pictures) {
    const pixels = await decodeToInput(picture, input);
    const batch = { count: 1, pixels, labels: Int32Array.of(0) };
    outputs.push(...engine.predict(batch).probabilities);
  }
  await engine.close();
  return outputs;
}

describe('predictions', () => {
  it('are what the network gives for each photo decoded as in training, in order', async () => {
    const threshold = 0.42;
    const model = { ...tinyModel(), threshold };
    const pictures = await Promise.all(photos.map((path) => readFile(path)));
    const expected = await outputsOf(model, pictures);
    expect(new Set(expected).size).toBe(photos.length);
    const rows = await predict(whole(photos), { model });
    expect(rows).toEqual(
      photos.map((photo, index) => {
        const p = expected[index] ?? 0;
        const probabilities = { Hamburger: 1 - p, Sandwich: p };
        return p >= threshold
          ? { photo, class: 'Sandwich', probability: p, probabilities }
          : { photo, class: 'Hamburger', probability: 1 - p, probabilities };
      }),
    );
    expect(new Set(rows.map((row) => !isFailure(row) && row.class))).toEqual(
      new Set(['Hamburger', 'Sandwich']),
    );
  });

  it('have the same bits for any number of threads and any batch', async () => {
    for (const classes of [
      ['Hamburger', 'Sandwich'],
      ['a', 'b', 'c'],
    ]) {
      const model = tinyModel(classes);
      const expected = await predict(whole(photos), { model, concurrency: 1, batchSize: 1 });
      for (const concurrency of [1, 3]) {
        for (const batchSize of [1, 5, 32, undefined]) {
          const size = batchSize === undefined ? {} : { batchSize };
          const rows = await predict(whole(photos), { model, concurrency, ...size });
          expect(rows).toEqual(expected);
        }
      }
    }
  });

  it('of no photos are none', async () => {
    expect(await predict([])).toEqual([]);
  });

  it('of the same photo twice are two equal ones', async () => {
    const [photo = ''] = photos;
    const [first, second] = await predict(whole([photo, photo]));
    expect(second).toEqual(first);
  });

  it('are made as photos come, not when the last one is there', async () => {
    const asked = new Set<number>();
    const tasks = Array.from({ length: 5000 }, (_, index) => ({
      get photo() {
        asked.add(index);
        return photos[index % photos.length] ?? '';
      },
    }));
    const found = { model: tinyModel(), origin: { where: 'model.json' } };
    const rows = predictPhotos(testRuntime({ concurrency: 2 }), found, tasks, 8);
    expect((await rows.next()).done).toBe(false);
    expect(asked.size).toBeLessThan(40);
    await rows.return(undefined);
  });

  it('end with the reason of an abort', async () => {
    const controller = new AbortController();
    const runtime = testRuntime({ signal: controller.signal, concurrency: 1 });
    const found = { model: tinyModel(), origin: { where: 'model.json' } };
    const rows = predictPhotos(runtime, found, whole(photos), 2);
    await rows.next();
    controller.abort(new Error('enough'));
    await rows.next();
    await expect(rows.next()).rejects.toThrow('enough');
  });
});

describe('a photo that cannot be used', () => {
  it('is a row with its error among the others, which are as without it', async () => {
    const path = (name: string) => join(folder, name);
    const jpeg = await open(somePixels(60, 50, 1))
      .jpeg()
      .toBuffer();
    await writeFile(path('cut.jpg'), jpeg.subarray(0, jpeg.length / 2));
    await writeFile(path('empty.jpg'), '');
    await writeFile(path('page.jpg'), '<!doctype html><p>gone');
    await writeFile(path('bomb.png'), bombPng(60_000, 60_000));
    await writeFile(path('drawing.jpg'), '<svg xmlns="http://www.w3.org/2000/svg"/>');
    await mkdir(path('folder.jpg'));
    execFileSync('mkfifo', [path('pipe.jpg')]);
    const broken: Record<string, RegExp> = {
      'cut.jpg': /cannot be used/,
      'empty.jpg': /the file is empty/,
      'page.jpg': /an HTML page/,
      'bomb.png': /60000 x 60000 pixels/,
      'drawing.jpg': /an SVG drawing/,
      'folder.jpg': /no regular file/,
      'pipe.jpg': /no regular file/,
      'nowhere.jpg': /no such file/,
      'page.jpg/below.jpg': /no such file/,
      [`${'long'.repeat(100)}.jpg`]: /cannot be read \(ENAMETOOLONG\)/,
    };
    const good = await predict(whole(photos.slice(0, 10)));
    const mixed = Object.keys(broken).flatMap((name, index) => [
      path(name),
      photos[index] ?? 'nothing',
    ]);
    for (const batchSize of [1, 3, 32]) {
      const rows = await predict(whole(mixed), { batchSize });
      expect(rows.map(({ photo }) => photo)).toEqual(mixed);
      expect(rows.filter((row) => !isFailure(row))).toEqual(good);
      for (const [name, why] of Object.entries(broken)) {
        expect(rows.find(({ photo }) => photo === path(name))).toHaveProperty(
          'error',
          expect.stringMatching(why),
        );
      }
    }
  });

  it('does not need a good one beside it', async () => {
    const rows = await predict([{ photo: 'x', problem: 'it is odd' }, { photo: '/nowhere' }]);
    expect(rows).toEqual([
      { photo: 'x', error: 'it is odd' },
      { photo: '/nowhere', error: 'there is no such file' },
    ]);
  });

  it('may be one of thousands', async () => {
    const missing = Array.from({ length: 3000 }, (_, index) => `/nowhere/${String(index)}`);
    const rows = await predict(whole([...missing, photos[0] ?? '']));
    expect(rows.filter(isFailure)).toHaveLength(3000);
  });
});

describe('boxes', () => {
  const box = { xMin: 0.1, xMax: 0.55, yMin: 0.25, yMax: 0.8, turnDegrees: 0 };
  const turned = { ...box, xMax: 1, turnDegrees: 90, label: '/m/0cdn1' };

  it('are cut as the crop step does by default, and predicted as its crops are', async () => {
    const crop = manifestSchema.shape.data.parse({ package: 'a/b' }).crop;
    expect(crop).toMatchObject({ ...CROP_ENCODING, paddingFraction: 0, upright: true });
    const [photo = ''] = photos;
    const picture = await decodePicture(await readFile(photo));
    const crops = [box, turned].map((one) =>
      cutCrop(picture, cropRectangle(one, picture.widthPx, picture.heightPx, 0), one.turnDegrees, {
        format: 'jpeg',
        quality: 92,
      }),
    );
    const expected = await outputsOf(tinyModel(), await Promise.all(crops));
    const rows = await predict([{ photo, boxes: [{ box }, { box: turned }] }]);
    expect(rows.map(({ box: of }) => of)).toEqual([box, turned]);
    expect(rows.map((row) => !isFailure(row) && row.probabilities['Sandwich'])).toEqual(expected);
  });

  it('are cut out of the frame as stored, whatever EXIF says of it', async () => {
    const path = join(folder, 'exif.jpg');
    const plain = join(folder, 'plain.png');
    const jpeg = await open(somePixels(80, 40, 3))
      .withMetadata({ orientation: 6 })
      .jpeg()
      .toBuffer();
    await writeFile(path, jpeg);
    const { data, widthPx: width, heightPx: height } = await decodePicture(jpeg);
    await writeFile(plain, await open({ data, widthPx: width, heightPx: height }).png().toBuffer());
    const boxes = [{ box }];
    const [asStored, withoutExif] = await predict([
      { photo: path, boxes },
      { photo: plain, boxes },
    ]);
    expect(asStored).toEqual({ ...withoutExif, photo: path });
    const [upright, stored] = await predict(whole([path, plain]));
    expect(upright).not.toEqual({ ...stored, photo: path });
  });

  it('that are none are rows with an error, and so are all of a photo that is none', async () => {
    const bad = { box: { ...box, xMin: 2 }, problem: 'no box' };
    const rows = await predict([
      { photo: photos[0] ?? '', boxes: [{ box }, bad, { box: turned }] },
      { photo: join(folder, 'page.jpg'), boxes: [{ box }, { box: turned }] },
    ]);
    const states = rows.map((row) => (isFailure(row) ? row.error : 'said'));
    const unusable = 'the picture cannot be used: an HTML page';
    expect(states).toEqual(['said', 'no box', 'said', unusable, unusable]);
    expect(rows.at(-1)?.box).toEqual(turned);
  });

  it('of one photo may be more than are cut at once', async () => {
    const boxes = Array.from({ length: 150 }, (_, index) => ({
      box: { ...box, xMin: index / 300 },
    }));
    const model = sampleModel(
      [
        { kind: 'globalAveragePooling2d' },
        { kind: 'dense', units: 3, activation: 'softmax', useBias: true },
      ],
      [400, 400, 3],
    );
    const rows = await predict([{ photo: photos[1] ?? '', boxes }], { model });
    expect(rows.map((row) => row.box?.xMin)).toEqual(boxes.map((one) => one.box.xMin));
    expect(rows.some(isFailure)).toBe(false);
  });
});

describe('a model', () => {
  it('with a layer that the engine has not is refused by name', async () => {
    await expect(predict(whole(photos), { model: SMALL })).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringMatching(
        /^model\.json: pkg does not run its network: model\.layers\.4\.conv2d\.kernelSize/,
      ) as string,
    });
  });

  it('that needs more memory than there can be is refused before any is taken', async () => {
    const wide = {
      kind: 'conv2d',
      filters: 64,
      kernelSize: 1,
      strides: 1,
      padding: 'valid',
      activation: 'relu',
      useBias: true,
    } as const;
    const last = { kind: 'dense', units: 1, activation: 'sigmoid', useBias: true } as const;
    const layers = Array.from({ length: 20 }, () => wide);
    const model = sampleModel(
      [...layers, { kind: 'globalAveragePooling2d' }, last],
      [1024, 1024, 3],
    );
    await expect(predict(whole(photos), { model })).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringMatching(/needs more than 4 GiB/) as string,
    });
  });

  it('gets more photos at a time for more threads, and fewer the more memory each takes', () => {
    const last = { kind: 'dense', units: 1, activation: 'sigmoid', useBias: true } as const;
    const sized = (side: number) =>
      sampleModel([{ kind: 'globalAveragePooling2d' }, last], [side, side, 3]);
    expect(batchSizeFor(tinyModel(), 1)).toBe(32);
    expect(batchSizeFor(tinyModel(), 64)).toBe(256);
    expect(batchSizeFor(sized(2048), 64)).toBe(10);
    expect(batchSizeFor(sized(8192), 64)).toBe(1);
  });
});

/** Crops that are cut here instead of fetched: which ones, and what that moves. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { PkgError } from '../../src/runtime/errors.ts';
import { testRuntime } from '../support/runtime.ts';
import { asFound, type Files, filesBelow } from '../support/sample-packages.ts';
import {
  busyPhoto,
  croppedFiles,
  isBelow,
  isCropOf,
  mixedPhotos,
  PARAMS,
  partOf,
  sizesOf,
  sparsePhoto,
  withPackage,
} from './cropped-packages.ts';

const TABLES = ['manifest.lock.json', 'metadata/crops.csv', 'metadata/images.csv'];
const isTable = (key: string) => TABLES.includes(key);

const busy = mixedPhotos.slice(0, 6);

let mixed: Files;
beforeAll(async () => {
  mixed = await croppedFiles(mixedPhotos);
});

describe('which way crops come', () => {
  it('cuts crops of photos that are smaller than their crops, and fetches the others', async () => {
    const { install, folder } = await withPackage(mixed);
    const plain = await install(folder('plain'), {
      ...{ paths: ['images_cropped'], derive: undefined, store: undefined },
    });
    const result = await install(folder('derived'), { paths: ['images_cropped'] });
    const isCrop = isBelow('images_cropped');
    expect(await filesBelow(folder('derived'))).toEqual(partOf(mixed, isCrop));
    const photos = sizesOf(mixed, (key) => /^images.b\d/.test(key));
    const expected = photos + sizesOf(mixed, isCropOf('s0')) + sizesOf(mixed, isTable);
    expect(result).toMatchObject({
      ...{ readBytes: expected, fetchedBytes: expected, fetched: 1, fromStore: 0, reused: 0 },
      derived: { crops: 24, photos: 6, movedBytes: expected, insteadOfBytes: plain.readBytes },
    });
    expect(expected).toBeLessThan(plain.readBytes);
  });

  it('cuts every crop of photos that are asked for too, whatever their size', async () => {
    const { install, folder } = await withPackage(mixed);
    const result = await install(folder('all'));
    expect(await filesBelow(folder('all'))).toEqual(asFound(mixed));
    const expected = sizesOf(mixed, (key) => !key.startsWith('images_cropped/'));
    expect(result).toMatchObject({
      ...{ readBytes: expected, fetchedBytes: expected },
      ...{ fetched: 7 + 5, fromStore: 0, reused: 0 },
      derived: {
        ...{ crops: 25, photos: 7, movedBytes: expected },
        insteadOfBytes: sizesOf(mixed, () => true),
      },
    });
  });

  it('fetches crops where photos would save less than it takes to know how they were cut', async () => {
    const { install, folder } = await withPackage(mixed);
    const [largest = ''] = Object.keys(mixed).filter(isCropOf('b0'));
    const isIt = (key: string) => key === largest;
    expect(sizesOf(mixed, isIt)).toBeGreaterThan(sizesOf(mixed, (key) => key === 'images/b0.jpg'));
    const result = await install(folder('few'), { paths: [largest] });
    expect(result).toMatchObject({ fetched: 1, derived: { crops: 0, photos: 0 } });
    expect(result.readBytes).toBe(sizesOf(mixed, isIt));
  });

  it('cuts only what was asked for', async () => {
    const { install, folder } = await withPackage(mixed);
    const paths = ['images_cropped/Orange', 'metadata', 'manifest.lock.json'];
    const result = await install(folder('part'), { paths });
    expect(await filesBelow(folder('part'))).toEqual(
      partOf(mixed, (key) => paths.some((path) => key === path || key.startsWith(`${path}/`))),
    );
    expect(result).toMatchObject({ fetched: 4, derived: { crops: 12, photos: 6 } });
  });

  it('moves nothing for crops of photos that are in the folder or the store', async () => {
    const { install, folder } = await withPackage(mixed);
    const rest = ['metadata', 'manifest.lock.json', 'images'];
    await install(folder('kept'), { paths: rest, store: undefined, derive: undefined });
    const cut = await install(folder('kept'), { paths: ['images_cropped'] });
    expect(cut).toMatchObject({ readBytes: 0, fetched: 0, reused: 11, derived: { crops: 25 } });
    expect(await filesBelow(folder('kept'))).toEqual(partOf(mixed, (key) => key !== 'README.md'));
    const again = await install(folder('other'), { paths: ['images', 'images_cropped'] });
    expect(again).toMatchObject({ readBytes: 0, fromStore: 32, derived: { crops: 0 } });
  });

  it('leaves photos in the store, where a later install finds them', async () => {
    const { install, folder } = await withPackage(mixed);
    await install(folder('one'), { paths: ['images_cropped'] });
    const later = await install(folder('one'), { paths: ['images'] });
    expect(later).toMatchObject({ fetched: 1, fromStore: 6, reused: 25 });
  });
});

describe('crops and photos in packs', () => {
  it('come so that no more is read than without deriving, gaps and all', async () => {
    const { install, folder } = await withPackage(mixed, 'packs');
    for (const paths of [['images_cropped'], [], ['images_cropped/Apple']]) {
      const name = paths.join('+').replaceAll('/', '_');
      const how = { paths, store: undefined };
      const plain = await install(folder(`plain-${name}`), { ...how, derive: undefined });
      const derived = await install(folder(`derived-${name}`), how);
      expect(derived.readBytes).toBeLessThan(plain.readBytes);
      expect(derived.derived?.crops).toBeGreaterThan(0);
      expect(await filesBelow(folder(`derived-${name}`))).toEqual(
        await filesBelow(folder(`plain-${name}`)),
      );
    }
  });

  it('come as they are where every second crop would be fetched, and read over the others', async () => {
    const photos = ['p0', 'p1', 'p2', 'p3', 'p4', 'p5'].map((id, index) =>
      index % 2 === 0 ? sparsePhoto(id, index) : busyPhoto(id, index, ['Apple']),
    );
    const files = await croppedFiles(photos);
    const { install, folder } = await withPackage(files, 'packs');
    const paths = ['images_cropped'];
    const result = await install(folder('packed'), { paths });
    expect(result.derived).toMatchObject({ crops: 0 });
    const loose = await withPackage(files, 'objects');
    expect((await loose.install(loose.folder('loose'), { paths })).derived).toMatchObject({
      crops: 6,
    });
  });
});

describe('the same crops', () => {
  const variants = [
    { format: 'png' as const },
    { format: 'webp' as const, quality: 70 },
    { upright: false, paddingFraction: 0.2 },
    { upright: true, paddingFraction: 0.5, quality: 100, minSidePx: 40 },
  ];
  it.each(variants)('come of %o', async (variant) => {
    const files = await croppedFiles(busy, { ...PARAMS, ...variant });
    const { install, folder } = await withPackage(files);
    const result = await install(folder('derived'));
    expect(await filesBelow(folder('derived'))).toEqual(asFound(files));
    expect(result.derived).toMatchObject({ crops: 24, photos: 6 });
  });

  it('come of two photos with the same bytes, which are fetched once', async () => {
    const twins = [
      ...busy,
      { ...busyPhoto('twin', 0), boxes: busyPhoto('twin', 0).boxes.slice(1) },
    ];
    const files = await croppedFiles(twins);
    const { install, folder } = await withPackage(files);
    const result = await install(folder('twins'));
    expect(await filesBelow(folder('twins'))).toEqual(asFound(files));
    const distinct = sizesOf(
      files,
      (key) => key !== 'images/twin.jpg' && !isBelow('images_cropped')(key),
    );
    expect(result).toMatchObject({ readBytes: distinct, fetchedBytes: distinct });
    expect(result.derived).toMatchObject({ crops: 27, photos: 7 });
  });

  it('come without a store, of which nothing is left', async () => {
    const { install, folder } = await withPackage(mixed);
    const result = await install(folder('alone'), { store: undefined });
    expect(await filesBelow(folder('alone'))).toEqual(asFound(mixed));
    expect(result.derived).toMatchObject({ crops: 25 });
    expect(await readdir(join(folder('alone'), '.pkg'))).not.toContain('derived');
  });
});

describe('a dry run', () => {
  it('says what an install would do, and reads nothing but the lockfile', async () => {
    const { install, plan, folder } = await withPackage(mixed);
    for (const paths of [['images_cropped'], [], ['images_cropped/Apple', 'images']]) {
      const name = `into-${paths.join('+').replaceAll('/', '_')}`;
      const planned = await plan(folder(name), { paths, store: undefined });
      expect(planned.readBytes).toBe(sizesOf(mixed, (key) => key === 'manifest.lock.json'));
      await expect(readdir(folder(name))).rejects.toThrow('ENOENT');
      const done = await install(folder(name), { paths, store: undefined });
      expect(planned.derived).toEqual(done.derived);
      expect(planned.toFetch.files).toBe(done.fetched);
    }
  });
});

describe('offline', () => {
  it('cuts crops of photos that are here, and needs the network for the others', async () => {
    const { install, folder } = await withPackage(mixed);
    const rest = ['metadata', 'manifest.lock.json', 'images'];
    await install(folder('first'), { paths: rest, derive: undefined });
    const result = await install(folder('second'), { offline: true, paths: ['images_cropped'] });
    expect(result).toMatchObject({ readBytes: 0, fetched: 0, derived: { crops: 25, photos: 7 } });
    const { store } = await withPackage(mixed);
    await expect(
      install(folder('third'), { offline: true, paths: ['images_cropped'], store }),
    ).rejects.toMatchObject({ code: 'unreachable' });
  });
});

describe('an install that was broken off', () => {
  it('goes on where it stopped, and had not begun with the folder', async () => {
    const { install, registry, folder } = await withPackage(mixed);
    const whole = sizesOf(mixed, (key) => !key.startsWith('images_cropped/'));
    registry.onRead = (readBytes) => {
      if (readBytes > whole / 2) throw new PkgError('unreachable', 'the network is gone');
    };
    const runtime = testRuntime({ concurrency: 1 });
    await expect(install(folder('broken'), { runtime })).rejects.toMatchObject({
      code: 'unreachable',
    });
    const first = registry.readBytes;
    registry.onRead = () => undefined;
    const result = await install(folder('broken'));
    expect(await filesBelow(folder('broken'))).toEqual(asFound(mixed));
    expect(result.readBytes).toBeLessThan(whole);
    expect(result.readBytes + first).toBeGreaterThanOrEqual(whole);
    expect(result.derived?.crops).toBeLessThan(25);
  });

  it('goes on without a store too', async () => {
    const { install, registry, folder } = await withPackage(mixed);
    registry.onRead = (readBytes) => {
      if (readBytes > 20_000) throw new PkgError('unreachable', 'the network is gone');
    };
    const how = { store: undefined };
    await expect(install(folder('broken'), how)).rejects.toMatchObject({ code: 'unreachable' });
    expect(await filesBelow(folder('broken'))).toEqual({});
    registry.onRead = () => undefined;
    const first = registry.readBytes;
    const result = await install(folder('broken'), how);
    expect(await filesBelow(folder('broken'))).toEqual(asFound(mixed));
    const whole = sizesOf(mixed, (key) => !isBelow('images_cropped')(key));
    expect(result.readBytes).toBeLessThanOrEqual(whole - first + 20_000);
    expect(await readdir(join(folder('broken'), '.pkg'))).not.toContain('derived');
  });

  it('ends at once when it is aborted', async () => {
    const { install, registry, folder } = await withPackage(mixed);
    const abort = new AbortController();
    registry.onRead = (readBytes) => {
      if (readBytes > 20_000) abort.abort(new PkgError('interrupted', 'enough'));
    };
    const runtime = testRuntime({ signal: abort.signal });
    await expect(install(folder('aborted'), { runtime })).rejects.toMatchObject({
      code: 'interrupted',
    });
    expect(await filesBelow(folder('aborted'))).toEqual({});
  });
});

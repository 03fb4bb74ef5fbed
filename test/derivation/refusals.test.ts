/** Packages of which crops cannot be cut, or do not become what their entries say. */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { FETCH_INSTEAD } from '../../src/derivation/recipe.ts';
import type { Lockfile } from '../../src/lockfile/lockfile.ts';
import { PkgError } from '../../src/runtime/errors.ts';
import { digestOf } from '../../src/store/digest.ts';
import { asFound, type Files, filesBelow } from '../support/sample-packages.ts';
import {
  busyPhoto,
  croppedFiles,
  isBelow,
  isCropOf,
  lockfileText,
  mixedPhotos,
  PARAMS,
  partOf,
  withPackage,
} from './cropped-packages.ts';

let mixed: Files;
beforeAll(async () => {
  mixed = await croppedFiles(mixedPhotos);
});

describe('what does not become what the package says', () => {
  /** The error of an install, after which nothing may be in the folder. */
  const failure = async (
    files: Files,
    change: (root: string) => Promise<void> = async () => {},
  ) => {
    const { install, folder, root, registry } = await withPackage(files);
    await change(root);
    const error = await install(folder('bad')).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(await filesBelow(folder('bad')).catch(() => ({}))).toEqual({});
    if (!(error instanceof PkgError)) throw new Error(`no failure but ${String(error)}`);
    return { code: error.code, message: error.message, hint: error.hint, read: registry.readBytes };
  };

  it('is refused by the name of the crop, its photo, and the versions', async () => {
    const [key = ''] = Object.keys(mixed).filter(isCropOf('b3'));
    const files = {
      ...mixed,
      [key]: mixed[Object.keys(mixed).filter(isCropOf('b4'))[0] ?? ''] ?? '',
    };
    const error = await failure(files);
    expect(error).toMatchObject({ code: 'integrity', hint: FETCH_INSTEAD });
    expect(error.message).toContain(`${key} cut out of images/b3.jpg has other bytes`);
    expect(error.message).toMatch(/here crop step 1 and sharp 0.*lockfile crop step 1 and sharp 0/);
  });

  it('is refused before anything is fetched where other versions cut it', async () => {
    const text = lockfileText(PARAMS, { crop: '1', sharp: '0.34.0' });
    const error = await failure({ ...mixed, 'manifest.lock.json': text });
    expect(error).toMatchObject({
      ...{ code: 'integrity', read: text.length },
      hint: 'Fetch the crops as they are: install without --derive.',
    });
    expect(error.message).toContain('sharp 0.34.0');
  });

  it('is refused where a photo is damaged in the registry', async () => {
    const error = await failure(mixed, async (root) => {
      const digest = digestOf(mixed['images/b2.jpg'] ?? '');
      const path = join(root, 'registry/objects', digest.slice(0, 2), digest);
      const damaged = Buffer.from(mixed['images/b2.jpg'] ?? '');
      damaged[500] = (damaged[500] ?? 0) ^ 1;
      await rm(path);
      await writeFile(path, damaged);
    });
    expect(error).toMatchObject({ code: 'integrity' });
    expect(error.message).toContain('images/b2.jpg has other bytes');
  });

  it('is refused where pkg did not build the package, or the lockfile does not say how', async () => {
    const { 'manifest.lock.json': _, ...without } = mixed;
    expect(await failure(without)).toMatchObject({ code: 'not-found', read: 0 });
    expect(await failure({ ...mixed, 'manifest.lock.json': '{}' })).toMatchObject({
      code: 'not-found',
    });
    const odd = lockfileText({ ...PARAMS, quality: 101 });
    expect(await failure({ ...mixed, 'manifest.lock.json': odd })).toMatchObject({
      code: 'not-found',
    });
  });

  it('is refused where the crops are those of another package, which is named', async () => {
    const topHash = digestOf('some package');
    const bases = [{ use: 'data', name: 'user/data', topHash }];
    const { sources: _, parameters: __, ...rest } = JSON.parse(lockfileText(PARAMS)) as Lockfile;
    const text = JSON.stringify({ ...rest, parameters: { package: 'user/data' }, bases });
    const error = await failure({ ...mixed, 'manifest.lock.json': text });
    expect(error.code).toBe('not-found');
    expect(error.message).toBe(`the crops of user/name are those of user/data@${topHash}`);
  });

  const changed = (key: string, from: RegExp, to: string) => ({
    ...mixed,
    [key]: Buffer.from(mixed[key] ?? '')
      .toString()
      .replace(from, to),
  });
  const broken: readonly (readonly [string, () => Files, string])[] = [
    ['no table', () => ({ ...mixed, 'metadata/crops.csv': 'no, table' }), 'cannot be read'],
    ['an open quote', () => changed('metadata/crops.csv', /\n/, '\n"'), 'cannot be read'],
    [
      'a rectangle outside its photo',
      () => changed('metadata/crops.csv', /,\d+,\d+,\d+,\d+,90\.0/, ',0,0,99999,10,90.0'),
      'outside',
    ],
    [
      'a rectangle that is none',
      () => changed('metadata/crops.csv', /,\d+,\d+,\d+,\d+,90\.0/, ',-1,0,1e1,10,90.0'),
      'outside',
    ],
    ['another ImageID', () => changed('metadata/crops.csv', /jpg,b0/, 'jpg,b1'), 'of which photo'],
    ['another photo', () => changed('metadata/images.csv', /b0\.jpg/, 'b1.jpg'), 'another photo'],
    ['an impossible size', () => changed('metadata/images.csv', /,120,90,/, ',1e9,90,'), 'size'],
    ['another size', () => changed('metadata/images.csv', /,120,90,/, ',121,90,'), 'of the size'],
    [
      'no photo at all',
      () => ({
        ...changed('metadata/images.csv', /b0\.jpg,\d+,[0-9a-f]+/, `b0.jpg,5,${digestOf('none!')}`),
        'images/b0.jpg': 'none!',
      }),
      'of the size',
    ],
  ];
  it.each(broken)('is refused for tables with %s', async (_, files, words) => {
    const error = await failure(files());
    expect(error).toMatchObject({ code: 'integrity' });
    expect(error.message).toContain(words);
  });

  it('is refused or right, whatever stands in the tables', async () => {
    const photo = busyPhoto('b0', 0);
    const files = await croppedFiles([photo]);
    const tables = fc.constantFrom('metadata/crops.csv', 'metadata/images.csv');
    const spliced = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 6 }),
      fc.constantFrom('"', ',', '\n', '-1', '1e9', 'NaN', '99999999999', 'b1', '90.0'),
    );
    const change = fc.tuple(tables, fc.nat(), fc.nat({ max: 8 }), spliced);
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async (changes) => {
        const changed = { ...files };
        for (const [key, at, length, text] of changes) {
          const before = Buffer.from(changed[key] ?? '').toString();
          const start = at % before.length;
          changed[key] = before.slice(0, start) + text + before.slice(start + length);
        }
        const { install, folder } = await withPackage(changed);
        const error = await install(folder('any')).then(
          () => undefined,
          (thrown: unknown) => thrown,
        );
        if (error === undefined) {
          expect(await filesBelow(folder('any'))).toEqual(asFound(changed));
        } else {
          expect(error).toMatchObject({ name: 'PkgError', code: 'integrity' });
          expect(await filesBelow(folder('any'))).toEqual({});
        }
      }),
      { numRuns: 40 },
    );
  });

  it('is fetched where no row stands for it', async () => {
    const table = Buffer.from(mixed['metadata/crops.csv'] ?? '').toString();
    const lines = table.split('\n').filter((line) => !line.includes('/b1_'));
    const files = { ...mixed, 'metadata/crops.csv': lines.join('\n') };
    const { install, folder } = await withPackage(files);
    const result = await install(folder('unknown'));
    expect(await filesBelow(folder('unknown'))).toEqual(asFound(files));
    expect(result).toMatchObject({ fetched: 12 + 4, derived: { crops: 21, photos: 6 } });
    expect(result.readBytes).toBe(result.fetchedBytes);
  });

  it('is made good where only the store was damaged', async () => {
    const { install, folder, store } = await withPackage(mixed);
    await install(folder('first'), { paths: ['images'], derive: undefined });
    const bytes = Buffer.from(mixed['images/b2.jpg'] ?? '');
    const path = store.path(digestOf(bytes));
    await rm(path);
    bytes[700] = (bytes[700] ?? 0) ^ 1;
    await writeFile(path, bytes);
    await install(folder('second'), { paths: ['images_cropped'] });
    expect(await filesBelow(folder('second'))).toEqual(partOf(mixed, isBelow('images_cropped')));
  });
});

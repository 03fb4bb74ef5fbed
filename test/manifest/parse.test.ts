/** parseManifest: defaults, every key, and the place and reason of every problem. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseManifest, withPlace } from '../../src/manifest/parse.ts';
import { PkgError } from '../../src/runtime/errors.ts';
import { DESIGN_EXAMPLE, refusal, SMALLEST } from '../support/manifests.ts';
import { ROOT } from '../support/shared.ts';

const refuse = (text: string) => refusal(() => parseManifest(text, 'm.yaml'));

/** The smallest manifest with one line replaced, or with lines added. */
function changed(from: string, to: string): string {
  if (!SMALLEST.includes(from)) throw new Error(`no "${from}" in the smallest manifest`);
  return SMALLEST.replace(from, to);
}

describe('parseManifest', () => {
  it('fills in every default', () => {
    const { manifest } = parseManifest(SMALLEST, 'm.yaml');
    expect(manifest).toEqual({
      version: 1,
      name: 'user/name',
      data: {
        source: { classes: 'classes.csv', boxes: ['boxes.csv'], images: ['images.csv'] },
        query: { classes: ['Apple'], descendants: false },
        fetch: {
          requestsPerSecond: 20,
          concurrency: 16,
          retries: 5,
          timeoutSeconds: 30,
          maxBytes: 50_000_000,
          missing: 'record',
          changed: 'keep',
          from: ['original'],
        },
        crop: { minSidePx: 1, paddingFraction: 0, upright: true, format: 'jpeg', quality: 92 },
        split: { validation: 0.2, test: 0 },
      },
      seed: 0,
    });
  });

  it('reads every key of the example in the design', () => {
    const { manifest } = parseManifest(DESIGN_EXAMPLE, 'm.yaml');
    expect(manifest).toMatchObject({
      license: 'CC-BY-4.0',
      data: {
        query: { where: 'NOT IsGroupOf AND NOT IsDepiction', imagesPerClass: 2000 },
        fetch: { requestsPerSecond: 5, maxBytes: 50_000_000 },
        crop: { minSidePx: 32 },
      },
      code: { repository: 'https://github.com/quiltdata/open-images.git', revision: 'master' },
      environment: { node: '20.20.2', lockfile: 'package-lock.json', dockerfile: 'Dockerfile' },
      model: {
        engine: 'deterministic',
        input: { widthPx: 128, heightPx: 128 },
        augment: { rotationDegrees: 40, fill: 'nearest', verticalFlip: false },
        fit: { epochs: 50, optimizer: { rmsprop: { learningRate: 0.0005, rho: 0.9 } } },
      },
      seed: 42,
    });
    expect(manifest.model?.layers).toHaveLength(10);
    expect(manifest.model?.layers?.[6]).toEqual({ flatten: {} });
  });

  it.each(['open_images.yaml', 'sample.yaml'])('reads manifests/%s', async (name) => {
    const text = await readFile(join(ROOT, 'manifests', name), 'utf8');
    expect(parseManifest(text, name).manifest.data.query?.classes).toEqual([
      'Hamburger',
      'Sandwich',
    ]);
  });

  it('takes one table, several, or one a subset', () => {
    const boxes = (yaml: string) =>
      parseManifest(changed('boxes: boxes.csv', `boxes: ${yaml}`), 'm.yaml').manifest.data.source
        ?.boxes;
    expect(boxes('a.csv')).toEqual(['a.csv']);
    expect(boxes('[b.csv, a.csv]')).toEqual(['b.csv', 'a.csv']);
    expect(boxes('{ test: t.csv, train: a.csv }')).toEqual(['a.csv', 't.csv']);
  });

  it.each([
    ['50 MB', 50_000_000],
    ['50MB', 50_000_000],
    ['1.5 MiB', 1_572_864],
    ['512 KiB', 524_288],
    ['2 GB', 2_000_000_000],
    ['7 B', 7],
    ['123', 123],
  ])('reads the size %s as %i bytes', (size, sizeBytes) => {
    const text = `${SMALLEST}  fetch: { maxBytes: ${size} }\n`;
    expect(parseManifest(text, 'm.yaml').manifest.data.fetch.maxBytes).toBe(sizeBytes);
  });

  it.each(['5 XB', '50 mb', 'MB', '-5 MB', '0', '0.2 B', '1e3 MB', '99999999999 GB', '1.5'])(
    'refuses the size %s',
    (size) => {
      const error = refuse(`${SMALLEST}  fetch: { maxBytes: ${size} }\n`);
      expect(error.message).toMatch(/^m\.yaml:10:22: data\.fetch\.maxBytes: expected /);
    },
  );

  it('reads a text with CRLF line ends and a byte order mark', () => {
    const text = `\u{feff}${SMALLEST.replaceAll('\n', '\r\n')}`;
    expect(parseManifest(text, 'm.yaml').manifest.name).toBe('user/name');
    expect(refuse(text.replace('user/name', 'nobody')).message).toMatch(/^m\.yaml:2:7: name: /);
  });

  it('keeps text and file, and finds the place of a key or of the nearest above it', () => {
    const source = parseManifest(SMALLEST, 'dir/m.yaml');
    expect([source.text, source.file]).toEqual([SMALLEST, 'dir/m.yaml']);
    expect(source.locate('name')).toBe('dir/m.yaml:2:7');
    expect(source.locate('data.query.classes.0')).toBe('dir/m.yaml:9:15');
    expect(source.locate('data.query.where')).toBe('dir/m.yaml:9:5');
    expect(source.locate('seed')).toBe('dir/m.yaml:1:1');
  });
});

describe('a manifest that is refused', () => {
  it.each([
    [changed('version: 1', 'version: 2'), 'm.yaml:1:10: version: expected 1, found 2'],
    [changed('version: 1\n', ''), 'm.yaml:1:1: version: expected 1, it is missing'],
    [changed('user/name', 'user'), 'm.yaml:2:7: name: expected user/name, of letters'],
    [changed('user/name', 'a/b.c'), 'm.yaml:2:7: name: expected user/name, of letters'],
    [changed('classes: classes.csv', 'classes: 5'), 'm.yaml:5:14: data.source.classes: expected'],
    [changed('classes: classes.csv', 'classes: ""'), 'data.source.classes: expected a text'],
    [changed('[Apple]', '[]'), 'm.yaml:9:14: data.query.classes: expected at least 1'],
    [changed('[Apple]', 'Apple'), 'm.yaml:9:14: data.query.classes: expected array, found "Apple"'],
    [changed('[Apple]', '[Apple, 7]'), 'm.yaml:9:22: data.query.classes.1: expected string'],
    [`${SMALLEST}seed: -1\n`, 'm.yaml:10:7: seed: expected at least 0, found -1'],
    [`${SMALLEST}seed: 1.5\n`, 'm.yaml:10:7: seed: expected int'],
    [`${SMALLEST}seed: 9007199254740993\n`, 'm.yaml:10:7: seed: expected'],
    [`${SMALLEST}seed: .inf\n`, 'm.yaml:10:7: seed: expected'],
    [`${SMALLEST}  crop: { quality: 101 }\n`, 'data.crop.quality: expected at most 100, found 101'],
    [`${SMALLEST}  crop: { paddingFraction: .nan }\n`, 'm.yaml:10:28: data.crop.paddingFraction:'],
    [`${SMALLEST}  crop: { upright: yes }\n`, 'data.crop.upright: expected boolean, found "yes"'],
    [`${SMALLEST}  split: { validation: 1 }\n`, 'data.split.validation: expected less than 1'],
    [`${SMALLEST}  split: { validation: 0.5, test: 0.5 }\n`, 'm.yaml:10:10: data.split: expected'],
    [`${SMALLEST}  split: { validation: 0.9, test: 0.2 }\n`, 'validation + test below 1'],
    [`${SMALLEST}  package: a/b@0\n`, 'm.yaml:4:3: data: expected either source'],
    ['version: 1\nname: a/b\ndata: {}\n', 'm.yaml:3:7: data: expected either source'],
    [SMALLEST.slice(0, SMALLEST.indexOf('  query')), 'data: expected query beside source'],
    [`${SMALLEST}model: { layers: [] }\n`, 'model.layers: expected at least 1'],
    [`${SMALLEST}model: { entry: a.js }\n`, 'model: expected engine: tensorflow beside entry'],
    [`${SMALLEST}model: {}\n`, 'model: expected either layers or entry'],
  ])('says where, what and why (%#)', (text, message) => {
    const error = refuse(text);
    expect([error.code, error.exitCode]).toEqual(['manifest', 10]);
    expect(error.message).toContain(message);
    expect(error.message).toMatch(/^m\.yaml:\d+:\d+: /);
  });

  it('names what was expected where several kinds of value are possible', () => {
    const error = refuse(changed('boxes: boxes.csv', 'boxes: 5'));
    expect(error.message).toMatch(/^m\.yaml:6:12: data\.source\.boxes: /);
    expect(error.message).toMatch(/expected .*(string|text|URL|list|array)/i);
  });

  it.each([
    [`${SMALLEST}sed: 1\n`, 'm.yaml:10:1: sed: unknown key', 'seed'],
    [changed('  source:', '  sorce:'), 'm.yaml:4:3: data.sorce: unknown key', 'source'],
    [changed('    images:', '    imges:'), 'm.yaml:7:5: data.source.imges: unknown', 'images'],
    [`${SMALLEST}    were: NOT IsGroupOf\n`, 'm.yaml:10:5: data.query.were: unknown key', 'where'],
    [`${SMALLEST}  fetch: { retires: 1 }\n`, 'm.yaml:10:12: data.fetch.retires: unk', 'retries'],
    [`${SMALLEST}  crop: { minSidePX: 1 }\n`, 'data.crop.minSidePX: unknown key', 'minSidePx'],
    [`${SMALLEST}  split: { tst: 0.1 }\n`, 'data.split.tst: unknown key', 'test'],
    [`${SMALLEST}code: { repositry: . }\n`, 'm.yaml:10:9: code.repositry: unk', 'repository'],
    [`${SMALLEST}environment: { nod: 20 }\n`, 'environment.nod: unknown key', 'node'],
    [`${SMALLEST}model: { layrs: [flatten] }\n`, 'model.layrs: unknown key', 'layers'],
    [`${SMALLEST}model: { layers: [flaten] }\n`, 'model.layers.0.flaten: unknown', 'flatten'],
    [
      `${SMALLEST}model: { layers: [{ conv2d: { filter: 3, kernelSize: 1 } }] }\n`,
      'm.yaml:10:31: model.layers.0.conv2d.filter: unknown key',
      'filters',
    ],
    [
      `${SMALLEST}model: { layers: [flatten], fit: { optimizer: { rmsprop: { rh: 1 } } } }\n`,
      'model.fit.optimizer.rmsprop.rh: unknown key',
      'rho',
    ],
    [
      changed('boxes: boxes.csv', 'boxes: { trian: a.csv }'),
      'm.yaml:6:14: data.source.boxes.trian: unknown key',
      'train',
    ],
  ])('names an unknown key and the nearest known one (%#)', (text, message, nearest) => {
    const error = refuse(text);
    expect(error.message).toContain(message);
    expect(error.hint ?? '').toContain(`did you mean "${nearest}"`);
  });

  it('suggests the nearest word for a misspelt value', () => {
    const error = refuse(`${SMALLEST}  crop: { format: jpg }\n`);
    expect(error.message).toBe(
      'm.yaml:10:19: data.crop.format: expected "jpeg" or "png" or "webp", found "jpg"',
    );
    expect(error.hint).toBe('did you mean "jpeg"?');
  });

  it('lists every problem, the misspelt key first', () => {
    const error = refuse(changed('classes: [Apple]', 'clases: [Apple]').replace('user/', ''));
    expect(error.message).toMatch(/^m\.yaml:9:5: data\.query\.clases: unknown key/);
    expect(error.hint).toContain('m.yaml:2:7: name: expected user/name');
  });
});

describe('withPlace', () => {
  it('adds the place to an error that names a key, and to no other', () => {
    const source = parseManifest(SMALLEST, 'm.yaml');
    const error = new PkgError('manifest', 'unknown class "Aple"', {
      key: 'data.query.classes.0',
      hint: 'did you mean "Apple"?',
    });
    expect(withPlace(source, error)).toMatchObject({
      message: 'm.yaml:9:15: data.query.classes.0: unknown class "Aple"',
      hint: 'did you mean "Apple"?',
    });
    const other = new PkgError('integrity', 'bytes differ', { key: 'name' });
    expect(withPlace(source, other)).toBe(other);
  });
});

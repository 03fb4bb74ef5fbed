/** Parameters, figures and headers that differ, under dotted keys. */
import { describe, expect, it } from 'vitest';
import { compareMetrics, compareValues } from '../../src/comparison/values.ts';
import { isJsonObject, type JsonObject, parseJson } from '../../src/package/lossless-json.ts';
import { headerOf } from '../support/sample-packages.ts';
import { compare, sideOf } from './sides.ts';

const LOCKFILE = 'manifest.lock.json';
const EVALUATION = 'models/evaluation.json';

function object(value: unknown): JsonObject {
  const parsed = parseJson(JSON.stringify(value));
  if (!isJsonObject(parsed)) throw new Error('not an object');
  return parsed;
}

const values = (before: unknown, after: unknown) => compareValues(object(before), object(after));

describe('values', () => {
  it('are told by the keys that lead to them', () => {
    const before = { fit: { epochs: 40, batchSize: 16 }, seed: 1 };
    expect(values(before, { fit: { epochs: 60, batchSize: 16 }, seed: 1, where: 'x' })).toEqual([
      { key: 'fit.epochs', before: 40, after: 60 },
      { key: 'where', after: 'x' },
    ]);
  });

  it('of an object that one side has are told whole', () => {
    const before = { optimizer: { rmsprop: { rho: 0.9 } } };
    expect(values(before, { optimizer: { sgd: { momentum: 0 } } })).toEqual([
      { key: 'optimizer.rmsprop', before: { rho: 0.9 } },
      { key: 'optimizer.sgd', after: { momentum: 0 } },
    ]);
  });

  it('in a list of plain items are told as the list', () => {
    expect(values({ classes: ['A', 'B'] }, { classes: ['A', 'C'] })).toEqual([
      { key: 'classes', before: ['A', 'B'], after: ['A', 'C'] },
    ]);
  });

  it('in a list of objects are told item by item', () => {
    const layers = (units: number) => [{ flatten: {} }, { dense: { units } }];
    expect(values({ layers: layers(1) }, { layers: layers(2) })).toEqual([
      { key: 'layers.1.dense.units', before: 1, after: 2 },
    ]);
  });

  it('that were put into a list or taken out of it do not shift the rest', () => {
    const list = (...units: number[]) => ({ layers: units.map((unit) => ({ dense: unit })) });
    expect(values(list(1, 2, 3), list(1, 9, 2, 3))).toEqual([
      { key: 'layers.1', after: { dense: 9 } },
    ]);
    expect(values(list(1, 2, 3), list(1, 3))).toEqual([{ key: 'layers.1', before: { dense: 2 } }]);
    expect(values(list(2, 2), list(2, 2, 2))).toEqual([{ key: 'layers.2', after: { dense: 2 } }]);
  });

  it('that are the same number are the same, however they are spelt', () => {
    const [a, b] = [parseJson('{"x": 1}'), parseJson('{"x": 1.0}')];
    expect(isJsonObject(a) && isJsonObject(b) && compareValues(a, b)).toEqual([]);
  });
});

describe('figures', () => {
  const evaluation = (accuracy: number, f1: number) =>
    object({
      version: 1,
      splits: {
        test: {
          accuracy,
          perClass: [{ class: 'Apple', f1 }],
          confusionMatrix: [[accuracy * 100]],
          calibration: { bins: [{ lower: accuracy }] },
        },
      },
    });

  it('are told under split and class, overall ones first; matrices and bins are not', () => {
    expect(compareMetrics(evaluation(0.81, 0.5), evaluation(0.84, 0.6))).toEqual([
      { key: 'test.accuracy', before: 0.81, after: 0.84 },
      { key: 'test.perClass.Apple.f1', before: 0.5, after: 0.6 },
    ]);
  });

  it('of one side only are told with what is there', () => {
    const before = object({ splits: { validation: { loss: 1 } } });
    expect(compareMetrics(before, object({ splits: {} }))).toEqual([
      { key: 'validation.loss', before: 1 },
    ]);
  });
});

describe('documents of packages', () => {
  const lockfile = (parameters: object, record: string) =>
    JSON.stringify({
      lockfileVersion: 1,
      name: 'test/pkg',
      manifest: record,
      toolchain: { sharp: '1' },
      parameters,
      fetch: { record },
    });

  it('give parameters; digests of what came of them are no parameters', async () => {
    const found = await compare(
      { [LOCKFILE]: lockfile({ model: { fit: { epochs: 40 } } }, 'a') },
      { [LOCKFILE]: lockfile({ model: { fit: { epochs: 60 } } }, 'b') },
    );
    expect(found.parameters).toEqual([{ key: 'model.fit.epochs', before: 40, after: 60 }]);
    expect(found.notes).toEqual([]);
  });

  it('that are hostile are named, and nothing breaks', async () => {
    const deep = '['.repeat(100_000);
    const found = await compare(
      { [LOCKFILE]: '{}', [EVALUATION]: '[1]' },
      { [LOCKFILE]: deep, [EVALUATION]: '{}' },
    );
    expect(found.notes).toHaveLength(2);
    expect(found.notes[0]).toMatch(/^manifest.lock.json of B is not JSON: nested too deeply/);
    expect(found.notes[1]).toMatch(/^models\/evaluation.json of A is no JSON object; metrics/);
  });

  it('that are too large to be parsed are named, and not read', async () => {
    const side = sideOf({ [LOCKFILE]: '{}' });
    const [entry] = [...side.entries];
    const huge = {
      ...side,
      entries: [{ ...entry!, sizeBytes: 2 ** 40, size: 2n ** 40n }],
      open: (): never => {
        throw new Error('it was read');
      },
    };
    expect((await compare(side, huge)).notes[0]).toMatch(/^manifest.lock.json of B has more than/);
  });
});

describe('headers', () => {
  it('differ by message and metadata', async () => {
    const header = new Map(headerOf('new')).set('user_meta', new Map([['license', 'MIT']]));
    const found = await compare(sideOf({}), sideOf({}, { header }));
    expect(found.header).toEqual([
      { key: 'message', before: null, after: 'new' },
      { key: 'user_meta', after: { license: 'MIT' } },
    ]);
  });

  it('are not compared with a folder that has none', async () => {
    const { header: _, topHash: __, ...folder } = sideOf({ a: '1' }, { meta: 'unknown' });
    const found = await compare(sideOf({ a: '1' }), folder);
    expect(found).toMatchObject({ same: true, header: [] });
  });

  it('that are alike under unlike top hashes leave a note', async () => {
    const other = sideOf({ a: '2' });
    const found = await compare(
      sideOf({ a: '1' }),
      sideOf({ a: '1' }, { ...(other.topHash === undefined ? {} : { topHash: other.topHash }) }),
    );
    expect(found.same).toBe(false);
    expect(found.notes).toEqual([
      'the top hashes differ only by how the same content is written down',
    ]);
  });
});

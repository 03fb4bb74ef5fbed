/** The keys of a model that is made by code. */
import { describe, expect, it } from 'vitest';
import { modelSchema } from '../../src/manifest/model.ts';

const ENTRY = { engine: 'tensorflow', entry: 'model.js' };

describe('model.params', () => {
  it('are any JSON beside an entry', () => {
    const params = { units: 64, names: ['a', null, true], nested: { deep: [{ x: 1.5 }] } };
    expect(modelSchema.parse({ ...ENTRY, params }).params).toEqual(params);
    expect(modelSchema.parse(ENTRY).params).toBeUndefined();
  });

  it.each([
    ['without an entry', { layers: ['flatten'], params: {} }, 'expected entry beside params'],
    ['a list', { ...ENTRY, params: [] }, 'expected record'],
    ['infinite', { ...ENTRY, params: { x: Number.POSITIVE_INFINITY } }, 'Invalid input'],
    ['a function', { ...ENTRY, params: { x: () => 1 } }, 'Invalid input'],
    [
      'of the deterministic engine',
      { ...ENTRY, engine: 'deterministic' },
      'expected engine: tensorflow',
    ],
  ])('are refused: %s', (_, model, message) => {
    const parsed = modelSchema.safeParse(model);
    expect(parsed.error?.issues.map((issue) => issue.message).join()).toContain(message);
  });

  it('leave the prototypes of objects alone', () => {
    const params: unknown = JSON.parse(
      '{"__proto__": {"polluted": 1}, "a": {"__proto__": {"polluted": 1}}}',
    );
    modelSchema.safeParse({ ...ENTRY, params });
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
    expect(Reflect.get({}, 'polluted')).toBeUndefined();
  });
});

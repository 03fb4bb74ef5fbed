/** Sine and cosine against the engine's own, which is good to about an ulp itself. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cosineOf, sineOf } from '../../src/classifier/trigonometry.ts';

/** How far two numbers are apart, in units of the larger one's last place. */
function ulpsApart(a: number, b: number): number {
  const exponent = Math.floor(Math.log2(Math.max(Math.abs(a), 2 ** -60)));
  return Math.abs(a - b) / 2 ** (exponent - 52);
}

const within = (expected: number, actual: number) => {
  expect(ulpsApart(expected, actual)).toBeLessThanOrEqual(1);
};

describe('sineOf and cosineOf', () => {
  it('are the engine’s to an ulp over the degrees of a rotation', () => {
    let worst = 0;
    for (let step = -180_000; step <= 180_000; step++) {
      const radians = (step / 1000) * (Math.PI / 180);
      worst = Math.max(worst, ulpsApart(Math.sin(radians), sineOf(radians)));
      worst = Math.max(worst, ulpsApart(Math.cos(radians), cosineOf(radians)));
    }
    expect(worst).toBeLessThanOrEqual(1);
  });

  it('are the engine’s to an ulp for any angle up to 2^20', () => {
    const angle = fc.double({ min: -(2 ** 20), max: 2 ** 20, noNaN: true });
    fc.assert(
      fc.property(angle, (radians) => {
        within(Math.sin(radians), sineOf(radians));
        within(Math.cos(radians), cosineOf(radians));
      }),
      { numRuns: 20_000 },
    );
  });

  it('are the engine’s to an ulp beside the multiples of a quarter turn', () => {
    for (let quarters = -4000; quarters <= 4000; quarters++) {
      const radians = quarters * (Math.PI / 2);
      within(Math.sin(radians), sineOf(radians));
      within(Math.cos(radians), cosineOf(radians));
    }
  });

  it('are odd and even', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1000, noNaN: true }), (radians) => {
        expect(sineOf(-radians)).toBe(-sineOf(radians));
        expect(cosineOf(-radians)).toBe(cosineOf(radians));
      }),
    );
  });

  it('keep to known bits, whatever engine runs them', () => {
    const bits = (value: number) => Buffer.from(Float64Array.of(value).buffer).toString('hex');
    expect([0.5, 1, 2, 3, 100].map((x) => bits(sineOf(x)))).toEqual([
      'f0054b74e8aede3f',
      'ee0c098f54edea3f',
      '46b4d1eaf618ed3f',
      '5bd5b66d3810c23f',
      'b84d8cb72534e0bf',
    ]);
    expect([0.5, 1, 2, 3, 100].map((x) => bits(cosineOf(x)))).toEqual([
      '507d5b062815ec3f',
      '8c06b50f284ae13f',
      '0572535726a2dabf',
      'd2e585be04aeefbf',
      'df5f66bf1d98eb3f',
    ]);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, 2 ** 21])('refuse %d', (radians) => {
    expect(() => sineOf(radians)).toThrow('invariant');
    expect(() => cosineOf(radians)).toThrow('invariant');
  });
});

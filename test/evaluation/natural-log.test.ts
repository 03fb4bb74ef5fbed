/** The logarithm of plain arithmetic, against the engine's. */
import { describe, expect, it } from 'vitest';
import { naturalLog } from '../../src/evaluation/natural-log.ts';

/** The distance between a double and the next one further from 0. */
function step(value: number): number {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, Math.abs(value));
  view.setBigUint64(0, view.getBigUint64(0) + 1n);
  return view.getFloat64(0) - Math.abs(value);
}

function distanceInSteps(x: number): number {
  const expected = Math.log(x);
  return expected === 0
    ? Number(naturalLog(x) !== 0)
    : Math.abs(naturalLog(x) - expected) / step(expected);
}

describe('the natural logarithm', () => {
  it('is within a last place of the engine’s at 400,000 places of all sizes', () => {
    let worst = 0;
    for (let index = 1; index <= 200_000; index++) {
      const inUnit = index / 200_001;
      const ofAnySize = (1 + inUnit) * 2 ** ((index % 2000) - 1000);
      worst = Math.max(worst, distanceInSteps(inUnit), distanceInSteps(ofAnySize));
    }
    expect(worst).toBeLessThanOrEqual(1);
  });

  it('is within a last place of the engine’s around 1 and at the ends of its range', () => {
    const ends = [2 ** -1022, Number.MAX_VALUE, Number.EPSILON, 1 - Number.EPSILON, 2, 0.5];
    const around = Array.from({ length: 2000 }, (_, index) => 1 + (index - 1000) * 2 ** -50);
    for (const x of [...ends, Math.SQRT2, Math.SQRT1_2, ...around]) {
      expect(distanceInSteps(x)).toBeLessThanOrEqual(1);
    }
    expect(naturalLog(1)).toBe(0);
  });

  it.each([0, -0, -1, NaN, Infinity, 2 ** -1023])('is refused of %s', (x) => {
    expect(() => naturalLog(x)).toThrow('no logarithm');
  });
});

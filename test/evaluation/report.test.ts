/** Fractions as Python writes them; whole reports stand in the golden tests. */
import { describe, expect, it } from 'vitest';
import { formatFraction } from '../../src/evaluation/report.ts';

describe('a fraction', () => {
  it.each([
    [0, '0.0000'],
    [1, '1.0000'],
    [1 / 3, '0.3333'],
    [2 / 3, '0.6667'],
    [0.99995, '1.0000'],
    [0.00005, '0.0001'],
    [0.00015, '0.0001'],
  ])('%s is written as %s, the nearest to its exact value', (value, text) => {
    expect(formatFraction(value)).toBe(text);
  });

  it('half way between two numbers goes to the even one', () => {
    // What Python's format(k / 32, '.4f') gives for odd k.
    const odd = Array.from({ length: 16 }, (_, index) => formatFraction((2 * index + 1) / 32));
    expect(odd).toEqual([
      ...['0.0312', '0.0938', '0.1562', '0.2188', '0.2812', '0.3438', '0.4062', '0.4688'],
      ...['0.5312', '0.5938', '0.6562', '0.7188', '0.7812', '0.8438', '0.9062', '0.9688'],
    ]);
  });

  it.each([-0.1, 1.1, NaN])('is never %s', (value) => {
    expect(() => formatFraction(value)).toThrow('not a fraction');
  });
});

/** How far the numbers of two files are apart, and which files have none to compare. */
import { describe, expect, it } from 'vitest';
import { distance } from '../../src/reproduction/tolerance.ts';

const floats = (...values: number[]) => Buffer.from(Float32Array.from(values).buffer);

describe('the distance of two files', () => {
  it('of weights is the largest between two floats', () => {
    const apart = distance('models/weights.bin', floats(1, 2, 3), floats(1, 2.5, 2.75));
    expect(apart).toBe(0.5);
  });

  it.each([
    ['of another length', floats(1), floats(1, 2)],
    ['with a number that is none', floats(1), floats(Number.NaN)],
  ])('of weights %s is infinite', (_, a, b) => {
    expect(distance('models/weights.bin', a, b)).toBe(Number.POSITIVE_INFINITY);
  });

  it('of texts is the largest between two numbers at the same place', () => {
    const a = Buffer.from('Class,P\nApple,0.25\nOrange,1e-3\n');
    const b = Buffer.from('Class,P\nApple,0.5\nOrange,0.001\n');
    expect(distance('models/predictions.csv', a, b)).toBe(0.25);
  });

  it('of texts is infinite where another word stands between the numbers', () => {
    const a = Buffer.from('{"loss": 1, "of": "Apple"}');
    const b = Buffer.from('{"loss": 1, "of": "Orange"}');
    expect(distance('models/evaluation.json', a, b)).toBe(Number.POSITIVE_INFINITY);
  });

  it.each(['models/clf.h5', 'models/mistakes.jpg'])('of %s is not known', (logicalKey) => {
    expect(distance(logicalKey, Buffer.from('1'), Buffer.from('2'))).toBeUndefined();
  });
});

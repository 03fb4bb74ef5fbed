/** What outputs say: thresholds, ties, and numbers that are none. */
import { describe, expect, it } from 'vitest';
import { judge } from '../../src/prediction/prediction.ts';

const TWO = { classes: ['Hamburger', 'Sandwich'], threshold: 0.5 };
const THREE = { classes: ['a', 'b', 'c'], threshold: 0.5 };
const of = (...outputs: number[]) => Float32Array.from(outputs);

describe('a prediction', () => {
  it('of one output is the second class with that probability, or the first with the rest', () => {
    expect(judge(TWO, of(0.75))).toEqual({
      class: 'Sandwich',
      probability: 0.75,
      probabilities: { Hamburger: 0.25, Sandwich: 0.75 },
    });
    expect(judge(TWO, of(0.25))).toMatchObject({ class: 'Hamburger', probability: 0.75 });
  });

  it('is the second class from the threshold on, not only above it', () => {
    expect(judge({ ...TWO, threshold: 0.75 }, of(0.75))).toMatchObject({ class: 'Sandwich' });
    expect(judge({ ...TWO, threshold: 0.75 }, of(0.7))).toMatchObject({
      class: 'Hamburger',
      probability: 1 - Math.fround(0.7),
    });
    expect(judge({ ...TWO, threshold: 0 }, of(0))).toMatchObject({ class: 'Sandwich' });
  });

  it('of several outputs is the most probable class, of equals the first', () => {
    expect(judge(THREE, of(0.25, 0.25, 0.5))).toMatchObject({ class: 'c', probability: 0.5 });
    expect(judge(THREE, of(0.2, 0.4, 0.4))).toMatchObject({ class: 'b' });
  });

  it('of numbers that are not finite is a failure', () => {
    for (const sick of [Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(judge(THREE, of(0.5, sick, 0.1))).toEqual({
        error: 'the model gives no finite number for it',
      });
    }
  });

  it('keeps classes whose names mean something to JavaScript', () => {
    const said = judge({ ...TWO, classes: ['__proto__', 'constructor'] }, of(0.25));
    expect(JSON.parse(JSON.stringify(said))).toHaveProperty('class', '__proto__');
    expect(JSON.stringify(said)).toContain('{"__proto__":0.75,"constructor":0.25}');
  });

  it('tells a hundred thousand classes apart', () => {
    const classes = Array.from({ length: 200_000 }, (_, index) => String(index));
    const outputs = new Float32Array(classes.length);
    outputs[123_456] = 1;
    expect(judge({ classes, threshold: 0.5 }, outputs)).toMatchObject({ class: '123456' });
  });
});

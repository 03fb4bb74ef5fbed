/** The learning rate of each iteration. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { learningRateAt } from '../../src/classifier/schedule.ts';

const position = { epoch: 0, iteration: 0, iterations: 100 };

describe('the learning rate', () => {
  it('stays where the schedule is constant', () => {
    const constant = { kind: 'constant' } as const;
    for (const epoch of [0, 1, 99]) {
      expect(learningRateAt(0.1, constant, { epoch, iteration: 3, iterations: 100 })).toBe(0.1);
    }
  });

  it('is multiplied by the factor after every so many epochs', () => {
    const step = { kind: 'step', everyEpochs: 3, factor: 0.5 } as const;
    const rates = Array.from({ length: 8 }, (_, epoch) =>
      learningRateAt(8, step, { ...position, epoch }),
    );
    expect(rates).toEqual([8, 8, 8, 4, 4, 4, 2, 2]);
  });

  it('goes down half a cosine, to the fraction', () => {
    const cosine = { kind: 'cosine', finalFraction: 0.1 } as const;
    const at = (iteration: number) => learningRateAt(2, cosine, { ...position, iteration });
    expect(at(0)).toBe(2);
    expect(at(50)).toBeCloseTo(1.1, 12);
    expect(at(100)).toBeCloseTo(0.2, 12);
    for (let iteration = 1; iteration <= 100; iteration += 1) {
      expect(at(iteration)).toBeLessThan(at(iteration - 1));
      expect(at(iteration) + at(100 - iteration)).toBeCloseTo(2.2, 12);
    }
  });

  it('is a cosine to the last bits, however long the training is', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1_000_000 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (iterations, share, finalFraction) => {
          const iteration = Math.floor(share * iterations);
          const rate = learningRateAt(
            1,
            { kind: 'cosine', finalFraction },
            { epoch: 0, iteration, iterations },
          );
          const wave = (1 + Math.cos((Math.PI * iteration) / iterations)) / 2;
          expect(Math.abs(rate - ((1 - finalFraction) * wave + finalFraction))).toBeLessThan(1e-15);
        },
      ),
    );
  });
});

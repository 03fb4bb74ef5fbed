/** Early stopping on short histories; keras.interop.test.ts has long ones, against Keras. */
import { describe, expect, it } from 'vitest';
import type { EarlyStopping } from '../../src/classifier/early-stopping.ts';
import { stopped } from './stopped.ts';

const stopping: EarlyStopping = {
  monitor: 'val_loss',
  patience: 2,
  minDelta: 0,
  restoreBest: true,
};

describe('early stopping', () => {
  it('ends training after so many epochs that bring nothing better', () => {
    expect(stopped(stopping, [5, 4, 4, 4, 1])).toEqual({ epochs: 4, bestEpoch: 2 });
    expect(stopped(stopping, [5, 4, 4, 3, 3, 3, 1])).toEqual({ epochs: 6, bestEpoch: 4 });
  });

  it('lets training go on to its end while it gets better', () => {
    expect(stopped(stopping, [5, 6, 4, 5, 3])).toEqual({ epochs: 5, bestEpoch: 5 });
    expect(stopped(stopping, [5])).toEqual({ epochs: 1, bestEpoch: 1 });
  });

  it('wants losses small and accuracies large', () => {
    for (const monitor of ['loss', 'val_loss'] as const) {
      expect(stopped({ ...stopping, monitor }, [1, 2, 3, 4]).bestEpoch).toBe(1);
    }
    for (const monitor of ['accuracy', 'val_accuracy'] as const) {
      expect(stopped({ ...stopping, monitor }, [1, 2, 3, 4]).bestEpoch).toBe(4);
    }
  });

  it('takes for better only what is better by more than minDelta', () => {
    const patient = { ...stopping, patience: 9 };
    expect(stopped({ ...patient, minDelta: 1 }, [5, 4, 3.5]).bestEpoch).toBe(3);
    expect(stopped({ ...patient, minDelta: 1 }, [5, 4]).bestEpoch).toBe(1);
    const accuracy = { ...patient, monitor: 'accuracy', minDelta: 0.25 } as const;
    expect(stopped(accuracy, [0.5, 0.75, 0.625]).bestEpoch).toBe(1);
    expect(stopped(accuracy, [0.5, 0.875, 1]).bestEpoch).toBe(2);
  });

  it('with a patience of 0 ends at the first epoch that brings nothing better', () => {
    expect(stopped({ ...stopping, patience: 0 }, [3, 2, 2, 1])).toEqual({
      epochs: 3,
      bestEpoch: 2,
    });
  });
});

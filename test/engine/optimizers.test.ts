/** Ten updates of each optimizer against Keras' formulas in 64 bits. */
import { describe, expect, it } from 'vitest';
import type { Optimizer } from '../../src/classifier/engine.ts';
import { LEARNING_RATES, movesApart, OPTIMIZERS, type Run, runOf } from './optimizer-cases.ts';

/** What an optimizer remembers of a weight. */
interface Memory {
  first: number;
  second: number;
}

/** How far a weight moves; formulas as in the sources of keras.optimizers 3.15. */
function moveOf(
  optimizer: Optimizer,
  memory: Memory,
  gradient: number,
  learningRate: number,
  update: number,
): number {
  switch (optimizer.kind) {
    case 'sgd': {
      const { momentum, nesterov } = optimizer;
      if (momentum === 0) return -gradient * learningRate;
      memory.first = memory.first * momentum - gradient * learningRate;
      return nesterov ? memory.first * momentum - gradient * learningRate : memory.first;
    }
    case 'rmsprop': {
      const { rho, momentum, epsilon } = optimizer;
      memory.first = rho * memory.first + (1 - rho) * gradient ** 2;
      const increment = (learningRate * gradient) / Math.sqrt(memory.first + epsilon);
      memory.second = momentum * memory.second + increment;
      return -memory.second;
    }
    case 'adam': {
      const { beta1, beta2, epsilon } = optimizer;
      memory.first += (gradient - memory.first) * (1 - beta1);
      memory.second += (gradient ** 2 - memory.second) * (1 - beta2);
      const scale = Math.sqrt(1 - beta2 ** update) / (1 - beta1 ** update);
      return (-memory.first * learningRate * scale) / (Math.sqrt(memory.second) + epsilon);
    }
  }
}

function computed({ optimizer, start, gradients }: Run): number[][][] {
  let weights = start.map((weight) => [...weight]);
  const memories = start.map((weight) => [...weight].map((): Memory => ({ first: 0, second: 0 })));
  return gradients.map((update, iteration) => {
    weights = weights.map((weight, index) =>
      weight.map((value, k) => {
        const memory = memories[index]?.[k] ?? { first: NaN, second: NaN };
        const gradient = update[index]?.[k] ?? NaN;
        const learningRate = LEARNING_RATES[iteration] ?? NaN;
        return value + moveOf(optimizer, memory, gradient, learningRate, iteration + 1);
      }),
    );
    return weights;
  });
}

describe('ten updates are those of the formulas', () => {
  it.each(Object.entries(OPTIMIZERS))('of %s', async (_, optimizer) => {
    const run = await runOf(optimizer);
    expect(movesApart(run, computed(run))).toBeLessThan(1e-5);
  });

  it('and what is not trained is left alone by them', async () => {
    const run = await runOf({ kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-7 });
    expect(run.start).toHaveLength(7);
    expect(run.gradients.flat().every((one) => one.some((value) => value !== 0))).toBe(true);
  });
});

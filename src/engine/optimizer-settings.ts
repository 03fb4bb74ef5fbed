/** The numbers that the update kernel takes, of an optimizer's settings; the order is kernels/training.ts'. */
import type { Optimizer } from '../classifier/engine.ts';

/** @param update which update this is, from 1. */
export function optimizerSettings(
  optimizer: Optimizer,
  learningRate: number,
  update: number,
): Float32Array {
  switch (optimizer.kind) {
    case 'sgd':
      return Float32Array.of(learningRate, optimizer.momentum, optimizer.nesterov ? 1 : 0);
    case 'rmsprop': {
      const { rho, momentum, epsilon } = optimizer;
      return Float32Array.of(learningRate, rho, 1 - rho, momentum, epsilon);
    }
    case 'adam': {
      const { beta1, beta2, epsilon } = optimizer;
      // Both moments start at 0, which is made up for (Kingma, Ba 2014, end of section 2).
      const scale = Math.sqrt(1 - power(beta2, update)) / (1 - power(beta1, update));
      return Float32Array.of(learningRate * scale, 1 - beta1, 1 - beta2, epsilon);
    }
  }
}

/** base to a whole power, by squaring: products in one fixed order. */
function power(base: number, exponent: number): number {
  let result = 1;
  let square = base;
  for (let rest = exponent; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result *= square;
    square *= square;
  }
  return result;
}

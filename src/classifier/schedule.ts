/** The learning rate of each iteration. */
import { cosineOf } from './trigonometry.ts';

export type Schedule =
  | { readonly kind: 'constant' }
  /** Multiplied by `factor` after every so many epochs. */
  | { readonly kind: 'step'; readonly everyEpochs: number; readonly factor: number }
  /** Half a cosine, from the learning rate at the first iteration to this fraction of it after the last. */
  | { readonly kind: 'cosine'; readonly finalFraction: number };

/** Where in a training an iteration stands, all counted from 0. */
export interface Position {
  readonly epoch: number;
  readonly iteration: number;
  /** Iterations of the whole training, if it is not stopped early. */
  readonly iterations: number;
}

/** The learning rate at a position; formulas are Keras' ExponentialDecay (staircase) and CosineDecay. */
export function learningRateAt(
  initial: number,
  schedule: Schedule,
  { epoch, iteration, iterations }: Position,
): number {
  switch (schedule.kind) {
    case 'constant':
      return initial;
    case 'step': {
      let rate = initial;
      for (let step = Math.floor(epoch / schedule.everyEpochs); step > 0; step -= 1) {
        rate *= schedule.factor;
      }
      return rate;
    }
    case 'cosine': {
      const wave = 0.5 * (1 + cosineOf((Math.PI * iteration) / iterations));
      return initial * ((1 - schedule.finalFraction) * wave + schedule.finalFraction);
    }
  }
}

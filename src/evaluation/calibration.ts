/** Calibration: whether examples with probability p of a class are of it in a fraction p of cases. */
import { POSITIVE_CLASS, type Predictions, probabilityOf } from './evaluation.ts';

const BINS = 10;

/** Examples whose probability is above `lower` and at most `upper`; the first bin holds 0 as well. */
export interface ReliabilityBin {
  readonly lower: number;
  readonly upper: number;
  readonly examples: number;
  /** The mean of the probabilities; null for none. */
  readonly meanProbability: number | null;
  /** How many of the examples are what the probability is of; null for none. */
  readonly fractionTrue: number | null;
}

export interface Calibration {
  /** Of two classes the second; of more the one that each example is given. */
  readonly of: 'positive class' | 'predicted class';
  readonly bins: readonly ReliabilityBin[];
  /** The mean over examples of their bin's |fraction - mean| (Naeini, 2015); null for no example. */
  readonly expectedCalibrationError: number | null;
}

/** Ten bins of equal width, as `calibration_curve` with the strategy `uniform`. */
export function calibrate(predictions: Predictions, predicted: Int32Array): Calibration {
  const isBinary = predictions.classes.length === 2;
  const sums = Array.from({ length: BINS }, () => ({ examples: 0, probability: 0, right: 0 }));
  for (const [example, { truth }] of predictions.examples.entries()) {
    const classIndex = isBinary ? POSITIVE_CLASS : (predicted[example] ?? 0);
    const probability = probabilityOf(predictions, example, classIndex);
    const sum = sums[binOf(probability)];
    if (sum === undefined) continue;
    sum.examples++;
    sum.probability += probability;
    sum.right += truth === classIndex ? 1 : 0;
  }
  const bins = sums.map(({ examples, probability, right }, index) => ({
    lower: edge(index),
    upper: edge(index + 1),
    examples,
    meanProbability: examples === 0 ? null : probability / examples,
    fractionTrue: examples === 0 ? null : right / examples,
  }));
  const count = predictions.examples.length;
  return {
    of: isBinary ? 'positive class' : 'predicted class',
    bins,
    expectedCalibrationError: count === 0 ? null : errorOf(bins, count),
  };
}

/** The lower edge of a bin, as `numpy.linspace(0, 1, 11)` has it. */
function edge(index: number): number {
  return index === BINS ? 1 : index * (1 / BINS);
}

/** The bin of a probability: how many inner edges lie below it. */
function binOf(probability: number): number {
  let bin = 0;
  while (bin < BINS - 1 && edge(bin + 1) < probability) bin++;
  return bin;
}

function errorOf(bins: readonly ReliabilityBin[], count: number): number {
  return bins.reduce((sum, { examples, meanProbability, fractionTrue }) => {
    const gap = Math.abs((fractionTrue ?? 0) - (meanProbability ?? 0));
    return sum + (examples / count) * gap;
  }, 0);
}

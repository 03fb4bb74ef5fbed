/** What a foreign model takes and gives: whether it fits pictures and classes, and how good it is. */
import type { Loss } from '../classifier/engine.ts';
import type { EpochRow } from '../classifier/fit.ts';
import { naturalLog } from '../evaluation/natural-log.ts';
import { PkgError } from '../runtime/errors.ts';
import type { ModelKind } from '../sandbox/model-process.ts';

/** What its outputs are to be. */
export interface OutputKind {
  readonly units: number;
  readonly loss: Loss;
  /** What messages call the code. */
  readonly name: string;
}

/**
 * How many numbers a model gives for a picture.
 * @throws PkgError `manifest` where it takes other pictures, or tells other classes apart.
 */
export function checkShapes(
  { inputs, outputs }: ModelKind,
  [height, width, channels]: readonly [number, number, number],
  classes: readonly string[],
  name: string,
): number {
  const wanted = [null, height, width, channels];
  if (inputs.length !== 1 || JSON.stringify(inputs[0]) !== JSON.stringify(wanted)) {
    throw misfit(
      `${name} makes a model that takes ${shapesOf(inputs)}, not ${shapesOf([wanted])}`,
      'Give its first layer the inputShape that createModel is given.',
    );
  }
  const [output] = outputs;
  const units = output?.[1];
  if (outputs.length !== 1 || output?.length !== 2 || units === null || units === undefined) {
    throw misfit(
      `${name} makes a model that gives ${shapesOf(outputs)}, not one vector a picture`,
      'End it with a dense layer of classes.length units.',
    );
  }
  if (units === classes.length || (units === 1 && classes.length === 2)) return units;
  throw misfit(
    `${name} makes a model with ${String(units)} outputs for ${String(classes.length)} classes`,
    'End it with dense({ units: classes.length, activation: "softmax" }).',
  );
}

function shapesOf(shapes: readonly (readonly (number | null)[])[]): string {
  const texts = shapes.map((shape) => `[${shape.map((side) => String(side)).join(', ')}]`);
  return texts.length === 0 ? 'nothing' : texts.join(' and ');
}

function misfit(message: string, hint: string): PkgError {
  return new PkgError('manifest', message, { key: 'model.entry', hint });
}

/** How far a sum in 32 bits may be from what it should be. */
const ROUNDING = 1e-3;

/** Outputs that are checked to be probabilities, and held in [0, 1], which rounding may leave. */
export function probabilitiesOf(
  outputs: Float32Array,
  { units, loss, name }: OutputKind,
): Float32Array {
  const isNear = (value: number) => value >= -ROUNDING && value <= 1 + ROUNDING;
  const sums = Array.from({ length: outputs.length / units }, (_, row) =>
    outputs.subarray(row * units, (row + 1) * units).reduce((sum, value) => sum + value, 0),
  );
  const addsUp = units === 1 || loss === 'binaryCrossentropy';
  const isOne = (sum: number) => Math.abs(sum - 1) <= ROUNDING;
  if (outputs.every(isNear) && (addsUp || sums.every(isOne))) {
    return outputs.map((value) => Math.min(1, Math.max(0, value)));
  }
  const what = addsUp ? 'numbers from 0 to 1' : 'numbers from 0 to 1 that add up to 1';
  throw misfit(
    `${name} makes a model whose outputs are not ${what}`,
    `End it with ${units === 1 ? 'sigmoid' : 'softmax'}, which gives probabilities.`,
  );
}

/** Probabilities are held this far from 0 and 1 in the loss, as Keras does. */
const MARGIN = 1e-7;

/** Loss and accuracy of outputs for examples of these classes. */
export function judge(
  outputs: Float32Array,
  labels: Int32Array,
  { units, loss }: OutputKind,
): Pick<EpochRow, 'val_loss' | 'val_accuracy'> {
  let [sum, right] = [0, 0];
  for (const [example, label] of labels.entries()) {
    const row = outputs.subarray(example * units, (example + 1) * units);
    const best = units === 1 ? Number((row[0] ?? 0) > 0.5) : row.indexOf(Math.max(...row));
    right += Number(best === label);
    sum += lossOf(row, label, loss);
  }
  return { val_loss: sum / labels.length, val_accuracy: right / labels.length };
}

/** Cross-entropy of one example. */
function lossOf(row: Float32Array, label: number, loss: Loss): number {
  const log = (value: number) => naturalLog(Math.min(1 - MARGIN, Math.max(MARGIN, value)));
  if (loss === 'categoricalCrossentropy') return -log(row[label] ?? 0);
  const truth = (unit: number) => (row.length === 1 ? label : Number(unit === label));
  const sum = row.reduce((total, value, unit) => {
    return total - (truth(unit) === 1 ? log(value) : log(1 - value));
  }, 0);
  return sum / row.length;
}

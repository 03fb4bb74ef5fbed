/** How two models judge the same crops, as lines. */
import type { Comparison } from '../index.ts';
import { printable } from './printable.ts';
import { columns, count } from './text.ts';

type Predictions = NonNullable<Comparison['predictions']>;

const STEPS_SHOWN = 8;
const PROBABILITY_DIGITS = 4;

export function predictionLines(predictions: Predictions): readonly string[] {
  const { judged, onlyBefore, onlyAfter, otherClass, meanChange, largest, of } = predictions;
  const steps = Object.entries(of).map(([step, n]) => `${printable(step)} ${String(n)}`);
  const more = steps.length > STEPS_SHOWN ? ', …' : '';
  const which = steps.length === 0 ? '' : ` (${steps.slice(0, STEPS_SHOWN).join(', ')}${more})`;
  const alone = [
    onlyBefore === 0 ? '' : `${count(onlyBefore, 'crop')} judged by A alone`,
    onlyAfter === 0 ? '' : `${count(onlyAfter, 'crop')} judged by B alone`,
  ].filter((text) => text !== '');
  return [
    `of ${count(judged, 'crop')} judged by both, ${String(otherClass)} taken for another class${which}`,
    `right: ${String(predictions.rightBefore)} -> ${String(predictions.rightAfter)}; ` +
      `probabilities moved by ${figure(meanChange)} on average`,
    ...alone,
    ...(largest.length === 0 ? [] : columns(largest.map(changeCells)).split('\n')),
  ];
}

function changeCells(change: Predictions['largest'][number]): string[] {
  const { logicalKey, before, after, of, probabilityBefore, probabilityAfter } = change;
  const taken = before === after ? before : `${before} -> ${after}`;
  return [
    `  ${printable(logicalKey)}`,
    printable(`${taken} (is ${change.class})`),
    printable(`${of} ${figure(probabilityBefore)} -> ${figure(probabilityAfter)}`),
  ];
}

function figure(value: number): string {
  return value.toFixed(PROBABILITY_DIGITS);
}

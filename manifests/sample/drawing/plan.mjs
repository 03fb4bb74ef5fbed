/** Which pictures the sample has: what each shows, how, and what went wrong with it. */

/**
 * @typedef {'burger' | 'sandwich' | 'long' | 'submarine'} Main long: a baguette labelled Sandwich
 * @typedef {'cut' | 'hidden' | 'heap' | 'close' | 'ants' | 'poster' | 'space' | 'bare'} Manner
 * @typedef {'missing' | 'cut short' | 'replaced' | 'placeholder' | 'error page' | 'empty file'
 *   | 'PNG' | 'WebP' | 'greyscale' | 'turned' | 'same bytes' | 'near duplicate'
 *   | 'zero width' | 'beyond the edge' | 'repeated row' | 'unknown flags' | 'unknown rotation'} Mess
 * @typedef {{ name: string, mains: Main[], manner?: Manner | undefined, mess?: Mess | undefined }} Spec
 */

/** @type {[count: number, mains: Main[], manner?: Manner | undefined, mess?: Mess][]} */
const PLAN = [
  [15, ['burger']],
  [13, ['sandwich']],
  [4, ['long']],
  [2, ['submarine']],
  [8, ['burger', 'burger']],
  [8, ['sandwich', 'sandwich']],
  [12, ['burger', 'sandwich']],
  [2, ['burger', 'long']],
  [3, ['burger', 'burger', 'sandwich']],
  [3, ['burger', 'sandwich', 'sandwich']],
  [4, ['burger'], 'cut'],
  [4, ['sandwich'], 'cut'],
  [1, ['long'], 'cut'],
  [5, ['burger'], 'hidden'],
  [4, ['sandwich'], 'hidden'],
  [1, ['long'], 'hidden'],
  [1, ['burger'], 'heap'],
  [1, ['burger'], 'close'],
  [1, ['sandwich'], 'close'],
  [1, ['burger'], 'ants'],
  [1, ['sandwich'], 'ants'],
  [1, ['burger'], 'poster'],
  [1, ['sandwich'], 'poster'],
  [1, ['burger'], 'space'],
  [1, ['sandwich'], 'space'],
  [2, [], 'bare'],
  [2, ['burger'], undefined, 'missing'],
  [1, ['sandwich'], undefined, 'missing'],
  [1, ['sandwich'], undefined, 'cut short'],
  [1, ['burger'], undefined, 'replaced'],
  [1, ['burger'], undefined, 'placeholder'],
  [1, ['sandwich'], undefined, 'placeholder'],
  [1, ['sandwich'], undefined, 'error page'],
  [1, ['burger'], undefined, 'empty file'],
  [1, ['sandwich'], undefined, 'PNG'],
  [1, ['burger'], undefined, 'WebP'],
  [1, ['burger', 'sandwich'], undefined, 'greyscale'],
  [1, ['sandwich', 'burger'], undefined, 'turned'],
  [1, ['burger'], undefined, 'same bytes'],
  [1, ['sandwich'], undefined, 'near duplicate'],
  [1, ['sandwich'], undefined, 'zero width'],
  [1, ['burger'], 'cut', 'beyond the edge'],
  [1, ['burger', 'sandwich'], undefined, 'repeated row'],
  [1, ['burger', 'sandwich'], undefined, 'unknown flags'],
  [1, ['sandwich', 'burger', 'burger'], undefined, 'unknown flags'],
  [1, ['burger'], undefined, 'unknown rotation'],
  [1, ['sandwich'], undefined, 'unknown rotation'],
];

/** All pictures. @returns {Spec[]} */
export function plan() {
  return PLAN.flatMap(([count, mains, manner, mess]) =>
    Array.from({ length: count }, () => ({ mains, manner, mess })),
  ).map((spec, i) => ({ ...spec, name: `picture ${i}` }));
}

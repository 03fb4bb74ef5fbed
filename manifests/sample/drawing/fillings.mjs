/** What lies between the bread: layers seen from the side, each drawn upward from y. */

import { blob, drape, line, oval, roundRect, ruffle, slab } from './shapes.mjs';

/** @import { Pen, Point } from './pen.mjs' */
/** @import { Random } from './random.mjs' */

/**
 * Draws one layer with its underside at y, as wide as twice half; answers its thickness.
 * @typedef {(pen: Pen, rng: Random, y: number, half: number) => number} Layer
 */

const PATTIES = [
  ['#8a5330', '#4a2613'],
  ['#774327', '#3b1d0f'],
  ['#9a6238', '#5c3218'],
  ['#d8973f', '#9c5d1e'],
];

/**
 * Small dabs strewn over a layer.
 * @param {Pen} pen
 * @param {Random} rng
 * @param {{ half: number, top: number, height: number }} area
 * @param {string[]} colors
 * @param {number} count
 */
function dabs(pen, rng, { half, top, height }, colors, count) {
  for (let i = 0; i < count; i++) {
    const x = rng.range(-half, half) * 0.92;
    const y = top + height * rng.range(0.2, 0.8);
    pen.path(oval(x, y, rng.range(1, 3.6), rng.range(0.8, 1.8)), {
      fill: rng.pick(colors),
      opacity: 0.6,
    });
  }
}

/** @type {Layer} */
export function patty(pen, rng, y, half) {
  const height = rng.range(23, 33);
  const wide = half * rng.range(0.96, 1.05);
  const [top = '', bottom = ''] = rng.pick(PATTIES);
  pen.path(slab(rng, wide, y, height, 2.5), { fill: pen.fade([top, bottom]) });
  dabs(pen, rng, { half: wide, top: y - height, height }, [bottom, top, '#2b150b', '#c58a55'], 22);
  return height - 2;
}

/** @type {Layer} */
export function cheese(pen, rng, y, half) {
  const color = rng.pick(['#ffc52e', '#ffb327', '#f7d863', '#fbe7a8', '#f59a23']);
  const form = { drops: rng.int(2, 5), fall: rng.range(14, 26), round: rng.chance(0.3) };
  pen.path(drape(rng, half * rng.range(0.94, 1.02), y, 6, form), {
    fill: color,
    stroke: '#b9770f',
    width: 0.8,
  });
  return 5;
}

/** @type {Layer} */
export function lettuce(pen, rng, y, half) {
  const [light, dark] = rng.pick([
    ['#9bd14c', '#5e9c2c'],
    ['#7fc241', '#3f7f23'],
    ['#b9dc6a', '#79aa3a'],
    ['#8a5aa0', '#5a3170'],
  ]);
  const wide = half * rng.range(1.02, 1.12);
  pen.path(ruffle(rng, wide * 0.98, y - 8, 9, rng.int(7, 10)), { fill: dark ?? '' });
  pen.path(ruffle(rng, wide, y - 11, 8, rng.int(6, 9)), {
    fill: light ?? '',
    stroke: dark ?? '',
    width: 1,
  });
  return 9;
}

/** @type {Layer} */
export function tomato(pen, rng, y, half) {
  const height = rng.range(11, 15);
  const wide = half * 0.47;
  for (const x of [-half * 0.48, half * 0.48]) {
    const left = x - wide + rng.range(-3, 3);
    const red = pen.fade(['#f26146', '#c92f20']);
    pen.path(roundRect(left, y - height, wide * 2, height, height * 0.45), { fill: red });
    pen.path(line(left + 8, y - height * 0.62, left + wide * 1.7, y - height * 0.62), {
      stroke: '#ffb29a',
      width: 1.8,
      opacity: 0.8,
    });
  }
  return height - 1;
}

/** @type {Layer} */
export function onion(pen, rng, y, half) {
  const rim = rng.pick(['#a45592', '#cfd9a0', '#b86aa6']);
  for (let i = -1; i <= 1; i++) {
    const x = i * half * 0.6 + rng.range(-5, 5);
    pen.path(roundRect(x - half * 0.34, y - 8, half * 0.68, 8, 4), {
      fill: '#f6ecf2',
      stroke: rim,
      width: 1.6,
    });
  }
  return 7;
}

/** @type {Layer} */
export function pickles(pen, rng, y, half) {
  for (let i = -1; i <= 1; i++) {
    const x = i * half * 0.62 + rng.range(-8, 8);
    pen.path(roundRect(x - half * 0.22, y - 9, half * 0.44, 9, 4), {
      fill: pen.fade(['#a9b84a', '#6d8528']),
      stroke: '#4f6a1c',
      width: 1.4,
    });
  }
  return 8;
}

/** @type {Layer} */
export function bacon(pen, rng, y, half) {
  const waves = rng.int(5, 8);
  const step = (half * 2.12) / waves;
  let d = `M ${-half * 1.06} ${y - 5}`;
  for (let i = 0; i < waves; i++) {
    const x = -half * 1.06 + i * step;
    d += ` Q ${x + step / 2} ${y - 5 + (i % 2 ? 9 : -9)} ${x + step} ${y - 5}`;
  }
  pen.path(d, { stroke: '#8e2f22', width: 9 });
  pen.path(d, { stroke: '#f0b59a', width: 3 });
  return 9;
}

/** @type {Layer} */
export function egg(pen, rng, y, half) {
  const yolk = rng.range(-0.35, 0.35) * half;
  pen.path(drape(rng, half * 1.02, y, 8, { drops: 4, fall: 12, round: true }), {
    fill: '#fffaf0',
    stroke: '#d9cdb4',
    width: 1,
  });
  pen.path(oval(yolk, y - 8, half * 0.26, 9), { fill: pen.fade(['#ffc94a', '#f39a12']) });
  return 12;
}

/** @type {Layer} */
export function ham(pen, rng, y, half) {
  const [light, dark] = rng.pick([
    ['#f4a9a8', '#d77a7d'],
    ['#f7c0b0', '#dd8f80'],
    ['#c9605a', '#96352f'],
  ]);
  for (const lift of [0, 6]) {
    pen.path(ruffle(rng, half * rng.range(0.96, 1.05), y - lift - 6, 5, rng.int(4, 6)), {
      fill: light ?? '',
      stroke: dark ?? '',
      width: 1.2,
    });
  }
  return 11;
}

/** @type {Layer} */
export function cucumber(pen, rng, y, half) {
  for (let i = -2; i <= 2; i++) {
    const x = i * half * 0.39 + rng.range(-4, 4);
    pen.path(roundRect(x - half * 0.21, y - 8, half * 0.42, 8, 3), {
      fill: '#e3efb8',
      stroke: '#3f7d3a',
      width: 1.8,
    });
  }
  return 7;
}

/** @type {Layer} */
export function sauce(pen, rng, y, half) {
  const color = rng.pick(['#d8301f', '#fff3d0', '#e9b53a', '#b5533a']);
  pen.path(drape(rng, half * 0.97, y, 5, { drops: rng.int(4, 6), fall: 13, round: true }), {
    fill: color,
  });
  return 4;
}

/** A spread with bits in it: egg salad, tuna, pulled meat. @type {Layer} */
export function salad(pen, rng, y, half) {
  const height = rng.range(14, 20);
  const [base, bits] = rng.pick([
    ['#f7e3a0', ['#fffbe9', '#f2c23e', '#86b04a']],
    ['#e6cdb0', ['#c79f7c', '#fff6e6', '#7fa34a']],
    ['#a8623a', ['#7b3d20', '#d08a5a', '#5d2c16']],
  ]);
  pen.path(slab(rng, half * 1.01, y, height, 3), { fill: String(base) });
  dabs(pen, rng, { half, top: y - height, height }, [...(bits ?? [])], 30);
  return height - 2;
}

/**
 * A stick through the middle with an olive, a cherry tomato or a paper flag.
 * @type {(pen: Pen, rng: Random, x: number, y: number) => void}
 */
export function pick(pen, rng, x, y) {
  const height = rng.range(34, 52);
  pen.path(line(x, y + 4, x, y - height), { stroke: '#d9b06a', width: 3 });
  const top = y - height;
  const kind = rng.pick(['olive', 'olive', 'cherry', 'flag']);
  if (kind === 'flag') {
    const side = rng.pick([-1, 1]) * rng.range(26, 36);
    const color = rng.pick(['#d8392f', '#2f7fc1', '#3f9e58', '#f2b430']);
    pen.path(
      `M ${x} ${top} Q ${x + side * 0.5} ${top - 4} ${x + side} ${top + 9} L ${x} ${top + 20} Z`,
      {
        fill: color,
      },
    );
    return;
  }
  const colors = kind === 'olive' ? ['#a8b545', '#66752a'] : ['#f4604a', '#b8241b'];
  pen.path(oval(x, top + 16, 12, 10), { fill: pen.fade(colors) });
  pen.path(oval(x - 4, top + 12, 3, 2), { fill: '#ffffff', opacity: 0.7 });
  if (kind === 'olive') pen.path(oval(x, top + 9, 4, 2.4), { fill: '#d23b28' });
}

/**
 * Two eyes, cheeks and a smile.
 * @type {(pen: Pen, rng: Random, x: number, y: number, size: number) => void}
 */
export function face(pen, rng, x, y, size) {
  for (const side of [-1, 1]) {
    pen.path(oval(x + side * size, y, size * 0.26, size * 0.34), { fill: '#2c1a12' });
    pen.path(oval(x + side * size - size * 0.08, y - size * 0.12, size * 0.1), { fill: '#ffffff' });
    pen.path(oval(x + side * size * 1.6, y + size * 0.5, size * 0.32, size * 0.2), {
      fill: '#f07a6a',
      opacity: 0.55,
    });
  }
  const [corner, lip] = [size * 0.45, y + size * 0.35];
  const smile = `M ${x - corner} ${lip} Q ${x} ${y + size * rng.range(0.8, 1.1)} ${x + corner} ${lip}`;
  pen.path(smile, { stroke: '#2c1a12', width: size * 0.16 });
}

/**
 * Waxed paper round the lower part.
 * @type {(pen: Pen, rng: Random, half: number, height: number) => void}
 */
export function wrapper(pen, rng, half, height) {
  const [paper, mark] = rng.pick([
    ['#fbf3e4', '#d94b3d'],
    ['#f3e2bf', '#8a6a3a'],
    ['#ffffff', '#3f8f6a'],
    ['#e9eef2', '#3d6fa8'],
  ]);
  /** @type {Point[]} */
  const edge = [-1.08, -0.72, -0.38, 0, 0.4, 0.74, 1.08].map((u, i) => [
    u * half,
    -height * (i % 2 ? rng.range(0.62, 0.75) : rng.range(0.9, 1.05)),
  ]);
  const top = edge.map((point) => point.join(' ')).join(' L ');
  const d = `M ${top} L ${half * 0.86} 4 Q 0 10 ${-half * 0.86} 4 Z`;
  pen.path(d, { fill: pen.fade([paper ?? '', '#d8cbb4']), stroke: '#b9a98c', width: 1 });
  for (const u of [-0.6, -0.2, 0.2, 0.6]) {
    pen.path(oval(u * half, -height * 0.3, half * 0.06), { fill: mark ?? '', opacity: 0.8 });
  }
}

/**
 * An uneven round of something that looks out between two upright slices.
 * @type {(pen: Pen, rng: Random, outline: Point[], colors: string[], reach: number) => void}
 */
export function leaf(pen, rng, outline, [light = '', dark = ''], reach) {
  const ragged = outline.map(
    ([x, y]) => /** @type {Point} */ ([x * reach + rng.range(-5, 5), y * reach + rng.range(-6, 3)]),
  );
  pen.path(blob(ragged), { fill: light, stroke: dark, width: 1.5 });
}

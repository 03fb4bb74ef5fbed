/** Sandwiches of several makes, about 200 units wide, standing on y = 0. */

import * as layers from './fillings.mjs';
import { Random } from './random.mjs';
import { blob, line, oval, polygon, slab } from './shapes.mjs';

/** @import { Pen, Point } from './pen.mjs' */
/** @typedef {{ crumb: string, crust: string, shade: string }} Bread */

/** @type {Bread[]} */
const BREADS = [
  { crumb: '#f8e8c6', crust: '#c98a45', shade: '#e3c694' },
  { crumb: '#e2bd86', crust: '#96602f', shade: '#c49a60' },
  { crumb: '#b98a58', crust: '#6b4426', shade: '#966a3e' },
  { crumb: '#f0c67c', crust: '#a4682c', shade: '#d09a4c' },
  { crumb: '#8a6242', crust: '#46301f', shade: '#6a4830' },
  { crumb: '#fbf2dd', crust: '#dba35a', shade: '#ead2a4' },
];

const LOAVES = [
  { light: '#f3c37a', mid: '#d08c3c', dark: '#9a5c22' },
  { light: '#e0a25a', mid: '#b06a2a', dark: '#7c4316' },
  { light: '#f6dba6', mid: '#dcb06a', dark: '#b08040' },
  { light: '#b98652', mid: '#8c5a30', dark: '#5e381c' },
];

const FILLINGS = [
  layers.ham,
  layers.cheese,
  layers.lettuce,
  layers.tomato,
  layers.cucumber,
  layers.salad,
  layers.egg,
  layers.bacon,
  layers.onion,
  layers.lettuce,
  layers.ham,
  layers.patty,
];

/**
 * Holes and specks of the crumb.
 * @param {Pen} pen
 * @param {Random} rng
 * @param {{ x: number, y: number, w: number, h: number }} area
 * @param {Bread} bread
 */
function crumbs(pen, rng, { x, y, w, h }, bread) {
  for (let i = 0; i < 16; i++) {
    pen.path(
      oval(x + rng.next() * w, y + rng.next() * h, rng.range(0.8, 2.6), rng.range(0.7, 1.6)),
      {
        fill: rng.chance(0.7) ? bread.shade : bread.crust,
        opacity: 0.7,
      },
    );
  }
}

/**
 * One slice seen from its cut edge.
 * @param {Pen} pen
 * @param {Random} rng
 * @param {number} y
 * @param {number} half
 * @param {Bread} bread
 */
function slice(pen, rng, y, half, bread) {
  const height = rng.range(13, 19);
  pen.path(slab(rng, half, y, height, 1.2), { fill: bread.crust });
  pen.path(slab(rng, half * 0.95, y - 1, height - 2, 1), { fill: bread.crumb });
  crumbs(pen, rng, { x: -half * 0.85, y: y - height + 3, w: half * 1.7, h: height - 6 }, bread);
  return height - 1;
}

/**
 * Slices and fillings in turn, from below; answers the height.
 * @param {Pen} pen
 * @param {Random} rng
 * @param {number} half
 * @param {Bread} bread
 * @param {number} floors
 */
function storeys(pen, rng, half, bread, floors) {
  let y = -slice(pen, rng, 0, half, bread);
  for (let floor = 0; floor < floors; floor++) {
    const fillings = rng.shuffle(FILLINGS).slice(0, rng.int(2, floors > 1 ? 2 : 4));
    for (const filling of fillings) y += 1 - filling(pen, rng, y, half * 0.96);
    y -= slice(pen, rng, y, half, bread);
  }
  return -y;
}

/**
 * A triangle lying down, its long cut side to us.
 * @param {Pen} pen
 * @param {Random} rng
 * @param {number} floors
 */
function lyingHalf(pen, rng, floors) {
  const bread = rng.pick(BREADS);
  const half = floors > 1 ? 82 : 100;
  const top = storeys(pen, rng, half, bread, floors);
  const apex = rng.range(-40, 40);
  const depth = rng.range(40, 72);
  const front = half * 0.98;
  const y = 3 - top;
  const tip = `L ${apex + 12} ${y - depth + 5} Q ${apex} ${y - depth - 3} ${apex - 12} ${y - depth + 5}`;
  pen.path(`M ${-front} ${y} L ${front} ${y} ${tip} Z`, { fill: bread.crust });
  const face = polygon([
    [-front + 13, y - 1],
    [front - 13, y - 1],
    [apex, y - depth + 8],
  ]);
  pen.path(face, { fill: pen.fade([bread.shade, bread.crumb]) });
  pen.uncounted(() =>
    crumbs(pen, rng, { x: apex * 0.5 - 26, y: y - depth * 0.45, w: 52, h: depth * 0.38 }, bread),
  );
  if (rng.chance(floors > 1 ? 0.9 : 0.25)) layers.pick(pen, rng, apex * 0.4, y - depth * 0.35);
}

/** A square stack, a little of its top to be seen. @param {Pen} pen @param {Random} rng */
function toastStack(pen, rng) {
  const bread = rng.pick(BREADS);
  const half = rng.range(76, 96);
  const y = 3 - storeys(pen, rng, half, bread, rng.pick([1, 1, 2]));
  const depth = rng.range(24, 44);
  const back = half * 0.84;
  const far = y - depth;
  const d =
    `M ${-half} ${y} L ${half} ${y} L ${back + 4} ${far + 6} Q ${back} ${far} ${back - 8} ${far} ` +
    `L ${-back + 8} ${far} Q ${-back} ${far} ${-back - 4} ${far + 6} Z`;
  pen.path(d, { fill: bread.crust });
  const inner = polygon([
    [-half + 9, y - 3],
    [half - 9, y - 3],
    [back - 5, y - depth + 5],
    [-back + 5, y - depth + 5],
  ]);
  pen.path(inner, { fill: pen.fade([bread.shade, bread.crumb]) });
  if (rng.chance(0.45)) {
    for (const u of [-0.6, -0.2, 0.2, 0.6]) {
      pen.path(line(u * half + 9, y - 5, u * back + 3, y - depth + 7), {
        stroke: bread.crust,
        width: 6,
        opacity: 0.75,
      });
    }
  }
  if (rng.chance(0.6)) layers.pick(pen, rng, 0, y - depth * 0.5);
}

/**
 * Points round the outline of an upright slice, standing on y = 0.
 * @param {'triangle' | 'toast'} make
 * @returns {Point[]}
 */
function outlineOf(make) {
  return make === 'triangle'
    ? [
        [-92, -2],
        [-60, 0],
        [0, 0],
        [60, 0],
        [92, -2],
        [94, -12],
        [64, -52],
        [34, -92],
        [8, -124],
        [-8, -124],
        [-34, -92],
        [-64, -52],
        [-94, -12],
      ]
    : [
        [-72, -1],
        [0, 0],
        [72, -1],
        [77, -10],
        [75, -60],
        [77, -90],
        [86, -112],
        [72, -136],
        [30, -143],
        [0, -141],
        [-30, -143],
        [-72, -136],
        [-86, -112],
        [-77, -90],
        [-75, -60],
        [-77, -10],
      ];
}

/**
 * Two upright slices, one before the other, with the filling looking out.
 * @param {Pen} pen
 * @param {Random} rng
 * @param {'triangle' | 'toast'} make
 */
function upright(pen, rng, make) {
  const bread = rng.pick(BREADS);
  const outline = outlineOf(make);
  const side = rng.pick([-1, 1]);
  const offset = rng.range(26, 44);
  const at = (/** @type {number} */ part) => ({
    x: side * offset * part,
    y: -offset * 0.35 * part,
  });
  const whole = (/** @type {number} */ part, /** @type {string} */ fill) =>
    pen.group(at(part), () => pen.path(blob(outline), { fill }));
  whole(1, bread.crust);
  whole(0.86, bread.shade);
  const greens = rng.pick([
    ['#9bd14c', '#5e9c2c'],
    ['#7fc241', '#3f7f23'],
  ]);
  const meats = rng.pick([
    ['#f4a9a8', '#d77a7d'],
    ['#c9605a', '#96352f'],
    ['#f26146', '#c92f20'],
    ['#f7e3a0', '#d2ae4a'],
  ]);
  pen.group(at(0.7), () => layers.leaf(pen, rng, outline, greens, 1.04));
  pen.group(at(0.5), () => layers.leaf(pen, rng, outline, meats, 1));
  pen.group(at(0.34), () => layers.leaf(pen, rng, outline, ['#ffc52e', '#c98a1a'], 0.97));
  whole(0.2, bread.shade);
  whole(0, bread.crust);
  const inner = make === 'triangle' ? { y: -1, scale: 0.9 } : { y: -8, scale: 0.89 };
  pen.group(inner, () => {
    pen.path(blob(outline), { fill: pen.fade([bread.crumb, bread.crumb, bread.shade]) });
    crumbs(pen, rng, { x: -44, y: -66, w: 88, h: 58 }, bread);
  });
  if (rng.chance(0.2)) layers.face(pen, rng, 0, make === 'triangle' ? -50 : -70, 15);
}

/** A filled baguette or roll. @param {Pen} pen @param {Random} rng */
function sub(pen, rng) {
  const loaf = rng.pick(LOAVES);
  const half = rng.range(125, 160);
  const low = rng.range(18, 26);
  const base =
    `M ${-half} ${-low} L ${half} ${-low} Q ${half - 2} 0 ${half - 28} 0 ` +
    `L ${28 - half} 0 Q ${2 - half} 0 ${-half} ${-low} Z`;
  pen.path(base, { fill: pen.fade([loaf.light, loaf.mid, loaf.dark]) });
  let y = -low;
  const fillings = rng.shuffle(FILLINGS.filter((layer) => layer !== layers.patty));
  for (const filling of fillings.slice(0, rng.int(2, 4)))
    y += 1 - filling(pen, rng, y, half * 0.95);
  const rise = rng.range(34, 50);
  const top = y - rise;
  const roof =
    `M ${-half} ${y} C ${-half - 8} ${top} ${-half * 0.7} ${top} ${-half * 0.3} ${top} ` +
    `L ${half * 0.3} ${top} C ${half * 0.7} ${top} ${half + 8} ${top} ${half} ${y} ` +
    `Q 0 ${y + 7} ${-half} ${y} Z`;
  pen.path(roof, { fill: pen.fade([loaf.light, loaf.mid, loaf.mid, loaf.dark]) });
  const decor = rng.next();
  for (let i = 0; decor < 0.65 && i < 5; i++) {
    const x = (i - 2) * half * 0.34;
    const cut = `M ${x - 14} ${y - rise * 0.4} Q ${x} ${y - rise * 0.75} ${x + 16} ${y - rise * 0.84}`;
    pen.path(cut, { stroke: loaf.dark, width: 5, opacity: 0.8 });
    pen.path(cut, { stroke: '#fbe6bb', width: 2.4 });
  }
  for (let i = 0; decor > 0.75 && i < 26; i++) {
    const u = rng.range(-0.85, 0.85);
    pen.path(oval(u * half, y - rise * rng.range(0.35, 0.85 - 0.3 * u * u), 3.4, 2), {
      fill: '#fbf1d6',
    });
  }
  if (rng.chance(0.15)) layers.wrapper(pen, rng, half * 0.98, 34);
}

/** A sandwich cut straight, one half leaning on the other. @param {Pen} pen @param {Random} rng */
function leaningPair(pen, rng) {
  const bread = rng.pick(BREADS);
  const [left, half] = [-46, 66];
  let height = 0;
  pen.group({ x: left }, () => {
    height = storeys(pen, rng, half, bread, 1);
  });
  // The second half stands on its right corner and rests on the first one's edge.
  const rise = Math.min(0.85, height / (2 * half * 0.8));
  const slope = rise / Math.sqrt(1 - rise * rise);
  const y = -half * rise;
  const x = left + half - 9 + (height + y) / slope;
  pen.group({ x, y, angle: (Math.asin(rise) * 180) / Math.PI }, () => {
    storeys(pen, rng, half, bread, 1);
  });
}

/** @type {((pen: Pen, rng: Random) => void)[]} */
const MAKES = [
  (pen, rng) => lyingHalf(pen, rng, 1),
  (pen, rng) => lyingHalf(pen, rng, 1),
  (pen, rng) => lyingHalf(pen, rng, 2),
  (pen, rng) => upright(pen, rng, 'triangle'),
  (pen, rng) => upright(pen, rng, 'toast'),
  toastStack,
  toastStack,
  leaningPair,
];

/**
 * A sandwich of its own for each seed.
 * @param {string} seed
 * @param {{ long?: boolean }} [options] long: a filled baguette
 * @returns {(pen: Pen) => void}
 */
export function sandwich(seed, { long = false } = {}) {
  return (pen) => {
    const rng = new Random(`sandwich ${seed}`);
    const make = rng.pick(MAKES);
    if (long) sub(pen, rng);
    else make(pen, rng);
  };
}

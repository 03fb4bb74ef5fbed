/** Hamburgers, about 200 units wide, standing on y = 0. */

import * as layers from './fillings.mjs';
import { Random } from './random.mjs';
import { line, oval, slab } from './shapes.mjs';

/** @import { Pen } from './pen.mjs' */
/** @import { Layer } from './fillings.mjs' */
/** @typedef {{ light: string, mid: string, dark: string, crumb: string }} Bun */

/** @type {Bun[]} */
const BUNS = [
  { light: '#f6c878', mid: '#dd963c', dark: '#b06a22', crumb: '#f8e2b4' },
  { light: '#e99a4c', mid: '#b9641f', dark: '#874011', crumb: '#f4d49a' },
  { light: '#f8e0b0', mid: '#e2b974', dark: '#bb8a48', crumb: '#fbf0d8' },
  { light: '#cf9c62', mid: '#a26c38', dark: '#744622', crumb: '#e5c496' },
  { light: '#6a605a', mid: '#413934', dark: '#261f1b', crumb: '#8a7c70' },
  { light: '#f2b36b', mid: '#cf7d33', dark: '#9a5218', crumb: '#f9dcae' },
];

const SEEDS = ['#fbf1d6', '#f3dca8', '#fff8e6', '#3a2c20'];

const EXTRAS = [
  layers.tomato,
  layers.onion,
  layers.pickles,
  layers.bacon,
  layers.egg,
  layers.sauce,
  layers.tomato,
  layers.lettuce,
];

/**
 * What lies between the buns, from below.
 * @param {Random} rng
 * @returns {Layer[]}
 */
function stackOf(rng) {
  const below = rng.chance(0.55) ? [rng.pick([layers.lettuce, layers.pickles, layers.onion])] : [];
  const patties = rng.pick([1, 1, 1, 2, 2, 3]);
  const middle = Array.from({ length: patties }, () =>
    rng.chance(0.75) ? [layers.patty, layers.cheese] : [layers.patty],
  ).flat();
  const above = rng.shuffle(EXTRAS).slice(0, rng.int(patties > 2 ? 0 : 1, patties > 1 ? 2 : 3));
  const leaf = rng.chance(0.7) && !above.includes(layers.lettuce) ? [layers.lettuce] : [];
  return [...below, ...middle, ...above, ...leaf];
}

/** @param {Pen} pen @param {Random} rng @param {Bun} bun */
function bottomBun(pen, rng, bun) {
  const height = rng.range(24, 38);
  const d =
    `M -94 ${-height} L 94 ${-height} Q 100 ${-height} 99 ${-height * 0.7} ` +
    `Q 96 0 72 0 L -72 0 Q -96 0 -99 ${-height * 0.7} Q -100 ${-height} -94 ${-height} Z`;
  pen.path(d, { fill: pen.fade([bun.light, bun.mid, bun.dark]) });
  pen.path(slab(rng, 95, -height + 5, 7, 1), { fill: bun.crumb });
  return height;
}

/** @param {Pen} pen @param {Random} rng @param {Bun} bun @param {number} rise */
function seeds(pen, rng, bun, rise) {
  const color = bun.light === '#6a605a' ? '#fbf1d6' : rng.pick(SEEDS);
  for (let row = 0; row < 4; row++) {
    const up = 0.42 + row * 0.14;
    const reach = 0.86 * Math.sqrt(1 - (up - 0.2) ** 2) - row * 0.09;
    const count = 7 - row;
    for (let i = 0; i < count; i++) {
      const u = ((i + 0.5) / count) * 2 - 1 + rng.range(-0.08, 0.08);
      const x = u * reach * 88;
      const y = -rise * (up - 0.18 * u * u) + rng.range(-2, 2);
      pen.group({ x, y, angle: u * 55 + rng.range(-20, 20) }, () => {
        pen.path(oval(0, 1, 2.6, 4.4), { fill: bun.dark, opacity: 0.6 });
        pen.path(oval(0, 0, 2.3, 4), { fill: color });
      });
    }
  }
}

/** The domed half. @param {Pen} pen @param {Random} rng @param {Bun} bun */
function topBun(pen, rng, bun) {
  const rise = rng.range(50, 82);
  const d =
    `M -99 -6 C -105 ${-rise * 0.78} -60 ${-rise} 0 ${-rise} ` +
    `C 60 ${-rise} 105 ${-rise * 0.78} 99 -6 Q 97 4 84 4 L -84 4 Q -97 4 -99 -6 Z`;
  pen.path(d, { fill: pen.fade([bun.light, bun.mid, bun.mid, bun.dark]) });
  pen.path(line(-86, 1, 86, 1), { stroke: bun.crumb, width: 4, opacity: 0.8 });
  pen.group({ x: -34, y: -rise * 0.68, angle: -24 }, () => {
    pen.path(oval(0, 0, 34, 12), { fill: pen.fade(['#ffffff', 'clear'], 'out'), opacity: 0.55 });
  });
  if (rng.chance(0.68)) seeds(pen, rng, bun, rise);
  if (rng.chance(0.12)) layers.face(pen, rng, rng.range(-10, 10), -rise * 0.38, 17);
  return rise;
}

/**
 * A burger of its own for each seed.
 * @param {string} seed
 * @param {{ smiling?: boolean }} [options]
 * @returns {(pen: Pen) => void}
 */
export function burger(seed, { smiling = false } = {}) {
  return (pen) => {
    const rng = new Random(`burger ${seed}`);
    const bun = rng.pick(rng.chance(0.45) ? BUNS.slice(0, 2) : BUNS);
    let y = -bottomBun(pen, rng, bun);
    const stack = stackOf(rng);
    stack.forEach((layer, i) => {
      y += 1 - layer(pen, rng, y, i % 2 ? 95 : 98);
    });
    const picked = rng.chance(0.2);
    if (picked) {
      // The stick stands behind the dome, so that it seems to go in.
      pen.group({ y }, () => layers.pick(pen, rng, 0, -48));
    }
    pen.group({ x: rng.range(-4, 4), y: y + 2, angle: rng.range(-4, 4) }, () => {
      const rise = topBun(pen, rng, bun);
      if (smiling) layers.face(pen, rng, 0, -rise * 0.36, 20);
    });
    if (!smiling && rng.chance(0.14)) layers.wrapper(pen, rng, 100, 46);
  };
}

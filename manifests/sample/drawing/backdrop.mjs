/** Where the food stands: a wall or a view above the ground line, a surface below it. */

import { oval, polygon, rect } from './shapes.mjs';
import * as walls from './walls.mjs';

/** @import { Pen, Point } from './pen.mjs' */
/** @import { Random } from './random.mjs' */

/**
 * @typedef {{ w: number, h: number, ground: number }} Frame the picture; ground: where its
 *   surface begins
 * @typedef {(pen: Pen, rng: Random, frame: Frame) => void} Painter
 */

/**
 * The four sides of a piece of floor that runs towards a vanishing point.
 * @type {(frame: Frame, u0: number, u1: number, t0: number, t1: number) => Point[]}
 */
function floorTile({ w, h, ground }, u0, u1, t0, t1) {
  const at = (/** @type {number} */ u, /** @type {number} */ t) =>
    /** @type {Point} */ ([w / 2 + (u - 0.5) * w * (0.9 + 0.8 * t), ground + (h - ground) * t]);
  return [at(u0, t0), at(u1, t0), at(u1, t1), at(u0, t1)];
}

/** @type {Painter} */
function woodTable(pen, rng, frame) {
  const [light, dark] = rng.pick([
    ['#c98f58', '#8a5a30'],
    ['#9a6a42', '#5e3c22'],
    ['#e0bd8c', '#b08850'],
    ['#7a6455', '#4a3b31'],
  ]);
  const { w, h, ground } = frame;
  pen.path(rect(0, ground, w, h - ground), { fill: pen.fade([light ?? '', dark ?? '']) });
  const planks = rng.int(4, 7);
  for (let i = -1; i <= planks; i++) {
    const tile = floorTile(frame, i / planks, (i + 1) / planks, 0, 1);
    pen.path(polygon(tile), {
      fill: rng.pick(['#00000014', '#ffffff12', '#00000006']),
      stroke: dark ?? '',
      width: 1.4,
    });
  }
  for (let i = 0; i < 26; i++) {
    const [u, t] = [rng.range(-0.1, 1.1), rng.range(0.02, 0.9)];
    const [from, , , to] = floorTile(frame, u, u, t, t + rng.range(0.05, 0.2));
    pen.path(`M ${from?.join(' ')} L ${to?.join(' ')}`, {
      stroke: dark ?? '',
      width: 1,
      opacity: 0.5,
    });
  }
}

/** Gingham: two sets of half-clear bands that cross. @type {Painter} */
function gingham(pen, rng, frame) {
  const color = rng.pick(['#d23a34', '#2f6fb0', '#3f8f5a', '#e0a02c', '#8a5aa0', '#3a3a44']);
  const { w, h, ground } = frame;
  pen.path(rect(0, ground, w, h - ground), { fill: '#f8f3e8' });
  const [rows, columns] = [rng.int(5, 8), rng.int(7, 12)];
  const depth = (/** @type {number} */ i) => (i / rows) ** 1.5;
  for (let i = 0; i < rows; i += 2) {
    const y = ground + (h - ground) * depth(i);
    pen.path(rect(0, y, w, (h - ground) * (depth(i + 1) - depth(i))), {
      fill: color,
      opacity: 0.5,
    });
  }
  for (let i = 0; i < columns; i += 2) {
    pen.path(polygon(floorTile(frame, i / columns, (i + 1) / columns, 0, 1)), {
      fill: color,
      opacity: 0.5,
    });
  }
}

/** @type {Painter} */
function stoneCounter(pen, rng, { w, h, ground }) {
  const [light, dark] = rng.pick([
    ['#e9e6e2', '#c2bcb6'],
    ['#4a4c52', '#2a2c30'],
    ['#b9c4c2', '#8a9896'],
    ['#d8b8a8', '#b08a7a'],
  ]);
  pen.path(rect(0, ground, w, h - ground), { fill: pen.fade([light ?? '', dark ?? '']) });
  for (let i = 0; i < 6; i++) {
    const [x, y] = [rng.range(-0.1, 0.9) * w, rng.range(ground, h)];
    const wave = () => rng.range(-14, 14);
    pen.path(
      `M ${x} ${y} C ${x + 30} ${y + wave()} ${x + 60} ${y + wave()} ${x + w * 0.35} ${y + wave()}`,
      {
        stroke: rng.chance(0.5) ? '#ffffff' : '#77706a',
        width: rng.range(0.8, 2),
        opacity: 0.4,
      },
    );
  }
  pen.path(rect(0, ground, w, 4), { fill: '#ffffff', opacity: 0.4 });
}

/** @type {Painter} */
function dinerCounter(pen, rng, { w, h, ground }) {
  const color = rng.pick(['#c23a3a', '#2f8a8a', '#e3ddd0', '#5a4a6a']);
  pen.path(rect(0, ground, w, h - ground), { fill: pen.fade([color, '#3a2a34']) });
  pen.path(rect(0, ground, w, 10), {
    fill: pen.fade(['#f4f6f8', '#8a93a0', '#e4e8ee', '#6a7380']),
  });
  for (let i = 0; i < 8; i++) {
    pen.path(oval(rng.next() * w, rng.range(ground + 14, h), rng.range(8, 30), 2), {
      fill: '#ffffff',
      opacity: 0.12,
    });
  }
}

/** Grass with a blanket. @type {Painter} */
function meadow(pen, rng, frame) {
  const { w, h, ground } = frame;
  pen.path(rect(0, ground, w, h - ground), { fill: pen.fade(['#8fc060', '#4f8a38']) });
  for (let i = 0; i < 90; i++) {
    const [x, y] = [rng.next() * w, rng.range(ground + 2, h)];
    const color = rng.pick(['#a9d474', '#3f7a2c', '#6fae48']);
    pen.path(`M ${x} ${y} Q ${x + 1} ${y - 5} ${x + rng.range(-3, 3)} ${y - rng.range(6, 11)}`, {
      stroke: color,
      width: 1.4,
    });
  }
  for (let i = 0; i < 12; i++) {
    pen.path(oval(rng.next() * w, rng.range(ground + 4, h), 2.2), {
      fill: rng.pick(['#ffffff', '#ffe27a', '#f08ab0']),
    });
  }
  const color = rng.pick(['#d8453a', '#2f72b4', '#e7a93a', '#f2ead8']);
  const [left, right] = [rng.range(0.06, 0.16), rng.range(0.84, 0.94)];
  pen.path(polygon(floorTile(frame, left, right, 0.3, 0.88)), { fill: '#f6efe0' });
  for (let i = 0; i < 7; i += 2) {
    const step = (right - left) / 7;
    pen.path(polygon(floorTile(frame, left + i * step, left + (i + 1) * step, 0.3, 0.88)), {
      fill: color,
      opacity: 0.75,
    });
  }
}

/** @type {Painter} */
function sand(pen, rng, { w, h, ground }) {
  pen.path(rect(0, ground, w, h - ground), { fill: pen.fade(['#f3dca8', '#d9b676']) });
  for (let i = 0; i < 120; i++) {
    pen.path(oval(rng.next() * w, rng.range(ground, h), rng.range(0.6, 1.6)), {
      fill: rng.pick(['#b8945a', '#fff3d0', '#8f7040']),
      opacity: 0.7,
    });
  }
  const [x, y] = [w * rng.range(0.06, 0.16), h * 0.93];
  pen.path(
    polygon([
      [x, y - 14],
      [x + 4, y - 4],
      [x + 14, y - 4],
      [x + 6, y + 2],
      [x + 9, y + 10],
      [x, y + 5],
      [x - 9, y + 10],
      [x - 6, y + 2],
      [x - 14, y - 4],
      [x - 4, y - 4],
    ]),
    { fill: '#e8784a' },
  );
}

/** One colour from edge to edge, as in a studio. @type {Painter} */
function studio(pen, rng, { w, h }) {
  const [light, dark] = rng.pick([
    ['#fbe3b0', '#f0a868'],
    ['#cfeae6', '#6fb0ac'],
    ['#f6d0d8', '#d88aa0'],
    ['#4a5568', '#1f2530'],
    ['#e4d8f4', '#a890cc'],
    ['#d8d4cc', '#a09a90'],
  ]);
  pen.path(rect(0, 0, w, h), {
    fill: pen.fade([dark ?? '', light ?? '', light ?? '', dark ?? '']),
  });
}

/** Stars, a planet and nothing to stand on. @type {Painter} */
export function space(pen, rng, { w, h }) {
  pen.path(rect(0, 0, w, h), { fill: pen.fade(['#070a1e', '#1a1440', '#3a1f55']) });
  for (let i = 0; i < 90; i++) {
    pen.path(oval(rng.next() * w, rng.next() * h, rng.range(0.4, 1.5)), {
      fill: '#ffffff',
      opacity: rng.range(0.4, 1),
    });
  }
  const [x, y, r] = [w * rng.range(0.1, 0.3), h * rng.range(0.15, 0.3), h * 0.1];
  pen.path(oval(x, y, r), { fill: pen.fade(['#f2b880', '#a0584a']) });
  pen.path(oval(x, y, r * 1.7, r * 0.32), { stroke: '#f6dfb8', width: 3, opacity: 0.8 });
  pen.path(oval(w * 0.9, h * 1.1, h * 0.35), { fill: pen.fade(['#7f8aa8', '#3a4260']) });
}

const INDOOR_WALLS = [
  walls.plainWall,
  walls.stripedWall,
  walls.dottedWall,
  walls.tiledWall,
  walls.windowWall,
  walls.shelfWall,
];
const TABLES = [woodTable, woodTable, gingham, gingham, stoneCounter, dinerCounter];

/** Paints a place; a seed always gives the same one. @type {Painter} */
export function backdrop(pen, rng, frame) {
  const where = rng.next();
  if (where < 0.12) {
    walls.parkView(pen, rng, frame);
    meadow(pen, rng, frame);
  } else if (where < 0.18) {
    walls.seaView(pen, rng, frame);
    sand(pen, rng, frame);
  } else if (where < 0.26) {
    studio(pen, rng, frame);
  } else if (where < 0.36) {
    walls.nightWall(pen, rng, frame);
    dinerCounter(pen, rng, frame);
  } else {
    indoors(pen, rng, frame);
  }
}

/** A table in a room. @type {Painter} */
export function indoors(pen, rng, frame) {
  rng.pick(INDOOR_WALLS)(pen, rng, frame);
  pen.path(rect(0, frame.ground - 5, frame.w, 6), { fill: '#000000', opacity: 0.12 });
  rng.pick(TABLES)(pen, rng, frame);
}

/** What is behind the table: walls, windows and open views, above the ground line. */

import { line, oval, polygon, rect, roundRect } from './shapes.mjs';

/** @import { Painter } from './backdrop.mjs' */

const WALLS = [
  '#e9d9bf',
  '#bcd4d6',
  '#e8b9a0',
  '#c9d3a8',
  '#8fa9b8',
  '#d8c4d8',
  '#6f7f86',
  '#f0dca0',
];

/** @type {Painter} */
export function plainWall(pen, rng, { w, ground }) {
  const color = rng.pick(WALLS);
  pen.path(rect(0, 0, w, ground + 1), { fill: color });
  pen.path(rect(0, 0, w, ground + 1), { fill: pen.fade(['clear', '#5a4636']), opacity: 0.35 });
}

/** @type {Painter} */
export function stripedWall(pen, rng, frame) {
  plainWall(pen, rng, frame);
  const step = rng.range(14, 30);
  const color = rng.pick(WALLS);
  for (let x = rng.range(-step, 0); x < frame.w; x += step * 2) {
    pen.path(rect(x, 0, step, frame.ground), { fill: color, opacity: 0.55 });
  }
}

/** @type {Painter} */
export function dottedWall(pen, rng, frame) {
  plainWall(pen, rng, frame);
  const step = rng.range(20, 34);
  for (let row = 0; row * step < frame.ground; row++) {
    for (let x = (row % 2) * step * 0.5; x < frame.w; x += step) {
      pen.path(oval(x, row * step + 6, step * 0.18), { fill: '#ffffff', opacity: 0.5 });
    }
  }
}

/** @type {Painter} */
export function tiledWall(pen, rng, { w, ground }) {
  const [tile, grout] = rng.pick([
    ['#f2f0ea', '#b9b4a8'],
    ['#cfe3dc', '#7fa39a'],
    ['#a9583f', '#5e3527'],
    ['#e6d3b0', '#a98d60'],
    ['#4f6a7c', '#2c3d4a'],
  ]);
  pen.path(rect(0, 0, w, ground + 1), { fill: grout ?? '' });
  const [tw, th] = [rng.range(30, 46), rng.range(14, 22)];
  for (let row = 0; row * th < ground; row++) {
    for (let x = -(row % 2) * tw * 0.5; x < w; x += tw) {
      const y = ground - (row + 1) * th;
      pen.path(rect(x + 1, y + 1, tw - 2, th - 2), {
        fill: tile ?? '',
        opacity: rng.range(0.82, 1),
      });
    }
  }
}

/** @type {Painter} */
export function windowWall(pen, rng, frame) {
  plainWall(pen, rng, frame);
  const { w, ground } = frame;
  const [x, y, ww, wh] = [w * rng.range(0.08, 0.45), ground * 0.1, w * 0.45, ground * 0.72];
  pen.path(rect(x, y, ww, wh), { fill: pen.fade(['#8cc8ee', '#e8f4f2']) });
  pen.clipped(rect(x, y, ww, wh), () => {
    pen.path(oval(x + ww * 0.3, y + wh * 1.1, ww * 0.5, wh * 0.45), { fill: '#8fbf6a' });
    pen.path(oval(x + ww * 0.85, y + wh * 1.1, ww * 0.45, wh * 0.35), { fill: '#6fa552' });
    for (const u of [0.2, 0.3, 0.42]) {
      pen.path(oval(x + ww * u, y + wh * 0.28, ww * 0.1, wh * 0.1), {
        fill: '#ffffff',
        opacity: 0.85,
      });
    }
  });
  const frame_ = { stroke: '#f6efe2', width: 5 };
  pen.path(rect(x, y, ww, wh), frame_);
  pen.path(
    `${line(x + ww / 2, y, x + ww / 2, y + wh)} ${line(x, y + wh / 2, x + ww, y + wh / 2)}`,
    frame_,
  );
}

/** Neon signs, 200 units high: an arrow, a heart, a moon, a cup, a star. */
const SIGNS = [
  'M -140 -40 L 20 -40 L 20 -100 L 140 0 L 20 100 L 20 40 L -140 40 Z',
  'M 0 100 C -200 -40 -70 -150 0 -40 C 70 -150 200 -40 0 100 Z',
  'M 0 -100 C 130 -100 130 100 0 100 C 60 40 60 -40 0 -100 Z',
  'M -100 -50 L 70 -50 L 50 100 L -80 100 Z M 68 -30 Q 150 0 60 50',
  'M 0 -100 L 25 -34 L 95 -31 L 40 13 L 59 81 L 0 42 L -59 81 L -40 13 L -95 -31 L -25 -34 Z',
];

/** City lights behind the glass of a diner. @type {Painter} */
export function nightWall(pen, rng, { w, ground }) {
  pen.path(rect(0, 0, w, ground + 1), { fill: pen.fade(['#0d1230', '#241a45', '#5a2c5c']) });
  for (let i = 0; i < 34; i++) {
    pen.path(oval(rng.next() * w, ground * rng.range(0.3, 1), rng.range(3, w * 0.04)), {
      fill: rng.pick(['#ffcf6a', '#ff7d5a', '#7fd0ff', '#ff5fa2', '#fff3c0']),
      opacity: rng.range(0.12, 0.5),
    });
  }
  const neon = rng.pick(['#ff4f9a', '#4fe0ff', '#ffb13d', '#8dff7a']);
  const [sign, scale] = [rng.pick(SIGNS), ground * 0.0026];
  pen.group({ x: w * rng.range(0.2, 0.8), y: ground * 0.4, scale }, () => {
    pen.path(sign, { stroke: neon, width: 12 / scale, opacity: 0.15 });
    pen.path(sign, { stroke: neon, width: 7 / scale, opacity: 0.3 });
    pen.path(sign, { stroke: neon, width: 2.4 / scale });
  });
}

/** Shelves with jars. @type {Painter} */
export function shelfWall(pen, rng, frame) {
  plainWall(pen, rng, frame);
  const { w, ground } = frame;
  for (const y of [ground * 0.42, ground * 0.86]) {
    for (let x = rng.range(4, 20); x < w; x += rng.range(20, 40)) {
      const [jw, jh] = [rng.range(10, 18), ground * rng.range(0.14, 0.28)];
      pen.path(roundRect(x, y - jh, jw, jh, 3), {
        fill: rng.pick(['#a8483a', '#d8b45a', '#6a8a5a', '#e9e2d2', '#4f6a8a', '#c98a6a']),
      });
      pen.path(rect(x + 1, y - jh - 3, jw - 2, 4), { fill: '#5e4a3a' });
    }
    pen.path(rect(0, y, w, 6), { fill: '#7c5636' });
  }
}

/** Sky, hills and a tree or two. @type {Painter} */
export function parkView(pen, rng, { w, ground }) {
  pen.path(rect(0, 0, w, ground + 1), {
    fill: pen.fade(
      rng.pick([
        ['#7ec0ee', '#e3f3f6'],
        ['#f7b27a', '#fbe3b8'],
        ['#a9c4d4', '#e6e9e0'],
      ]),
    ),
  });
  pen.path(oval(w * rng.range(0.1, 0.9), ground * 0.22, w * 0.05), { fill: '#fff2b8' });
  for (let i = 0; i < 3; i++) {
    pen.path(
      oval(w * rng.next(), ground * 1.05, w * rng.range(0.25, 0.45), ground * rng.range(0.2, 0.4)),
      {
        fill: rng.pick(['#8fb872', '#74a35c', '#a4c284']),
      },
    );
  }
  for (let i = rng.int(1, 3); i > 0; i--) {
    const [x, size] = [w * rng.next(), ground * rng.range(0.16, 0.26)];
    pen.path(rect(x - 3, ground - size * 1.2, 6, size * 1.2), { fill: '#6a4a30' });
    pen.path(oval(x, ground - size * 1.7, size * 0.8, size), {
      fill: rng.pick(['#4f8a3f', '#5f9c48', '#3f7a44']),
    });
  }
}

/** @type {Painter} */
export function seaView(pen, rng, { w, ground }) {
  pen.path(rect(0, 0, w, ground + 1), { fill: pen.fade(['#6fb6e8', '#fbe6c8']) });
  pen.path(rect(0, ground * 0.55, w, ground * 0.45 + 1), {
    fill: pen.fade(['#2f8fb0', '#7cc9cc']),
  });
  const x = w * rng.range(0.15, 0.8);
  pen.path(
    polygon([
      [x, ground * 0.2],
      [x + w * 0.07, ground * 0.52],
      [x, ground * 0.52],
    ]),
    { fill: '#ffffff' },
  );
  pen.path(
    polygon([
      [x - w * 0.05, ground * 0.55],
      [x + w * 0.09, ground * 0.55],
      [x + w * 0.06, ground * 0.62],
      [x - w * 0.02, ground * 0.62],
    ]),
    { fill: '#b8432f' },
  );
  for (let i = 0; i < 10; i++) {
    const [wx, wy] = [rng.next() * w, ground * rng.range(0.66, 0.97)];
    pen.path(line(wx, wy, wx + rng.range(8, 24), wy), {
      stroke: '#ffffff',
      width: 1.5,
      opacity: 0.6,
    });
  }
}

/** Things that keep the food company; each stands on y = 0 and is some 60 to 200 units wide. */

import { blob, line, oval, polygon, rect, roundRect } from './shapes.mjs';

/** @import { Pen, Point } from './pen.mjs' */
/** @import { Random } from './random.mjs' */
/** @typedef {(pen: Pen, rng: Random) => void} Prop */

const BRIGHT = ['#d8432f', '#2f7fa8', '#3f9468', '#e6a72c', '#8a5aa6', '#e7e2d6', '#30475e'];

/** A mug of coffee; the steam is no part of it. @type {Prop} */
export function coffeeCup(pen, rng) {
  const color = rng.pick(BRIGHT);
  pen.path('M 34 -66 C 66 -70 66 -20 30 -22', { stroke: color, width: 9 });
  pen.path('M -40 -82 L 40 -82 L 33 -8 Q 30 0 20 0 L -20 0 Q -30 0 -33 -8 Z', {
    fill: pen.fade([color, color, '#5a4a42'], 'right'),
  });
  pen.path(oval(0, -82, 40, 9), { fill: '#f3ece0' });
  pen.path(oval(0, -81, 34, 6.5), { fill: '#5b3620' });
  if (rng.chance(0.5)) pen.path(oval(0, -44, 12), { fill: '#ffffff', opacity: 0.6 });
  pen.uncounted(() => {
    for (const x of [-12, 10]) {
      pen.path(`M ${x} -92 C ${x - 12} -106 ${x + 12} -116 ${x} -134`, {
        stroke: '#ffffff',
        width: 5,
        opacity: 0.35,
      });
    }
  });
}

/** A paper cup with lid and straw. @type {Prop} */
export function soda(pen, rng) {
  const color = rng.pick(BRIGHT);
  pen.path('M 8 -120 L 16 -168 L 36 -176', { stroke: rng.pick(BRIGHT), width: 7 });
  pen.path('M -40 -112 L 40 -112 L 29 0 L -29 0 Z', {
    fill: pen.fade(['#fdfaf4', '#fdfaf4', '#cfc6b8'], 'right'),
  });
  pen.path('M -37 -80 L 37 -80 L 32 -32 L -32 -32 Z', { fill: color });
  pen.path('M -34 -64 Q -10 -80 4 -58 Q 18 -38 34 -50', {
    stroke: '#ffffff',
    width: 5,
    opacity: 0.8,
  });
  pen.path(roundRect(-45, -124, 90, 14, 6), { fill: '#f1ede6', stroke: '#b9b1a4', width: 1.5 });
}

/** A glass of something cold. @type {Prop} */
export function glass(pen, rng) {
  const [light, dark] = rng.pick([
    ['#f7b23c', '#e0841c'],
    ['#7a3d20', '#3c1c10'],
    ['#f3e07a', '#d7b93a'],
    ['#e2647a', '#b3304e'],
    ['#bfe0ea', '#86b9cc'],
  ]);
  pen.path('M 6 -60 L 30 -150', { stroke: rng.pick(BRIGHT), width: 6 });
  pen.path('M -33 -92 L 33 -92 L 27 -5 L -27 -5 Z', { fill: pen.fade([light ?? '', dark ?? '']) });
  for (const [x, y] of [
    [-13, -78],
    [9, -70],
    [-2, -50],
  ]) {
    pen.path(roundRect((x ?? 0) - 9, (y ?? 0) - 9, 18, 18, 4), { fill: '#ffffff', opacity: 0.35 });
  }
  pen.path('M -36 -116 L -28 0 L 28 0 L 36 -116', { stroke: '#e9f3f6', width: 4, opacity: 0.85 });
  pen.path(oval(0, -116, 36, 5), { stroke: '#f4fafc', width: 2.5 });
}

/** @type {Prop} */
export function fries(pen, rng) {
  const color = rng.pick(['#d8322a', '#d8322a', '#f2b430', '#2f6fa8', '#f4efe4']);
  for (let i = 0; i < 17; i++) {
    const x = rng.range(-38, 38);
    pen.path(line(x * 0.7, -50, x * 1.12 + rng.range(-6, 6), -rng.range(88, 128)), {
      stroke: rng.pick(['#f6cf5e', '#eab640', '#f9df8a', '#d99a2c']),
      width: 8,
    });
  }
  pen.path('M -48 -80 Q 0 -52 48 -80 L 34 0 L -34 0 Z', {
    fill: pen.fade([color, color, '#5e1f1a'], 'right'),
  });
  pen.path(oval(0, -34, 14), { fill: color === '#f2b430' ? '#d8322a' : '#f8d35a' });
}

/** @type {Prop} */
export function apple(pen, rng) {
  const [light, dark] = rng.pick([
    ['#f25a45', '#a8201c'],
    ['#b7d44a', '#6d9a24'],
    ['#f6c94a', '#d8882a'],
  ]);
  pen.path('M 0 -66 Q 2 -80 10 -86', { stroke: '#5b3a1e', width: 5 });
  pen.path('M 6 -74 Q 22 -92 38 -80 Q 24 -66 6 -74 Z', { fill: '#5f9c38' });
  const d =
    'M 0 -66 C 20 -80 46 -66 44 -38 C 42 -10 22 2 0 -3 C -22 2 -42 -10 -44 -38 C -46 -66 -20 -80 0 -66 Z';
  pen.path(d, { fill: pen.fade([light ?? '', dark ?? '']) });
  pen.path(oval(-20, -50, 8, 11), { fill: '#ffffff', opacity: 0.45 });
}

/** @type {Prop} */
export function tomato(pen, rng) {
  pen.path(oval(0, -33, 40, 33), { fill: pen.fade(['#f4604a', '#b8241b']) });
  /** @type {Point[]} */
  const leaf = Array.from({ length: 10 }, (_, i) => {
    const reach = i % 2 ? 5 : rng.range(17, 23);
    return [Math.cos(i * 0.628) * reach, -64 + Math.sin(i * 0.628) * reach * 0.4];
  });
  pen.path(polygon(leaf), { fill: '#4f8f34' });
  pen.path(oval(-17, -46, 8, 6), { fill: '#ffffff', opacity: 0.5 });
}

/** A squeeze bottle of sauce. @type {Prop} */
export function bottle(pen, rng) {
  const color = rng.pick(['#cf2f22', '#f0b92c', '#f4ead2', '#4d7f3a']);
  pen.path(
    polygon([
      [-6, -150],
      [6, -150],
      [10, -122],
      [-10, -122],
    ]),
    { fill: '#f3efe6' },
  );
  pen.path(
    'M -14 -124 L 14 -124 Q 30 -110 30 -92 L 30 -8 Q 30 0 22 0 L -22 0 Q -30 0 -30 -8 L -30 -92 Q -30 -110 -14 -124 Z',
    {
      fill: pen.fade([color, color, '#4a2018'], 'right'),
    },
  );
  pen.path(roundRect(-24, -80, 48, 46, 5), { fill: '#fff7e2', opacity: 0.9 });
  pen.path(rng.chance(0.5) ? oval(0, -57, 13) : rect(-12, -69, 24, 24), { fill: color });
}

/** A cat that looks over the edge of the table; y = 0 is that edge. @type {Prop} */
export function cat(pen, rng) {
  const [coat, shade, nose] = rng.pick([
    ['#e59a45', '#b8661f', '#d9707a'],
    ['#5b5560', '#35303a', '#c98a90'],
    ['#efe6d8', '#c9b79c', '#e08a92'],
    ['#8b6a4c', '#5a412c', '#d9858a'],
  ]);
  const fur = { fill: coat ?? '' };
  for (const side of [-1, 1]) {
    pen.path(
      polygon([
        [side * 18, -78],
        [side * 58, -112],
        [side * 62, -48],
      ]),
      fur,
    );
    pen.path(
      polygon([
        [side * 32, -78],
        [side * 53, -98],
        [side * 55, -62],
      ]),
      { fill: nose ?? '' },
    );
  }
  pen.path('M -66 0 C -80 -60 -48 -90 0 -90 C 48 -90 80 -60 66 0 Z', fur);
  for (const x of [-14, 0, 14])
    pen.path(line(x, -86, x * 0.8, -68), { stroke: shade ?? '', width: 5 });
  const look = rng.range(-5, 5);
  for (const side of [-1, 1]) {
    pen.path(oval(side * 28, -42, 15, 17), { fill: '#f4f1c8' });
    pen.path(oval(side * 28 + look, -38, 7, 12), { fill: '#1d1a18' });
    pen.path(oval(side * 28 + look - 3, -44, 3), { fill: '#ffffff' });
  }
  pen.path(
    polygon([
      [-6, -22],
      [6, -22],
      [0, -14],
    ]),
    { fill: nose ?? '' },
  );
  for (const side of [-1, 1]) {
    pen.path(roundRect(side * 58 - 17, -14, 34, 24, 11), {
      fill: coat ?? '',
      stroke: shade ?? '',
      width: 2,
    });
    pen.path(line(side * 58 - 5, 2, side * 58 - 5, 9), { stroke: shade ?? '', width: 2 });
    pen.path(line(side * 58 + 5, 2, side * 58 + 5, 9), { stroke: shade ?? '', width: 2 });
  }
}

/** A small brown bird with an interest in crumbs. @type {Prop} */
export function sparrow(pen) {
  pen.path('M -12 0 L -10 -14 M 4 0 L 4 -14', { stroke: '#6b4a2c', width: 3 });
  pen.path('M -34 -22 L -76 -44 L -40 -40 Z', { fill: '#5a3e28' });
  pen.path(
    blob([
      [-44, -38],
      [-12, -58],
      [22, -48],
      [26, -24],
      [0, -8],
      [-32, -14],
    ]),
    {
      fill: pen.fade(['#9a6a40', '#e6d3b4']),
    },
  );
  pen.path(oval(22, -56, 20, 18), { fill: '#8a5a34' });
  pen.path(oval(27, -48, 12, 8), { fill: '#efe2cc' });
  pen.path(
    blob([
      [-40, -36],
      [-8, -48],
      [8, -34],
      [-14, -22],
    ]),
    { fill: '#6e4a2e' },
  );
  pen.path('M 40 -58 L 54 -53 L 40 -49 Z', { fill: '#3c3430' });
  pen.path(oval(28, -61, 3.4), { fill: '#16110e' });
}

/** An ant on its way to the right. @type {Prop} */
export function ant(pen) {
  for (const x of [-9, 0, 9]) {
    pen.path(`M ${x - 5} 0 L ${x - 2} -9 L ${x} -6 M ${x + 5} 0 L ${x + 3} -9 L ${x} -6`, {
      stroke: '#2a1712',
      width: 1.6,
    });
  }
  pen.path(oval(-14, -10, 11, 7), { fill: '#3a1f17' });
  pen.path(oval(2, -9, 6, 4), { fill: '#3a1f17' });
  pen.path(oval(14, -11, 6.5, 5.5), { fill: '#3a1f17' });
  pen.path('M 18 -15 L 26 -23 M 15 -16 L 19 -26', { stroke: '#2a1712', width: 1.4 });
}

/** A saucer with a light below it; y = 0 is its underside. @type {Prop} */
export function ufo(pen) {
  pen.path(oval(0, -30, 44, 36), { fill: pen.fade(['#d6f6ff', '#7cc4d8']), opacity: 0.9 });
  pen.path(oval(0, -34, 13, 17), { fill: '#86c95a' });
  for (const side of [-1, 1]) pen.path(oval(side * 5, -38, 3.4, 5), { fill: '#17240f' });
  pen.path(oval(0, -12, 100, 20), { fill: pen.fade(['#e4e8ee', '#7c8796']) });
  for (const x of [-70, -36, 0, 36, 70])
    pen.path(oval(x, -8 + Math.abs(x) * -0.06, 6, 5), { fill: '#ffd95a' });
}

/** A round plate seen a little from above, its middle at y = 0. @type {Prop} */
export function plate(pen, rng) {
  const rim = rng.pick(['#ffffff', '#f4efe6', '#dfe9ee', '#f6e3c0', '#bcd3cf', '#3f4a58']);
  const mark = rng.pick(['#c8bfb2', '#3f6fa8', '#c9503f', '#8a9a5a']);
  pen.path(oval(0, 4, 100, 27), { fill: '#8d8578', opacity: 0.9 });
  pen.path(oval(0, 0, 100, 27), { fill: rim });
  pen.path(oval(0, 0, 92, 24), { stroke: mark, width: 2, opacity: 0.8 });
  pen.path(oval(0, 2, 68, 16), {
    fill: pen.fade(['#00000040', 'clear']),
    stroke: '#00000018',
    width: 2,
  });
}

/** A wooden board, its middle at y = 0. @type {Prop} */
export function board(pen, rng) {
  const wood = rng.pick(['#b98550', '#8f5f36', '#d3a870']);
  pen.path('M -92 -18 L 92 -18 L 106 20 L 106 28 L -106 28 L -106 20 Z', { fill: '#6b4728' });
  pen.path('M -92 -18 L 92 -18 L 106 20 L -106 20 Z', { fill: wood });
  for (const y of [-9, 0, 9]) {
    pen.path(line(-90 - y * 0.4, y, 60 + y, y + rng.range(-3, 3)), {
      stroke: '#5e3d20',
      width: 1.5,
      opacity: 0.4,
    });
  }
}

/** A tray lined with paper, its middle at y = 0. @type {Prop} */
export function tray(pen, rng) {
  const color = rng.pick(['#b8322a', '#37474f', '#2f6f5e', '#c98a2a', '#31588a']);
  pen.path('M -102 -26 L 102 -26 L 124 24 Q 126 32 116 32 L -116 32 Q -126 32 -124 24 Z', {
    fill: color,
  });
  pen.path('M -94 -20 L 94 -20 L 112 22 L -112 22 Z', { fill: '#00000030' });
  pen.path('M -78 -20 L 66 -16 L 92 20 L -98 18 Z', {
    fill: rng.pick(['#f7efe0', '#e9dcc0', '#ffffff']),
  });
  for (let i = 0; i < 9; i++) {
    pen.path(oval(rng.range(-70, 66), rng.range(-12, 15), 5, 2), { fill: color, opacity: 0.35 });
  }
}

/** A paper napkin laid at an angle. @type {Prop} */
export function napkin(pen, rng) {
  const color = rng.pick(['#ffffff', '#f6d9d0', '#d6e6f0', '#f5eab8']);
  const lean = rng.range(-20, 20);
  pen.path(
    polygon([
      [-100, 2],
      [lean, -30],
      [100, 0],
      [-lean, 32],
    ]),
    { fill: color },
  );
  pen.path(
    polygon([
      [-84, 2],
      [lean * 0.8, -25],
      [84, 0],
      [-lean * 0.8, 27],
    ]),
    { stroke: '#00000022', width: 2 },
  );
}

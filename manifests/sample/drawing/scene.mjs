/** Composes each picture of the plan: a place, the food, and its company. */

import { backdrop, indoors, space } from './backdrop.mjs';
import { burger } from './burger.mjs';
import * as props from './props.mjs';
import { Random } from './random.mjs';
import { sandwich } from './sandwich.mjs';
import { oval, polygon, rect } from './shapes.mjs';
import { Stage } from './stage.mjs';

/** @import { Prop } from './props.mjs' */
/** @import { Main, Spec } from './plan.mjs' */
/** @import { Drawing, Seen } from './stage.mjs' */
/** @typedef {{ svg: string, width: number, height: number, seen: Seen[] }} Scene */

const LABELS = {
  burger: 'Hamburger',
  sandwich: 'Sandwich',
  long: 'Sandwich',
  submarine: 'Submarine sandwich',
};

/**
 * Company, with its class where it has one.
 * @type {{ prop: Prop, label?: string, size: number }[]}
 */
const COMPANY = [
  { prop: props.coffeeCup, label: 'Coffee cup', size: 0.2 },
  { prop: props.soda, label: 'Drink', size: 0.17 },
  { prop: props.glass, label: 'Drink', size: 0.13 },
  { prop: props.fries, label: 'French fries', size: 0.2 },
  { prop: props.apple, label: 'Apple', size: 0.15 },
  { prop: props.tomato, label: 'Tomato', size: 0.14 },
  { prop: props.bottle, size: 0.11 },
];

/** @type {{ prop: Prop, label?: string, wide: number }[]} */
const UNDERLAYS = [
  { prop: props.plate, label: 'Plate', wide: 1.34 },
  { prop: props.plate, label: 'Plate', wide: 1.34 },
  { prop: props.board, wide: 1.25 },
  { prop: props.tray, wide: 1.45 },
  { prop: props.napkin, wide: 1.35 },
];

/** @param {Main} kind @param {string} seed @returns {Drawing} */
const food = (kind, seed) =>
  kind === 'burger' ? burger(seed) : sandwich(seed, { long: kind !== 'sandwich' });

/** @param {Prop} prop @param {string} seed @returns {Drawing} */
const drawn = (prop, seed) => (pen) => prop(pen, new Random(seed));

/** @param {Stage} stage */
const tilt = ({ rng }) => (rng.chance(0.15) ? rng.range(-11, 11) : rng.range(-3, 3));

/**
 * Something to stand on, below the spot.
 * @param {Stage} stage
 * @param {{ x: number, base: number, width: number }} spot
 */
function underlay(stage, { x, base, width }) {
  if (stage.rng.chance(0.35)) return;
  const { prop, label, wide } = stage.rng.pick(UNDERLAYS);
  const drop = width * 0.1;
  const spot = { x, base: base + drop, width: width * wide, height: drop * 3.4 };
  stage.place(drawn(prop, stage.seed()), spot, stage.rng.chance(0.8) ? label : undefined);
}

/**
 * Cups and the like behind the food.
 * @param {Stage} stage
 * @param {number[]} places fractions of the width
 */
function company(stage, places) {
  const { rng, frame } = stage;
  for (const place of places) {
    if (rng.chance(0.45)) continue;
    const { prop, label, size } = rng.pick(COMPANY);
    const spot = {
      x: frame.w * (place + rng.range(-0.03, 0.03)),
      base: frame.ground + (frame.h - frame.ground) * rng.range(0.15, 0.4),
      width: Math.min(frame.w, frame.h * 1.4) * size * rng.range(0.85, 1.2),
      height: frame.ground * 0.95,
    };
    stage.place(drawn(prop, stage.seed()), spot, rng.chance(0.8) ? label : undefined);
  }
}

/** A guest that nobody asked. @param {Stage} stage @param {boolean} table */
function guest(stage, table) {
  const { rng, frame } = stage;
  const { w, h, ground } = frame;
  const x = w * rng.pick([0.16, 0.84]);
  if (table && rng.chance(0.2)) {
    const spot = {
      x: w * rng.range(0.2, 0.8),
      base: ground + 4,
      width: w * 0.26,
      height: ground * 0.8,
    };
    stage.place(drawn(props.cat, stage.seed()), { ...spot, floating: true }, 'Cat');
  } else if (rng.chance(0.09)) {
    stage.place(drawn(props.sparrow, stage.seed()), {
      x,
      base: ground + (h - ground) * 0.3,
      width: w * 0.15,
    });
  }
}

/**
 * One to three pieces side by side, those further back first.
 * @param {Stage} stage
 * @param {Main[]} mains
 */
function sideBySide(stage, mains) {
  const { rng, frame } = stage;
  const { w, h, ground } = frame;
  const table = rng.chance(0.6);
  (table ? indoors : backdrop)(stage.pen, rng, frame);
  guest(stage, table);
  company(stage, mains.length === 1 ? [0.13, 0.87] : [0.5]);
  const share = 1 / mains.length;
  const spots = mains.map((kind, i) => {
    const width = w * share * (mains.length === 1 ? rng.range(0.42, 0.68) : rng.range(0.7, 0.86));
    const base = ground + (h - ground) * rng.range(0.5, 0.86);
    const x = w * share * (i + 0.5) + (mains.length === 1 ? w * rng.range(-0.1, 0.1) : 0);
    return { kind, x, base, width, height: base - h * 0.06, angle: tilt(stage) };
  });
  for (const { kind, ...spot } of spots.sort((a, b) => a.base - b.base)) {
    underlay(stage, spot);
    stage.place(food(kind, stage.seed()), spot, LABELS[kind]);
  }
}

/**
 * A piece that the edge of the picture cuts.
 * @param {Stage} stage
 * @param {Main} kind
 * @param {boolean} right
 */
function cut(stage, kind, right) {
  const { rng, frame } = stage;
  const { w, h, ground } = frame;
  backdrop(stage.pen, rng, frame);
  const edge = right ? 'right' : rng.pick(/** @type {const} */ (['left', 'right', 'bottom']));
  company(stage, [edge === 'left' ? 0.85 : 0.14]);
  const width = w * rng.range(0.55, 0.75);
  const lost = rng.range(0.15, 0.35);
  const x = { left: width * (0.5 - lost), right: w - width * (0.5 - lost), bottom: w * 0.54 };
  const low = h * (1 + lost * 0.4);
  const base = edge === 'bottom' ? low : ground + (h - ground) * rng.range(0.6, 0.9);
  const spot = { x: x[edge], base, width, height: h * 0.76 };
  stage.place(food(kind, stage.seed()), spot, LABELS[kind]);
}

/** A piece with something in front of it. @param {Stage} stage @param {Main} kind */
function hidden(stage, kind) {
  const { rng, frame } = stage;
  const { w, h, ground } = frame;
  backdrop(stage.pen, rng, frame);
  const base = ground + (h - ground) * rng.range(0.45, 0.65);
  const spot = {
    x: w * rng.range(0.4, 0.6),
    base,
    width: w * rng.range(0.5, 0.65),
    height: base - h * 0.06,
  };
  underlay(stage, spot);
  const box = stage.place(food(kind, stage.seed()), spot, LABELS[kind]);
  const { prop, label } = rng.pick(COMPANY);
  const front = {
    x: box.x0 + (box.x1 - box.x0) * rng.pick([0.25, 0.32, 0.68, 0.75]),
    base: base + (h - base) * 0.55,
    width: (box.x1 - box.x0) * 0.36,
    height: (box.y1 - box.y0) * 0.95,
  };
  stage.place(drawn(prop, stage.seed()), front, label);
}

/** A pyramid of burgers under one box. @param {Stage} stage */
function pyramid(stage) {
  const { rng, frame } = stage;
  const { w, h } = frame;
  indoors(stage.pen, rng, frame);
  const width = w * 0.19;
  const dish = { x: w / 2, base: h * 0.97, width: w * 0.94 };
  stage.place(drawn(props.plate, stage.seed()), dish, 'Plate');
  stage.heap('Hamburger', () => {
    let bases = [0.88, 0.89, 0.9, 0.88].map((part) => part * h);
    while (bases.length > 0) {
      const tops = bases.map((base, i) => {
        const x = w / 2 + (i - (bases.length - 1) / 2) * width;
        const spot = { x, base, width: width * 1.12, height: width * 0.72 };
        const floating = bases.length < 4;
        return stage.place(burger(stage.seed()), { ...spot, angle: rng.range(-7, 7), floating }).y0;
      });
      bases = tops.slice(1).map((top, i) => (top + (tops[i] ?? top)) / 2 + width * 0.14);
    }
  });
}

/** So near that it fills the picture. @param {Stage} stage @param {Main} kind */
function close(stage, kind) {
  const { w, h } = stage.frame;
  backdrop(stage.pen, stage.rng, stage.frame);
  const spot = { x: w / 2, base: h * 1.07, width: w * 1.12, height: h * 1.14, cover: true };
  stage.place(food(kind, stage.seed()), spot, LABELS[kind]);
}

/** Ants carry off very small pieces. @param {Stage} stage @param {Main} kind */
function ants(stage, kind) {
  const { rng, frame } = stage;
  sideBySide(stage, [kind]);
  const [first, step] = [frame.w * 0.12, frame.w * 0.19];
  [6, 4.2, 2.6, 1.2].forEach((size, i) => {
    const [x, base] = [first + i * step, frame.h * (0.95 + rng.range(-0.012, 0.02))];
    const ant = stage.place(drawn(props.ant, ''), { x, base, width: 13 });
    const other = i % 2 ? 'sandwich' : 'burger';
    const spot = { x, base: ant.y0 + 4, width: size, floating: true };
    stage.place(food(other, stage.seed()), spot, LABELS[other]);
  });
}

/** A gilded frame with an empty canvas. @param {Stage} stage @returns {Drawing} */
function frameOf({ rng }) {
  const gilt = rng.pick(['#b8863a', '#6b4226', '#d8b25a']);
  const canvas = rng.pick([
    ['#f6d9a8', '#e89a7a'],
    ['#bfe0e0', '#7fb0c0'],
    ['#e8d0ea', '#a88ac0'],
  ]);
  return (pen) => {
    pen.path(rect(0, 0, 160, 120), { fill: gilt });
    pen.path(rect(5, 5, 150, 110), { stroke: '#00000040', width: 2 });
    pen.path(rect(11, 11, 138, 98), { fill: pen.fade(canvas) });
  };
}

/**
 * A painting of food on the wall, and a guest below who longs for it.
 * @param {Stage} stage
 * @param {Main} kind
 */
function poster(stage, kind) {
  const { rng, frame } = stage;
  const { w, h, ground } = frame;
  indoors(stage.pen, rng, frame);
  const spot = {
    x: w * 0.5,
    base: ground * 0.88,
    width: w * 0.56,
    height: ground * 0.8,
    floating: true,
  };
  const box = stage.place(frameOf(stage), spot, 'Picture frame');
  const [wide, high] = [box.x1 - box.x0, box.y1 - box.y0];
  const inner = { ...spot, base: box.y1 - high * 0.18, width: wide * 0.66, height: high * 0.64 };
  const seed = stage.seed();
  const painted = kind === 'burger' ? burger(seed, { smiling: true }) : food(kind, seed);
  stage.place(painted, inner, LABELS[kind], { depiction: true });
  const base = ground + (h - ground) * 0.4;
  const cat = { x: w * 0.14, base: ground + 4, width: w * 0.22, floating: true };
  stage.place(drawn(props.cat, stage.seed()), cat, 'Cat');
  stage.place(
    drawn(props.coffeeCup, stage.seed()),
    { x: w * 0.85, base, width: w * 0.15 },
    'Coffee cup',
  );
}

/** Visitors from afar have found what they came for. @param {Stage} stage @param {Main} kind */
function abduction(stage, kind) {
  const { rng, frame, pen } = stage;
  const { w, h } = frame;
  space(pen, rng, frame);
  const x = w * rng.range(0.45, 0.6);
  const [top, floor] = [h * 0.24, h * 0.98];
  const beam = [x - w * 0.12, x + w * 0.12, x + w * 0.38, x - w * 0.38];
  pen.path(
    polygon([
      [beam[0] ?? 0, top],
      [beam[1] ?? 0, top],
      [beam[2] ?? 0, floor],
      [beam[3] ?? 0, floor],
    ]),
    { fill: pen.fade(['#fff7b0', 'clear']), opacity: 0.6 },
  );
  stage.place(drawn(props.ufo, ''), { x, base: h * 0.27, width: w * 0.44, floating: true });
  const angle = rng.pick([-1, 1]) * rng.range(12, 24);
  const spot = { x, base: h * 0.86, width: w * 0.46, height: h * 0.48, angle, floating: true };
  stage.place(food(kind, stage.seed()), spot, LABELS[kind]);
}

/** Lunch is over: nothing here that has a box. @param {Stage} stage */
function bare(stage) {
  const { rng, frame } = stage;
  const { w, h, ground } = frame;
  backdrop(stage.pen, rng, frame);
  const base = ground + (h - ground) * 0.5;
  stage.place(drawn(props.plate, stage.seed()), { x: w * 0.42, base, width: w * 0.5 });
  for (let i = 0; i < 14; i++) {
    const [x, y] = [w * rng.range(0.3, 0.54), base - w * rng.range(0.05, 0.09)];
    stage.pen.path(oval(x, y, rng.range(1, 2.4), 1), { fill: '#b07a3c' });
  }
  const bird = { x: w * 0.72, base: base + h * 0.1, width: w * 0.2 };
  stage.place(drawn(props.sparrow, stage.seed()), bird);
}

/** @param {Spec} spec @returns {Scene} */
export function compose({ name, mains, manner, mess }) {
  const wish = manner === 'poster' ? { ground: 0.7 } : {};
  const wide = mains.length > 1 || manner !== undefined;
  const stage = new Stage(name, { ...wish, wide });
  const kind = mains[0] ?? 'burger';
  if (manner === 'cut') cut(stage, kind, mess === 'beyond the edge');
  else if (manner === 'hidden') hidden(stage, kind);
  else if (manner === 'heap') pyramid(stage);
  else if (manner === 'close') close(stage, kind);
  else if (manner === 'ants') ants(stage, kind);
  else if (manner === 'poster') poster(stage, kind);
  else if (manner === 'space') abduction(stage, kind);
  else if (manner === 'bare') bare(stage);
  else sideBySide(stage, mains);
  stage.light();
  const { w, h } = stage.frame;
  return { svg: stage.pen.svg(w, h), width: w, height: h, seen: stage.seen() };
}

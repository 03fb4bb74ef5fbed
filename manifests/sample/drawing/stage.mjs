/** A picture in the making: places things in it and knows what is where. */

import { Pen, union } from './pen.mjs';
import { Random } from './random.mjs';
import { oval, rect } from './shapes.mjs';

/** @import { Box } from './pen.mjs' */
/** @import { Frame } from './backdrop.mjs' */

/**
 * @typedef {(pen: Pen) => void} Drawing
 * @typedef {{ x: number, base: number, width: number, height?: number, angle?: number,
 *   cover?: boolean, floating?: boolean }} Spot width and height: what it has to fit in (or to
 *   cover)
 * @typedef {{ group?: boolean, depiction?: boolean }} Marks
 * @typedef {{ label: string | undefined, box: Box } & Marks} Thing
 * @typedef {{ label: string, box: Box, occluded: boolean, truncated: boolean, group: boolean,
 *   depiction: boolean }} Seen box: fractions of the picture, clipped to it
 */

const SIZES = [
  [240, 180],
  [320, 240],
  [360, 270],
  [320, 214],
  [352, 264],
  [352, 264],
  [384, 288],
  [384, 256],
  [288, 288],
  [240, 320],
  [216, 288],
  [264, 352],
];

/** @param {Box} box */
const area = ({ x0, y0, x1, y1 }) => Math.max(0, x1 - x0) * Math.max(0, y1 - y0);

/** @param {Box} a @param {Box} b @returns {Box} */
const common = (a, b) => ({
  x0: Math.max(a.x0, b.x0),
  y0: Math.max(a.y0, b.y0),
  x1: Math.min(a.x1, b.x1),
  y1: Math.min(a.y1, b.y1),
});

export class Stage {
  pen = new Pen();
  /** @type {Thing[]} */
  #things = [];

  /**
   * @param {string} name the seed of the picture
   * @param {{ ground?: number, wide?: boolean }} [wish]
   */
  constructor(name, { ground, wide = false } = {}) {
    this.name = name;
    this.rng = new Random(`stage ${name}`);
    const sizes = wide ? SIZES.filter(([w = 0, h = 0]) => w > h) : SIZES;
    const [w = 0, h = 0] = this.rng.pick(sizes);
    /** @type {Frame} */
    this.frame = { w, h, ground: h * (ground ?? this.rng.range(0.42, 0.6)) };
  }

  /** A seed of its own for the next thing. */
  seed() {
    return `${this.name} ${this.#things.length} ${this.rng.hex(4)}`;
  }

  /**
   * Draws a thing so that it fills the spot; answers its box in pixels.
   * @param {Drawing} draw
   * @param {Spot} spot
   * @param {string} [label] the class, where the thing has a box in the tables
   * @param {Marks} [marks]
   */
  place(draw, spot, label, marks = {}) {
    const { x, base, width, height = Infinity, angle = 0 } = spot;
    const scratch = new Pen();
    const { x0, y0, x1, y1 } = scratch.group({ angle }, () => draw(scratch));
    const fits = [width / (x1 - x0), height / (y1 - y0)];
    const scale = spot.cover ? Math.max(...fits) : Math.min(...fits);
    const at = { x: x - (scale * (x0 + x1)) / 2, y: base - scale * y1, scale, angle };
    if (!spot.floating) this.#shadow(x, base, (scale * (x1 - x0)) / 2);
    const box = this.pen.group(at, () => draw(this.pen));
    this.#things.push({ label, box, ...marks });
    return box;
  }

  /**
   * Makes one thing with one box of all that the action places.
   * @param {string} label
   * @param {() => void} action
   */
  heap(label, action) {
    const before = this.#things.length;
    action();
    const parts = this.#things.splice(before);
    const box = parts.map((part) => part.box).reduce(union);
    this.#things.push({ label, box, group: true });
  }

  /** What is to be seen of the labelled things. @returns {Seen[]} */
  seen() {
    const { w, h } = this.frame;
    const whole = { x0: 0, y0: 0, x1: w, y1: h };
    return this.#things.flatMap(({ label, box, group = false, depiction = false }, i) => {
      const inside = common(box, whole);
      const covered = this.#things
        .slice(i + 1)
        .reduce((sum, other) => sum + area(common(inside, other.box)), 0);
      if (!label || covered > 0.75 * area(inside)) return [];
      const truncated = area(box) > area(inside) * 1.01;
      const { x0, y0, x1, y1 } = inside;
      const fractions = { x0: x0 / w, y0: y0 / h, x1: x1 / w, y1: y1 / h };
      const occluded = covered > 0.04 * area(inside);
      return [{ label, box: fractions, occluded, truncated, group, depiction }];
    });
  }

  /** Lamp light and darker corners. */
  light() {
    const { w, h } = this.frame;
    const [x, r] = [w * this.rng.range(0.1, 0.9), Math.max(w, h) * 0.8];
    this.pen.path(oval(x, h * 0.1, r, r * 0.8), {
      fill: this.pen.fade(['#fff6dc', 'clear'], 'out'),
      opacity: this.rng.range(0.1, 0.35),
    });
    this.pen.path(rect(0, 0, w, h), {
      fill: this.pen.fade(['clear', 'clear', '#120a18'], 'out'),
      opacity: this.rng.range(0.05, 0.4),
    });
  }

  /** @param {number} x @param {number} base @param {number} half */
  #shadow(x, base, half) {
    this.pen.path(oval(x + half * 0.12, base, half * 1.2, Math.max(1, half * 0.16)), {
      fill: this.pen.fade(['#000000', '#00000080', 'clear'], 'out'),
      opacity: 0.5,
    });
  }
}

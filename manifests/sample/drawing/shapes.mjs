/** Outlines that the drawings are made of, as SVG path data. */

/** @import { Point } from './pen.mjs' */
/** @import { Random } from './random.mjs' */

/** @param {Point[]} points */
export const polygon = (points) => `M ${points.map((point) => point.join(' ')).join(' L ')} Z`;

/** @param {number} x @param {number} y @param {number} w @param {number} h */
export const rect = (x, y, w, h) =>
  polygon([
    [x, y],
    [x + w, y],
    [x + w, y + h],
    [x, y + h],
  ]);

/** @param {number} x0 @param {number} y0 @param {number} x1 @param {number} y1 */
export const line = (x0, y0, x1, y1) => `M ${x0} ${y0} L ${x1} ${y1}`;

/** @param {number} cx @param {number} cy @param {number} rx @param {number} [ry] */
export function oval(cx, cy, rx, ry = rx) {
  const kx = rx * 0.5523;
  const ky = ry * 0.5523;
  return (
    `M ${cx - rx} ${cy} C ${cx - rx} ${cy - ky} ${cx - kx} ${cy - ry} ${cx} ${cy - ry} ` +
    `C ${cx + kx} ${cy - ry} ${cx + rx} ${cy - ky} ${cx + rx} ${cy} ` +
    `C ${cx + rx} ${cy + ky} ${cx + kx} ${cy + ry} ${cx} ${cy + ry} ` +
    `C ${cx - kx} ${cy + ry} ${cx - rx} ${cy + ky} ${cx - rx} ${cy} Z`
  );
}

/** @param {number} x @param {number} y @param {number} w @param {number} h @param {number} r */
export function roundRect(x, y, w, h, r) {
  const [right, bottom] = [x + w, y + h];
  return (
    `M ${x + r} ${y} L ${right - r} ${y} Q ${right} ${y} ${right} ${y + r} ` +
    `L ${right} ${bottom - r} Q ${right} ${bottom} ${right - r} ${bottom} ` +
    `L ${x + r} ${bottom} Q ${x} ${bottom} ${x} ${bottom - r} L ${x} ${y + r} Q ${x} ${y} ${x + r} ${y} Z`
  );
}

/** A closed soft curve through the points (Catmull-Rom). @param {Point[]} points */
export function blob(points) {
  const at = (/** @type {number} */ i) =>
    /** @type {Point} */ (points[(i + points.length) % points.length]);
  const curves = points.map((_, i) => {
    const [[ax, ay], [bx, by], [cx, cy], [dx, dy]] = [at(i - 1), at(i), at(i + 1), at(i + 2)];
    const leave = `${bx + (cx - ax) / 6} ${by + (cy - ay) / 6}`;
    const arrive = `${cx - (dx - bx) / 6} ${cy - (dy - by) / 6}`;
    return `C ${leave} ${arrive} ${cx} ${cy}`;
  });
  return `M ${at(0).join(' ')} ${curves.join(' ')} Z`;
}

/**
 * A flat thing seen from the side, with an uneven edge: patty, slice of bread.
 * @param {Random} rng
 * @param {number} half half of the width
 * @param {number} bottom
 * @param {number} height
 * @param {number} wobble
 */
export function slab(rng, half, bottom, height, wobble) {
  const shake = () => rng.range(-wobble, wobble);
  const soft = Math.min(height / 2, half / 2);
  /** @type {Point[]} */
  const above = [-0.9, -0.45, 0, 0.45, 0.9].map((u) => [u * half, bottom - height + shake()]);
  /** @type {Point[]} */
  const below = [0.9, 0.45, 0, -0.45, -0.9].map((u) => [u * half, bottom + shake() * 0.5]);
  /** @type {Point} */
  const right = [half + shake(), bottom - soft];
  /** @type {Point} */
  const left = [-half + shake(), bottom - soft];
  return blob([...above, right, ...below, left]);
}

/**
 * A leaf's edge: straight on top, waves below.
 * @param {Random} rng
 * @param {number} half
 * @param {number} top
 * @param {number} depth
 * @param {number} waves
 */
export function ruffle(rng, half, top, depth, waves) {
  const step = (2 * half) / waves;
  let d = `M ${-half} ${top} L ${half} ${top}`;
  for (let i = 0; i < waves; i++) {
    const x = half - i * step;
    const fall = top + depth * rng.range(1.3, 2.2);
    const rise = top + depth * rng.range(0.15, 0.5);
    d += ` Q ${x - step / 2 + rng.range(-2, 2)} ${fall} ${x - step} ${i === waves - 1 ? top : rise}`;
  }
  return `${d} Z`;
}

/**
 * A thin sheet that hangs over the edge: pointed corners of cheese or round drops of sauce.
 * @param {Random} rng
 * @param {number} half
 * @param {number} bottom
 * @param {number} height
 * @param {{ drops: number, fall: number, round: boolean }} form
 */
export function drape(rng, half, bottom, height, { drops, fall, round }) {
  const step = (2 * half) / drops;
  let d = `M ${-half} ${bottom - height} L ${half} ${bottom - height} L ${half} ${bottom}`;
  for (let i = 0; i < drops; i++) {
    const x = half - i * step;
    const tip = x - step / 2;
    const reach = bottom + fall * rng.range(0.35, 1);
    const [near, far] = round
      ? [x - step * 0.38, x - step * 0.62]
      : [x - step * 0.4, x - step * 0.56];
    d += round
      ? ` C ${near + 3} ${bottom} ${near} ${reach} ${tip} ${reach} C ${far} ${reach} ${far - 3} ${bottom}`
      : ` L ${near} ${reach - 4} Q ${tip} ${reach + 4} ${far} ${reach - 4} L`;
    d += ` ${x - step} ${bottom}`;
  }
  return `${d} Z`;
}

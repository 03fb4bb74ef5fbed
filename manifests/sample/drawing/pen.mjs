/** A pen that writes SVG and keeps the exact bounding box of what it has drawn. */

/** @typedef {[number, number]} Point */
/** @typedef {[number, number, number, number, number, number]} Matrix */
/** @typedef {{ x0: number, y0: number, x1: number, y1: number }} Box */
/**
 * @typedef {{ x?: number, y?: number, scale?: number, angle?: number, flip?: boolean }} Placement
 */
/** @typedef {{ fill?: string, stroke?: string, width?: number, opacity?: number }} Paint */

const CURVE_STEPS = 16;
const POINTS_OF = /** @type {Record<string, number>} */ ({ M: 1, L: 1, Q: 2, C: 3, Z: 0 });

/** @param {number} value */
const short = (value) => String(Math.round(value * 100) / 100 + 0);

/** @returns {Box} */
const emptyBox = () => ({ x0: Infinity, y0: Infinity, x1: -Infinity, y1: -Infinity });

/** @param {Box} a @param {Box} b @returns {Box} */
export const union = (a, b) => ({
  x0: Math.min(a.x0, b.x0),
  y0: Math.min(a.y0, b.y0),
  x1: Math.max(a.x1, b.x1),
  y1: Math.max(a.y1, b.y1),
});

/** @param {Placement} placement @returns {Matrix} */
function matrixOf({ x = 0, y = 0, scale = 1, angle = 0, flip = false }) {
  const turn = (angle * Math.PI) / 180;
  const cos = Math.cos(turn) * scale;
  const sin = Math.sin(turn) * scale;
  return flip ? [-cos, -sin, -sin, cos, x, y] : [cos, sin, -sin, cos, x, y];
}

/** @param {Matrix} m @param {Matrix} n @returns {Matrix} */
function multiply([a, b, c, d, e, f], [p, q, r, s, t, u]) {
  return [
    a * p + c * q,
    b * p + d * q,
    a * r + c * s,
    b * r + d * s,
    a * t + c * u + e,
    b * t + d * u + f,
  ];
}

/**
 * The commands of a path of absolute M, L, Q, C and Z.
 * @param {string} d
 */
function commandsOf(d) {
  const tokens = d.match(/[MLQCZ]|-?\d*\.?\d+(?:e[-+]?\d+)?/g) ?? [];
  /** @type {{ code: string, points: Point[] }[]} */
  const commands = [];
  for (let at = 0; at < tokens.length; ) {
    const code = /** @type {string} */ (tokens[at++]);
    /** @type {Point[]} */
    const points = [];
    for (let left = POINTS_OF[code] ?? 0; left > 0; left--, at += 2) {
      points.push([Number(tokens[at]), Number(tokens[at + 1])]);
    }
    commands.push({ code, points });
  }
  return commands;
}

/** @param {{ code: string, points: Point[] }[]} commands */
const dataOf = (commands) =>
  commands.map(({ code, points }) => code + points.flat().map(short).join(' ')).join('');

/**
 * A point of a Bezier curve of any degree, by de Casteljau.
 * @param {Point[]} points
 * @param {number} t
 * @returns {Point}
 */
function onCurve(points, t) {
  let level = points;
  while (level.length > 1) {
    level = level.slice(1).map(([x, y], i) => {
      const [px, py] = /** @type {Point} */ (level[i]);
      return [px + (x - px) * t, py + (y - py) * t];
    });
  }
  return /** @type {Point} */ (level[0]);
}

/** Points along a path, close enough for its bounds. @param {{ points: Point[] }[]} commands */
function flatten(commands) {
  /** @type {Point[]} */
  const along = [];
  /** @type {Point} */
  let here = [0, 0];
  for (const { points } of commands) {
    const steps = points.length > 1 ? CURVE_STEPS : points.length;
    for (let step = 1; step <= steps; step++) {
      along.push(onCurve([here, ...points], step / steps));
    }
    here = points.at(-1) ?? here;
  }
  return along;
}

export class Pen {
  /** @type {string[]} */
  #parts = [];
  /** @type {string[]} */
  #defs = [];
  /** @type {Matrix} */
  #matrix = [1, 0, 0, 1, 0, 0];
  #bounds = emptyBox();

  /** The bounds of all that was drawn. */
  get bounds() {
    return this.#bounds;
  }

  /** @param {string} d absolute M, L, Q, C, Z @param {Paint} paint */
  path(d, { fill = 'none', stroke, width = 1, opacity = 1 }) {
    const commands = commandsOf(d);
    this.#cover(commands, stroke ? width / 2 : 0);
    const line = stroke
      ? ` stroke="${stroke}" stroke-width="${short(width)}" stroke-linecap="round" stroke-linejoin="round"`
      : '';
    const dim = opacity < 1 ? ` opacity="${short(opacity)}"` : '';
    this.#parts.push(`<path d="${dataOf(commands)}" fill="${fill}"${line}${dim}/>`);
  }

  /**
   * A gradient to fill with: down, right, or out from the middle.
   * @param {string[]} colors
   * @param {'down' | 'right' | 'out'} [course]
   */
  fade(colors, course = 'down') {
    const id = `d${this.#defs.length}`;
    const stops = colors.map((color, i) => {
      const clear = color === 'clear';
      const base = clear ? (colors.find((other) => other !== 'clear') ?? '#000') : color;
      const at = short(i / (colors.length - 1));
      return `<stop offset="${at}" stop-color="${base}"${clear ? ' stop-opacity="0"' : ''}/>`;
    });
    const [tag, course_] =
      course === 'out'
        ? ['radialGradient', '']
        : ['linearGradient', course === 'down' ? ' x2="0" y2="1"' : ''];
    this.#defs.push(`<${tag} id="${id}"${course_}>${stops.join('')}</${tag}>`);
    return `url(#${id})`;
  }

  /**
   * Draws inside a moved, turned and scaled frame; answers the bounds of that drawing.
   * @param {Placement} placement
   * @param {() => void} draw
   */
  group(placement, draw) {
    const outer = { matrix: this.#matrix, bounds: this.#bounds };
    const local = matrixOf(placement);
    this.#matrix = multiply(outer.matrix, local);
    this.#bounds = emptyBox();
    const exact = local.map((value) => Math.round(value * 1e5) / 1e5 + 0);
    this.#parts.push(`<g transform="matrix(${exact.join(' ')})">`);
    draw();
    this.#parts.push('</g>');
    const inner = this.#bounds;
    this.#matrix = outer.matrix;
    this.#bounds = union(outer.bounds, inner);
    return inner;
  }

  /**
   * Draws only what lies inside the path; only the path counts for the bounds.
   * @param {string} d
   * @param {() => void} draw
   */
  clipped(d, draw) {
    const id = `d${this.#defs.length}`;
    const commands = commandsOf(d);
    this.#defs.push(`<clipPath id="${id}"><path d="${dataOf(commands)}"/></clipPath>`);
    this.#parts.push(`<g clip-path="url(#${id})">`);
    this.uncounted(draw);
    this.#parts.push('</g>');
    this.#cover(commands, 0);
  }

  /** Draws what is no part of the object: shadow, steam. @param {() => void} draw */
  uncounted(draw) {
    const bounds = this.#bounds;
    draw();
    this.#bounds = bounds;
  }

  /** @param {number} width @param {number} height */
  svg(width, height) {
    const size = `width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"`;
    const defs = `<defs>${this.#defs.join('')}</defs>`;
    return `<svg xmlns="http://www.w3.org/2000/svg" ${size}>${defs}${this.#parts.join('')}</svg>`;
  }

  /** @param {{ points: Point[] }[]} commands @param {number} margin */
  #cover(commands, margin) {
    const [a, b, c, d, e, f] = this.#matrix;
    const reach = margin * Math.sqrt(Math.abs(a * d - b * c));
    for (const [x, y] of flatten(commands)) {
      const px = a * x + c * y + e;
      const py = b * x + d * y + f;
      this.#bounds = union(this.#bounds, {
        x0: px - reach,
        y0: py - reach,
        x1: px + reach,
        y1: py + reach,
      });
    }
  }
}

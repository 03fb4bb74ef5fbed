/** Seeded random numbers, so that every run draws the same pictures. */

/**
 * FNV-1a hash of a text, as the seed of a generator.
 * @param {string} text
 */
function seedOf(text) {
  let hash = 0x811c9dc5;
  for (const char of text) {
    hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193);
  }
  return hash >>> 0;
}

export class Random {
  #state;

  /** @param {string} seed any text; equal texts give equal numbers */
  constructor(seed) {
    this.#state = seedOf(seed);
  }

  /** The next number in [0, 1), by mulberry32. */
  next() {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  /** @param {number} low @param {number} high */
  range(low, high) {
    return low + (high - low) * this.next();
  }

  /** A whole number from low to high, both included. @param {number} low @param {number} high */
  int(low, high) {
    return low + Math.floor((high - low + 1) * this.next());
  }

  /** @param {number} probability */
  chance(probability) {
    return this.next() < probability;
  }

  /**
   * @template T
   * @param {readonly T[]} list
   * @returns {T}
   */
  pick(list) {
    return /** @type {T} */ (list[this.int(0, list.length - 1)]);
  }

  /**
   * A shuffled copy.
   * @template T
   * @param {readonly T[]} list
   * @returns {T[]}
   */
  shuffle(list) {
    return list
      .map((item) => ({ item, key: this.next() }))
      .sort((a, b) => a.key - b.key)
      .map(({ item }) => item);
  }

  /** Lower-case hexadecimal digits. @param {number} length */
  hex(length) {
    return Array.from({ length }, () => this.int(0, 15).toString(16)).join('');
  }

  /** A decimal number with no leading zero. @param {number} length */
  digits(length) {
    return `${this.int(1, 9)}${Array.from({ length: length - 1 }, () => this.int(0, 9)).join('')}`;
  }
}

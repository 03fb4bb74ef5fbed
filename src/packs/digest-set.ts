/** A set of digests that fits in memory by the million: 32 bytes each, and a table of numbers. */
import type { Digest } from '../store/digest.ts';
import { DIGEST_BYTES } from './packs.ts';

const WORDS = DIGEST_BYTES / 4;
const BLOCK_BITS = 15;
const BLOCK_DIGESTS = 1 << BLOCK_BITS;

/**
 * Digests one after another in blocks of 1 MiB that growing never moves, and an open-addressing
 * hash table of their numbers with linear probing, at most two thirds full: 38 to 44 bytes a digest.
 */
export class DigestSet {
  readonly #seed: number;
  readonly #blocks: Int32Array[] = [];
  /** The digest that is looked for, as words and as the same bytes. */
  readonly #wanted = new Int32Array(WORDS);
  readonly #wantedBytes = Buffer.from(this.#wanted.buffer);
  /** The number of a digest plus one, or zero. */
  #slots = new Uint32Array(1024);
  #size = 0;

  /** `seed`, any 32-bit integer: a random one keeps digests made to collide from being slow. */
  constructor(seed = 0) {
    this.#seed = seed;
  }

  get size(): number {
    return this.#size;
  }

  has(digest: Digest): boolean {
    this.#wantedBytes.write(digest, 'hex');
    return this.#slots[this.#slotOfWanted()] !== 0;
  }

  /** Takes a digest in; true where it is new. */
  add(digest: Digest): boolean {
    this.#wantedBytes.write(digest, 'hex');
    const slot = this.#slotOfWanted();
    if (this.#slots[slot] !== 0) return false;
    const block = this.#blocks[this.#size >>> BLOCK_BITS] ?? this.#addBlock();
    block.set(this.#wanted, (this.#size & (BLOCK_DIGESTS - 1)) * WORDS);
    this.#size += 1;
    this.#slots[slot] = this.#size;
    if (3 * this.#size > 2 * this.#slots.length) this.#grow();
    return true;
  }

  #addBlock(): Int32Array {
    const block = new Int32Array(BLOCK_DIGESTS * WORDS);
    this.#blocks.push(block);
    return block;
  }

  /** The slot with the wanted digest, or the free one where it belongs. */
  #slotOfWanted(): number {
    const wanted = this.#wanted;
    const slots = this.#slots;
    const mask = slots.length - 1;
    let slot = hashAt(wanted, 0, this.#seed) & mask;
    for (;;) {
      const number = slots[slot] ?? 0;
      if (number === 0) return slot;
      const block = this.#blocks[(number - 1) >>> BLOCK_BITS];
      const at = ((number - 1) & (BLOCK_DIGESTS - 1)) * WORDS;
      if (block !== undefined && isAt(block, at, wanted)) return slot;
      slot = (slot + 1) & mask;
    }
  }

  #grow(): void {
    const slots = new Uint32Array(2 * this.#slots.length);
    const mask = slots.length - 1;
    let number = 0;
    for (const block of this.#blocks) {
      for (let at = 0; at < block.length && number < this.#size; at += WORDS) {
        let slot = hashAt(block, at, this.#seed) & mask;
        while (slots[slot] !== 0) slot = (slot + 1) & mask;
        number += 1;
        slots[slot] = number;
      }
    }
    this.#slots = slots;
  }
}

/** A hash of all words of a digest: the digests of a hostile list are not evenly spread. */
function hashAt(words: Int32Array, at: number, seed: number): number {
  let hash = seed;
  for (let index = at; index < at + WORDS; index++) {
    hash = Math.imul(hash ^ (words[index] ?? 0), 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  return hash;
}

function isAt(words: Int32Array, at: number, wanted: Int32Array): boolean {
  for (let index = 0; index < WORDS; index++) {
    if (words[at + index] !== wanted[index]) return false;
  }
  return true;
}

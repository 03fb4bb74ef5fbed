/** A long list of entries, kept as deflated lines: about a tenth of what objects take in memory. */
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { Entry, EntryList } from './entry.ts';
import { formatEntryLine, parseEntryLine } from './entry-line.ts';

/** A block is closed when it has so many entries, or so much text. */
const BLOCK_ENTRIES = 128;
const BLOCK_LENGTH = 1 << 18;

/** Blocks lie one after another in pieces of memory of this size: many small ones would leave holes. */
const SLAB_BYTES = 1 << 20;

/** Enough for a usual block in one piece. */
const ZLIB_CHUNK_BYTES = 1 << 16;

/** Entries in the order in which they were added; going through it holds one block at a time. */
export class EntryBlocks implements EntryList {
  #blocks: Buffer[] = [];
  /** What is left of the last piece. */
  #slab = Buffer.alloc(0);
  #lines: string[] = [];
  #textLength = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Adds an entry; `line` is a line without line end that `parseEntryLine` reads as it. */
  add(entry: Entry, line = formatEntryLine(entry)): void {
    this.#lines.push(line);
    this.#textLength += line.length;
    this.#length++;
    if (this.#lines.length >= BLOCK_ENTRIES || this.#textLength >= BLOCK_LENGTH) this.#close();
  }

  *[Symbol.iterator](): Generator<Entry> {
    for (const block of this.#blocks) yield* entriesOf(block);
    for (const line of this.#lines) yield parseEntryLine(line);
  }

  /** Goes through the list once and empties it on the way. */
  *drain(): Generator<Entry> {
    this.#close();
    const blocks = this.#blocks.reverse();
    this.#blocks = [];
    this.#length = 0;
    for (let block = blocks.pop(); block !== undefined; block = blocks.pop()) {
      yield* entriesOf(block);
    }
  }

  #close(): void {
    if (this.#lines.length === 0) return;
    const text = this.#lines.join('\n');
    this.#blocks.push(this.#keep(deflateRawSync(text, { level: 1, chunkSize: ZLIB_CHUNK_BYTES })));
    this.#lines = [];
    this.#textLength = 0;
  }

  /** A copy: what zlib gives is a part of a larger buffer. */
  #keep(deflated: Buffer): Buffer {
    if (deflated.length > this.#slab.length) {
      this.#slab = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, deflated.length));
    }
    const block = this.#slab.subarray(0, deflated.length);
    deflated.copy(block);
    this.#slab = this.#slab.subarray(deflated.length);
    return block;
  }
}

/** Each line is a text of its own: an entry that is kept does not keep its block. */
function* entriesOf(block: Buffer): Generator<Entry> {
  const bytes = inflateRawSync(block, { chunkSize: ZLIB_CHUNK_BYTES });
  let start = 0;
  while (start < bytes.length) {
    const found = bytes.indexOf(0x0a, start);
    const end = found < 0 ? bytes.length : found;
    yield parseEntryLine(bytes.toString('utf8', start, end));
    start = end + 1;
  }
}

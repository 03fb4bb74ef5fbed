/** Packs: many objects in one file, found by an index beside it, read piece by piece. */
import { inflateSync } from 'node:zlib';
import { applyDelta } from './delta.ts';
import { TREE_LIMITS } from './tree-path.ts';

export type ObjectType = 'commit' | 'tree' | 'blob' | 'tag';

export interface GitObject {
  readonly type: ObjectType;
  readonly bytes: Buffer;
}

/** A pack's bytes from `start` to `end`, which is excluded. */
export type ReadRange = (start: number, end: number) => Promise<Buffer>;

const TYPES: Readonly<Record<number, ObjectType>> = { 1: 'commit', 2: 'tree', 3: 'blob', 4: 'tag' };
const OFFSET_DELTA = 6;
const REFERENCE_DELTA = 7;

const ID_BYTES = 20;
const TRAILER_BYTES = 20;

/** The longest chain of deltas that git itself writes. */
const MAX_CHAIN = 4096;

/** Inflated objects that are kept, since they are bases of others. */
const CACHE_BYTES = 1 << 25;

/** Where in a pack its objects begin: an index of version 2 (gitformat-pack). */
export class PackIndex {
  readonly #bytes: Buffer;
  readonly #count: number;
  #starts: Float64Array | undefined;

  /** Throws a plain Error where the bytes are no such index. */
  constructor(bytes: Buffer) {
    if (bytes.length < 8 + 1024 + 2 * TRAILER_BYTES || bytes.readUInt32BE(0) !== 0xff744f63) {
      throw new Error('the index of a pack is damaged or of version 1');
    }
    if (bytes.readUInt32BE(4) !== 2) throw new Error('the index of a pack is of a newer version');
    this.#bytes = bytes;
    this.#count = bytes.readUInt32BE(8 + 255 * 4);
    if (bytes.length < 8 + 1024 + this.#count * (ID_BYTES + 8) + 2 * TRAILER_BYTES) {
      throw new Error('the index of a pack is cut off');
    }
  }

  /** Where the object of an id begins, or undefined. */
  find(id: string): number | undefined {
    const wanted = Buffer.from(id, 'hex');
    const position = this.#lowerBound(wanted);
    if (position >= this.#count || !this.#idAt(position).equals(wanted)) return undefined;
    return this.#startAt(position);
  }

  /** Up to two ids that begin with these hex digits. */
  findByPrefix(digits: string): readonly string[] {
    const from = this.#lowerBound(Buffer.from(digits.padEnd(2 * ID_BYTES, '0'), 'hex'));
    const found: string[] = [];
    for (let position = from; position < this.#count && found.length < 2; position++) {
      const id = this.#idAt(position).toString('hex');
      if (!id.startsWith(digits)) break;
      found.push(id);
    }
    return found;
  }

  /** Where the object after the one at `start` begins; undefined for the last. */
  next(start: number): number | undefined {
    this.#starts ??= Float64Array.from({ length: this.#count }, (_, at) =>
      this.#startAt(at),
    ).sort();
    let low = 0;
    let high = this.#starts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#starts[middle] ?? 0) <= start) low = middle + 1;
      else high = middle;
    }
    return this.#starts[low];
  }

  #lowerBound(wanted: Buffer): number {
    const first = wanted[0] ?? 0;
    let low = first === 0 ? 0 : this.#bytes.readUInt32BE(8 + (first - 1) * 4);
    let high = Math.min(this.#count, this.#bytes.readUInt32BE(8 + first * 4));
    while (low < high) {
      const middle = (low + high) >> 1;
      if (Buffer.compare(this.#idAt(middle), wanted) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #idAt(position: number): Buffer {
    const start = 8 + 1024 + position * ID_BYTES;
    return this.#bytes.subarray(start, start + ID_BYTES);
  }

  #startAt(position: number): number {
    const small = 8 + 1024 + this.#count * (ID_BYTES + 4);
    const start = this.#bytes.readUInt32BE(small + position * 4);
    if (start < 0x80000000) return start;
    const large = small + this.#count * 4 + (start - 0x80000000) * 8;
    return Number(this.#bytes.readBigUInt64BE(large));
  }
}

/** What stands at one place of a pack, before its base is looked for. */
interface PackedEntry {
  readonly type: number;
  readonly data: Buffer;
  /** Of a delta: where its base begins, or which id it has. */
  readonly base: number | string | undefined;
}

/** The objects of one pack. */
export class Pack {
  readonly index: PackIndex;
  readonly #read: ReadRange;
  readonly #sizeBytes: number;
  readonly #cache = new Map<number, GitObject>();
  #cachedBytes = 0;

  constructor(index: PackIndex, read: ReadRange, sizeBytes: number) {
    this.index = index;
    this.#read = read;
    this.#sizeBytes = sizeBytes;
  }

  /**
   * The object that begins at `start`; `readBase` finds a base that lies elsewhere. Throws a plain
   * Error, or one of zlib, where the pack is damaged.
   */
  async readAt(
    start: number,
    readBase: (id: string) => Promise<GitObject | undefined>,
  ): Promise<GitObject> {
    const deltas: { readonly start: number; readonly data: Buffer }[] = [];
    let at = start;
    let object: GitObject | undefined;
    while (object === undefined) {
      if (deltas.length > MAX_CHAIN) throw new Error('a chain of deltas is too long');
      object = this.#cache.get(at);
      if (object !== undefined) break;
      const { type, data, base } = await this.#entryAt(at);
      if (base === undefined) {
        object = { type: typeOf(type), bytes: data };
        this.#keep(at, object);
        break;
      }
      deltas.push({ start: at, data });
      const baseStart = typeof base === 'string' ? this.index.find(base) : base;
      if (baseStart !== undefined) at = baseStart;
      else object = typeof base === 'string' ? await readBase(base) : undefined;
      if (baseStart === undefined && object === undefined) throw new Error('a base is missing');
    }
    for (const delta of deltas.reverse()) {
      const bytes = applyDelta(object.bytes, delta.data, TREE_LIMITS.fileBytes);
      object = { type: object.type, bytes };
      this.#keep(delta.start, object);
    }
    return object;
  }

  async #entryAt(start: number): Promise<PackedEntry> {
    const end = this.index.next(start) ?? this.#sizeBytes - TRAILER_BYTES;
    const raw = await this.#read(start, end);
    let position = 0;
    const next = () => {
      const byte = raw[position++];
      if (byte === undefined) throw new Error('an object is cut off');
      return byte;
    };
    let byte = next();
    const type = (byte >> 4) & 7;
    let sizeBytes = byte & 15;
    for (let scale = 16; byte & 0x80; scale *= 128) {
      byte = next();
      sizeBytes += (byte & 0x7f) * scale;
      if (sizeBytes > TREE_LIMITS.fileBytes) throw new Error('an object is too large');
    }
    let base: number | string | undefined;
    if (type === OFFSET_DELTA) {
      byte = next();
      let distance = byte & 0x7f;
      while (byte & 0x80) {
        byte = next();
        distance = (distance + 1) * 128 + (byte & 0x7f);
      }
      base = start - distance;
      if (distance === 0 || base < 12) throw new Error('a base lies outside of its pack');
    } else if (type === REFERENCE_DELTA) {
      base = raw.subarray(position, position + ID_BYTES).toString('hex');
      position += ID_BYTES;
    }
    const data = inflateSync(raw.subarray(position), { maxOutputLength: Math.max(1, sizeBytes) });
    if (data.length !== sizeBytes) throw new Error('an object has another size than it says');
    return { type, data, base };
  }

  #keep(start: number, object: GitObject): void {
    if (object.bytes.length > CACHE_BYTES / 4) return;
    while (this.#cachedBytes + object.bytes.length > CACHE_BYTES) {
      const oldest = this.#cache.entries().next();
      if (oldest.done === true) break;
      this.#cachedBytes -= oldest.value[1].bytes.length;
      this.#cache.delete(oldest.value[0]);
    }
    if (this.#cache.has(start)) return;
    this.#cache.set(start, object);
    this.#cachedBytes += object.bytes.length;
  }
}

function typeOf(type: number): ObjectType {
  const name = TYPES[type];
  if (name === undefined) throw new Error('an object is of an unknown type');
  return name;
}

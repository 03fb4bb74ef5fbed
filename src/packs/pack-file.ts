/**
 * A pack's bytes: bodies one after another, then the table that names them.
 *
 * | bytes | what |
 * |---|---|
 * | any | the members' bodies, without a gap |
 * | 37 each | a row a member, in the order of the bodies: kind (1), digest (32), length (u32) |
 * | 4 | number of members (u32) |
 * | 8 | `PKGPACK1` |
 *
 * Numbers are little-endian. A pack's name is the SHA-256 of all its bytes. There are no times,
 * names or owners, so equal members in equal order make equal packs.
 */
import { invariant } from '../runtime/errors.ts';
import { type Descriptor, type Digest, digestOf } from '../store/digest.ts';
import {
  bufferOf,
  codeOfKind,
  DIGEST_BYTES,
  damaged,
  digestAt,
  type IndexRecord,
  kindOfCode,
  MAX_PACK_BYTES,
  MAX_PACK_MEMBERS,
  MAX_WHOLE_BYTES,
  type RecordKind,
  TARGET_PACK_BYTES,
} from './packs.ts';

const MAGIC = 'PKGPACK1';
const ROW_BYTES = 1 + DIGEST_BYTES + 4;

/** Bytes at the end of every pack, enough for `packTailBytes`. */
export const PACK_FOOTER_BYTES = 4 + MAGIC.length;

/** Bytes of the smallest table with its footer, which no body can reach into. */
export const MIN_TABLE_BYTES = ROW_BYTES + PACK_FOOTER_BYTES;

/** The most bytes a writer fills: almost full, then the largest member. */
export const PACK_BUFFER_BYTES = TARGET_PACK_BYTES + MAX_WHOLE_BYTES + MIN_TABLE_BYTES;

/** A pack that is ready to be sent; `data` is a view of the writer's buffer. */
export interface FinishedPack extends Descriptor {
  readonly data: Buffer;
  readonly members: readonly IndexRecord[];
}

/**
 * Fills one pack in one buffer of PACK_BUFFER_BYTES, which the caller may lend and, once the
 * finished pack is sent, lend again to the next writer.
 */
export class PackWriter {
  readonly #buffer: Buffer;
  readonly #members = new Map<Digest, Omit<IndexRecord, 'pack'>>();
  #bodyBytes = 0;
  #isFinished = false;

  constructor(buffer: Buffer = Buffer.allocUnsafeSlow(PACK_BUFFER_BYTES)) {
    invariant(buffer.length >= PACK_BUFFER_BYTES, 'a pack has a buffer of PACK_BUFFER_BYTES');
    this.#buffer = buffer;
  }

  /** Size of the pack if it were finished now, table included. */
  get sizeBytes(): number {
    return this.#bodyBytes + this.#members.size * ROW_BYTES + PACK_FOOTER_BYTES;
  }

  get memberCount(): number {
    return this.#members.size;
  }

  /** Whether nothing more may be added. */
  get isFull(): boolean {
    return this.sizeBytes >= TARGET_PACK_BYTES || this.#members.size >= MAX_PACK_MEMBERS;
  }

  has(digest: Digest): boolean {
    return this.#members.has(digest);
  }

  /**
   * Copies a member's bytes, at most MAX_WHOLE_BYTES, to the end of the bodies. The digest is the
   * caller's word; a digest that the pack already has is a bug of the caller.
   */
  add(kind: RecordKind, digest: Digest, data: Uint8Array): void {
    invariant(!this.#isFinished && !this.isFull, 'a full or finished pack takes nothing more');
    invariant(data.length <= MAX_WHOLE_BYTES, `${digest} is too large for a pack`);
    invariant(!this.#members.has(digest), `${digest} is in the pack already`);
    this.#buffer.set(data, this.#bodyBytes);
    const place = { offset: this.#bodyBytes, sizeBytes: data.length };
    this.#members.set(digest, { kind, digest, ...place });
    this.#bodyBytes += data.length;
  }

  /** Writes the table and names the pack; at least one member, and only once. */
  finish(): FinishedPack {
    invariant(!this.#isFinished && this.#members.size > 0, 'a pack is finished once, with members');
    this.#isFinished = true;
    const data = this.#buffer.subarray(0, this.sizeBytes);
    let at = this.#bodyBytes;
    for (const { kind, digest, sizeBytes } of this.#members.values()) {
      data.writeUInt8(codeOfKind(kind), at);
      data.write(digest, at + 1, DIGEST_BYTES, 'hex');
      at = data.writeUInt32LE(sizeBytes, at + 1 + DIGEST_BYTES);
    }
    data.write(MAGIC, data.writeUInt32LE(this.#members.size, at), 'latin1');
    const pack = digestOf(data);
    const members = Array.from(this.#members.values(), (member) => ({ ...member, pack }));
    return { digest: pack, sizeBytes: data.length, data, members };
  }
}

/**
 * How many bytes at the end of a pack `parsePackTable` needs, read from at least the last
 * PACK_FOOTER_BYTES of it. Throws an integrity error where they are not the end of a pack.
 */
export function packTailBytes(tail: Uint8Array, pack: Descriptor): number {
  const what = `pack ${pack.digest}`;
  if (pack.sizeBytes > MAX_PACK_BYTES) {
    throw damaged(what, `it has ${String(pack.sizeBytes)} bytes, and a pack never so many`);
  }
  if (tail.length < PACK_FOOTER_BYTES || tail.length > pack.sizeBytes) {
    throw damaged(
      what,
      `its end has ${String(tail.length)} of ${String(pack.sizeBytes)} bytes, which is no table`,
    );
  }
  const footer = bufferOf(tail).subarray(-PACK_FOOTER_BYTES);
  if (footer.toString('latin1', 4) !== MAGIC) throw damaged(what, `it does not end in ${MAGIC}`);
  const count = footer.readUInt32LE();
  const tableBytes = count * ROW_BYTES + PACK_FOOTER_BYTES;
  if (count === 0 || count > MAX_PACK_MEMBERS || tableBytes > pack.sizeBytes) {
    throw damaged(what, `a table of ${String(count)} members does not fit in it`);
  }
  return tableBytes;
}

/**
 * The members that a pack's table names, in the order of their bodies. `tail` is any end of the
 * pack, as long as `packTailBytes` says, or the whole pack; nothing is said of the bodies' digests.
 * Throws an integrity error where the table does not account for every byte of the pack.
 */
export function parsePackTable(tail: Uint8Array, pack: Descriptor): IndexRecord[] {
  const what = `pack ${pack.digest}`;
  const tableBytes = packTailBytes(tail, pack);
  if (tail.length < tableBytes) throw damaged(what, 'its table is cut short');
  const table = bufferOf(tail).subarray(-tableBytes);
  const members = new Map<Digest, IndexRecord>();
  let offset = 0;
  for (let at = 0; at < tableBytes - PACK_FOOTER_BYTES; at += ROW_BYTES) {
    const kind = kindOfCode(table[at]);
    const digest = digestAt(table, at + 1);
    const sizeBytes = table.readUInt32LE(at + 1 + DIGEST_BYTES);
    if (kind === undefined) throw damaged(what, `the kind of ${digest} is unknown`);
    if (sizeBytes > MAX_WHOLE_BYTES) throw damaged(what, `${digest} is too long for a pack`);
    if (members.has(digest)) throw damaged(what, `${digest} is in it twice`);
    members.set(digest, { kind, digest, pack: pack.digest, offset, sizeBytes });
    offset += sizeBytes;
  }
  if (offset + tableBytes !== pack.sizeBytes) {
    throw damaged(
      what,
      `its table is of ${String(offset + tableBytes)} bytes, and it has ${String(pack.sizeBytes)}`,
    );
  }
  return [...members.values()];
}

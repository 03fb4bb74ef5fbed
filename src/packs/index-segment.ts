/**
 * A segment of the index of packs: an immutable file that says in which packs some digests lie.
 *
 * | bytes | what |
 * |---|---|
 * | 8 | `PKGINDX1` |
 * | 4, 4 | number of packs, number of records (u32 each) |
 * | 36 each | a pack: digest (32), size in bytes (u32); by digest, each once |
 * | 45 each | a record: digest (32), kind (1), number of its pack, offset, length (u32 each); by digest, then pack, each pair once |
 *
 * Numbers are little-endian, packs are numbered from zero, order is that of the digests' bytes. A
 * segment's name is its SHA-256; equal records and packs make equal segments.
 */
import { invariant } from '../runtime/errors.ts';
import type { Descriptor, Digest } from '../store/digest.ts';
import { MIN_TABLE_BYTES } from './pack-file.ts';
import {
  codeOfKind,
  DIGEST_BYTES,
  damaged,
  digestAt,
  type IndexRecord,
  kindOfCode,
  MAX_PACK_BYTES,
  MAX_WHOLE_BYTES,
} from './packs.ts';

const MAGIC = 'PKGINDX1';
const HEAD_BYTES = MAGIC.length + 8;
const PACK_BYTES = DIGEST_BYTES + 4;
/** Bytes of a record. */
export const RECORD_BYTES = DIGEST_BYTES + 13;
const KIND_AT = DIGEST_BYTES;

/** Where in a record the number of its pack stands. */
export const PACK_AT = KIND_AT + 1;
const OFFSET_AT = PACK_AT + 4;
const LENGTH_AT = OFFSET_AT + 4;

/** A segment of which all has been checked. */
export interface Segment {
  readonly bytes: Buffer;
  readonly packs: readonly Descriptor[];
  readonly firstRecordAt: number;
  readonly recordCount: number;
  /** The number of the first record of each group of digests, then `recordCount`. */
  readonly groups: Uint32Array;
}

/**
 * A segment of these records and packs, given in any order; what comes again is written once, and of
 * several places of one digest in one pack the first, as `PackIndex.find` answers. A record whose
 * pack is not among `packs` is a bug of the caller.
 */
export function encodeIndexSegment(
  records: Iterable<IndexRecord>,
  packs: Iterable<Descriptor>,
): Buffer {
  const sizes = new Map(Array.from(packs, (pack) => [pack.digest, pack.sizeBytes]));
  const ordered = [...sizes].sort(([a], [b]) => (a < b ? -1 : 1));
  const numbers = new Map(ordered.map(([digest], number) => [digest, number]));
  const rows = rowsOf(records, numbers);
  const order = orderOfRows(rows);

  const segment = Buffer.allocUnsafe(HEAD_BYTES + ordered.length * PACK_BYTES + rows.length);
  segment.write(MAGIC, 'latin1');
  segment.writeUInt32LE(ordered.length, MAGIC.length);
  let at = HEAD_BYTES;
  for (const [digest, sizeBytes] of ordered) {
    segment.write(digest, at, 'hex');
    at = segment.writeUInt32LE(sizeBytes, at + DIGEST_BYTES);
  }
  const firstRecordAt = at;
  for (const row of order) {
    const isRepeated =
      at > firstRecordAt && compareRows(segment, at - RECORD_BYTES, rows, row) === 0;
    if (!isRepeated) at += rows.copy(segment, at, row, row + RECORD_BYTES);
  }
  segment.writeUInt32LE((at - firstRecordAt) / RECORD_BYTES, MAGIC.length + 4);
  return segment.subarray(0, at);
}

/** The records as rows of a segment, in the order given. */
function rowsOf(records: Iterable<IndexRecord>, numbers: ReadonlyMap<Digest, number>): Buffer {
  let rows = Buffer.allocUnsafe(1024 * RECORD_BYTES);
  let at = 0;
  for (const { digest, kind, pack, offset, sizeBytes } of records) {
    const number = numbers.get(pack);
    invariant(number !== undefined, `pack ${pack} of ${digest} is among the packs`);
    if (at === rows.length) rows = Buffer.concat([rows], 2 * rows.length);
    rows.write(digest, at, 'hex');
    rows.writeUInt8(codeOfKind(kind), at + KIND_AT);
    rows.writeUInt32LE(number, at + PACK_AT);
    rows.writeUInt32LE(offset, at + OFFSET_AT);
    rows.writeUInt32LE(sizeBytes, at + LENGTH_AT);
    at += RECORD_BYTES;
  }
  return rows.subarray(0, at);
}

/** Where each row begins, by digest, pack and place: counted into groups, which are then sorted. */
function orderOfRows(rows: Buffer): Uint32Array {
  const order = new Uint32Array(rows.length / RECORD_BYTES);
  const ends = emptyGroups(order.length);
  for (let row = 0; row < rows.length; row += RECORD_BYTES) {
    const group = groupOf(rows, row, ends);
    ends[group + 1] = (ends[group + 1] ?? 0) + 1;
  }
  for (let group = 1; group < ends.length; group++) {
    ends[group] = (ends[group] ?? 0) + (ends[group - 1] ?? 0);
  }
  for (let row = 0; row < rows.length; row += RECORD_BYTES) {
    const group = groupOf(rows, row, ends);
    const at = ends[group] ?? 0;
    order[at] = row;
    ends[group] = at + 1;
  }
  let start = 0;
  for (const end of ends) {
    order
      .subarray(start, end)
      .sort((a, b) => compareRows(rows, a, rows, b) || comparePlaceInPack(rows, a, b));
    start = end;
  }
  return order;
}

function compareRows(a: Buffer, aAt: number, b: Buffer, bAt: number): number {
  return (
    compareDigests(a, aAt, b, bAt) || a.readUInt32LE(aAt + PACK_AT) - b.readUInt32LE(bAt + PACK_AT)
  );
}

function comparePlaceInPack(rows: Buffer, a: number, b: number): number {
  return (
    rows.readUInt32LE(a + OFFSET_AT) - rows.readUInt32LE(b + OFFSET_AT) ||
    rows.readUInt32LE(a + LENGTH_AT) - rows.readUInt32LE(b + LENGTH_AT) ||
    rows.readUInt8(a + KIND_AT) - rows.readUInt8(b + KIND_AT)
  );
}

/** The order of two digests as bytes, four at a time: most differ in the first four. */
function compareDigests(a: Buffer, aAt: number, b: Buffer, bAt: number): number {
  for (let index = 0; index < DIGEST_BYTES; index += 4) {
    const difference = a.readUInt32BE(aAt + index) - b.readUInt32BE(bAt + index);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Where the first record of a digest, given as its bytes, begins; or undefined. */
export function findInSegment(segment: Segment, wanted: Buffer): number | undefined {
  const { bytes, firstRecordAt, recordCount, groups } = segment;
  const group = groupOf(wanted, 0, groups);
  let [low, high] = [groups[group] ?? 0, groups[group + 1] ?? 0];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareDigests(bytes, firstRecordAt + middle * RECORD_BYTES, wanted, 0) < 0) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  const at = firstRecordAt + low * RECORD_BYTES;
  return low < recordCount && compareDigests(bytes, at, wanted, 0) === 0 ? at : undefined;
}

/** Room for a number a group and one more: a power of two groups, of about 16 records each. */
function emptyGroups(recordCount: number): Uint32Array {
  return new Uint32Array(2 ** Math.max(0, 28 - Math.clz32(recordCount)) + 1);
}

/** The group of a digest, by its first bits. */
function groupOf(digest: Buffer, at: number, groups: Uint32Array): number {
  return Math.floor((digest.readUInt32BE(at) / 2 ** 32) * (groups.length - 1));
}

/** The number of the first record of each group, then the number of records. */
function groupsOf(records: Buffer): Uint32Array {
  const recordCount = records.length / RECORD_BYTES;
  const groups = emptyGroups(recordCount);
  let next = 0;
  for (let number = 0; number < recordCount; number++) {
    const group = groupOf(records, number * RECORD_BYTES, groups);
    while (next <= group) groups[next++] = number;
  }
  return groups.fill(recordCount, next);
}

/** The record of a digest that begins at `at`. */
export function recordAt({ bytes, packs }: Segment, at: number, digest: Digest): IndexRecord {
  const kind = kindOfCode(bytes[at + KIND_AT]);
  const pack = packs[bytes.readUInt32LE(at + PACK_AT)];
  invariant(kind !== undefined && pack !== undefined, 'a segment is checked when it is added');
  const offset = bytes.readUInt32LE(at + OFFSET_AT);
  return { kind, digest, pack: pack.digest, offset, sizeBytes: bytes.readUInt32LE(at + LENGTH_AT) };
}

/** All records, by digest, made one at a time. */
export function* recordsOf(segment: Segment): Generator<IndexRecord> {
  const { bytes, firstRecordAt } = segment;
  for (let at = firstRecordAt; at < bytes.length; at += RECORD_BYTES) {
    yield recordAt(segment, at, digestAt(bytes, at));
  }
}

/**
 * The segment that these bytes are; `name` is for messages. Throws an integrity error where a length,
 * the order, a pack's size or a place in a pack is not as it must be.
 */
export function parseIndexSegment(bytes: Buffer, name: string): Segment {
  const what = `index segment ${name}`;
  if (bytes.length < HEAD_BYTES || bytes.toString('latin1', 0, MAGIC.length) !== MAGIC) {
    throw damaged(what, `it does not begin with ${MAGIC}`);
  }
  const packCount = bytes.readUInt32LE(MAGIC.length);
  const recordCount = bytes.readUInt32LE(MAGIC.length + 4);
  const firstRecordAt = HEAD_BYTES + packCount * PACK_BYTES;
  const length = firstRecordAt + recordCount * RECORD_BYTES;
  if (length !== bytes.length) {
    const sizes = `${String(bytes.length)} bytes, and its head says ${String(length)}`;
    throw damaged(what, `it has ${sizes}`);
  }
  const packs = checkPacks(bytes.subarray(HEAD_BYTES, firstRecordAt), what);
  const records = bytes.subarray(firstRecordAt);
  checkRecords(records, packs, what);
  return { bytes, packs, firstRecordAt, recordCount, groups: groupsOf(records) };
}

function checkPacks(table: Buffer, what: string): Descriptor[] {
  const packs: Descriptor[] = [];
  for (let at = 0; at < table.length; at += PACK_BYTES) {
    const pack = { digest: digestAt(table, at), sizeBytes: table.readUInt32LE(at + DIGEST_BYTES) };
    if (at > 0 && compareDigests(table, at - PACK_BYTES, table, at) >= 0) {
      throw damaged(what, `pack ${pack.digest} is out of order`);
    }
    if (pack.sizeBytes < MIN_TABLE_BYTES || pack.sizeBytes > MAX_PACK_BYTES) {
      throw damaged(what, `pack ${pack.digest} cannot have ${String(pack.sizeBytes)} bytes`);
    }
    packs.push(pack);
  }
  return packs;
}

function checkRecords(records: Buffer, packs: readonly Descriptor[], what: string): void {
  for (let at = 0; at < records.length; at += RECORD_BYTES) {
    if (at > 0 && compareRows(records, at - RECORD_BYTES, records, at) >= 0) {
      throw damaged(what, `the record of ${digestAt(records, at)} is out of order`);
    }
    const length = records.readUInt32LE(at + LENGTH_AT);
    const end = records.readUInt32LE(at + OFFSET_AT) + length;
    const pack = packs[records.readUInt32LE(at + PACK_AT)];
    const isSound =
      kindOfCode(records[at + KIND_AT]) !== undefined &&
      length <= MAX_WHOLE_BYTES &&
      pack !== undefined &&
      end <= pack.sizeBytes - MIN_TABLE_BYTES;
    if (!isSound) {
      throw damaged(
        what,
        `the record of ${digestAt(records, at)} names no place in one of its packs`,
      );
    }
  }
}

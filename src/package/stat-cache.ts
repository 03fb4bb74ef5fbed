/** What files were when they were last hashed, so that those not touched since are not read again. */
import { createHash } from 'node:crypto';
import { dirname } from 'node:path';
import type { Clock } from '../runtime/runtime.ts';
import { moveFile, readIfPresent, withTemporaryFile, writeChunks } from '../store/atomic-file.ts';
import { parseDigest } from '../store/digest.ts';
import type { Content } from './object-hash.ts';

/** What tells that a file has not been touched; `fs.stat` gives it with `bigint: true`. */
export interface FileStats {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly size: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
}

/** A file changed this shortly ago may change again within one tick of the disk's clock. */
const SETTLED_AFTER_MS = 2000n;

/**
 * The file: these 16 bytes, records in the order of their first 16 bytes, SHA-256 of all before. A
 * record: the first 16 bytes of the key's SHA-256, five stats as 64 bits each (little-endian), the
 * digest, the chunked hash.
 */
const MAGIC = Buffer.from('pkg-stat-cache-1');
const SUM_BYTES = 32;
const KEY_BYTES = 16;
const STATS_AT = 16;
const DIGEST_AT = 56;
const CHUNKED_AT = 88;
const RECORD_BYTES = 120;

/** How many records are written at once. */
const BATCH_RECORDS = 8192;

/** A record, and where it is. */
interface Located {
  readonly records: Buffer;
  readonly offset: number;
}

/**
 * The contents of files under keys of the caller's choice, such as logical keys, kept in one file.
 * Memory: 120 bytes a file.
 */
export class StatCache {
  readonly #path: string;
  readonly #clock: Clock;
  /** As they were opened, in order of keys. */
  readonly #known: Buffer;
  readonly #isUsed: Uint8Array;
  /** Records noted since, in any order; the last of a key counts. */
  #noted = Buffer.alloc(0);
  #notedBytes = 0;

  private constructor(path: string, clock: Clock, known: Buffer) {
    this.#path = path;
    this.#clock = clock;
    this.#known = known;
    this.#isUsed = new Uint8Array(known.length / RECORD_BYTES);
  }

  /** Opens the cache at `path`; one that is absent, damaged or of another version is empty. */
  static async open(path: string, clock: Clock): Promise<StatCache> {
    const file = await readIfPresent(path);
    return new StatCache(path, clock, file === undefined ? Buffer.alloc(0) : recordsOf(file));
  }

  /** What the file under `key` holds, if it was noted with just these stats when this was opened. */
  find(key: string, stats: FileStats): Content | undefined {
    const wanted = shortHash(key);
    const index = firstAtOrAfter(this.#known, wanted);
    const offset = index * RECORD_BYTES;
    if (!equalAt(this.#known, offset, wanted)) return undefined;
    if (!hasStats(this.#known, offset + STATS_AT, stats)) return undefined;
    this.#isUsed[index] = 1;
    return {
      digest: parseDigest(this.#known.toString('hex', offset + DIGEST_AT, offset + CHUNKED_AT)),
      sizeBytes: Number(stats.size),
      chunkedHash: this.#known.toString('base64', offset + CHUNKED_AT, offset + RECORD_BYTES),
    };
  }

  /**
   * Notes what a file held whose stats were `stats` before it was read and still are. One that was
   * changed less than two seconds ago is not noted: it could change again with the same stats.
   */
  note(key: string, stats: FileStats, content: Content): void {
    if (BigInt(this.#clock.now()) - stats.ctimeNs / 1_000_000n <= SETTLED_AFTER_MS) return;
    if (this.#notedBytes + RECORD_BYTES > this.#noted.length) {
      const more = Buffer.alloc(Math.max(2 * this.#noted.length, 64 * RECORD_BYTES));
      this.#noted.copy(more);
      this.#noted = more;
    }
    const record = this.#noted.subarray(this.#notedBytes, this.#notedBytes + RECORD_BYTES);
    shortHash(key).copy(record);
    numbersOf(stats).forEach((value, at) => record.writeBigUInt64LE(value, STATS_AT + 8 * at));
    record.write(content.digest, DIGEST_AT, 'hex');
    record.write(content.chunkedHash, CHUNKED_AT, 'base64');
    this.#notedBytes += RECORD_BYTES;
  }

  /**
   * Writes the file, in one move, if anything is to be changed in it. With `prune`, what was neither
   * found nor noted is dropped: for a caller that has gone through all files there are.
   * @throws PkgError `storage` with what the disk said.
   */
  async save(options: { readonly prune?: boolean } = {}): Promise<void> {
    const prune = options.prune ?? false;
    if (this.#notedBytes === 0 && !(prune && this.#isUsed.includes(0))) return;
    await withTemporaryFile(dirname(this.#path), async (temporaryPath) => {
      await writeChunks(temporaryPath, encode(this.#merged(prune)));
      await moveFile(temporaryPath, this.#path);
    });
  }

  /** All records in order, each key once. */
  *#merged(prune: boolean): Generator<Located> {
    const known = this.#known;
    let index = 0;
    const before = function* (isUsed: Uint8Array, noted?: Located): Generator<Located> {
      for (; index < isUsed.length; index++) {
        const offset = index * RECORD_BYTES;
        const order = noted === undefined ? -1 : compareKeys({ records: known, offset }, noted);
        if (order > 0) return;
        if (order < 0 && !(prune && isUsed[index] === 0)) yield { records: known, offset };
      }
    };
    for (const noted of this.#sortedNotes()) {
      yield* before(this.#isUsed, noted);
      yield noted;
    }
    yield* before(this.#isUsed);
  }

  /** What was noted, in order of keys, each once. */
  *#sortedNotes(): Generator<Located> {
    const records = this.#noted;
    const offsets = Float64Array.from(
      { length: this.#notedBytes / RECORD_BYTES },
      (_, index) => index * RECORD_BYTES,
    );
    offsets.sort((a, b) => compareKeys({ records, offset: a }, { records, offset: b }) || a - b);
    for (const [index, offset] of offsets.entries()) {
      const next = offsets[index + 1];
      const isLast =
        next === undefined || compareKeys({ records, offset }, { records, offset: next }) !== 0;
      if (isLast) yield { records, offset };
    }
  }
}

/** The records of a whole file; none where it is not one of ours or was damaged. */
function recordsOf(file: Buffer): Buffer {
  const end = file.length - SUM_BYTES;
  const records = file.subarray(MAGIC.length, Math.max(MAGIC.length, end));
  const isOurs =
    end >= MAGIC.length &&
    equalAt(file, 0, MAGIC) &&
    records.length % RECORD_BYTES === 0 &&
    equalAt(file, end, createHash('sha256').update(file.subarray(0, end)).digest());
  return isOurs ? records : Buffer.alloc(0);
}

function* encode(records: Iterable<Located>): Generator<Uint8Array> {
  const sum = createHash('sha256').update(MAGIC);
  yield MAGIC;
  let batch = Buffer.alloc(BATCH_RECORDS * RECORD_BYTES);
  let filled = 0;
  for (const { records: from, offset } of records) {
    from.copy(batch, filled, offset, offset + RECORD_BYTES);
    filled += RECORD_BYTES;
    if (filled < batch.length) continue;
    sum.update(batch);
    yield batch;
    batch = Buffer.alloc(batch.length);
    filled = 0;
  }
  sum.update(batch.subarray(0, filled));
  yield batch.subarray(0, filled);
  yield sum.digest();
}

/** The number of the first record whose key is not before `key`. */
function firstAtOrAfter(records: Buffer, key: Buffer): number {
  let low = 0;
  let high = records.length / RECORD_BYTES;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const start = middle * RECORD_BYTES;
    if (records.compare(key, 0, KEY_BYTES, start, start + KEY_BYTES) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

function compareKeys(a: Located, b: Located): number {
  const { offset } = b;
  return a.records.compare(b.records, offset, offset + KEY_BYTES, a.offset, a.offset + KEY_BYTES);
}

function equalAt(data: Buffer, offset: number, part: Buffer): boolean {
  const end = offset + part.length;
  return end <= data.length && data.compare(part, 0, part.length, offset, end) === 0;
}

/** Whether two stats are of one file that was not touched between them. */
export function isSameFile(a: FileStats, b: FileStats): boolean {
  const before = numbersOf(a);
  return numbersOf(b).every((value, index) => value === before[index]);
}

function hasStats(records: Buffer, offset: number, stats: FileStats): boolean {
  return numbersOf(stats).every((value, at) => value === records.readBigUInt64LE(offset + 8 * at));
}

function numbersOf({ dev, ino, size, mtimeNs, ctimeNs }: FileStats): readonly bigint[] {
  return [dev, ino, size, mtimeNs, ctimeNs].map((value) => BigInt.asUintN(64, value));
}

function shortHash(text: string): Buffer {
  return createHash('sha256').update(text).digest().subarray(0, KEY_BYTES);
}

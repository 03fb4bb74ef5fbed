/** A lineage that is looked into by ranges: its head, one bucket of terms, and the photos they lead to. */
import { parseLineageKey } from '../objects/layout.ts';
import { PkgError } from '../runtime/errors.ts';
import type { Storage } from '../storage/storage.ts';
import { readBounded } from '../storage/whole-content.ts';
import { kindsOfBits, TERM_HASH_BYTES, type TermKind } from './lineage.ts';
import {
  bucketOf,
  COUNT_AT,
  KINDS_AT,
  type LineageHead,
  type LineageLayout,
  MAX_LINEAGE_BYTES,
  PREFIX_BYTES,
  parseHead,
  parseLayout,
  TERM_BYTES,
  VALUE_AT,
} from './lineage-format.ts';
import { type BlockPhoto, decodeBlock } from './photo-block.ts';

/** What the first request brings: the head, and all of a small lineage. */
const FIRST_READ_BYTES = 8 * 1024;

/** Photos so near to each other are fetched together, and a photo is guessed to have so many bytes. */
const MAX_GAP_BYTES = 4096;
const LIKELY_PHOTO_BYTES = 512;
const MAX_RUN_BYTES = 8 * 2 ** 20;

/** Bytes of a range that lies inside of the file. */
type ReadBytes = (start: number, end: number) => Promise<Buffer>;

/** Where a term is of use, and at how many photos. */
export interface FoundTerm {
  readonly kinds: readonly TermKind[];
  /** Where the blocks of its photos begin, ascending. */
  readonly offsets: readonly number[];
}

export class LineageFile {
  readonly head: LineageHead;
  readonly layout: LineageLayout;
  readonly #read: ReadBytes;

  private constructor(layout: LineageLayout, head: LineageHead, read: ReadBytes) {
    this.layout = layout;
    this.head = head;
    this.#read = read;
  }

  /**
   * Opens lineage in memory.
   * @throws PkgError `integrity` where it is none.
   */
  static async ofBytes(bytes: Buffer): Promise<LineageFile> {
    const read = (start: number, end: number) => Promise.resolve(bytes.subarray(start, end));
    return await LineageFile.#open(bytes.length, read);
  }

  /**
   * Opens lineage in a registry by one request; undefined where there is none.
   * @throws PkgError `integrity` where it is none.
   */
  static async inRegistry(registry: Storage, key: string): Promise<LineageFile | undefined> {
    const found = await registry.read({ key }, { start: 0, end: FIRST_READ_BYTES });
    if (found === undefined) return undefined;
    const { sizeBytes } = found;
    const first = await readBounded(found.bytes, FIRST_READ_BYTES);
    const read = async (start: number, end: number): Promise<Buffer> => {
      if (end <= first.length) return first.subarray(start, end);
      const part = await registry.read({ key }, { start, end });
      if (part === undefined) throw new PkgError('integrity', 'it is gone');
      return await readBounded(part.bytes, end - start);
    };
    const file = await LineageFile.#open(sizeBytes, read);
    requireName(file.head, key);
    return file;
  }

  static async #open(sizeBytes: number, readBytes: ReadBytes): Promise<LineageFile> {
    const read = async (start: number, end: number): Promise<Buffer> => {
      const bytes = await readBytes(start, end);
      if (bytes.length === end - start) return bytes;
      throw new PkgError('integrity', 'it is cut short');
    };
    const layout = parseLayout(await read(0, Math.min(PREFIX_BYTES, sizeBytes)), sizeBytes);
    const { start, end } = layout.headText;
    const head = parseHead((await read(start, end)).toString('utf8'));
    return new LineageFile(layout, head, read);
  }

  /**
   * Looks a term up by its hash.
   * @throws PkgError `integrity` where its bucket is not in order or leads outside.
   */
  async find(hash: string): Promise<FoundTerm | undefined> {
    const wanted = Buffer.from(hash, 'hex');
    const { first, count } = await this.#bucket(wanted.readUInt32BE(0));
    if (count === 0) return undefined;
    const at = this.layout.termsAt + first * TERM_BYTES;
    const terms = await this.#read(at, at + count * TERM_BYTES);
    requireOrder(terms);
    for (let start = 0; start < terms.length; start += TERM_BYTES) {
      if (wanted.compare(terms, start, start + TERM_HASH_BYTES) === 0) {
        return await this.#termAt(terms, start);
      }
    }
    return undefined;
  }

  async #bucket(firstBytes: number): Promise<{ readonly first: number; readonly count: number }> {
    const { fanoutAt, fanoutBits, termCount } = this.layout;
    const bucket = bucketOf(firstBytes, fanoutBits);
    const from = fanoutAt + 4 * Math.max(bucket - 1, 0);
    const ends = await this.#read(from, fanoutAt + 4 * (bucket + 1));
    const first = bucket === 0 ? 0 : ends.readUInt32LE(0);
    const end = ends.readUInt32LE(ends.length - 4);
    if (first > end || end > termCount)
      throw new PkgError('integrity', 'its fanout is not in order');
    return { first, count: end - first };
  }

  async #termAt(terms: Buffer, start: number): Promise<FoundTerm> {
    const kinds = kindsOfBits(terms[start + KINDS_AT] ?? 0);
    const value = terms.readUInt32LE(start + VALUE_AT);
    const count = terms.readUInt32LE(start + COUNT_AT);
    const { postingsAt, postingCount } = this.layout;
    if (count === 1) return { kinds, offsets: [value] };
    if (count === 0 || value + count > postingCount) {
      throw new PkgError('integrity', 'a term leads to no photo');
    }
    const from = postingsAt + 4 * value;
    const postings = await this.#read(from, from + 4 * count);
    const offsets = Array.from({ length: count }, (_, index) => postings.readUInt32LE(4 * index));
    if (!offsets.every((offset, index) => index === 0 || (offsets[index - 1] ?? 0) < offset)) {
      throw new PkgError('integrity', 'the photos of a term are not in order');
    }
    return { kinds, offsets };
  }

  /** The photos at offsets, ascending, in few requests. */
  async *photosAt(offsets: readonly number[]): AsyncGenerator<BlockPhoto> {
    let lastEnd = 0;
    for (const run of runsOf(offsets)) {
      const [first = 0] = run;
      const photoBytes = this.layout.end - this.layout.photosAt;
      if ((run.at(-1) ?? 0) >= photoBytes) throw new PkgError('integrity', 'a photo is not there');
      let reach = (run.at(-1) ?? 0) + LIKELY_PHOTO_BYTES;
      let bytes = await this.#photoBytes(first, reach);
      for (const offset of run) {
        let found = decodeBlock(bytes, offset - first, this.head);
        while (found === undefined && reach < photoBytes) {
          reach += Math.max(LIKELY_PHOTO_BYTES, reach - offset);
          bytes = await this.#photoBytes(first, reach);
          found = decodeBlock(bytes, offset - first, this.head);
        }
        if (found === undefined) throw new PkgError('integrity', 'it ends inside a photo');
        if (offset < lastEnd) throw new PkgError('integrity', 'its photos overlap');
        lastEnd = first + found.end;
        yield found.photo;
      }
    }
  }

  async #photoBytes(from: number, to: number): Promise<Buffer> {
    const { photosAt, end } = this.layout;
    return await this.#read(photosAt + from, Math.min(photosAt + to, end));
  }
}

/**
 * A lineage under a top hash tells of that revision alone.
 * @throws PkgError `integrity` where it does not.
 */
export function requireName({ revisions }: Pick<LineageHead, 'revisions'>, key: string): void {
  const name = parseLineageKey(key);
  if (name === undefined || 'digest' in name) return;
  if (revisions.length === 1 && revisions[0]?.topHash === name.topHash) return;
  throw new PkgError('integrity', 'it tells of another revision');
}

function requireOrder(terms: Buffer): void {
  for (let at = TERM_BYTES; at < terms.length; at += TERM_BYTES) {
    const before = at - TERM_BYTES;
    if (terms.compare(terms, at, at + TERM_HASH_BYTES, before, before + TERM_HASH_BYTES) >= 0) {
      throw new PkgError('integrity', 'its terms are not in order');
    }
  }
}

/** Offsets that one request brings. */
function* runsOf(offsets: readonly number[]): Generator<readonly number[]> {
  let run: number[] = [];
  for (const offset of offsets) {
    const [first] = run;
    const last = run.at(-1);
    const fits =
      first === undefined ||
      last === undefined ||
      (offset - last <= MAX_GAP_BYTES && offset - first <= MAX_RUN_BYTES);
    if (!fits) {
      yield run;
      run = [];
    }
    run.push(offset);
  }
  if (run.length > 0) yield run;
}

/** A whole lineage out of a registry; undefined where there is none. */
export async function readLineageBytes(
  registry: Storage,
  key: string,
): Promise<Buffer | undefined> {
  const found = await registry.read({ key });
  return found === undefined ? undefined : await readBounded(found.bytes, MAX_LINEAGE_BYTES);
}

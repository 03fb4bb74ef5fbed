/** The index of a registry's packs: any number of segments that are asked as one. */
import type { Descriptor, Digest } from '../store/digest.ts';
import {
  findInSegment,
  parseIndexSegment,
  RECORD_BYTES,
  recordAt,
  recordsOf,
  type Segment,
} from './index-segment.ts';
import { bufferOf, codeOfKind, DIGEST_BYTES, damaged, type IndexRecord } from './packs.ts';

/** All segments of a registry, each as the bytes it came in. */
export class PackIndex {
  readonly #segments = new Map<string, Segment>();
  readonly #packs = new Map<Digest, number>();
  readonly #wanted = Buffer.alloc(DIGEST_BYTES);
  #sizeRecords = 0;

  /** Records in all segments; one that stands in several counts several times. */
  get sizeRecords(): number {
    return this.#sizeRecords;
  }

  /** The names of the segments, in the order in which they were added. */
  get names(): IterableIterator<string> {
    return this.#segments.keys();
  }

  /**
   * Takes a segment in, whose bytes must not change from then on; one of the same name is there
   * already and stays. Throws an integrity error, and takes nothing in, where it is not a segment or
   * gives a known pack another size.
   */
  add(bytes: Uint8Array, name: string): void {
    if (this.#segments.has(name)) return;
    const segment = parseIndexSegment(bufferOf(bytes), name);
    for (const { digest, sizeBytes } of segment.packs) {
      const known = this.#packs.get(digest) ?? sizeBytes;
      if (known === sizeBytes) continue;
      const sizes = `${String(sizeBytes)} bytes, another segment ${String(known)}`;
      throw damaged(`index segment ${name}`, `it gives pack ${digest} ${sizes}`);
    }
    for (const { digest, sizeBytes } of segment.packs) this.#packs.set(digest, sizeBytes);
    this.#segments.set(name, segment);
    this.#sizeRecords += segment.recordCount;
  }

  /** Forgets all segments. */
  clear(): void {
    this.#segments.clear();
    this.#packs.clear();
    this.#sizeRecords = 0;
  }

  has(digest: Digest): boolean {
    this.#wanted.write(digest, 'hex');
    for (const segment of this.#segments.values()) {
      if (findInSegment(segment, this.#wanted) !== undefined) return true;
    }
    return false;
  }

  /**
   * A number below `sizeRecords` that no other digest has, as long as no segment is added; undefined
   * for a digest that is not there.
   */
  numberOf(digest: Digest): number | undefined {
    this.#wanted.write(digest, 'hex');
    let first = 0;
    for (const segment of this.#segments.values()) {
      const at = findInSegment(segment, this.#wanted);
      if (at !== undefined) return first + (at - segment.firstRecordAt) / RECORD_BYTES;
      first += segment.recordCount;
    }
    return undefined;
  }

  /**
   * Where a digest lies; of several places the one in the pack with the smallest digest, so the
   * answer does not depend on the order of the segments.
   */
  find(digest: Digest): IndexRecord | undefined {
    this.#wanted.write(digest, 'hex');
    let best: IndexRecord | undefined;
    for (const segment of this.#segments.values()) {
      const at = findInSegment(segment, this.#wanted);
      if (at === undefined) continue;
      const record = recordAt(segment, at, digest);
      if (best === undefined || comparePlaces(record, best) < 0) best = record;
    }
    return best;
  }

  /** The records of all segments, by segment and digest; made one at a time. */
  *records(): Generator<IndexRecord> {
    for (const segment of this.#segments.values()) yield* recordsOf(segment);
  }

  /** All packs that segments name, each once. */
  *packs(): Generator<Descriptor> {
    for (const [digest, sizeBytes] of this.#packs) yield { digest, sizeBytes };
  }

  /** The size of a pack in bytes, if a segment names it. */
  packSizeBytes(pack: Digest): number | undefined {
    return this.#packs.get(pack);
  }
}

/** Which of two records of one digest is answered. */
function comparePlaces(a: IndexRecord, b: IndexRecord): number {
  if (a.pack !== b.pack) return a.pack < b.pack ? -1 : 1;
  return (
    a.offset - b.offset || a.sizeBytes - b.sizeBytes || codeOfKind(a.kind) - codeOfKind(b.kind)
  );
}

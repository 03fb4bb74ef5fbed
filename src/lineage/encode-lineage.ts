/** Lineage as bytes: of one revision, or of several that were merged. */
import { canonicalJson, toPlainJson } from '../store/canonical-json.ts';
import {
  bitOfKind,
  type Lineage,
  type LineagePhoto,
  type LineageRevision,
  type PlacedPhoto,
  TERM_HASH_BYTES,
  termsOf,
} from './lineage.ts';
import {
  bucketOf,
  COUNT_AT,
  fanoutBitsFor,
  KINDS_AT,
  LINEAGE_MAGIC,
  type LineageHead,
  type LineageLayout,
  layoutOf,
  TERM_BYTES,
  VALUE_AT,
} from './lineage-format.ts';
import { encodeBlock, encodePhoto, folderOf, type TextNumbers } from './photo-block.ts';

interface Term {
  kinds: number;
  /** Where its photos' blocks begin among the photos, ascending. */
  readonly offsets: number[];
}

/** The one spelling of a lineage: equal values make equal bytes, in whatever order photos come. */
export function encodeLineage(lineage: Lineage): Buffer {
  const head = headOf(lineage);
  const numbers = { licences: numbered(head.licences), folders: numbered(head.folders) };
  const { blocks, terms } = placePhotos(lineage.photos, numbers);
  const headText = Buffer.from(canonicalJson(toPlainJson(head)));
  const sorted = [...terms].sort(([a], [b]) => (a < b ? -1 : 1));
  const postingCount = sorted.reduce((sum, [, { offsets }]) => sum + postingsOf(offsets), 0);
  const counts = {
    ...{ headBytes: headText.length, termCount: sorted.length, postingCount },
    fanoutBits: fanoutBitsFor(sorted.length),
    photoBytes: blocks.reduce((sum, { length }) => sum + length, 0),
  };
  const layout = layoutOf(counts);
  const bytes = Buffer.alloc(layout.end);
  bytes.write(LINEAGE_MAGIC, 0, 'latin1');
  const { headBytes, termCount, fanoutBits, photoBytes } = counts;
  for (const [index, value] of [
    headBytes,
    termCount,
    postingCount,
    fanoutBits,
    photoBytes,
  ].entries()) {
    bytes.writeUInt32LE(value, LINEAGE_MAGIC.length + 4 * index);
  }
  bytes.set(headText, layout.headText.start);
  writeTerms(bytes, layout, sorted);
  let at = layout.photosAt;
  for (const block of blocks) {
    bytes.set(block, at);
    at += block.length;
  }
  return bytes;
}

function headOf({ revisions, photos }: Lineage): LineageHead {
  const [licences, folders] = [new Set<string>(), new Set<string>()];
  for (const { licence, crops } of photos) {
    if (licence !== '') licences.add(licence);
    for (const { logicalKey } of crops) folders.add(folderOf(logicalKey));
  }
  return { revisions, licences: [...licences].sort(), folders: [...folders].sort() };
}

function numbered(texts: readonly string[]): ReadonlyMap<string, number> {
  return new Map(texts.map((text, index) => [text, index]));
}

/** One term leads to one photo by its offset alone. */
function postingsOf(offsets: readonly number[]): number {
  return offsets.length === 1 ? 0 : offsets.length;
}

function placePhotos(photos: readonly PlacedPhoto[], numbers: TextNumbers) {
  const blocks: Buffer[] = [];
  const terms = new Map<string, Term>();
  let offset = 0;
  for (const { photo, block } of sortedBlocks(photos, numbers)) {
    for (const [hash, kind] of termsOf(photo)) {
      const term = terms.get(hash) ?? { kinds: 0, offsets: [] };
      term.kinds |= bitOfKind(kind);
      if (term.offsets.at(-1) !== offset) term.offsets.push(offset);
      terms.set(hash, term);
    }
    blocks.push(block);
    offset += block.length;
  }
  return { blocks, terms };
}

/** By ImageID, then by what else they say. */
function sortedBlocks(photos: readonly PlacedPhoto[], numbers: TextNumbers) {
  return photos
    .map((photo) => ({
      photo,
      block: encodeBlock(photo.revisions, encodePhoto(photo, numbers)),
      urls: photo.urls.join(),
    }))
    .sort((a, b) => {
      const [left, right] = [a.photo.imageId, b.photo.imageId];
      if (left !== right) return left < right ? -1 : 1;
      if (a.urls === b.urls) return a.block.compare(b.block);
      return a.block.compare(b.block) || (a.urls < b.urls ? -1 : 1);
    });
}

function writeTerms(
  bytes: Buffer,
  layout: LineageLayout,
  terms: readonly (readonly [string, Term])[],
): void {
  const { fanoutAt, fanoutBits, termsAt, postingsAt } = layout;
  const ends = new Uint32Array(2 ** fanoutBits);
  let at = termsAt;
  let posting = 0;
  for (const [hash, { kinds, offsets }] of terms) {
    bytes.write(hash, at, TERM_HASH_BYTES, 'hex');
    bytes[at + KINDS_AT] = kinds;
    bytes.writeUInt32LE(offsets.length === 1 ? (offsets[0] ?? 0) : posting, at + VALUE_AT);
    bytes.writeUInt32LE(offsets.length, at + COUNT_AT);
    const bucket = bucketOf(bytes.readUInt32BE(at), fanoutBits);
    ends[bucket] = (ends[bucket] ?? 0) + 1;
    at += TERM_BYTES;
    for (const offset of postingsOf(offsets) === 0 ? [] : offsets) {
      bytes.writeUInt32LE(offset, postingsAt + 4 * posting);
      posting++;
    }
  }
  let sum = 0;
  for (const [bucket, count] of ends.entries()) {
    sum += count;
    bytes.writeUInt32LE(sum, fanoutAt + 4 * bucket);
  }
}

/** A lineage of one revision. */
export function lineageOfOne(revision: LineageRevision, photos: readonly LineagePhoto[]): Lineage {
  return {
    revisions: [revision],
    photos: photos.map((photo) => ({ ...photo, revisions: [0] })),
  };
}

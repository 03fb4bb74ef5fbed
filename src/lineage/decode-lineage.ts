/** A whole lineage out of its bytes, and several put together or taken apart. */
import type { TopHash } from '../package/package.ts';
import { PkgError } from '../runtime/errors.ts';
import { encodeLineage } from './encode-lineage.ts';
import {
  type Lineage,
  type LineageRevision,
  type PlacedPhoto,
  TERM_HASH_BYTES,
  termsOf,
} from './lineage.ts';
import {
  COUNT_AT,
  KINDS_AT,
  type LineageLayout,
  PREFIX_BYTES,
  parseHead,
  parseLayout,
  TERM_BYTES,
  VALUE_AT,
} from './lineage-format.ts';
import { type BlockPhoto, decodeBlock } from './photo-block.ts';

/**
 * Decodes all of a lineage. It is what `encodeLineage` makes of what is returned, to the byte.
 * @throws PkgError `integrity` for bytes that are anything else.
 */
export function decodeLineage(bytes: Buffer): Lineage {
  const layout = parseLayout(bytes.subarray(0, PREFIX_BYTES), bytes.length);
  const head = parseHead(bytes.toString('utf8', layout.headText.start, layout.headText.end));
  const blocks = new Map<number, BlockPhoto>();
  const area = bytes.subarray(layout.photosAt);
  for (let at = 0; at < area.length; ) {
    const found = decodeBlock(area, at, head);
    if (found === undefined) throw new PkgError('integrity', 'it ends inside a photo');
    blocks.set(at, found.photo);
    at = found.end;
  }
  const hashes = new Map<number, string[]>([...blocks.keys()].map((offset) => [offset, []]));
  for (const { hash, offsets } of allTerms(bytes, layout)) {
    for (const offset of offsets) hashes.get(offset)?.push(hash);
  }
  const photos = [...blocks].map(([offset, photo]) => withUrls(photo, hashes.get(offset) ?? []));
  const lineage = { revisions: head.revisions, photos };
  if (!encodeLineage(lineage).equals(bytes)) {
    throw new PkgError('integrity', 'it is not spelt as it would be written');
  }
  return lineage;
}

function* allTerms(
  bytes: Buffer,
  layout: LineageLayout,
): Generator<{ readonly hash: string; readonly offsets: readonly number[] }> {
  const { termsAt, termCount, postingsAt, postingCount } = layout;
  let taken = 0;
  for (let index = 0; index < termCount; index++) {
    const at = termsAt + index * TERM_BYTES;
    const hash = bytes.toString('hex', at, at + TERM_HASH_BYTES);
    const isUrl = (bytes[at + KINDS_AT] ?? 0) >= 8;
    const value = bytes.readUInt32LE(at + VALUE_AT);
    const count = bytes.readUInt32LE(at + COUNT_AT);
    taken += count === 1 ? 0 : count;
    // A posting is of one term, or a short file could name a photo without end.
    if (taken > postingCount || (count !== 1 && value + count > postingCount)) {
      throw new PkgError('integrity', 'a term leads to no photo');
    }
    if (!isUrl) continue;
    const from = postingsAt + 4 * value;
    const posting = (_: unknown, number: number) => bytes.readUInt32LE(from + 4 * number);
    const offsets = count === 1 ? [value] : Array.from({ length: count }, posting);
    yield { hash, offsets };
  }
}

/** The hashes that are no other term of the photo are those of its addresses. */
function withUrls(photo: BlockPhoto, hashes: readonly string[]): PlacedPhoto {
  const others = new Set([...termsOf({ ...photo, urls: [] })].map(([hash]) => hash));
  return { ...photo, urls: hashes.filter((hash) => !others.has(hash)) };
}

/** Several lineages as one; of a revision that is in more than one, the first counts. */
export function mergeLineages(lineages: readonly Lineage[]): Lineage {
  const revisions = new Map<TopHash, LineageRevision>();
  for (const lineage of lineages) {
    for (const revision of lineage.revisions) {
      if (!revisions.has(revision.topHash)) revisions.set(revision.topHash, revision);
    }
  }
  const sorted = [...revisions.values()].sort((a, b) => (a.topHash < b.topHash ? -1 : 1));
  const numbers = new Map(sorted.map(({ topHash }, index) => [topHash, index]));
  const taken = new Set<TopHash>();
  const photos = new Map<string, { readonly photo: PlacedPhoto; readonly held: number[] }>();
  for (const lineage of lineages) {
    const own = lineage.revisions.map(({ topHash }) =>
      taken.has(topHash) ? undefined : numbers.get(topHash),
    );
    for (const photo of lineage.photos) {
      const held = photo.revisions.flatMap((number) => own[number] ?? []);
      if (held.length > 0) addPhoto(photos, photo, held);
    }
    for (const { topHash } of lineage.revisions) taken.add(topHash);
  }
  return {
    revisions: sorted,
    photos: [...photos.values()].map(({ photo, held }) => ({
      ...photo,
      revisions: held.sort((a, b) => a - b),
    })),
  };
}

/** A photo that is twice in one revision stays twice. */
function addPhoto(
  photos: Map<string, { readonly photo: PlacedPhoto; readonly held: number[] }>,
  photo: PlacedPhoto,
  held: readonly number[],
): void {
  const spelling = JSON.stringify({ ...photo, revisions: [] });
  for (let copy = 0; ; copy++) {
    const key = `${String(copy)} ${spelling}`;
    const known = photos.get(key);
    if (known === undefined) {
      photos.set(key, { photo, held: [...held] });
      return;
    }
    if (!held.some((number) => known.held.includes(number))) {
      known.held.push(...held);
      return;
    }
  }
}

/** What a lineage says of some of its revisions; undefined where it has none of them. */
export function lineageOfSome(
  { revisions, photos }: Lineage,
  isKept: (topHash: TopHash) => boolean,
): Lineage | undefined {
  const kept = revisions.filter(({ topHash }) => isKept(topHash));
  if (kept.length === 0) return undefined;
  const numbers = new Map(kept.map(({ topHash }, index) => [topHash, index]));
  const renumbered = revisions.map(({ topHash }) => numbers.get(topHash));
  return {
    revisions: kept,
    photos: photos.flatMap((photo) => {
      const held = photo.revisions.flatMap((number) => renumbered[number] ?? []);
      return held.length === 0 ? [] : [{ ...photo, revisions: held }];
    }),
  };
}

/** A question put to one lineage: which photos it leads to, summed up for each revision. */
import type { TopHash } from '../package/package.ts';
import type { SplitCounts } from './impact.ts';
import { type LineageRevision, normalizeTerm, type TermKind, termHash } from './lineage.ts';
import type { LineageFile } from './lineage-file.ts';
import type { BlockPhoto } from './photo-block.ts';

/** What one lineage says of a revision. */
export interface RevisionHits {
  readonly revision: LineageRevision;
  readonly photos: number;
  readonly imageIds: readonly string[];
  readonly crops: SplitCounts;
  readonly cropKeys: readonly string[];
}

export interface LookedUp {
  readonly kinds: ReadonlySet<TermKind>;
  readonly licences: readonly string[];
  readonly hits: ReadonlyMap<TopHash, RevisionHits>;
}

export interface Question {
  readonly query: string;
  /** How many names are kept of each revision. */
  readonly maxNames: number;
  /** Whether a pointer names a revision; others are looked into for what is based on them. */
  readonly isNamed: (topHash: TopHash) => boolean;
}

/** A shorter part of a licence's address, such as `/2`, means too many. */
const MIN_LICENCE_PART = 3;

interface Sum {
  photos: number;
  readonly imageIds: string[];
  readonly crops: { train: number; validation: number; test: number; none: number };
  readonly cropKeys: string[];
}

/**
 * Looks up an ImageID, author, licence or address. ImageIDs, authors and licences are the same whatever
 * their case; a licence is also meant by whole parts of its address (`by/2.0`) and by its SPDX name
 * (`CC-BY-2.0`). All different ImageIDs that named revisions hold go to `photos`.
 * @throws PkgError `integrity` where the lineage is damaged at what was looked at.
 */
export async function lookUp(
  file: LineageFile,
  { query, maxNames, isNamed }: Question,
  photos: Set<string>,
): Promise<LookedUp> {
  const { revisions } = file.head;
  const licences = file.head.licences.filter((licence) => meansLicence(query, licence));
  const kinds = new Set<TermKind>();
  const offsets = new Set<number>();
  for (const hash of new Set([query, ...licences].map(termHash))) {
    const found = await file.find(hash);
    for (const kind of found?.kinds ?? []) kinds.add(kind);
    for (const offset of found?.offsets ?? []) offsets.add(offset);
  }
  const sums = new Map<number, Sum>();
  const isNamedAt = (number: number): boolean => {
    const revision = revisions[number];
    return revision !== undefined && isNamed(revision.topHash);
  };
  const found = new Set<string>();
  for await (const photo of file.photosAt([...offsets].sort((a, b) => a - b))) {
    for (const number of photo.revisions) addTo(sums, number, photo, maxNames);
    if (photo.revisions.some((number) => isNamedAt(number))) found.add(photo.imageId);
  }
  // Only now: a lineage that turns out to be damaged has said nothing.
  for (const imageId of found) photos.add(imageId);
  const hits = new Map<TopHash, RevisionHits>();
  for (const [number, sum] of sums) {
    const revision = revisions[number];
    if (revision !== undefined) hits.set(revision.topHash, { revision, ...sum });
  }
  return { kinds, licences, hits };
}

function addTo(sums: Map<number, Sum>, number: number, photo: BlockPhoto, maxNames: number): void {
  const sum = sums.get(number) ?? {
    ...{ photos: 0, imageIds: [], cropKeys: [] },
    crops: { train: 0, validation: 0, test: 0, none: 0 },
  };
  sums.set(number, sum);
  sum.photos++;
  if (sum.imageIds.length < maxNames) sum.imageIds.push(photo.imageId);
  for (const { logicalKey, split } of photo.crops) {
    sum.crops[split ?? 'none']++;
    if (sum.cropKeys.length < maxNames) sum.cropKeys.push(logicalKey);
  }
}

/** Whether a question means a licence, as the tables spell it. */
function meansLicence(query: string, licence: string): boolean {
  const [wanted, known] = [normalizeTerm(query), normalizeTerm(licence)].map((text) =>
    text.toLowerCase(),
  );
  if (wanted === undefined || known === undefined || wanted === '') return false;
  if (wanted === known) return true;
  const part = wanted.replace(/^\/+|\/+$/g, '');
  if (part.includes('/') && part.length >= MIN_LICENCE_PART)
    return `${known}/`.includes(`/${part}/`);
  if (part === 'cc0-1.0') return `${known}/`.includes('creativecommons.org/publicdomain/zero/1.0/');
  const [, terms, version] = /^cc-(by(?:-nc)?(?:-sa|-nd)?)-(\d\.\d)$/.exec(part) ?? [];
  if (terms === undefined || version === undefined) return false;
  return `${known}/`.includes(`creativecommons.org/licenses/${terms}/${version}/`);
}

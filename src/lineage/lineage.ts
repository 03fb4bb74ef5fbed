/** Lineage: which photos a revision holds, whose they are, and which crops and models came of them. */
import { createHash } from 'node:crypto';
import type { TopHash } from '../package/package.ts';

export const SPLITS = ['train', 'validation', 'test'] as const;
export type Split = (typeof SPLITS)[number];

/** A crop by its logical key; without a split where its table has none that is known. */
export interface LineageCrop {
  readonly logicalKey: string;
  readonly split: Split | undefined;
}

/** A row of `metadata/images.csv` with its crops; unknown texts are empty. */
export interface LineagePhoto {
  readonly imageId: string;
  readonly status: string;
  readonly author: string;
  readonly licence: string;
  /** The term hashes of its addresses, sorted, each once. */
  readonly urls: readonly string[];
  /** In the order of their table. */
  readonly crops: readonly LineageCrop[];
}

/** A package that another one was made from, as `bases` of `manifest.lock.json` pins it. */
export interface LineageBase {
  readonly use: 'data' | 'model';
  readonly name: string;
  readonly topHash: TopHash;
}

export interface LineageRevision {
  readonly topHash: TopHash;
  /** Whether it has a table of photos or crops of its own. */
  readonly hasPhotos: boolean;
  /** The logical keys of such tables that cannot be read as what their names say. */
  readonly unread: readonly string[];
  readonly hasModel: boolean;
  readonly bases: readonly LineageBase[];
}

/** A photo with the revisions that hold it just so, by their numbers, ascending. */
export interface PlacedPhoto extends LineagePhoto {
  readonly revisions: readonly number[];
}

/** The lineage of one revision or several; a photo that is alike in several stands once. */
export interface Lineage {
  /** Sorted by top hash, each once. */
  readonly revisions: readonly LineageRevision[];
  readonly photos: readonly PlacedPhoto[];
}

/** What a term is of the photos that it leads to. */
const TERM_KINDS = ['image', 'author', 'licence', 'url'] as const;
export type TermKind = (typeof TERM_KINDS)[number];

/** A kind as a bit; a term may be of several kinds. */
export function bitOfKind(kind: TermKind): number {
  return 1 << TERM_KINDS.indexOf(kind);
}

export function kindsOfBits(bits: number): readonly TermKind[] {
  return TERM_KINDS.filter((kind) => (bits & bitOfKind(kind)) !== 0);
}

export const TERM_HASH_BYTES = 16;

/**
 * Spells of a term that count as one: addresses by host in lower case, whether http or https, without
 * slashes at their end; all else by its letters in lower case.
 */
export function normalizeTerm(text: string): string {
  const trimmed = text.trim().normalize('NFC');
  const [, host, rest] = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)(.*)$/is.exec(trimmed) ?? [];
  if (host === undefined || rest === undefined) return trimmed.toLowerCase();
  return `//${host.toLowerCase()}${rest.replace(/\/+$/, '')}`;
}

/** The first 16 bytes of the SHA-256 of a normalized term, in hex. */
export function termHash(text: string): string {
  const hash = createHash('sha256').update(normalizeTerm(text)).digest('hex');
  return hash.slice(0, TERM_HASH_BYTES * 2);
}

/** The terms that lead to a photo, as hash and kind; empty texts are none. */
export function* termsOf(photo: LineagePhoto): Generator<readonly [hash: string, kind: TermKind]> {
  const { imageId, author, licence, urls } = photo;
  for (const [text, kind] of [
    [imageId, 'image'],
    [author, 'author'],
    [licence, 'licence'],
  ] as const) {
    if (text !== '') yield [termHash(text), kind];
  }
  for (const hash of urls) yield [hash, 'url'];
}

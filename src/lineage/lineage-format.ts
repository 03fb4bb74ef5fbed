/** The form of lineage in a registry (format 1): where its parts are, and the head that names them. */
import { z } from 'zod';
import { isTopHash } from '../package/package.ts';
import { messageOf, PkgError } from '../runtime/errors.ts';
import { type LineageRevision, TERM_HASH_BYTES } from './lineage.ts';

export const LINEAGE_MAGIC = 'PKGLINE1';

/** Magic, then bytes of the head text, terms, postings, fanout bits and bytes of photos. */
export const PREFIX_BYTES = LINEAGE_MAGIC.length + 5 * 4;

/** Hash, kinds, value and number of photos. */
export const TERM_BYTES = TERM_HASH_BYTES + 1 + 4 + 4;
export const KINDS_AT = TERM_HASH_BYTES;
export const VALUE_AT = KINDS_AT + 1;
export const COUNT_AT = VALUE_AT + 4;

/** More bytes are refused, and not written. */
export const MAX_LINEAGE_BYTES = 256 * 2 ** 20;
const MAX_HEAD_BYTES = 32 * 2 ** 20;

/** A lookup reads the terms of one bucket: about so many. */
const TERMS_A_BUCKET = 32;
const MAX_FANOUT_BITS = 16;

/** What the head says in words: revisions, and texts that photos name by their numbers. */
export interface LineageHead {
  readonly revisions: readonly LineageRevision[];
  /** Sorted, each once. */
  readonly licences: readonly string[];
  /** The folders of crops, sorted, each once; with the slash at their end. */
  readonly folders: readonly string[];
}

/** Where the parts begin and end, in bytes from the start of the file. */
export interface LineageLayout {
  readonly headText: { readonly start: number; readonly end: number };
  readonly fanoutBits: number;
  readonly termCount: number;
  readonly postingCount: number;
  readonly fanoutAt: number;
  readonly termsAt: number;
  readonly postingsAt: number;
  readonly photosAt: number;
  readonly end: number;
}

const headSchema = z.strictObject({
  revisions: z.array(
    z.strictObject({
      topHash: z.string().refine(isTopHash),
      hasPhotos: z.boolean(),
      unread: z.array(z.string()),
      hasModel: z.boolean(),
      bases: z.array(
        z.strictObject({
          use: z.enum(['data', 'model']),
          name: z.string(),
          topHash: z.string().refine(isTopHash),
        }),
      ),
    }),
  ),
  licences: z.array(z.string()),
  folders: z.array(z.string()),
});

/** How many bits of a hash choose its bucket. */
export function fanoutBitsFor(termCount: number): number {
  let bits = 0;
  while (bits < MAX_FANOUT_BITS && termCount > TERMS_A_BUCKET * 2 ** bits) bits++;
  return bits;
}

/** The bucket of a hash, given its first four bytes. */
export function bucketOf(firstBytes: number, fanoutBits: number): number {
  return fanoutBits === 0 ? 0 : firstBytes >>> (32 - fanoutBits);
}

export interface LineageCounts {
  readonly headBytes: number;
  readonly termCount: number;
  readonly postingCount: number;
  readonly fanoutBits: number;
  readonly photoBytes: number;
}

export function layoutOf(counts: LineageCounts): LineageLayout {
  const { headBytes, termCount, postingCount, fanoutBits, photoBytes } = counts;
  const fanoutAt = PREFIX_BYTES + headBytes;
  const termsAt = fanoutAt + 4 * 2 ** fanoutBits;
  const postingsAt = termsAt + TERM_BYTES * termCount;
  const photosAt = postingsAt + 4 * postingCount;
  const headText = { start: PREFIX_BYTES, end: fanoutAt };
  const end = photosAt + photoBytes;
  return {
    headText,
    fanoutBits,
    termCount,
    postingCount,
    fanoutAt,
    termsAt,
    postingsAt,
    photosAt,
    end,
  };
}

/**
 * Where the parts of a file of `sizeBytes` are, by its first bytes.
 * @throws PkgError `integrity` where it is no lineage, or its numbers do not add up to its size.
 */
export function parseLayout(prefix: Buffer, sizeBytes: number): LineageLayout {
  if (prefix.length < PREFIX_BYTES) throw new PkgError('integrity', 'it is cut short');
  if (prefix.toString('latin1', 0, LINEAGE_MAGIC.length) !== LINEAGE_MAGIC) {
    throw new PkgError('integrity', 'it is no lineage that this version knows');
  }
  const at = (index: number) => prefix.readUInt32LE(LINEAGE_MAGIC.length + 4 * index);
  const fanoutBits = at(3);
  if (fanoutBits > MAX_FANOUT_BITS || at(0) > MAX_HEAD_BYTES) {
    throw new PkgError('integrity', 'its numbers are impossible');
  }
  const layout = layoutOf({
    ...{ headBytes: at(0), termCount: at(1), postingCount: at(2) },
    ...{ fanoutBits, photoBytes: at(4) },
  });
  if (layout.end !== sizeBytes || sizeBytes > MAX_LINEAGE_BYTES) {
    throw new PkgError(
      'integrity',
      `it has ${String(sizeBytes)} bytes and says ${String(layout.end)}`,
    );
  }
  return layout;
}

/** @throws PkgError `integrity` for a text that is no head. */
export function parseHead(text: string): LineageHead {
  try {
    const head = headSchema.parse(JSON.parse(text));
    if (!isAscending(head.revisions.map(({ topHash }) => topHash))) {
      throw new SyntaxError('its revisions are not in order');
    }
    return head;
  } catch (error) {
    if (!(error instanceof SyntaxError) && !(error instanceof z.ZodError)) throw error;
    const why = error instanceof z.ZodError ? (error.issues[0]?.message ?? '') : messageOf(error);
    throw new PkgError('integrity', `its head cannot be understood: ${why}`, { cause: error });
  }
}

function isAscending(texts: readonly string[]): boolean {
  return texts.every((text, index) => index === 0 || (texts[index - 1] ?? '') < text);
}

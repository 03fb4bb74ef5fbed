/** Packs: many small objects in few large files, and the records that say where each one lies. */
import { PkgError } from '../runtime/errors.ts';
import { type Digest, parseDigest } from '../store/digest.ts';

/** A pack is full from this size on, in bytes, table included. */
export const TARGET_PACK_BYTES = 16 << 20;

/** Objects up to this size, in bytes, are kept whole; larger ones are cut in chunks. */
export const MAX_WHOLE_BYTES = 8 << 20;

/** A pack is full from this number of members on, which bounds its table to 2.4 MB. */
export const MAX_PACK_MEMBERS = 65_536;

/** A reader refuses packs over this size, in bytes; writers stop well before. */
export const MAX_PACK_BYTES = 32 << 20;

export const DIGEST_BYTES = 32;

/**
 * What the bytes at a place are: `whole`, an object or chunk under its own SHA-256; `chunked`, the
 * chunk list of a large file, under the SHA-256 of that file.
 */
export type RecordKind = 'whole' | 'chunked';

/** A run of bytes in a pack; offset and size in bytes. */
export interface PackPlace {
  readonly pack: Digest;
  readonly offset: number;
  readonly sizeBytes: number;
}

/** Where the bytes for a digest lie. */
export interface IndexRecord extends PackPlace {
  readonly kind: RecordKind;
  readonly digest: Digest;
}

/** The byte that stands for a kind, in packs and in index segments; zero is none. */
export function codeOfKind(kind: RecordKind): number {
  return kind === 'whole' ? 1 : 2;
}

export function kindOfCode(code: number | undefined): RecordKind | undefined {
  if (code === 1) return 'whole';
  return code === 2 ? 'chunked' : undefined;
}

/** The 32 bytes at `offset` as a digest. */
export function digestAt(bytes: Buffer, offset: number): Digest {
  return parseDigest(bytes.toString('hex', offset, offset + DIGEST_BYTES));
}

/** The same memory as a Buffer. */
export function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The error for bytes of a registry that do not add up: what they are, and what is wrong. */
export function damaged(what: string, why: string): PkgError {
  return new PkgError('integrity', `${what} is damaged: ${why}`, {
    hint: 'Run pkg verify --registry to find what else is damaged, then pkg repair.',
  });
}

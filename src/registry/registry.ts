/** A registry: packages on shared storage in Quilt3's layout, behind a few storage operations. */
import type { Digest } from '../store/digest.ts';

/** A range of bytes, its end excluded. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

export interface StoredObject {
  readonly sizeBytes: number;
  /** Changes whenever the content does; for conditional writes. */
  readonly etag: string;
}

export interface ReadObject extends StoredObject {
  readonly bytes: AsyncIterable<Uint8Array>;
}

/** What is written: bytes that can be opened again for another try, with what they must hash to. */
export interface Upload {
  readonly sizeBytes: number;
  readonly digest: Digest;
  /** The `sha2-256-chunked` value, which the parts of a large object must add up to. */
  readonly chunkedHash: string;
  readonly open: (range: ByteRange) => AsyncIterable<Uint8Array>;
}

/** Where an object is: its key, and its version where a versioned bucket keeps several. */
export interface ObjectAddress {
  readonly key: string;
  readonly versionId?: string | undefined;
}

/** When a write may happen: always, only where there is nothing, or only over a known content. */
export type WriteCondition =
  | { readonly kind: 'always' }
  | { readonly kind: 'if-absent' }
  | { readonly kind: 'if-match'; readonly etag: string };

export const ALWAYS: WriteCondition = { kind: 'always' };

/**
 * Storage of a registry. Keys are relative paths. All operations throw PkgError `unreachable` where
 * the storage is away or refuses; reads and writes are checked against their digest by the callers,
 * and a write is never visible in part.
 */
export interface Registry {
  /** How messages call it. */
  readonly url: string;
  /** How many requests it has cost so far; file operations count as one each. */
  readonly requests: number;
  /** The physical key under which an object of this registry is written into packages. */
  physicalKey(key: string): string;
  /** The object of this registry that a physical key points at; undefined where it points elsewhere. */
  addressOf(physicalKey: string): ObjectAddress | undefined;
  head(address: ObjectAddress): Promise<StoredObject | undefined>;
  /** An object's content, or a range of it; undefined where there is none. */
  read(address: ObjectAddress, range?: ByteRange): Promise<ReadObject | undefined>;
  /** Whether the write happened; `conflict` where its condition did not hold. */
  write(key: string, upload: Upload, condition: WriteCondition): Promise<'written' | 'conflict'>;
  remove(key: string): Promise<void>;
  /** Keys under a prefix in order of their UTF-8 bytes, from after `startAfter`. */
  list(prefix: string, startAfter?: string): AsyncIterable<StoredObject & { readonly key: string }>;
}

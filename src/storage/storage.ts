/** Storage: objects under keys, in a folder or an S3 bucket, behind the few operations a registry needs. */
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

export interface ListedObject extends StoredObject {
  readonly key: string;
  /** When it was written, by the storage's own clock, in milliseconds since the epoch. */
  readonly modifiedMs: number;
}

export interface ReadObject extends StoredObject {
  /** Which version it is, where the bucket keeps several. */
  readonly versionId?: string | undefined;
  readonly bytes: AsyncIterable<Uint8Array>;
}

/** What is written: bytes that can be opened again for another try, with what they must hash to. */
export interface Upload {
  readonly sizeBytes: number;
  readonly digest: Digest;
  /** The `sha2-256-chunked` value, which the parts of a large object must add up to. */
  readonly chunkedHash?: string;
  readonly open: (range: ByteRange) => AsyncIterable<Uint8Array>;
  /** Sent in one request, however large; otherwise what is over 8 MiB goes in parts. */
  readonly inOneRequest?: boolean;
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

/**
 * Whether a write happened; `conflict` where its condition did not hold; `unclear` where a first try got
 * no answer and the repeat was refused, so that either this write or another's stands there now.
 */
export type WriteOutcome = 'written' | 'conflict' | 'unclear';

export const ALWAYS: WriteCondition = { kind: 'always' };

export const IF_ABSENT: WriteCondition = { kind: 'if-absent' };

/** Below these keys a registry writes; what else a bucket or folder holds is somebody else's. */
export const OWN_PREFIXES: readonly string[] = ['.pkg/', '.quilt/', 'objects/'];

/** A run of bytes of an object that is to become an object of its own. */
export interface CopySource {
  readonly address: ObjectAddress;
  readonly range: ByteRange;
}

/**
 * Storage of a registry. Keys are relative paths. All operations throw PkgError `unreachable` where
 * the storage is away or refuses; reads and writes are checked against their digest by the callers,
 * and a write is never visible in part.
 */
export interface Storage {
  /** How messages call it. */
  readonly url: string;
  /** How many requests it has cost so far; file operations count as one each. */
  readonly requests: number;
  /** Bytes of content sent to it so far, repeats included. */
  readonly sentBytes: number;
  /** The physical key under which an object of this storage is written into packages. */
  physicalKey(key: string, versionId?: string): string;
  /** The object of this storage that a physical key points at; undefined where it points elsewhere. */
  addressOf(physicalKey: string): ObjectAddress | undefined;
  head(address: ObjectAddress): Promise<StoredObject | undefined>;
  /**
   * An object's content, or what it has of a range, which is nothing beyond its end; undefined where
   * there is no object.
   */
  read(address: ObjectAddress, range?: ByteRange): Promise<ReadObject | undefined>;
  /** Writes an object; see `WriteOutcome`. */
  write(key: string, upload: Upload, condition: WriteCondition): Promise<WriteOutcome>;
  /** Removes objects; those that are not there count as removed. */
  remove(keys: readonly string[]): Promise<void>;
  /** Keys under a prefix in order of their UTF-8 bytes, from after `startAfter`. */
  list(prefix: string, startAfter?: string): AsyncIterable<ListedObject>;
  /**
   * Makes an object of a run of bytes of another one, whose bytes do not pass through here where the
   * storage can do that itself. What arrives is not checked.
   */
  copy(source: CopySource, key: string): Promise<void>;
  /**
   * Gives up writes below OWN_PREFIXES that were begun before `beforeMs` and never ended; returns how
   * many, and in the mode `count` only counts them.
   */
  abandonUploads(beforeMs: number, mode: 'remove' | 'count'): Promise<number>;
}

/** An entry: one file of a package. */
import type { JsonObject } from './lossless-json.ts';
import type { ObjectHash } from './object-hash.ts';

export interface Entry {
  readonly logicalKey: string;
  /** Where the bytes are, as a URL; not part of the top hash. */
  readonly physicalKey: string;
  /** The size as its JSON spells it: `3` and `3.0` have different top hashes. */
  readonly size: bigint | number;
  readonly sizeBytes: number;
  readonly hash: ObjectHash;
  readonly meta: JsonObject;
}

/**
 * Entries that can be gone through more than once. A long list makes each of them anew whenever it is
 * gone through, so that it stays small: compare them by logical key, never by identity.
 */
export interface EntryList extends Iterable<Entry> {
  readonly length: number;
}

/** What a push sends: the objects of a package that a registry lacks, however it keeps them. */
import type { Entry } from '../package/entry.ts';
import { type Package, statedDigest } from '../package/package.ts';
import { DigestSet } from '../packs/digest-set.ts';
import type { PackIndex } from '../packs/pack-index.ts';
import { invariant, PkgError } from '../runtime/errors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { ByteRange, Storage } from '../storage/storage.ts';
import { type Digest, parseDigest } from '../store/digest.ts';
import type { Store } from '../store/store.ts';
import type { Lease } from './leases.ts';

/** Opens the bytes of an object that is to be pushed. */
export type OpenObject = (digest: Digest, range: ByteRange) => AsyncIterable<Uint8Array>;

export interface SendContext {
  readonly runtime: Runtime;
  readonly registry: Storage;
  /** Keeps what was learnt of the registry for the next command. */
  readonly cache: Store | undefined;
  readonly lease: Lease;
  readonly open: OpenObject;
}

export interface Sent {
  /** Objects sent, and objects that were there already. */
  readonly uploaded: number;
  readonly reused: number;
  /** Where an entry's bytes are in the registry now, as its physical key. */
  readonly physicalKeyOf: (entry: Entry) => string;
  /** Gives back the memory that telling physical keys takes; none is asked for afterwards. */
  readonly forget?: () => void;
}

/** An object of a package, with one of the entries it is of. */
export interface PushObject {
  readonly digest: Digest;
  readonly entry: Entry;
}

/** The digest by which a registry keeps an entry's bytes. */
export function pushedDigest(entry: Entry): Digest {
  const stated = statedDigest(entry);
  invariant(stated !== undefined, `entry ${entry.logicalKey} states its digest`);
  return parseDigest(stated);
}

/** The objects of a package, each once, in the order of its entries. */
export function* distinctObjects(pkg: Package): Generator<PushObject> {
  const seen = new DigestSet();
  for (const entry of pkg.entries) {
    const digest = requireDigest(entry);
    if (seen.add(digest)) yield { digest, entry };
  }
}

/** What a registry that keeps packs lacks of a package. */
export interface Lacking {
  /** Each object once, in the order of the entries; made anew whenever they are gone through. */
  readonly absent: Iterable<PushObject> & { readonly length: number };
  readonly absentBytes: number;
  /** How many objects are there already. */
  readonly reused: number;
}

/**
 * Compares a package with an index. A bit is kept for each record and entry, and digests only of what
 * is not in the index: a package of a million entries that is there already takes a quarter of a MB.
 */
export function findLacking(
  pkg: Package,
  index: PackIndex,
  isThere: (digest: Digest) => boolean,
): Lacking {
  const indexed = new BitSet(index.sizeRecords);
  const isAbsent = new BitSet(pkg.entries.length);
  const others = new DigestSet();
  let [position, length, absentBytes, reused] = [0, 0, 0, 0];
  for (const entry of pkg.entries) {
    const digest = requireDigest(entry);
    const number = index.numberOf(digest);
    const isNew = number === undefined ? others.add(digest) : indexed.add(number);
    if (isNew && (number !== undefined || isThere(digest))) reused++;
    else if (isNew) {
      isAbsent.add(position);
      length++;
      absentBytes += entry.sizeBytes;
    }
    position++;
  }
  const absent = { length, [Symbol.iterator]: () => objectsAt(pkg, isAbsent) };
  return { absent, absentBytes, reused };
}

function* objectsAt(pkg: Package, positions: BitSet): Generator<PushObject> {
  let position = 0;
  for (const entry of pkg.entries) {
    if (positions.has(position++)) yield { digest: pushedDigest(entry), entry };
  }
}

function requireDigest(entry: Entry): Digest {
  invariant(
    entry.hash.type === 'sha2-256-chunked',
    `entry ${entry.logicalKey} is hashed in chunks`,
  );
  return pushedDigest(entry);
}

/** Numbers below a limit, a bit each. */
class BitSet {
  readonly #bytes: Uint8Array;

  constructor(limit: number) {
    this.#bytes = new Uint8Array(Math.ceil(limit / 8));
  }

  has(number: number): boolean {
    return ((this.#bytes[number >>> 3] ?? 0) & (1 << (number & 7))) !== 0;
  }

  /** Takes a number in; true where it is new. */
  add(number: number): boolean {
    if (this.has(number)) return false;
    this.#bytes[number >>> 3] = (this.#bytes[number >>> 3] ?? 0) | (1 << (number & 7));
    return true;
  }
}

/** The error for local bytes that are not what a package says. */
export function localDamage({ digest, entry }: PushObject): PkgError {
  return new PkgError(
    'integrity',
    `the bytes for ${entry.logicalKey} are not those of digest ${digest}`,
    { hint: 'The local copy is damaged or was changed; build or read it again, then push.' },
  );
}

/** What the revisions of a registry want, and what of it has turned up. */

import type { Entry } from '../package/entry.ts';
import { chunkedFromDigest } from '../package/object-hash.ts';
import { statedDigest } from '../package/package.ts';
import { DigestSet } from '../packs/digest-set.ts';
import { MAX_WHOLE_BYTES, type RecordKind } from '../packs/packs.ts';
import { type Descriptor, type Digest, isDigest, parseDigest } from '../store/digest.ts';

/** 38 to 44 bytes for each different object, twice; entries themselves only of large files. */
export class Wanted {
  /** Digests with their sizes mixed in: bytes of another size are another object. */
  readonly #wanted: DigestSet;
  readonly #found: DigestSet;
  /** What is needed although no revision wants it under its own digest, such as chunks. */
  readonly #needed: DigestSet;
  readonly #large = new Map<Digest, Entry>();
  readonly #neededLarge = new Map<Digest, number>();

  constructor(seed: number) {
    [this.#wanted, this.#found, this.#needed] = [
      new DigestSet(seed),
      new DigestSet(seed),
      new DigestSet(seed),
    ];
  }

  /** Whether all that is wanted was found. */
  get isComplete(): boolean {
    return this.#found.size === this.#wanted.size;
  }

  want(digest: Digest, entry: Entry): void {
    this.#wanted.add(sized(digest, entry.sizeBytes));
    if (entry.sizeBytes > MAX_WHOLE_BYTES) this.#large.set(digest, entry);
  }

  /** Keeps bytes from being extra. */
  need({ digest, sizeBytes }: Descriptor): void {
    this.#needed.add(sized(digest, sizeBytes));
    if (sizeBytes > MAX_WHOLE_BYTES) this.#neededLarge.set(digest, sizeBytes);
  }

  /** Whether anything wants or needs these bytes. */
  isReached({ digest, sizeBytes }: Descriptor): boolean {
    const name = sized(digest, sizeBytes);
    return this.#wanted.has(name) || this.#needed.has(name);
  }

  /** Whether anything wants or needs a member of a pack. */
  isMemberReached(member: Descriptor & { readonly kind: RecordKind }): boolean {
    if (member.kind === 'whole') return this.isReached(member);
    return this.sizeOfLarge(member.digest) !== undefined;
  }

  /** The size of a wanted or needed object of over 8 MiB. */
  sizeOfLarge(digest: Digest): number | undefined {
    return this.#large.get(digest)?.sizeBytes ?? this.#neededLarge.get(digest);
  }

  find({ digest, sizeBytes }: Descriptor): void {
    const name = sized(digest, sizeBytes);
    if (this.#wanted.has(name)) this.#found.add(name);
  }

  isFound(digest: Digest, { sizeBytes }: Entry): boolean {
    return this.#found.has(sized(digest, sizeBytes));
  }

  /** The wanted entry of over 8 MiB with these bytes. */
  large(digest: Digest): Entry | undefined {
    return this.#large.get(digest);
  }

  /** The wanted entries of over 8 MiB, by the digest that they state. */
  get largeEntries(): Iterable<readonly [Digest, Entry]> {
    return this.#large;
  }
}

function sized(digest: Digest, sizeBytes: number): Digest {
  const mixed = (Number.parseInt(digest.slice(56), 16) ^ sizeBytes) >>> 0;
  return parseDigest(`${digest.slice(0, 56)}${mixed.toString(16).padStart(8, '0')}`);
}

/**
 * The SHA-256 that an entry states, unless its hash says at once that these are other bytes, as after
 * quilt3 put another file under a key of ours.
 */
export function reliableDigest(entry: Entry): Digest | undefined {
  const stated = statedDigest(entry);
  if (stated === undefined || !isDigest(stated)) return undefined;
  const { hash, sizeBytes } = entry;
  if (hash.type === 'SHA256') return hash.value === stated ? stated : undefined;
  const own = hash.type === 'sha2-256-chunked' ? chunkedFromDigest(stated, sizeBytes) : undefined;
  return own === undefined || own === hash.value ? stated : undefined;
}

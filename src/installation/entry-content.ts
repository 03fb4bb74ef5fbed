/** What an entry says of its bytes, and what therefore follows once they were checked against it. */

import type { Entry } from '../package/entry.ts';
import { type Content, chunkedFromDigest } from '../package/object-hash.ts';
import { statedDigest } from '../package/package.ts';
import { type Digest, digestOf, isDigest } from '../store/digest.ts';

const EMPTY_DIGEST = digestOf('');

/** What was found out for entries, of which it is asked several times. */
const proven = new WeakMap<Entry, Digest | 'none'>();

/**
 * The SHA-256 of bytes that were checked against an entry's hash, where the entry tells it so that no
 * other could fit: a stated digest is believed only if the entry's hash is the hash of it.
 */
export function provenDigest(entry: Entry): Digest | undefined {
  const known = proven.get(entry);
  if (known !== undefined) return known === 'none' ? undefined : known;
  const digest = proveDigest(entry);
  proven.set(entry, digest ?? 'none');
  return digest;
}

function proveDigest(entry: Entry): Digest | undefined {
  const { hash, sizeBytes } = entry;
  if (sizeBytes === 0) return EMPTY_DIGEST;
  if (hash.type === 'SHA256') return isDigest(hash.value) ? hash.value : undefined;
  const stated = statedDigest(entry);
  if (hash.type !== 'sha2-256-chunked' || stated === undefined || !isDigest(stated))
    return undefined;
  return chunkedFromDigest(stated, sizeBytes) === hash.value ? stated : undefined;
}

/** Where a store may have an entry's bytes; what is there has to be checked. */
export function likelyDigest(entry: Entry): Digest | undefined {
  const digest = provenDigest(entry);
  if (digest !== undefined) return digest;
  const stated = statedDigest(entry);
  return stated !== undefined && isDigest(stated) ? stated : undefined;
}

/** Whether some content is an entry's; undefined where its hashes do not tell. */
export function isContentOf(content: Content, { hash, sizeBytes }: Entry): boolean | undefined {
  if (content.sizeBytes !== sizeBytes) return false;
  if (hash.type === 'sha2-256-chunked') return content.chunkedHash === hash.value;
  return hash.type === 'SHA256' ? content.digest === hash.value : undefined;
}

/** Both hashes of bytes that were checked against an entry, by their digest; undefined where unknown. */
export function contentOf(entry: Entry, digest: Digest): Content | undefined {
  const { hash, sizeBytes } = entry;
  const chunkedHash =
    hash.type === 'sha2-256-chunked' ? hash.value : chunkedFromDigest(digest, sizeBytes);
  return chunkedHash === undefined ? undefined : { digest, sizeBytes, chunkedHash };
}

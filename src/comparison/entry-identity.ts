/** Whether two entries are the same bytes, by their hashes alone wherever these allow it. */

import type { Entry } from '../package/entry.ts';
import { chunkedFromDigest, isKnownHashType } from '../package/object-hash.ts';
import { matchesHash } from '../package/verify.ts';
import { isDigest } from '../store/digest.ts';
import type { Side } from './side.ts';

/**
 * A text that entries with the same bytes share. A plain SHA-256 stands for the chunked hash of small
 * files, which follows from it; other types of hash have identities of their own.
 */
export function identityOf({ hash, sizeBytes }: Entry): string {
  const { type, value } = hash;
  const chunked =
    type === 'SHA256' && isDigest(value) ? chunkedFromDigest(value, sizeBytes) : undefined;
  return chunked === undefined ? `${type} ${value}` : `sha2-256-chunked ${chunked}`;
}

/**
 * Whether an entry of A holds the same bytes as one of B. Those of A are read and hashed only where
 * the two have the same size and hashes of types that say nothing of each other.
 */
export async function isSameContent(a: Side, before: Entry, after: Entry): Promise<boolean> {
  if (before.sizeBytes !== after.sizeBytes) return false;
  const [was, is] = [identityOf(before), identityOf(after)];
  if (was === is) return true;
  if (typeOf(was) === typeOf(is) || !isKnownHashType(after.hash.type)) return false;
  return await matchesHash(a.open(before), after);
}

function typeOf(identity: string): string {
  return identity.slice(0, identity.indexOf(' '));
}

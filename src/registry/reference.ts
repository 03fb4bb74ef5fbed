/** References: how a person names a revision of a package. */

import { LATEST } from '../objects/layout.ts';
import { PkgError } from '../runtime/errors.ts';

export interface Reference {
  /** `user/name`. */
  readonly name: string;
  readonly revision:
    | { readonly kind: 'tag'; readonly tag: string }
    | { readonly kind: 'hash'; readonly prefix: string };
}

/** Shorter hashes name too many packages to be meant. */
const MIN_HASH_DIGITS = 6;

/**
 * Reads `user/name`, `user/name:tag` or `user/name@hash`, the hash full or its first digits.
 * @throws PkgError `usage` for anything else.
 */
export function parseReference(text: string): Reference {
  const match =
    /^([A-Za-z0-9_-]+\/[A-Za-z0-9_-]+)(?:@([0-9a-f]+)|:([A-Za-z0-9][A-Za-z0-9._-]*))?$/.exec(text);
  const [, name, prefix, tag] = match ?? [];
  if (name === undefined) {
    throw new PkgError('usage', `"${text}" is not a reference to a package`, {
      hint: 'References are user/name, user/name:tag or user/name@<top hash or its first digits>.',
    });
  }
  if (prefix === undefined) return { name, revision: { kind: 'tag', tag: tag ?? LATEST } };
  if (prefix.length < MIN_HASH_DIGITS || prefix.length > 64) {
    throw new PkgError('usage', `"@${prefix}" is not a top hash: 6 to 64 hex digits are needed`);
  }
  return { name, revision: { kind: 'hash', prefix } };
}

export function formatReference({ name, revision }: Reference): string {
  if (revision.kind === 'hash') return `${name}@${revision.prefix}`;
  return revision.tag === LATEST ? name : `${name}:${revision.tag}`;
}

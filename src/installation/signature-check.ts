/** The check of a revision's signature, before anything of it is installed. */
import type { Package } from '../package/package.ts';
import { requireSignature, requireSignedRoot } from '../registry/signed-revisions.ts';
import { PkgError } from '../runtime/errors.ts';
import type { Release } from '../signatures/signatures.ts';
import { keysFor, requiresSignature, type TrustPolicy } from '../signatures/trust.ts';
import type { Storage } from '../storage/storage.ts';

export interface SignatureNeed {
  /** Whether a signature is needed in any case, or where the trust policy says so. */
  readonly when: 'always' | 'as-trusted';
  /** Signatures stand in the registry, which is not asked `offline`. */
  readonly access: 'online' | 'offline';
}

/**
 * A check for `InstallOptions.check`: a trusted key has to vouch for the very top hash that is installed, and
 * for the root over all entries, so that a single file is as well proven as all of them.
 * @throws PkgError `integrity` where none does, though one is needed.
 */
export function signatureCheck(registry: Storage, policy: TrustPolicy, need: SignatureNeed) {
  const { when, access } = need;
  return async ({ name, topHash, pkg }: Release & { readonly pkg: Package }): Promise<void> => {
    if (when === 'as-trusted' && !requiresSignature(policy, registry.url, name)) return;
    if (access === 'offline') {
      throw new PkgError('unreachable', `the signature of ${name} cannot be checked offline`, {
        hint: 'Install it without --offline.',
      });
    }
    const release = { name, topHash };
    const keys = keysFor(policy, registry.url, name);
    const { statement } = await requireSignature(registry, release, keys);
    requireSignedRoot(release, pkg, statement);
  };
}

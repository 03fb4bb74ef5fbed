/** The check of a revision's signature, before anything of it is installed. */
import type { Package } from '../package/package.ts';
import { requireSignature, requireSignedRoot } from '../registry/signed-revisions.ts';
import type { Release } from '../signatures/signatures.ts';
import { keysFor, requiresSignature, type TrustPolicy } from '../signatures/trust.ts';
import type { Storage } from '../storage/storage.ts';

/** Whether a signature is needed in any case, or where the trust policy says so. */
export type SignatureNeed = 'always' | 'as-trusted';

/**
 * A check for `InstallOptions.check`: a trusted key has to vouch for the very top hash that is installed, and
 * for the root over all entries, so that a single file is as well proven as all of them.
 * @throws PkgError `integrity` where none does, though one is needed.
 */
export function signatureCheck(registry: Storage, policy: TrustPolicy, need: SignatureNeed) {
  return async ({ name, topHash, pkg }: Release & { readonly pkg: Package }): Promise<void> => {
    if (need === 'as-trusted' && !requiresSignature(policy, registry.url, name)) return;
    const release = { name, topHash };
    const keys = keysFor(policy, registry.url, name);
    const { statement } = await requireSignature(registry, release, keys);
    requireSignedRoot(release, pkg, statement);
  };
}

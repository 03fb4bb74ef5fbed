/** Signatures beside revisions: written after a package's list and before any pointer names it. */
import type { Package } from '../package/package.ts';
import { PkgError } from '../runtime/errors.ts';
import type { Envelope } from '../signatures/dsse.ts';
import type { PublicKey, SigningKey } from '../signatures/keys.ts';
import { packageTree, proveEntry } from '../signatures/proof.ts';
import type { ProvenFile } from '../signatures/proven-file.ts';
import {
  checkSignature,
  type Release,
  signRelease,
  type Vouched,
} from '../signatures/signatures.ts';
import type { ReleaseStatement } from '../signatures/statement.ts';
import type { Storage } from '../storage/storage.ts';
import { readEnvelopes, writeEnvelope } from './attestations.ts';

/** Signs a revision and puts the envelope beside it, under the SHA-256 of its text. */
export async function writeSignature(
  registry: Storage,
  release: Release,
  pkg: Package,
  keys: readonly SigningKey[],
): Promise<void> {
  await writeEnvelope(registry, release.topHash, signRelease(release, pkg, keys).envelope);
}

/**
 * The word of a trusted key for a revision.
 * @throws PkgError `integrity` where none of `keys` vouches for it.
 */
export async function requireSignature(
  registry: Storage,
  release: Release,
  keys: readonly PublicKey[],
): Promise<Vouched> {
  const { found } = await readEnvelopes(registry, release.topHash);
  return checkSignature(release, found, keys);
}

/**
 * Proves that a file belongs to a revision that a trusted key signed.
 * @throws PkgError `integrity` where none of `keys` vouches for the revision, or what was signed has another
 * root; `not-found` where the package has no such file.
 */
export async function proveFile(
  registry: Storage,
  release: Release,
  { pkg, logicalKey }: { readonly pkg: Package; readonly logicalKey: string },
  keys: readonly PublicKey[],
): Promise<ProvenFile> {
  const { found: envelopes } = await readEnvelopes(registry, release.topHash);
  const { statement } = checkSignature(release, envelopes, keys);
  const envelope = envelopes.find((one) => isVouchedBy(release, one, keys));
  const tree = packageTree(pkg);
  requireRoot(release, tree.root, statement);
  let position = 0;
  for (const entry of pkg.entries) {
    if (entry.logicalKey === logicalKey && envelope !== undefined) {
      return { proof: proveEntry(statement, tree, entry, position), envelope };
    }
    position++;
  }
  throw new PkgError('not-found', `${release.name}@${release.topHash} has no file ${logicalKey}`, {
    hint: 'See what it holds with: pkg ls user/name',
  });
}

/**
 * Checks that a whole package is the one that was signed, by the root over its header and entries.
 * @throws PkgError `integrity` where it is not.
 */
export function requireSignedRoot(
  release: Release,
  pkg: Package,
  statement: ReleaseStatement,
): void {
  requireRoot(release, packageTree(pkg).root, statement);
}

function requireRoot({ name, topHash }: Release, root: string, statement: ReleaseStatement): void {
  if (root === statement.merkleRoot) return;
  throw new PkgError(
    'integrity',
    `${name}@${topHash} was signed with another root over its entries`,
    {
      hint: 'Whoever signed it made a mistake, or their key is misused; ask them.',
    },
  );
}

function isVouchedBy(release: Release, envelope: Envelope, keys: readonly PublicKey[]): boolean {
  try {
    checkSignature(release, [envelope], keys);
    return true;
  } catch (error) {
    if (error instanceof PkgError && error.code === 'integrity') return false;
    throw error;
  }
}

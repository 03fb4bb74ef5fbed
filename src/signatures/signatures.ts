/** A signature: a key's word that a top hash is a revision of a name. */
import { type Package, packageSizeBytes, type TopHash } from '../package/package.ts';
import { PkgError } from '../runtime/errors.ts';
import type { Digest } from '../store/digest.ts';
import { type Envelope, IN_TOTO_PAYLOAD_TYPE, signEnvelope, verifyEnvelope } from './dsse.ts';
import type { PublicKey, SigningKey } from './keys.ts';
import type { MerkleTree } from './merkle.ts';
import { packageTree } from './proof.ts';
import {
  formatReleaseStatement,
  parseReleaseStatement,
  type ReleaseStatement,
} from './statement.ts';

/** A package as it was signed: the envelope to keep, and what proofs of its entries are made of. */
export interface SignedRelease {
  readonly envelope: Envelope;
  readonly statement: ReleaseStatement;
  readonly tree: MerkleTree;
}

/** A revision of a name. */
export interface Release {
  /** `user/name`. */
  readonly name: string;
  readonly topHash: TopHash;
}

/** A statement that a trusted key signed. */
export interface Vouched {
  readonly keyid: Digest;
  readonly statement: ReleaseStatement;
}

/** Signs that `pkg`, whose top hash the release states, is a revision of a name. */
export function signRelease(
  { name, topHash }: Release,
  pkg: Package,
  keys: readonly SigningKey[],
): SignedRelease {
  const tree = packageTree(pkg);
  const statement: ReleaseStatement = {
    name,
    topHash,
    merkleRoot: tree.root,
    entries: pkg.entries.length,
    sizeBytes: packageSizeBytes(pkg),
  };
  const envelope = signEnvelope(IN_TOTO_PAYLOAD_TYPE, formatReleaseStatement(statement), keys);
  return { envelope, statement, tree };
}

/**
 * The first statement about a release that one of `keys` signed. Envelopes about other things, or by other
 * keys, may stand among them; a statement counts only if both its name and its top hash are those asked
 * for.
 * @throws PkgError `integrity` that says why none counts.
 */
export function checkSignature(
  { name, topHash }: Release,
  envelopes: readonly Envelope[],
  keys: readonly PublicKey[],
): Vouched {
  const reasons = new Set<string>();
  for (const envelope of envelopes) {
    const [keyid] = verifyEnvelope(envelope, keys);
    if (keyid === undefined) {
      reasons.add(`it is signed by ${signersOf(envelope)}, which ${NOT_TRUSTED}`);
      continue;
    }
    const statement = statementOf(envelope);
    if (statement?.name === name && statement.topHash === topHash) return { keyid, statement };
    reasons.add(
      statement === undefined
        ? `what key ${keyid} signed is no release statement`
        : `key ${keyid} signed ${statement.name}@${statement.topHash} instead`,
    );
  }
  throw refusal(`${name}@${topHash}`, [...reasons], keys.length);
}

const NOT_TRUSTED = 'no trusted key bears out';

/** More reasons than these say nothing new. */
const MAX_REASONS = 3;

function refusal(release: string, reasons: readonly string[], keyCount: number): PkgError {
  const why =
    keyCount === 0
      ? 'no key is trusted for it'
      : reasons.length === 0
        ? 'it is not signed'
        : reasons.slice(0, MAX_REASONS).join('; ');
  return new PkgError('integrity', `${release} has no signature by a trusted key: ${why}`, {
    hint: 'Ask whoever pushed it for a signature, or trust their key with: pkg trust add KEY.pub',
  });
}

/** What the envelope itself calls its signers: for messages only, so cut to what is safe to print. */
function signersOf({ signatures }: Envelope): string {
  const names = signatures.map(({ keyid }) =>
    keyid !== undefined && /^[\x21-\x7e]{1,64}$/.test(keyid) ? `"${keyid}"` : 'an unnamed key',
  );
  return [...new Set(names)].slice(0, MAX_REASONS).join(', ');
}

function statementOf({ payloadType, payload }: Envelope): ReleaseStatement | undefined {
  if (payloadType !== IN_TOTO_PAYLOAD_TYPE) return undefined;
  try {
    return parseReleaseStatement(payload);
  } catch (error) {
    if (error instanceof PkgError && error.code === 'integrity') return undefined;
    throw error;
  }
}

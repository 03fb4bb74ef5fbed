/** What a revision is, and what is said of it beside it: signatures, receipts, build records. */
import type { JsonObject } from '../package/lossless-json.ts';
import { type Package, packageSizeBytes, type TopHash } from '../package/package.ts';
import type { BuildRecord } from '../provenance/build-record.ts';
import { PkgError } from '../runtime/errors.ts';
import {
  type Envelope,
  IN_TOTO_PAYLOAD_TYPE,
  parseEnvelope,
  verifyEnvelope,
} from '../signatures/dsse.ts';
import type { Receipt } from '../signatures/receipt.ts';
import type { Release } from '../signatures/signatures.ts';
import { parseReleaseStatement } from '../signatures/statement.ts';
import { keysFor, type TrustedKey, type TrustPolicy } from '../signatures/trust.ts';
import type { Storage } from '../storage/storage.ts';
import type { Digest } from '../store/digest.ts';
import { claimedKeyids, readAttestations } from './attestations.ts';
import { placedRecord } from './build-records.ts';
import { readPackage } from './lists.ts';
import { placedReceipt } from './receipts.ts';
import type { Reference } from './reference.ts';
import { resolveReference } from './revisions.ts';

/** Somebody whose signature is in an envelope. */
export interface Signer {
  readonly keyid: Digest;
  /**
   * `trusted`: a key that is trusted for the name signed. `unknown`: the envelope names a key that is not, so
   * nobody knows whether it signed. `forged`: it names a trusted key, which did not sign.
   */
  readonly standing: 'trusted' | 'unknown' | 'forged';
  /** Whose key it is, in the user's words; empty for one that is not trusted. */
  readonly comment: string;
}

/** The first part of the logical keys of some files, with a slash; empty for those at the top. */
export interface FolderSums {
  readonly folder: string;
  readonly files: number;
  readonly sizeBytes: number;
}

/** What is said of a revision; nothing but this revision of this name. */
export interface RevisionStatements {
  readonly signatures: readonly { readonly signers: readonly Signer[] }[];
  readonly receipts: readonly { readonly signers: readonly Signer[]; readonly receipt: Receipt }[];
  readonly builds: readonly {
    readonly signers: readonly Signer[];
    /** Whether it is in an envelope at all. */
    readonly signed: boolean;
    readonly record: BuildRecord;
  }[];
  /** Whether all there are were looked at. */
  readonly allRead: boolean;
}

export interface RevisionReport extends RevisionStatements {
  readonly name: string;
  readonly topHash: TopHash;
  readonly registry: string;
  readonly header: JsonObject;
  readonly entries: number;
  readonly sizeBytes: number;
  readonly folders: readonly FolderSums[];
}

/**
 * Describes a revision, with the keys of `policy` to tell who signed what.
 * @throws PkgError `not-found` where there is none.
 */
export async function aboutRevision(
  registry: Storage,
  reference: Reference,
  policy: TrustPolicy,
): Promise<RevisionReport> {
  const { name } = reference;
  const topHash = await resolveReference(registry, reference);
  const pkg = await readPackage(registry, topHash);
  const keys = keysFor(policy, registry.url, name);
  return {
    ...{ name, topHash, registry: registry.url },
    header: pkg.header,
    entries: pkg.entries.length,
    sizeBytes: packageSizeBytes(pkg),
    folders: folderSums(pkg),
    ...(await readStatements(registry, { name, topHash }, keys)),
  };
}

async function readStatements(
  registry: Storage,
  release: Release,
  keys: readonly TrustedKey[],
): Promise<RevisionStatements> {
  const { found, isWhole } = await readAttestations(registry, release.topHash, (text, source) =>
    statementIn(text, source, release, keys),
  );
  const signers = (one: { readonly signers: readonly Signer[] }) => ({ signers: one.signers });
  return {
    signatures: found.filter((one) => one.kind === 'signature').map(signers),
    receipts: found.flatMap((one) =>
      one.kind === 'receipt' ? [{ ...signers(one), receipt: one.receipt }] : [],
    ),
    builds: found.flatMap((one) =>
      one.kind === 'build' ? [{ ...signers(one), signed: one.signed, record: one.record }] : [],
    ),
    allRead: isWhole,
  };
}

type Statement = { readonly signers: readonly Signer[] } & (
  | { readonly kind: 'signature' }
  | { readonly kind: 'receipt'; readonly receipt: Receipt }
  | { readonly kind: 'build'; readonly signed: boolean; readonly record: BuildRecord }
);

function statementIn(
  text: string,
  source: string,
  release: Release,
  keys: readonly TrustedKey[],
): Statement | undefined {
  const envelope = ifIntact(() => parseEnvelope(text, source));
  if (envelope === undefined) {
    const bare = placedRecord(text, source, release, keys);
    return bare === undefined ? undefined : { kind: 'build', signers: [], ...bare };
  }
  if (envelope.payloadType !== IN_TOTO_PAYLOAD_TYPE) return undefined;
  const signers = signersOf(envelope, keys);
  if (isSignatureOf(envelope, release)) return { kind: 'signature', signers };
  const receipt = placedReceipt(envelope, release, keys);
  if (receipt !== undefined) return { kind: 'receipt', signers, receipt: receipt.receipt };
  const build = placedRecord(envelope, source, release, keys);
  return build === undefined ? undefined : { kind: 'build', signers, ...build };
}

function isSignatureOf({ payload }: Envelope, { name, topHash }: Release): boolean {
  const statement = ifIntact(() => parseReleaseStatement(payload));
  return statement?.name === name && statement.topHash === topHash;
}

/** Those who signed, and those of whom an envelope says so. */
function signersOf(envelope: Envelope, keys: readonly TrustedKey[]): readonly Signer[] {
  const trusted = verifyEnvelope(envelope, keys);
  const others = claimedKeyids(envelope).filter((keyid) => !trusted.includes(keyid));
  const keyOf = (keyid: Digest) => keys.find((key) => key.keyid === keyid);
  return [
    ...trusted.map((keyid) => ({
      keyid,
      standing: 'trusted' as const,
      comment: keyOf(keyid)?.comment ?? '',
    })),
    ...others.map((keyid) => ({
      keyid,
      standing: keyOf(keyid) === undefined ? ('unknown' as const) : ('forged' as const),
      comment: '',
    })),
  ];
}

function folderSums(pkg: Package): readonly FolderSums[] {
  const folders = new Map<string, FolderSums>();
  for (const { logicalKey, sizeBytes } of pkg.entries) {
    const folder = logicalKey.includes('/') ? `${logicalKey.split('/')[0] ?? ''}/` : '';
    const sums = folders.get(folder) ?? { folder, files: 0, sizeBytes: 0 };
    folders.set(folder, {
      folder,
      files: sums.files + 1,
      sizeBytes: sums.sizeBytes + sizeBytes,
    });
  }
  return [...folders.values()];
}

function ifIntact<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof PkgError && error.code === 'integrity') return undefined;
    throw error;
  }
}

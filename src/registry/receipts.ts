/** Receipts beside revisions: who built them again, and with what result. */
import { type Envelope, parseEnvelope, verifyEnvelope } from '../signatures/dsse.ts';
import type { PublicKey, SigningKey } from '../signatures/keys.ts';
import { type Receipt, receiptIn, signReceipt } from '../signatures/receipt.ts';
import type { Release } from '../signatures/signatures.ts';
import type { Storage } from '../storage/storage.ts';
import type { Digest } from '../store/digest.ts';
import {
  type Attestations,
  claimedKeyids,
  readAttestations,
  writeEnvelope,
} from './attestations.ts';

/** A receipt about one revision, as it stands beside it. */
export interface PlacedReceipt {
  readonly receipt: Receipt;
  /** Those of the keys given that signed it; empty where none of them did. */
  readonly keyids: readonly Digest[];
  /** The ids under which the envelope names its signers, which nobody vouches for. */
  readonly claimedKeyids: readonly Digest[];
}

/**
 * Signs what came of building a revision again and puts it beside the revision; returns its key in the
 * registry. The same outcome by the same key stands there once.
 */
export async function writeReceipt(
  registry: Storage,
  release: Release,
  receipt: Receipt,
  key: SigningKey,
): Promise<string> {
  return await writeEnvelope(registry, release.topHash, signReceipt({ release, receipt }, [key]));
}

/**
 * The receipts about a revision, in the order of their keys in the registry, each with those of `keys` that
 * signed it. Receipts about another name or top hash, and what is no receipt, are passed over.
 */
export async function readReceipts(
  registry: Storage,
  release: Release,
  keys: readonly PublicKey[],
): Promise<Attestations<PlacedReceipt>> {
  return await readAttestations(registry, release.topHash, (text, source) =>
    placedReceipt(parseEnvelope(text, source), release, keys),
  );
}

/** The receipt about a release in an envelope; undefined where it has something else. */
export function placedReceipt(
  envelope: Envelope,
  { name, topHash }: Release,
  keys: readonly PublicKey[],
): PlacedReceipt | undefined {
  const statement = receiptIn(envelope);
  if (statement?.release.name !== name || statement.release.topHash !== topHash) return undefined;
  return {
    receipt: statement.receipt,
    keyids: verifyEnvelope(envelope, keys),
    claimedKeyids: claimedKeyids(envelope),
  };
}

/** Build records beside revisions, signed or not. */
import {
  type BuildRecord,
  formatBuildRecord,
  parseBuildRecord,
} from '../provenance/build-record.ts';
import {
  type Envelope,
  IN_TOTO_PAYLOAD_TYPE,
  signEnvelope,
  verifyEnvelope,
} from '../signatures/dsse.ts';
import type { PublicKey, SigningKey } from '../signatures/keys.ts';
import type { Release } from '../signatures/signatures.ts';
import type { Storage } from '../storage/storage.ts';
import type { Digest } from '../store/digest.ts';
import { claimedKeyids, writeAttestation, writeEnvelope } from './attestations.ts';

/** A record about one revision, as it stands beside it. */
export interface PlacedRecord {
  readonly record: BuildRecord;
  /** Whether it is in an envelope at all. */
  readonly signed: boolean;
  /** Those of the keys given that signed it. */
  readonly keyids: readonly Digest[];
  /** The ids under which the envelope names its signers, which nobody vouches for. */
  readonly claimedKeyids: readonly Digest[];
}

/**
 * Puts what the builder saw of its host beside a revision: signed by `keys`, or as the bare statement where
 * there are none. Returns its key in the registry.
 */
export async function writeBuildRecord(
  registry: Storage,
  release: Release,
  record: BuildRecord,
  keys: readonly SigningKey[],
): Promise<string> {
  const text = formatBuildRecord(release, record);
  if (keys.length === 0) return await writeAttestation(registry, release.topHash, text);
  const envelope = signEnvelope(IN_TOTO_PAYLOAD_TYPE, Buffer.from(text), keys);
  return await writeEnvelope(registry, release.topHash, envelope);
}

/**
 * The record about a release in an envelope, or in a text that is a bare statement; undefined where it is
 * about another release.
 * @throws PkgError `integrity` where it is no build record.
 */
export function placedRecord(
  attestation: Envelope | string,
  source: string,
  { name, topHash }: Release,
  keys: readonly PublicKey[],
): PlacedRecord | undefined {
  const isBare = typeof attestation === 'string';
  const text = isBare ? attestation : Buffer.from(attestation.payload).toString('utf8');
  const { release, record } = parseBuildRecord(text, source);
  if (release.name !== name || release.topHash !== topHash) return undefined;
  if (isBare) return { record, signed: false, keyids: [], claimedKeyids: [] };
  return {
    record,
    signed: true,
    keyids: verifyEnvelope(attestation, keys),
    claimedKeyids: claimedKeyids(attestation),
  };
}

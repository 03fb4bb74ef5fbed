/** Attestations: what is said of a revision beside it, by whoever may write to the registry. */
import { attestationPrefix } from '../objects/layout.ts';
import type { TopHash } from '../package/package.ts';
import { mapLimit } from '../runtime/concurrency.ts';
import { PkgError } from '../runtime/errors.ts';
import {
  type Envelope,
  formatEnvelope,
  MAX_ENVELOPE_BYTES,
  parseEnvelope,
} from '../signatures/dsse.ts';
import { ALWAYS, type ListedObject, type Storage } from '../storage/storage.ts';
import { readBounded, uploadOf } from '../storage/whole-content.ts';
import { type Digest, digestOf, isDigest } from '../store/digest.ts';

/** Whoever may write to a registry can put files there; more than these are not looked at. */
const MAX_FILES = 1024;
const MAX_TOTAL_BYTES = 64 << 20;
const READS_AT_ONCE = 8;

export interface Attestations<T> {
  /** In the order of their keys. */
  readonly found: readonly T[];
  /** Whether all there are were looked at. */
  readonly isWhole: boolean;
}

/** Puts a text beside a revision under its SHA-256, and returns its key. */
export async function writeAttestation(
  registry: Storage,
  topHash: TopHash,
  text: string,
): Promise<string> {
  const key = `${attestationPrefix(topHash)}${digestOf(text)}.json`;
  await registry.write(key, await uploadOf(Buffer.from(text)), ALWAYS);
  return key;
}

/** Puts an envelope beside a revision, and returns its key. */
export async function writeEnvelope(
  registry: Storage,
  topHash: TopHash,
  envelope: Envelope,
): Promise<string> {
  return await writeAttestation(registry, topHash, formatEnvelope(envelope));
}

/**
 * What `parse` makes of the texts beside a revision, but for those of which it makes nothing, or fails
 * with `integrity`. Files over 1 MiB are no attestations.
 */
export async function readAttestations<T>(
  registry: Storage,
  topHash: TopHash,
  parse: (text: string, source: string) => T | undefined,
): Promise<Attestations<T>> {
  const { files, isWhole } = await listAttestations(registry, topHash);
  const found: T[] = [];
  const read = mapLimit(files, READS_AT_ONCE, async ({ key, sizeBytes }) =>
    unlessBroken(async () => {
      const content = await registry.read({ key });
      if (content === undefined) return undefined;
      const text = await readBounded(content.bytes, sizeBytes);
      return parse(text.toString('utf8'), `${registry.url}/${key}`);
    }),
  );
  for await (const one of read) if (one !== undefined) found.push(one);
  return { found, isWhole };
}

/** The envelopes beside a revision; what is no envelope says nothing. */
export async function readEnvelopes(
  registry: Storage,
  topHash: TopHash,
): Promise<Attestations<Envelope>> {
  return await readAttestations(registry, topHash, parseEnvelope);
}

/** The ids under which an envelope names its signers, which nobody vouches for, each once. */
export function claimedKeyids({ signatures }: Envelope): readonly Digest[] {
  const claimed = signatures.flatMap(({ keyid }) =>
    keyid !== undefined && isDigest(keyid) ? [keyid] : [],
  );
  return [...new Set(claimed)];
}

async function listAttestations(registry: Storage, topHash: TopHash) {
  const files: ListedObject[] = [];
  let totalBytes = 0;
  for await (const file of registry.list(attestationPrefix(topHash))) {
    if (file.sizeBytes > MAX_ENVELOPE_BYTES) continue;
    totalBytes += file.sizeBytes;
    if (files.length >= MAX_FILES || totalBytes > MAX_TOTAL_BYTES) return { files, isWhole: false };
    files.push(file);
  }
  return { files, isWhole: true };
}

/** What `read` gives, or nothing where it fails with `integrity`. */
async function unlessBroken<T>(read: () => Promise<T | undefined>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof PkgError && error.code === 'integrity') return undefined;
    throw error;
  }
}

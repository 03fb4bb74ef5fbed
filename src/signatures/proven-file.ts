/** A proof to hand on: one file of a signed package, shown to be under the root that a key signed. */
import { z } from 'zod';
import { PkgError } from '../runtime/errors.ts';
import { type Envelope, formatEnvelope, parseEnvelope } from './dsse.ts';
import { parseJsonAs } from './issues.ts';
import type { PublicKey } from './keys.ts';
import { checkProof, type EntryProof, formatProof, type ProvenEntry, parseProof } from './proof.ts';
import { checkSignature, type Vouched } from './signatures.ts';

/** A proof with the envelope whose statement names the root it leads to. */
export interface ProvenFile {
  readonly proof: EntryProof;
  readonly envelope: Envelope;
}

const VERSION = 1;

/** An envelope of 1 MiB and a proof of 8 MiB at most, as JSON texts within JSON. */
const MAX_BYTES = 20 << 20;

const provenFileSchema = z.strictObject({
  version: z.literal(VERSION),
  proof: z.json(),
  envelope: z.json(),
});

/** The document as one line of JSON with its line end. */
export function formatProvenFile({ proof, envelope }: ProvenFile): string {
  return `{"version":${String(VERSION)},"proof":${formatProof(proof).trimEnd()},"envelope":${formatEnvelope(envelope).trimEnd()}}\n`;
}

/**
 * Reads a document; `source` is what messages call it.
 * @throws PkgError `integrity` with what is wrong.
 */
export function parseProvenFile(text: string, source: string): ProvenFile {
  const fail = (why: string, cause?: unknown) =>
    new PkgError('integrity', `${source} is not a proof of a file: ${why}`, {
      hint: 'Make one with: pkg prove user/name FILE',
      cause,
    });
  if (Buffer.byteLength(text) > MAX_BYTES) throw fail('it is over 20 MiB');
  const { proof, envelope } = parseJsonAs(provenFileSchema, text, fail);
  return {
    proof: parseProof(JSON.stringify(proof), source),
    envelope: parseEnvelope(JSON.stringify(envelope), source),
  };
}

/**
 * What the document shows to whoever trusts one of `keys`, without any registry: the entry, and who
 * vouches for it.
 * @throws PkgError `integrity` where no such key signed, or the proof does not lead to what it signed.
 */
export function checkProvenFile(
  { proof, envelope }: ProvenFile,
  keys: readonly PublicKey[],
): Vouched & { readonly entry: ProvenEntry } {
  const { name, topHash } = proof;
  const vouched = checkSignature({ name, topHash }, [envelope], keys);
  return { ...vouched, entry: checkProof(proof, vouched.statement) };
}

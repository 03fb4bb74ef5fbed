/** Envelopes: a payload with signatures over it and over its type, as DSSE 1.0 has them. */
import { sign, verify } from 'node:crypto';
import { z } from 'zod';
import { PkgError } from '../runtime/errors.ts';
import type { Digest } from '../store/digest.ts';
import { decodeBase64, parseJsonAs } from './issues.ts';
import type { PublicKey, SigningKey } from './keys.ts';

/** The payload type of in-toto statements. */
export const IN_TOTO_PAYLOAD_TYPE = 'application/vnd.in-toto+json';

/** Longer envelopes are refused, by those who read them from a registry before they read them whole. */
export const MAX_ENVELOPE_BYTES = 1 << 20;

const MAX_SIGNATURES = 64;
const MAX_TEXT_LENGTH = 1024;

export interface EnvelopeSignature {
  /** What the signer calls the key; nobody vouches for it, so nothing is decided by it. */
  readonly keyid: string | undefined;
  readonly sig: Uint8Array;
}

export interface Envelope {
  readonly payloadType: string;
  readonly payload: Uint8Array;
  readonly signatures: readonly EnvelopeSignature[];
}

const base64Schema = z.string().transform((text, context) => {
  const bytes = decodeBase64(text);
  if (bytes !== undefined) return bytes;
  context.addIssue('expected base64');
  return z.NEVER;
});

/** Unknown keys are passed over, as the parsing rules of DSSE's envelope.md demand. */
const envelopeSchema = z.object({
  payload: base64Schema,
  payloadType: z.string().min(1).max(MAX_TEXT_LENGTH),
  signatures: z
    .array(
      z.object({
        keyid: z
          .string()
          .max(MAX_TEXT_LENGTH)
          .nullish()
          .transform((keyid) => (keyid === '' || keyid === null ? undefined : keyid)),
        sig: base64Schema,
      }),
    )
    .min(1)
    .max(MAX_SIGNATURES),
});

/**
 * The bytes that are signed: `DSSEv1`, then length and bytes of the type and of the payload, lengths in
 * bytes as ASCII decimals, all parted by one space.
 * Source: https://github.com/secure-systems-lab/dsse/blob/v1.0.0/protocol.md, PAE.
 */
export function preAuthEncoding(payloadType: string, payload: Uint8Array): Buffer {
  const typeBytes = String(Buffer.byteLength(payloadType));
  const before = `DSSEv1 ${typeBytes} ${payloadType} ${String(payload.length)} `;
  return Buffer.concat([Buffer.from(before), payload]);
}

/** Signs a payload with each key. Ed25519 has no randomness: the same input gives the same envelope. */
export function signEnvelope(
  payloadType: string,
  payload: Uint8Array,
  keys: readonly SigningKey[],
): Envelope {
  const signed = preAuthEncoding(payloadType, payload);
  const signatures = keys.map(({ privateKey, publicKey }) => ({
    keyid: publicKey.keyid,
    sig: sign(null, signed, privateKey),
  }));
  return { payloadType, payload, signatures };
}

/** The envelope as one line of JSON with its line end. */
export function formatEnvelope({ payloadType, payload, signatures }: Envelope): string {
  const document = {
    payload: toBase64(payload),
    payloadType,
    signatures: signatures.map(({ keyid, sig }) => ({ keyid, sig: toBase64(sig) })),
  };
  return `${JSON.stringify(document)}\n`;
}

/**
 * Reads an envelope of at most 1 MiB; `source` is what messages call it.
 * @throws PkgError `integrity` with what is wrong.
 */
export function parseEnvelope(text: string, source: string): Envelope {
  const fail = (why: string, cause?: unknown) =>
    new PkgError('integrity', `${source} is not a signature envelope: ${why}`, {
      hint: 'It is broken or hostile; ask whoever signed for another.',
      cause,
    });
  if (Buffer.byteLength(text) > MAX_ENVELOPE_BYTES) throw fail('it is over 1 MiB');
  return parseJsonAs(envelopeSchema, text, fail);
}

/**
 * The ids of those of `publicKeys` that signed the envelope, each once. Every signature is tried with
 * every key, since what an envelope says of its keys is not signed.
 */
export function verifyEnvelope(
  { payloadType, payload, signatures }: Envelope,
  publicKeys: readonly PublicKey[],
): readonly Digest[] {
  const signed = preAuthEncoding(payloadType, payload);
  return publicKeys
    .filter(({ key }) => signatures.some(({ sig }) => verify(null, signed, key, sig)))
    .map(({ keyid }) => keyid)
    .filter((keyid, index, all) => all.indexOf(keyid) === index);
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

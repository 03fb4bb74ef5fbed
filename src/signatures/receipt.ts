/** Receipts: a key's word on what came of building a revision again, as an in-toto statement. */
import { z } from 'zod';
import { isTopHash, parseTopHash } from '../package/package.ts';
import { PkgError } from '../runtime/errors.ts';
import { type Envelope, IN_TOTO_PAYLOAD_TYPE, signEnvelope } from './dsse.ts';
import { parseJsonAs } from './issues.ts';
import type { SigningKey } from './keys.ts';
import type { Release } from './signatures.ts';
import { STATEMENT_TYPE } from './statement.ts';

/** "The signer built this again, and this came of it"; `docs/format.md` has its predicate. */
const RECEIPT_PREDICATE_TYPE = 'urn:pkg:receipt:v1';

/** What came of building a revision again, and on what. */
export interface Receipt {
  readonly result: 'same' | 'differs';
  /** Where it differs first, as far as that is known; only of what differs. */
  readonly firstDifference?: FirstDifference | undefined;
  /** Whether everything was built again, or the data alone. */
  readonly scope: 'all' | 'data';
  /** How many entries were compared. */
  readonly entries: number;
  /** Whether it was built by the toolchain that the lockfile pins. */
  readonly toolchainSame: boolean;
  /** The version of Node, as `20.20.2`. */
  readonly node: string;
  /** As Node has them: `linux`, `x64`. */
  readonly platform: string;
  readonly arch: string;
  /** What built it, as `pkg 0.1.0`. */
  readonly tool: string;
}

export interface FirstDifference {
  /** The first step whose output differs. */
  readonly step?: string | undefined;
  /** The first entry that differs. */
  readonly logicalKey?: string | undefined;
}

/** A receipt with what it is about. */
export interface ReceiptStatement {
  readonly release: Release;
  readonly receipt: Receipt;
}

const MAX_NAME_LENGTH = 1024;
const MAX_KEY_LENGTH = 4096;

const nameSchema = z.string().min(1).max(MAX_NAME_LENGTH);

const predicateSchema = z
  .strictObject({
    result: z.enum(['same', 'differs']),
    firstDifference: z
      .strictObject({
        step: nameSchema.optional(),
        logicalKey: z.string().min(1).max(MAX_KEY_LENGTH).optional(),
      })
      .optional(),
    scope: z.enum(['all', 'data']),
    entries: z.int().min(0),
    toolchainSame: z.boolean(),
    node: nameSchema,
    platform: nameSchema,
    arch: nameSchema,
    tool: nameSchema,
  })
  .refine(({ result, firstDifference }) => result !== 'same' || firstDifference === undefined, {
    error: 'what is the same has no difference',
    path: ['firstDifference'],
  });

const statementSchema = z
  .strictObject({
    _type: z.literal(STATEMENT_TYPE),
    subject: z.tuple([
      z.strictObject({
        name: nameSchema,
        digest: z.strictObject({
          sha256: z.string().refine(isTopHash, { error: 'expected a top hash' }),
        }),
      }),
    ]),
    predicateType: z.literal(RECEIPT_PREDICATE_TYPE),
    predicate: predicateSchema,
  })
  .transform(({ subject: [{ name, digest }], predicate }) => ({
    release: { name, topHash: parseTopHash(digest.sha256) },
    receipt: predicate,
  }));

/**
 * The statement as the payload to sign: JSON without white space, in one order, free of any clock, so that
 * the same outcome is the same text.
 */
export function formatReceiptStatement({ release, receipt }: ReceiptStatement): Buffer {
  const { result, firstDifference, scope, entries, toolchainSame } = receipt;
  const { node, platform, arch, tool } = receipt;
  const { step, logicalKey } = firstDifference ?? {};
  const difference = { firstDifference: { step, logicalKey } };
  const document = {
    _type: STATEMENT_TYPE,
    subject: [{ name: release.name, digest: { sha256: release.topHash } }],
    predicateType: RECEIPT_PREDICATE_TYPE,
    predicate: {
      result,
      ...(firstDifference === undefined ? {} : difference),
      ...{ scope, entries, toolchainSame, node, platform, arch, tool },
    },
  };
  return Buffer.from(JSON.stringify(document));
}

/**
 * Reads a signed payload. Nothing unknown is passed over, since what is signed but not understood might
 * change what the rest means.
 * @throws PkgError `integrity` where it is no receipt, naming the key at fault.
 */
export function parseReceiptStatement(payload: Uint8Array): ReceiptStatement {
  const fail = (why: string, cause: unknown) =>
    new PkgError('integrity', `the signed payload is not a receipt: ${why}`, { cause });
  return parseJsonAs(statementSchema, Buffer.from(payload).toString('utf8'), fail);
}

/**
 * Signs a receipt.
 * @throws PkgError `integrity` for one that no reader would take.
 */
export function signReceipt(statement: ReceiptStatement, keys: readonly SigningKey[]): Envelope {
  const payload = formatReceiptStatement(statement);
  parseReceiptStatement(payload);
  return signEnvelope(IN_TOTO_PAYLOAD_TYPE, payload, keys);
}

/** The receipt in an envelope; undefined where it has something else. Says nothing of whose it is. */
export function receiptIn({ payloadType, payload }: Envelope): ReceiptStatement | undefined {
  if (payloadType !== IN_TOTO_PAYLOAD_TYPE) return undefined;
  try {
    return parseReceiptStatement(payload);
  } catch (error) {
    if (error instanceof PkgError && error.code === 'integrity') return undefined;
    throw error;
  }
}

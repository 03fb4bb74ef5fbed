/** Release statements: what is signed of a package, as an in-toto statement. */
import { z } from 'zod';
import { isTopHash, parseTopHash, type TopHash } from '../package/package.ts';
import { PkgError } from '../runtime/errors.ts';
import { type Digest, isDigest, parseDigest } from '../store/digest.ts';
import { parseJsonAs } from './issues.ts';

/** Source: https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md. */
export const STATEMENT_TYPE = 'https://in-toto.io/Statement/v1';

/** "The signer vouches that this top hash is a revision of this name"; `docs/format.md` has its predicate. */
const RELEASE_PREDICATE_TYPE = 'urn:pkg:release:v1';

/** That a top hash is a revision of a name, with enough to prove one of its files alone. */
export interface ReleaseStatement {
  /** `user/name`. */
  readonly name: string;
  readonly topHash: TopHash;
  /** Root of the Merkle tree over the header and the entries, in this order. */
  readonly merkleRoot: Digest;
  /** How many entries the package has; the tree has one leaf more. */
  readonly entries: number;
  /** The sum of their sizes. */
  readonly sizeBytes: number;
}

const MAX_NAME_LENGTH = 1024;

const statementSchema = z
  .strictObject({
    _type: z.literal(STATEMENT_TYPE),
    subject: z.tuple([
      z.strictObject({
        name: z.string().min(1).max(MAX_NAME_LENGTH),
        digest: z.strictObject({
          sha256: z.string().refine(isTopHash, { error: 'expected a top hash' }),
        }),
      }),
    ]),
    predicateType: z.literal(RELEASE_PREDICATE_TYPE),
    predicate: z.strictObject({
      merkleRoot: z.string().refine(isDigest, { error: 'expected a SHA-256 digest' }),
      entries: z.int().min(0),
      sizeBytes: z.int().min(0),
    }),
  })
  .transform(({ subject: [{ name, digest }], predicate }) => ({
    name,
    topHash: parseTopHash(digest.sha256),
    merkleRoot: parseDigest(predicate.merkleRoot),
    entries: predicate.entries,
    sizeBytes: predicate.sizeBytes,
  }));

/** The statement as the payload to sign: JSON without white space, in one order, free of any clock. */
export function formatReleaseStatement(statement: ReleaseStatement): Buffer {
  const { name, topHash, merkleRoot, entries, sizeBytes } = statement;
  const document = {
    _type: STATEMENT_TYPE,
    subject: [{ name, digest: { sha256: topHash } }],
    predicateType: RELEASE_PREDICATE_TYPE,
    predicate: { merkleRoot, entries, sizeBytes },
  };
  return Buffer.from(JSON.stringify(document));
}

/**
 * Reads a signed payload. Nothing unknown is passed over, since what is signed but not understood might
 * change what the rest means.
 * @throws PkgError `integrity` where it is no release statement, naming the key at fault.
 */
export function parseReleaseStatement(payload: Uint8Array): ReleaseStatement {
  const fail = (why: string, cause: unknown) =>
    new PkgError('integrity', `the signed payload is not a release statement: ${why}`, { cause });
  return parseJsonAs(statementSchema, Buffer.from(payload).toString('utf8'), fail);
}

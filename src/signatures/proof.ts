/** Proofs of entries: one entry of a package shown to be under a signed root, without the other entries. */
import { z } from 'zod';
import type { Entry } from '../package/entry.ts';
import { parseEntry, parseObject } from '../package/entry-line.ts';
import { logicalKeyProblem } from '../package/logical-key.ts';
import { isTopHash, type Package, parseTopHash, type TopHash } from '../package/package.ts';
import { canonicalQuiltJson } from '../package/quilt-json.ts';
import { hashedForm } from '../package/top-hash.ts';
import { PkgError } from '../runtime/errors.ts';
import { decodeBase64, parseJsonAs } from './issues.ts';
import {
  buildTree,
  type Inclusion,
  inclusionPath,
  MAX_LEAVES,
  MAX_PATH_LENGTH,
  type MerkleTree,
  verifyInclusion,
} from './merkle.ts';
import type { ReleaseStatement } from './statement.ts';

export interface EntryProof extends Inclusion {
  /** `user/name`. */
  readonly name: string;
  readonly topHash: TopHash;
  /** The leaf: the entry's canonical JSON, as the top hash hashes it. */
  readonly entry: string;
}

/** An entry but for where its bytes are, which nobody signs. */
export type ProvenEntry = Omit<Entry, 'physicalKey'>;

/** Longer proofs are refused; an entry of ordinary metadata has one under 2 kB. */
const MAX_PROOF_BYTES = 8 << 20;

const PROOF_VERSION = 1;
const HASH_BYTES = 32;

/** The header is leaf 0, so that the first entry is leaf 1. */
const FIRST_ENTRY_LEAF = 1;

const hashSchema = z.string().transform((text, context) => {
  const bytes = decodeBase64(text);
  if (bytes?.length === HASH_BYTES) return bytes;
  context.addIssue('expected 32 bytes in base64');
  return z.NEVER;
});

const proofSchema = z
  .strictObject({
    version: z.literal(PROOF_VERSION),
    name: z.string(),
    topHash: z.string().refine(isTopHash, { error: 'expected a top hash' }),
    entry: z.string(),
    index: z.int().min(FIRST_ENTRY_LEAF).max(MAX_LEAVES),
    leaves: z.int().min(FIRST_ENTRY_LEAF).max(MAX_LEAVES),
    path: z.array(hashSchema).max(MAX_PATH_LENGTH),
  })
  .transform(({ version: _version, topHash, leaves, ...rest }) => ({
    ...rest,
    topHash: parseTopHash(topHash),
    leafCount: leaves,
  }));

/**
 * The tree over a package: leaf 0 is the canonical JSON of its header, without the legacy `top_hash`, leaf
 * i + 1 that of entry i in hashing order. So the root covers just what the top hash covers.
 */
export function packageTree(pkg: Package): MerkleTree {
  return buildTree(packageLeaves(pkg));
}

/**
 * The proof that an entry stands in a package at a position in hashing order, from 0; the statement is
 * the one about this package.
 */
export function proveEntry(
  { name, topHash }: ReleaseStatement,
  tree: MerkleTree,
  entry: Entry,
  position: number,
): EntryProof {
  const index = position + FIRST_ENTRY_LEAF;
  const path = inclusionPath(tree, index);
  return { name, topHash, entry: hashedForm(entry), index, leafCount: tree.leafCount, path };
}

/** The proof as one line of JSON with its line end. */
export function formatProof(proof: EntryProof): string {
  const { name, topHash, entry, index, leafCount, path } = proof;
  const document = {
    version: PROOF_VERSION,
    name,
    topHash,
    entry,
    index,
    leaves: leafCount,
    path: path.map((hash) => Buffer.from(hash).toString('base64')),
  };
  return `${JSON.stringify(document)}\n`;
}

/**
 * Reads a proof; `source` is what messages call it.
 * @throws PkgError `integrity` with what is wrong.
 */
export function parseProof(text: string, source: string): EntryProof {
  const fail = (why: string, cause?: unknown) =>
    new PkgError('integrity', `${source} is not a proof of an entry: ${why}`, { cause });
  if (Buffer.byteLength(text) > MAX_PROOF_BYTES) throw fail('it is over 8 MiB');
  return parseJsonAs(proofSchema, text, fail);
}

/**
 * What a proof shows: the entry with its hash, size and metadata, of the package that the signed statement
 * is about. Whoever installs the entry then checks its bytes against this hash.
 * @throws PkgError `integrity` where the proof is about another package or does not lead to the root.
 */
export function checkProof(proof: EntryProof, statement: ReleaseStatement): ProvenEntry {
  const { name, topHash } = statement;
  if (proof.name !== name || proof.topHash !== topHash) {
    const other = `${proof.name}@${proof.topHash}`;
    throw refusal(statement, `is about ${other}`);
  }
  const isComplete = proof.leafCount === statement.entries + FIRST_ENTRY_LEAF;
  const isEntry = proof.index >= FIRST_ENTRY_LEAF;
  if (!isComplete || !isEntry || !verifyInclusion(proof.entry, proof, statement.merkleRoot)) {
    throw refusal(statement, 'does not lead to the signed root');
  }
  const entry = readLeaf(proof.entry);
  if (entry === undefined) throw refusal(statement, 'is about something that is no entry');
  return entry;
}

function* packageLeaves(pkg: Package): Generator<string> {
  yield canonicalQuiltJson(new Map([...pkg.header].filter(([key]) => key !== 'top_hash')));
  for (const entry of pkg.entries) yield hashedForm(entry);
}

/** The entry that a leaf spells, or undefined where it spells none, or spells it in another way. */
function readLeaf(text: string): ProvenEntry | undefined {
  let entry: Entry;
  try {
    entry = parseEntry(new Map([...parseObject(text), ['physical_keys', ['']]]));
  } catch {
    return undefined;
  }
  if (hashedForm(entry) !== text || logicalKeyProblem(entry.logicalKey) !== undefined) {
    return undefined;
  }
  const { physicalKey: _physicalKey, ...proven } = entry;
  return proven;
}

function refusal({ name, topHash }: ReleaseStatement, what: string): PkgError {
  return new PkgError('integrity', `the proof of an entry of ${name}@${topHash} ${what}`, {
    hint: 'The registry is broken or hostile; install the whole package, or ask whoever pushed it.',
  });
}

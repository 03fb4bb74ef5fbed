/** The top hash of a package, bit for bit as quilt3 computes it. */
import { createHash } from 'node:crypto';
import type { Entry } from './entry.ts';
import { type Package, parseTopHash, type TopHash } from './package.ts';
import { canonicalQuiltJson, canonicalText } from './quilt-json.ts';

/** How much text is hashed at once. */
const BATCH_LENGTH = 1 << 16;

/**
 * SHA-256 over the canonical JSON of the header (without its legacy `top_hash`), followed by that of
 * hash, logical key, meta and size of each entry in hashing order. Physical keys and folder metadata
 * are not hashed.
 */
export function topHash(pkg: Package): TopHash {
  const hash = createHash('sha256');
  const header = new Map([...pkg.header].filter(([key]) => key !== 'top_hash'));
  let batch = canonicalQuiltJson(header);
  for (const entry of pkg.entries) {
    batch += hashedForm(entry);
    if (batch.length < BATCH_LENGTH) continue;
    hash.update(batch, 'latin1');
    batch = '';
  }
  hash.update(batch, 'latin1');
  return parseTopHash(hash.digest('hex'));
}

/**
 * What the top hash takes of an entry: the canonical JSON, which is ASCII, of its hash, logical key,
 * metadata and size.
 */
export function hashedForm({ hash, logicalKey, meta, size }: Entry): string {
  return (
    `{"hash":{"type":${canonicalText(hash.type)},"value":${canonicalText(hash.value)}},` +
    `"logical_key":${canonicalText(logicalKey)},"meta":${canonicalQuiltJson(meta)},` +
    `"size":${canonicalQuiltJson(size)}}`
  );
}

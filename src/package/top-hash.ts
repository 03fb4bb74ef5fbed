/** The top hash of a package, bit for bit as quilt3 computes it. */
import { createHash } from 'node:crypto';
import type { JsonValue } from './lossless-json.ts';
import { type Entry, type Package, parseTopHash, type TopHash } from './package.ts';
import { canonicalQuiltJson } from './quilt-json.ts';

/**
 * SHA-256 over the canonical JSON of the header (without its legacy `top_hash`), followed by that of
 * hash, logical key, meta and size of each entry in hashing order. Physical keys and folder metadata
 * are not hashed.
 */
export function topHash(pkg: Package): TopHash {
  const hash = createHash('sha256');
  const header = new Map([...pkg.header].filter(([key]) => key !== 'top_hash'));
  hash.update(canonicalQuiltJson(header));
  for (const entry of pkg.entries) hash.update(canonicalQuiltJson(hashedPart(entry)));
  return parseTopHash(hash.digest('hex'));
}

function hashedPart(entry: Entry): JsonValue {
  return new Map<string, JsonValue>([
    ['hash', new Map(Object.entries(entry.hash))],
    ['logical_key', entry.logicalKey],
    ['meta', entry.meta],
    ['size', entry.size],
  ]);
}

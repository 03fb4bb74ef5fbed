/** The conformance vectors that real quilt3 made, read from whatever files are there. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { it } from 'vitest';
import { describeWithShared, shared } from './shared.ts';

const VECTORS = ['conformance', 'quilt3'] as const;

/** A suite over vectors; where they are missing it is skipped, and says so. */
export function describeVectors(title: string, path: string, body: () => void): void {
  const isThere = existsSync(shared(...VECTORS, path));
  // A skipped suite's body runs too, to find its titles.
  describeWithShared(...VECTORS, path)(
    title,
    isThere ? body : () => it.skip('needs the shared vectors', () => undefined),
  );
}

/** How the content of a file is made. */
export type Recipe =
  | { readonly kind: 'utf8'; readonly text: string }
  | { readonly kind: 'repeat'; readonly hex: string; readonly count: number }
  | { readonly kind: 'counter'; readonly count?: number; readonly size?: number };

export interface IndexedCase {
  readonly kind: string;
  readonly case: string;
  readonly expected: string;
}

/** A file of vectors as JSON. */
export function readVectors(...parts: string[]): unknown {
  return JSON.parse(readFileSync(shared(...VECTORS, ...parts), 'utf8'));
}

/** Names of the cases of a kind: those in the index and those in the folder. */
export function caseNames(kind: 'build' | 'read'): readonly string[] {
  const inFolder = readdirSync(shared(...VECTORS, kind))
    .filter((name) => name.endsWith('.json'))
    .map((name) => name.slice(0, -'.json'.length));
  const inIndex = indexedCases()
    .filter((indexed) => indexed.kind === kind)
    .map((indexed) => indexed.case);
  return [...new Set([...inIndex, ...inFolder])].sort();
}

/** What the index says of each case: a top hash, or `rejected: ...`. */
export function indexedCases(): readonly IndexedCase[] {
  const index = readVectors('INDEX.json') as { cases: readonly IndexedCase[] };
  return index.cases;
}

/** The manifest of a case as text. */
export function manifestText(kind: 'build' | 'read', name: string): string {
  return readFileSync(shared(...VECTORS, kind, name), 'utf8');
}

/** The manifest of a case as chunks of a few kilobytes, as a network would deliver it. */
export async function* manifestBytes(
  kind: 'build' | 'read',
  name: string,
): AsyncGenerator<Uint8Array> {
  const bytes = await Promise.resolve(readFileSync(shared(...VECTORS, kind, name)));
  for (let start = 0; start < bytes.length; start += 4093) {
    yield bytes.subarray(start, start + 4093);
  }
}

const PIECE_BYTES = 100_003;

/** The bytes of a recipe in pieces whose size divides no chunk. */
export function* contentOf(recipe: Recipe, sizeBytes: number): Generator<Uint8Array> {
  if (recipe.kind === 'utf8') {
    yield Buffer.from(recipe.text, 'utf8');
    return;
  }
  const unit = recipe.kind === 'repeat' ? Buffer.from(recipe.hex, 'hex') : undefined;
  for (let start = 0; start < sizeBytes; start += PIECE_BYTES) {
    const piece = Buffer.alloc(Math.min(PIECE_BYTES, sizeBytes - start));
    for (let index = 0; index < piece.length; index++) {
      const at = start + index;
      piece[index] =
        unit === undefined ? (at ^ (at >> 8) ^ (at >> 16)) & 255 : (unit[at % unit.length] ?? 0);
    }
    yield piece;
  }
}

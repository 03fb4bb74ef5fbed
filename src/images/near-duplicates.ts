/** Groups of pictures that are copies of each other: the same bytes, scaled, or saved again. */
import { colourDifference, hashDistance, type Look } from './perceptual-hash.ts';

/** Two pictures look the same within both of these. */
export const MAX_HASH_DISTANCE = 20;
export const MAX_COLOUR_DIFFERENCE = 8;

/**
 * Two hashes within the distance agree on at least one of this many bands, by the pigeonhole
 * principle, so only pictures that share a band are compared.
 */
const BANDS = MAX_HASH_DISTANCE + 1;
const HASH_BITS = 256;

export interface LookedAt extends Look {
  readonly digest: string;
}

/**
 * For each picture the digest that names its group: the smallest of all that can be reached from it
 * over pairs that look the same. The order of the pictures makes no difference.
 */
export function groupDuplicates(pictures: readonly LookedAt[]): readonly string[] {
  const parents = pictures.map((_, index) => index);
  const rootOf = (index: number): number => {
    let root = index;
    while (parents[root] !== root) root = parents[root] ?? root;
    for (let node = index; node !== root; ) {
      const next = parents[node] ?? root;
      parents[node] = root;
      node = next;
    }
    return root;
  };
  for (const [a, b] of candidatePairs(pictures)) {
    const left = rootOf(a);
    const right = rootOf(b);
    if (left !== right && looksTheSame(pictures[a], pictures[b])) parents[left] = right;
  }
  const names = new Map<number, string>();
  for (const [index, { digest }] of pictures.entries()) {
    const root = rootOf(index);
    const name = names.get(root);
    if (name === undefined || digest < name) names.set(root, digest);
  }
  return pictures.map((_, index) => names.get(rootOf(index)) ?? '');
}

function looksTheSame(a: LookedAt | undefined, b: LookedAt | undefined): boolean {
  if (a === undefined || b === undefined) return false;
  if (a.digest === b.digest) return true;
  return (
    hashDistance(a.hash, b.hash) <= MAX_HASH_DISTANCE &&
    colourDifference(a.colours, b.colours) <= MAX_COLOUR_DIFFERENCE
  );
}

function* candidatePairs(pictures: readonly LookedAt[]): Generator<readonly [number, number]> {
  const bits = pictures.map(({ hash }) => bitsOf(hash));
  for (let band = 0; band < BANDS; band++) {
    const start = Math.floor((band * HASH_BITS) / BANDS);
    const end = Math.floor(((band + 1) * HASH_BITS) / BANDS);
    const buckets = new Map<string, number[]>();
    for (const [index, text] of bits.entries()) {
      const key = text.slice(start, end);
      const bucket = buckets.get(key) ?? [];
      for (const other of bucket) yield [other, index];
      bucket.push(index);
      buckets.set(key, bucket);
    }
  }
}

function bitsOf(hash: string): string {
  return Array.from(hash, (digit) => Number.parseInt(digit, 16).toString(2).padStart(4, '0')).join(
    '',
  );
}

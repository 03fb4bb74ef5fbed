/** Trees: sorted paths with digest and size, which is what a step returns. */
import { type Digest, digestOf, isDigest } from './digest.ts';

export interface TreeEntry {
  readonly path: string;
  readonly digest: Digest;
  readonly sizeBytes: number;
}

/** Entries sorted by path (UTF-16 code units), each path once. */
export type Tree = readonly TreeEntry[];

/** A tree of entries in any order; throws a plain Error where a path stands twice. */
export function treeOf(entries: Iterable<TreeEntry>): Tree {
  const sorted = [...entries].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
  for (const [index, entry] of sorted.entries()) {
    if (sorted[index + 1]?.path === entry.path) throw new Error(`two entries at ${entry.path}`);
  }
  return sorted;
}

/** The entry at `path`; throws a plain Error where the tree has none, which is a bug of a step. */
export function entryAt(tree: Tree, path: string): TreeEntry {
  const found = tree.find((entry) => entry.path === path);
  if (found === undefined) throw new Error(`the tree has no ${path}`);
  return found;
}

/** A line an entry: digest, space, size, space, path as a JSON string. */
export function formatTree(tree: Tree): string {
  return tree
    .map(
      ({ digest, sizeBytes, path }) => `${digest} ${String(sizeBytes)} ${JSON.stringify(path)}\n`,
    )
    .join('');
}

/** Reads what `formatTree` wrote; throws a plain Error on anything else. */
export function parseTree(text: string): Tree {
  const lines = text.split('\n');
  if (lines.pop() !== '') throw new Error('the tree is cut off');
  return lines.map((line) => {
    const [digest = '', size = ''] = line.split(' ', 2);
    const path: unknown = JSON.parse(line.slice(digest.length + size.length + 2));
    if (!isDigest(digest) || !/^\d+$/.test(size) || typeof path !== 'string') {
      throw new Error(`not a line of a tree: ${line}`);
    }
    return { path, digest, sizeBytes: Number(size) };
  });
}

/** The digest of a tree's text. */
export function treeDigest(tree: Tree): Digest {
  return digestOf(formatTree(tree));
}

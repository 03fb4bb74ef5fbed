/** Merkle trees: one hash over many leaves, and short proofs that a leaf is among them. */
import { createHash } from 'node:crypto';
import { type Digest, parseDigest } from '../store/digest.ts';

/**
 * A binary tree as RFC 9162, section 2.1, defines it: a leaf hashes as SHA-256(0x00 || bytes), a node as
 * SHA-256(0x01 || left || right), and a tree of n leaves is split at the largest power of two below n.
 * Takes 36 bytes a leaf.
 */
export interface MerkleTree {
  readonly root: Digest;
  readonly leafCount: number;
  /** Hashes of the leaves in runs of `RUN_LEAVES`, the last one shorter. */
  readonly runs: readonly Buffer[];
  /** From the nodes over `BLOCK_LEAVES` leaves each up to the root; what lies below is computed again. */
  readonly levels: readonly Buffer[];
}

const HASH_BYTES = 32;
const LEAF_PREFIX = Buffer.from([0]);
const NODE_PREFIX = 1;
const NODE_BYTES = 1 + 2 * HASH_BYTES;

const BLOCK_LEVELS = 4;
const BLOCK_LEAVES = 2 ** BLOCK_LEVELS;
const RUN_LEAVES = 2 ** 15;

/** Keeps positions within what bit operations can hold. */
export const MAX_LEAVES = 2 ** 30;

/** No tree of `MAX_LEAVES` has a longer path. */
export const MAX_PATH_LENGTH = 30;

/** The tree over leaves in their order; texts are taken as UTF-8. Throws where there is no leaf. */
export function buildTree(leaves: Iterable<Uint8Array | string>): MerkleTree {
  const runs: Buffer[] = [];
  let run: Buffer = Buffer.alloc(0);
  let leafCount = 0;
  for (const leaf of leaves) {
    const place = leafCount % RUN_LEAVES;
    if (place === 0) {
      run = Buffer.alloc(RUN_LEAVES * HASH_BYTES);
      runs.push(run);
    }
    hashLeaf(leaf).copy(run, place * HASH_BYTES);
    leafCount++;
  }
  if (leafCount === 0) throw new Error('a tree needs a leaf');
  if (leafCount > MAX_LEAVES) throw new Error(`a tree has at most ${String(MAX_LEAVES)} leaves`);
  const rest = leafCount % RUN_LEAVES;
  if (rest > 0) runs.splice(-1, 1, Buffer.from(run.subarray(0, rest * HASH_BYTES)));

  let top: Buffer = Buffer.concat(runs.map((hashes) => raise(hashes, BLOCK_LEVELS)));
  const levels = [top];
  while (top.length > HASH_BYTES) {
    top = levelAbove(top);
    levels.push(top);
  }
  return { root: parseDigest(top.toString('hex')), leafCount, runs, levels };
}

/** The hashes that lead from a leaf to the root, nearest first: RFC 9162, section 2.1.3.1. */
export function inclusionPath(tree: MerkleTree, index: number): readonly Buffer[] {
  if (!isPosition(index, tree.leafCount)) {
    throw new Error(`the tree has no leaf ${String(index)}`);
  }
  const path: Buffer[] = [];
  const step = (nodes: Buffer, place: number): void => {
    const neighbour = (place ^ 1) * HASH_BYTES;
    // The last node of a level of odd length has no neighbour and rises as it is.
    if (neighbour < nodes.length) {
      path.push(Buffer.from(nodes.subarray(neighbour, neighbour + HASH_BYTES)));
    }
  };
  const run = tree.runs[Math.floor(index / RUN_LEAVES)] ?? Buffer.alloc(0);
  const blockStart = (index % RUN_LEAVES) - (index % BLOCK_LEAVES);
  let nodes = run.subarray(blockStart * HASH_BYTES, (blockStart + BLOCK_LEAVES) * HASH_BYTES);
  for (let level = 0; level < BLOCK_LEVELS; level++) {
    step(nodes, (index % BLOCK_LEAVES) >>> level);
    nodes = levelAbove(nodes);
  }
  for (const [level, above] of tree.levels.entries()) step(above, index >>> (BLOCK_LEVELS + level));
  return path;
}

/** Where a leaf is said to be, with the hashes that prove it. */
export interface Inclusion {
  readonly index: number;
  readonly leafCount: number;
  readonly path: readonly Uint8Array[];
}

/** Whether a path proves that a leaf stands at a place of the tree: RFC 9162, section 2.1.3.2. */
export function verifyInclusion(
  leaf: Uint8Array | string,
  { index, leafCount, path }: Inclusion,
  root: Digest,
): boolean {
  if (!isPosition(index, leafCount) || leafCount > MAX_LEAVES) return false;
  let place = index;
  let last = leafCount - 1;
  let hash = hashLeaf(leaf);
  for (const neighbour of path) {
    if (last === 0 || neighbour.length !== HASH_BYTES) return false;
    if (place % 2 === 1 || place === last) {
      hash = hashNode(neighbour, hash);
      while (place % 2 === 0 && place > 0) {
        place >>>= 1;
        last >>>= 1;
      }
    } else {
      hash = hashNode(hash, neighbour);
    }
    place >>>= 1;
    last >>>= 1;
  }
  return last === 0 && hash.toString('hex') === root;
}

function isPosition(index: number, leafCount: number): boolean {
  return Number.isInteger(index) && Number.isInteger(leafCount) && index >= 0 && index < leafCount;
}

function raise(nodes: Buffer, levels: number): Buffer {
  return levels === 0 ? nodes : raise(levelAbove(nodes), levels - 1);
}

function levelAbove(nodes: Buffer): Buffer {
  const count = nodes.length / HASH_BYTES;
  const above = Buffer.alloc(Math.ceil(count / 2) * HASH_BYTES);
  for (let place = 0; place < count; place += 2) {
    const pair = nodes.subarray(place * HASH_BYTES, (place + 2) * HASH_BYTES);
    const left = pair.subarray(0, HASH_BYTES);
    const node = pair.length > HASH_BYTES ? hashNode(left, pair.subarray(HASH_BYTES)) : left;
    node.copy(above, (place / 2) * HASH_BYTES);
  }
  return above;
}

function hashLeaf(leaf: Uint8Array | string): Buffer {
  return createHash('sha256').update(LEAF_PREFIX).update(leaf).digest();
}

function hashNode(left: Uint8Array, right: Uint8Array): Buffer {
  const node = Buffer.allocUnsafe(NODE_BYTES);
  node[0] = NODE_PREFIX;
  node.set(left, 1);
  node.set(right, 1 + HASH_BYTES);
  return createHash('sha256').update(node).digest();
}

/** The lineages of a registry: written beside revisions, made of their tables where there is none, merged. */
import { join } from 'node:path';
import {
  LINEAGE_PREFIX,
  lineageKey,
  mergedLineageKey,
  parseLineageKey,
} from '../objects/layout.ts';
import { EntryReader } from '../objects/objects.ts';
import { type OpenObject, pushedDigest } from '../objects/sending.ts';
import type { Package, TopHash } from '../package/package.ts';
import { readPackage } from '../registry/lists.ts';
import { PkgError } from '../runtime/errors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { ALWAYS, type Storage } from '../storage/storage.ts';
import { uploadOf } from '../storage/whole-content.ts';
import { readIfPresent, writeFileAtomic } from '../store/atomic-file.ts';
import { type Digest, digestOf } from '../store/digest.ts';
import type { Store } from '../store/store.ts';
import { decodeLineage, mergeLineages } from './decode-lineage.ts';
import { encodeLineage } from './encode-lineage.ts';
import type { Lineage } from './lineage.ts';
import { readLineageBytes } from './lineage-file.ts';
import { makeLineage, type OpenEntry } from './make-lineage.ts';

export interface LineageContext {
  readonly runtime: Runtime;
  readonly registry: Storage;
  /** Keeps what was read out of tables for the next command. */
  readonly cache: Store | undefined;
}

/** The lineages that are there, each with its size in bytes. */
export interface ListedLineages {
  readonly single: ReadonlyMap<TopHash, number>;
  readonly merged: ReadonlyMap<Digest, number>;
}

/** Lineages of more bytes together are not merged into one. */
const MAX_MERGED_BYTES = 128 * 2 ** 20;

/** Fewer single lineages are left as they are. */
const MIN_MERGED = 8;

/** Puts a package's lineage beside it; `open` gives the bytes of its objects. */
export async function writeLineage(
  registry: Storage,
  topHash: TopHash,
  pkg: Package,
  open: OpenObject,
): Promise<void> {
  const bytes = await makeLineage(pkg, topHash, openPushed(open));
  await registry.write(lineageKey(topHash), await uploadOf(bytes), ALWAYS);
}

function openPushed(open: OpenObject): OpenEntry {
  return async function* (entry) {
    const digest = pushedDigest(entry);
    const chunks: Uint8Array[] = [];
    for await (const chunk of open(digest, { start: 0, end: entry.sizeBytes })) chunks.push(chunk);
    const data = Buffer.concat(chunks);
    if (digestOf(data) !== digest) {
      throw new PkgError(
        'integrity',
        `the bytes for ${entry.logicalKey} are not those of its digest`,
        {
          hint: 'The local copy is damaged or was changed; build or read it again, then push.',
        },
      );
    }
    yield data;
  };
}

/** Lists the lineages of a registry; stray files among them are left out. */
export async function listLineages(registry: Storage): Promise<ListedLineages> {
  const single = new Map<TopHash, number>();
  const merged = new Map<Digest, number>();
  for await (const { key, sizeBytes } of registry.list(LINEAGE_PREFIX)) {
    const name = parseLineageKey(key);
    if (name === undefined) continue;
    if ('topHash' in name) single.set(name.topHash, sizeBytes);
    else merged.set(name.digest, sizeBytes);
  }
  return { single, merged };
}

/**
 * The lineage of a revision made of its own tables, or as it was made before and kept in the store.
 * @throws PkgError `integrity` or `not-found` where its list or tables are damaged or gone.
 */
export async function scanRevision(context: LineageContext, topHash: TopHash): Promise<Buffer> {
  const { runtime, registry, cache } = context;
  const path = cache === undefined ? undefined : await keptPath(cache, topHash);
  const kept = path === undefined ? undefined : await readIfPresent(path);
  if (kept !== undefined && isLineageOf(kept, topHash)) return kept;
  const pkg = await readPackage(registry, topHash);
  const reader = new EntryReader(runtime, registry, cache);
  const bytes = await makeLineage(pkg, topHash, (entry) => reader.read(entry));
  if (path !== undefined) await writeFileAtomic(path, bytes);
  return bytes;
}

async function keptPath(cache: Store, topHash: TopHash): Promise<string> {
  return join(await cache.scratchFolder('index'), `lineage-1-${topHash}`);
}

function isLineageOf(bytes: Buffer, topHash: TopHash): boolean {
  try {
    return decodeLineage(bytes).revisions[0]?.topHash === topHash;
  } catch (error) {
    if (error instanceof PkgError && error.code === 'integrity') return false;
    throw error;
  }
}

/**
 * Puts single lineages together, with those that were merged before and are not too long, and removes
 * what the new one stands for, once it is there. Returns how many lineages became one.
 * @throws PkgError `integrity` where one of them is damaged.
 */
export async function mergeRegistryLineages({
  runtime,
  registry,
}: LineageContext): Promise<number> {
  const { single, merged } = await listLineages(registry);
  if (single.size < MIN_MERGED) return 0;
  const all = [
    ...[...merged].map(([digest, sizeBytes]) => ({ key: mergedLineageKey(digest), sizeBytes })),
    ...[...single].map(([topHash, sizeBytes]) => ({ key: lineageKey(topHash), sizeBytes })),
  ].sort((a, b) => a.sizeBytes - b.sizeBytes);
  const lineages: Lineage[] = [];
  const keys: string[] = [];
  let sum = 0;
  for (const { key, sizeBytes } of all) {
    runtime.signal.throwIfAborted();
    if (sum + sizeBytes > MAX_MERGED_BYTES) break;
    const bytes = await readLineageBytes(registry, key);
    // A sweep or another merge may have taken it away meanwhile.
    if (bytes === undefined) continue;
    lineages.push(decodeNamed(bytes, `${registry.url}/${key}`));
    keys.push(key);
    sum += sizeBytes;
  }
  if (lineages.length < MIN_MERGED) return 0;
  const data = encodeLineage(mergeLineages(lineages));
  const key = mergedLineageKey(digestOf(data));
  await registry.write(key, await uploadOf(data), ALWAYS);
  await registry.remove(keys.filter((old) => old !== key));
  return lineages.length;
}

function decodeNamed(bytes: Buffer, name: string): Lineage {
  try {
    return decodeLineage(bytes);
  } catch (error) {
    if (!(error instanceof PkgError)) throw error;
    throw new PkgError('integrity', `the lineage ${name} is damaged: ${error.message}`, {
      hint: 'See what else is damaged with pkg verify --registry; pkg repair makes it again.',
      cause: error,
    });
  }
}

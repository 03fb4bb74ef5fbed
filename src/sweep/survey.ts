/** What a sweep has to know of a registry before it decides what goes. */

import { digestOfKey, OBJECT_PREFIX, objectKey, PACK_PREFIX, packKey } from '../objects/layout.ts';
import { type LoadedIndex, loadIndex } from '../objects/registry-index.ts';
import { findSettings, type Policy } from '../objects/settings.ts';
import { DigestSet } from '../packs/digest-set.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { ListedObject, Storage } from '../storage/storage.ts';
import type { Digest } from '../store/digest.ts';
import type { Store } from '../store/store.ts';
import { type LiveChunks, readLiveChunks } from './live-chunks.ts';
import type { Reach } from './reachable.ts';

export interface Survey extends LoadedIndex {
  readonly policy: Policy;
  readonly reach: Reach;
  readonly chunks: LiveChunks;
  /** All packs that are there, named by the index or not. */
  readonly packs: ReadonlyMap<Digest, ListedObject>;
  /** Under `objects`, the objects that stand alone, which need no pack; else none. */
  readonly loose: DigestSet;
  /** What is younger than this, in milliseconds by the storage's clock, stays. */
  readonly cutoffMs: number;
}

/** Where a sweep looks, and what it keeps there in any case. */
export interface SurveyContext {
  readonly runtime: Runtime;
  readonly registry: Storage;
  readonly cache: Store | undefined;
  readonly cutoffMs: number;
}

/** Looks at a registry whose reach is known. */
export async function takeSurvey(context: SurveyContext, reach: Reach): Promise<Survey> {
  const { runtime, registry, cache, cutoffMs } = context;
  const policy = (await findSettings(registry))?.policy ?? 'objects';
  const loaded = await loadIndex(runtime, registry, cache);
  const loose = new DigestSet(Math.floor(runtime.random() * 2 ** 32) | 0);
  if (policy === 'objects') {
    for await (const { digest } of listLoose(registry)) loose.add(digest);
  }
  const packs = new Map<Digest, ListedObject>();
  for await (const found of registry.list(PACK_PREFIX)) {
    const digest = digestOfKey(found.key);
    if (digest !== undefined && found.key === packKey(digest)) packs.set(digest, found);
  }
  const packed = [...reach.large].filter(([digest]) => !loose.has(digest));
  const chunks = await readLiveChunks(runtime, registry, { large: new Map(packed) }, loaded.index);
  return { ...loaded, policy, reach, chunks, packs, loose, cutoffMs };
}

/** The objects that stand alone under their digest; other keys below `objects/` are not ours. */
export async function* listLoose(
  registry: Storage,
): AsyncGenerator<{ readonly digest: Digest; readonly found: ListedObject }> {
  for await (const found of registry.list(OBJECT_PREFIX)) {
    const digest = digestOfKey(found.key);
    if (digest !== undefined && found.key === objectKey(digest)) yield { digest, found };
  }
}

/** Whether a revision needs a member of a pack, since nothing else holds those bytes. */
export function isNeeded({ reach, chunks, loose }: Survey, digest: Digest): boolean {
  return (reach.digests.has(digest) && !loose.has(digest)) || chunks.digests.has(digest);
}

/** Whether an object that stands alone is in packs too, which under `packs` is enough. */
export function isRedundant(survey: Survey, digest: Digest, found: ListedObject): boolean {
  const { policy, reach, index, chunks, cutoffMs } = survey;
  if (policy !== 'packs' || found.modifiedMs > cutoffMs || reach.keys.has(found.key)) return false;
  if (!reach.digests.has(digest)) return false;
  const place = index.find(digest);
  return place?.kind === 'whole' || (place !== undefined && chunks.packsOf.has(digest));
}

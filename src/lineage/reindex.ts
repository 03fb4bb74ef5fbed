/** Lineages written where a registry lacks them or has damaged ones, and merged where there are many. */

import { lineageKey, mergedLineageKey } from '../objects/layout.ts';
import { waitForSweep, withLease } from '../objects/leases.ts';
import type { TopHash } from '../package/package.ts';
import { eachLimit } from '../runtime/concurrency.ts';
import { messageOf, PkgError } from '../runtime/errors.ts';
import { startProgress } from '../runtime/progress.ts';
import { ALWAYS } from '../storage/storage.ts';
import { uploadOf } from '../storage/whole-content.ts';
import { decodeLineage } from './decode-lineage.ts';
import { readLineageBytes, requireName } from './lineage-file.ts';
import { readPointedRevisions } from './pointed-revisions.ts';
import {
  type LineageContext,
  listLineages,
  mergeRegistryLineages,
  scanRevision,
} from './registry-lineage.ts';

export interface Reindexed {
  readonly registry: string;
  readonly revisions: number;
  /** Lineages written, and lineages that became one. */
  readonly written: number;
  readonly merged: number;
  /** Revisions that cannot be read, and why, a sentence each. */
  readonly unknown: readonly string[];
}

const SCANS_AT_ONCE = 4;

/**
 * Writes the lineage of each revision that has none or a damaged one, made of the revision's own tables,
 * then puts single ones together. Under a lease, so that no sweep takes away what is being looked at.
 */
export async function reindexLineage(context: LineageContext): Promise<Reindexed> {
  const { runtime, registry } = context;
  return await withLease(runtime, registry, 'push', async (lease) => {
    await waitForSweep(runtime, registry, lease);
    const { revisions, damaged } = await readPointedRevisions(context);
    const sound = await findSound(context);
    const missing = [...revisions.keys()].filter((hash) => !sound.has(hash));
    const unknown = [...damaged];
    let written = 0;
    const progress = startProgress(runtime, 'lineage', missing.length);
    await eachLimit(missing, SCANS_AT_ONCE, async (hash) => {
      runtime.signal.throwIfAborted();
      await lease.renew();
      const bytes = await scanOrNote(context, hash, unknown);
      if (bytes === undefined) return;
      await registry.write(lineageKey(hash), await uploadOf(bytes), ALWAYS);
      written++;
      progress.advance({ sizeBytes: bytes.length });
    });
    await lease.renew();
    const merged = await mergeRegistryLineages(context);
    progress.finish(`${String(written)} lineages written`);
    return { registry: registry.url, revisions: revisions.size, written, merged, unknown };
  });
}

/** The revisions that some lineage tells of; damaged ones are removed, since they tell nothing. */
async function findSound({ registry, runtime }: LineageContext): Promise<ReadonlySet<TopHash>> {
  const { single, merged } = await listLineages(registry);
  const sound = new Set<TopHash>();
  for (const key of [
    ...[...single.keys()].map(lineageKey),
    ...[...merged.keys()].map(mergedLineageKey),
  ]) {
    runtime.signal.throwIfAborted();
    const bytes = await readLineageBytes(registry, key);
    if (bytes === undefined) continue;
    try {
      const { revisions } = decodeLineage(bytes);
      requireName({ revisions }, key);
      for (const { topHash } of revisions) sound.add(topHash);
    } catch (error) {
      if (!(error instanceof PkgError) || error.code !== 'integrity') throw error;
      await registry.remove([key]);
    }
  }
  return sound;
}

async function scanOrNote(
  context: LineageContext,
  hash: TopHash,
  unknown: string[],
): Promise<Buffer | undefined> {
  try {
    return await scanRevision(context, hash);
  } catch (error) {
    const isKnown = error instanceof PkgError && ['integrity', 'not-found'].includes(error.code);
    if (!isKnown) throw error;
    unknown.push(`revision ${hash} cannot be read: ${messageOf(error)}`);
    return undefined;
  }
}

/** The removal of what a sweep found that nothing reaches, in the order that keeps revisions whole. */

import {
  ATTESTATION_PREFIX,
  digestOfKey,
  INDEX_PREFIX,
  listPrefixes,
  packageKey,
  packKey,
  topHashOfKey,
} from '../objects/layout.ts';
import { LEASE_MAX_AGE_MS } from '../objects/leases.ts';
import { isTopHash, type TopHash } from '../package/package.ts';
import type { Storage } from '../storage/storage.ts';
import { dropLineages } from './drop-lineages.ts';
import type { NewPacks } from './pack-anew.ts';
import type { PackPlan } from './pack-plan.ts';
import type { Remover } from './remover.ts';
import { isRedundant, listLoose, type Survey } from './survey.ts';
import { staleLeases } from './sweep-lease.ts';

export interface Removal {
  readonly registry: Storage;
  readonly remover: Remover;
  readonly survey: Survey;
  readonly plan: PackPlan;
  /** What was written in place of packs that go. */
  readonly added: NewPacks;
  /** The segments that others replace. */
  readonly segments: ReadonlySet<string>;
  /** The storage's own time. */
  readonly nowMs: number;
}

/** Removes, or with a remover that counts only counts, all that nothing reaches. */
export async function removeUnreached(removal: Removal): Promise<void> {
  const { registry, remover, survey, nowMs } = removal;
  await dropSegments(removal);
  await dropPacks(removal);
  const lists = await dropLists(removal);
  await dropAttestations(removal, lists);
  await dropLineages(removal, lists);
  await dropObjects(removal);
  // However short the grace, what others write at this moment without a lease is not abandoned.
  const beforeMs = Math.min(survey.cutoffMs, nowMs - LEASE_MAX_AGE_MS);
  const count = await registry.abandonUploads(beforeMs, remover.mode);
  remover.count('unfinished', { count, sizeBytes: 0 });
  for await (const lease of staleLeases(registry, nowMs)) await remover.drop('leases', lease);
  await remover.flush();
}

async function dropSegments({ registry, remover, segments }: Removal): Promise<void> {
  for await (const found of segments.size === 0 ? [] : registry.list(INDEX_PREFIX)) {
    const digest = digestOfKey(found.key);
    if (digest !== undefined && segments.has(digest)) await remover.drop('segments', found);
  }
  await remover.flush();
}

/** A new pack may be the same as one that a killed sweep wrote before and no segment named. */
async function dropPacks({ remover, plan, added }: Removal): Promise<void> {
  const written = new Set(added.packs.map(({ digest }) => digest));
  for (const { digest, sizeBytes } of [...plan.dropped.values(), ...plan.repacked.values()]) {
    if (!written.has(digest)) await remover.drop('packs', { key: packKey(digest), sizeBytes });
  }
  await remover.flush();
}

/** Deltas go before the lists that they are based on. Gives the lists that are left. */
async function dropLists({ registry, remover, survey }: Removal): Promise<ReadonlySet<TopHash>> {
  const { reach, cutoffMs } = survey;
  const unnamed = new Set(reach.unnamed);
  const keptTwice = new Set(reach.keptTwice);
  const left = new Set<TopHash>([...reach.lists, ...reach.bases]);
  for (const prefix of [...listPrefixes('')].reverse()) {
    for await (const found of registry.list(prefix)) {
      const hash = topHashOfKey(found.key);
      if (hash === undefined || reach.keys.has(found.key)) continue;
      const isSpare = keptTwice.has(hash) && found.key !== packageKey(hash);
      const isYoung = found.modifiedMs > cutoffMs;
      if (!isYoung && (isSpare || unnamed.has(hash))) await remover.drop('lists', found);
      else left.add(hash);
    }
    await remover.flush();
  }
  return left;
}

async function dropAttestations(
  { registry, remover, survey }: Removal,
  lists: ReadonlySet<TopHash>,
): Promise<void> {
  for await (const found of registry.list(ATTESTATION_PREFIX)) {
    const hash = found.key.slice(ATTESTATION_PREFIX.length).split('/')[0] ?? '';
    const isOwn = isTopHash(hash) && !survey.reach.keys.has(found.key);
    if (!isOwn || lists.has(hash) || found.modifiedMs > survey.cutoffMs) continue;
    await remover.drop('attestations', found);
  }
  await remover.flush();
}

async function dropObjects({ registry, remover, survey }: Removal): Promise<void> {
  const { reach, cutoffMs } = survey;
  for await (const { digest, found } of listLoose(registry)) {
    if (found.modifiedMs > cutoffMs || reach.keys.has(found.key)) continue;
    if (reach.digests.has(digest) && !isRedundant(survey, digest, found)) continue;
    await remover.drop('objects', found);
  }
  await remover.flush();
}

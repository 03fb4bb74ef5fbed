/** Repair: what a check of a registry finds wrong, put right from what is left and from elsewhere. */

import { type Fault, findingOf, type RegistryFinding } from '../inspection/inspection.ts';
import { findFaults } from '../inspection/verify-registry.ts';
import {
  ATTESTATION_PREFIX,
  INDEX_PREFIX,
  LINEAGE_PREFIX,
  listPrefixes,
  PACK_PREFIX,
  pointerPrefix,
  SETTINGS_KEY,
} from '../objects/layout.ts';
import { waitForSweep, withLease } from '../objects/leases.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { Storage } from '../storage/storage.ts';
import type { Digest } from '../store/digest.ts';
import { ByteSources, goodSegments, type SourceOptions } from './byte-sources.ts';
import type { MendContext } from './mend.ts';
import { mendLineage, mendObject, mendPack, mendSame, mendSegment } from './mend-bytes.ts';
import { mendList, mendPointer, mendSettings } from './mend-names.ts';

export interface RepairOptions extends SourceOptions {
  /** `look`: says what could be restored, and writes nothing. */
  readonly mode: 'write' | 'look';
}

export interface RepairResult {
  /** Keys of files that are as they should be again, or with `look` would be. */
  readonly restored: readonly string[];
  /** What is still wrong; extra files are not: a sweep is for them. */
  readonly left: readonly RegistryFinding[];
}

/** What is mended before what: only then is it known what the later kinds have to be. */
const STAGES: readonly (readonly string[])[] = [
  [SETTINGS_KEY, INDEX_PREFIX],
  listPrefixes(''),
  [pointerPrefix(undefined)],
];

/** Each round mends what the last one made known. */
const MAX_ROUNDS = 6;

/**
 * Restores what `verifyRegistry` finds missing or damaged: from the rest of the registry, from other
 * registries, the local store and folders of files. Good bytes are never written over; every write is
 * checked, and so is the whole in the end. It may be ended at any moment and run again.
 */
export async function repairRegistry(
  runtime: Runtime,
  storage: Storage,
  options: RepairOptions,
): Promise<RepairResult> {
  if (options.mode === 'look') return await repairRounds(runtime, storage, options, noRenewal);
  return await withLease(runtime, storage, 'push', async (lease) => {
    await waitForSweep(runtime, storage, lease);
    return await repairRounds(runtime, storage, options, () => lease.renew());
  });
}

async function noRenewal(): Promise<void> {
  await Promise.resolve();
}

async function repairRounds(
  runtime: Runtime,
  storage: Storage,
  options: RepairOptions,
  renew: () => Promise<void>,
): Promise<RepairResult> {
  const restored = new Set<string>();
  for (let round = 0; ; round++) {
    const largeBytes = new Map<Digest, number>();
    const faults: Fault[] = [];
    for await (const fault of findFaults(runtime, storage, largeBytes)) {
      if (fault.kind !== 'extra') faults.push(fault);
      await renew();
    }
    const isLast = faults.length === 0 || round >= MAX_ROUNDS;
    const context = isLast ? undefined : await contextOf(runtime, storage, options, largeBytes);
    const mended = context === undefined ? [] : await mendAll(context, faults, renew);
    for (const key of mended) restored.add(key);
    if (mended.length > 0 && options.mode === 'write') continue;
    const left = faults.filter(({ key, isHidden }) => isHidden !== true && !mended.includes(key));
    for (const { key } of left) restored.delete(key);
    return { restored: [...restored].sort(), left: left.map(findingOf) };
  }
}

async function contextOf(
  runtime: Runtime,
  storage: Storage,
  options: RepairOptions,
  largeBytes: ReadonlyMap<Digest, number>,
): Promise<MendContext> {
  const { from, store, mode } = options;
  const segments = await goodSegments(runtime, storage);
  const sources = new ByteSources(runtime, { storage, segments }, options);
  for (const [digest, sizeBytes] of largeBytes) sources.chunkedBytes.set(digest, sizeBytes);
  return { runtime, storage, from, store, sources, segments, mode };
}

/** Mends what can be mended now, and returns the keys; a later stage waits for an earlier one. */
async function mendAll(
  context: MendContext,
  faults: readonly Fault[],
  renew: () => Promise<void>,
): Promise<readonly string[]> {
  const hasRemedy = faults.some(
    ({ key, remedy }) => key.startsWith(INDEX_PREFIX) && remedy !== undefined,
  );
  const mended: string[] = [];
  for (let stage = 0; stage <= STAGES.length; stage++) {
    for (const fault of faults) {
      if (stageOf(fault) !== stage) continue;
      context.runtime.signal.throwIfAborted();
      await renew();
      if (await mend(context, fault, hasRemedy)) mended.push(fault.key);
    }
    if (mended.length > 0 && context.mode === 'write') break;
  }
  return mended;
}

function stageOf({ key }: Fault): number {
  const stage = STAGES.findIndex((prefixes) => prefixes.some((prefix) => key.startsWith(prefix)));
  return stage < 0 ? STAGES.length : stage;
}

async function mend(context: MendContext, fault: Fault, hasRemedy: boolean): Promise<boolean> {
  const { key } = fault;
  if (key === SETTINGS_KEY) return await mendSettings(context);
  if (key.startsWith(INDEX_PREFIX)) return await mendSegment(context, fault, hasRemedy);
  if (listPrefixes('').some((prefix) => key.startsWith(prefix)))
    return await mendList(context, fault);
  if (key.startsWith(pointerPrefix(undefined))) return await mendPointer(context, fault);
  if (key.startsWith(PACK_PREFIX)) return await mendPack(context, fault);
  if (key.startsWith(ATTESTATION_PREFIX)) return await mendSame(context, fault);
  if (key.startsWith(LINEAGE_PREFIX)) return await mendLineage(context, fault);
  return await mendObject(context, fault);
}

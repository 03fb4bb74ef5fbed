/** The plan of a sweep for a registry's packs: which stay, which go, and which are packed anew. */

import { packKey } from '../objects/layout.ts';
import { DigestSet } from '../packs/digest-set.ts';
import {
  MIN_TABLE_BYTES,
  PACK_FOOTER_BYTES,
  packTailBytes,
  parsePackTable,
} from '../packs/pack-file.ts';
import { type IndexRecord, MAX_PACK_BYTES } from '../packs/packs.ts';
import { PkgError } from '../runtime/errors.ts';
import type { Storage } from '../storage/storage.ts';
import { readBounded } from '../storage/whole-content.ts';
import type { Descriptor, Digest } from '../store/digest.ts';
import type { Damage } from './reachable.ts';
import { isNeeded, type Survey } from './survey.ts';

const ROW_BYTES = MIN_TABLE_BYTES - PACK_FOOTER_BYTES;

/** More segments than this become few. */
const MANY_SEGMENTS = 8;

/** A segment of so many records has 22 MB. */
export const RECORDS_A_SEGMENT = 500_000;

export interface PackPlan {
  /** Packs that nothing needs. */
  readonly dropped: ReadonlyMap<Digest, Descriptor>;
  /** Packs of which less than half is needed. */
  readonly repacked: ReadonlyMap<Digest, Descriptor>;
  /** Members of packs that no segment names and that hold what nothing else does. */
  readonly adopted: readonly IndexRecord[];
  /** Packs that have to be right before others that hold the same may go. */
  readonly packsToCheck: ReadonlySet<Digest>;
  /** Objects that have to be right before packs that hold the same may go. */
  readonly looseToCheck: DigestSet;
  readonly rewritesIndex: boolean;
  /** Packs that revisions need and that are not there as the index says. */
  readonly damaged: readonly Damage[];
}

/** The part of a pack that is needed. */
interface Usage {
  members: number;
  sizeBytes: number;
}

/** Decides on all packs; nothing is changed. */
export async function planPacks(registry: Storage, survey: Survey): Promise<PackPlan> {
  const { packs, index, cutoffMs, reach } = survey;
  const usages = measure(survey);
  const dropped = new Map<Digest, Descriptor>();
  const repacked = new Map<Digest, Descriptor>();
  const adopted: IndexRecord[] = [];
  for (const [digest, { key, sizeBytes, modifiedMs }] of packs) {
    const usage = usages.get(digest);
    if (modifiedMs > cutoffMs || reach.keys.has(key)) continue;
    if (index.packSizeBytes(digest) === undefined) {
      const members = await lostMembers(registry, survey, { digest, sizeBytes });
      if (members === undefined) dropped.set(digest, { digest, sizeBytes });
      else adopted.push(...members);
    } else if (usage === undefined) dropped.set(digest, { digest, sizeBytes });
    else if (2 * packedBytes(usage) < sizeBytes) repacked.set(digest, { digest, sizeBytes });
  }
  const damaged: Damage[] = [];
  let isStale = survey.segments.length > MANY_SEGMENTS && !needsSoMany(survey);
  for (const { digest, sizeBytes } of index.packs()) {
    const isThere = packs.get(digest)?.sizeBytes === sizeBytes;
    if (!isThere && usages.has(digest)) {
      damaged.push({
        key: packKey(digest),
        why: 'it is missing, or not as long as the index says',
      });
    }
    isStale ||= !isThere || dropped.has(digest) || repacked.has(digest);
  }
  const rewritesIndex = isStale || adopted.length > 0;
  return {
    ...{ dropped, repacked, adopted, rewritesIndex, damaged },
    ...copiesToCheck(survey, (pack) => dropped.has(pack) || repacked.has(pack), repacked),
  };
}

/** The needed members of each pack, each digest in the one place where readers look for it. */
function measure(survey: Survey): Map<Digest, Usage> {
  const usages = new Map<Digest, Usage>();
  const counted = new DigestSet();
  for (const { digest, pack, sizeBytes } of survey.index.records()) {
    if (!isNeeded(survey, digest) || survey.index.find(digest)?.pack !== pack) continue;
    if (!counted.add(digest)) continue;
    const usage = usages.get(pack) ?? { members: 0, sizeBytes: 0 };
    usage.members++;
    usage.sizeBytes += sizeBytes;
    usages.set(pack, usage);
  }
  return usages;
}

function packedBytes({ members, sizeBytes }: Usage): number {
  return sizeBytes + members * ROW_BYTES + PACK_FOOTER_BYTES;
}

function needsSoMany({ index, segments }: Survey): boolean {
  return segments.length <= 2 * Math.ceil(index.sizeRecords / RECORDS_A_SEGMENT);
}

/**
 * The members of a pack that no segment names, if a revision needs one of them; none where its table is
 * damaged but a list names the pack; undefined where the pack may go.
 */
async function lostMembers(
  registry: Storage,
  survey: Survey,
  pack: Descriptor,
): Promise<readonly IndexRecord[] | undefined> {
  try {
    const members = await readTable(registry, pack);
    const isLost = ({ digest }: IndexRecord) =>
      isNeeded(survey, digest) && !survey.index.has(digest);
    return members.some(isLost) ? members : undefined;
  } catch (error) {
    if (!(error instanceof PkgError) || error.code !== 'integrity') throw error;
    return survey.reach.packs.has(pack.digest) ? [] : undefined;
  }
}

/** Reads the end of a pack, and more of it where its table is longer. */
async function readTable(registry: Storage, pack: Descriptor): Promise<readonly IndexRecord[]> {
  const readEnd = async (sizeBytes: number): Promise<Buffer> => {
    const range = { start: Math.max(0, pack.sizeBytes - sizeBytes), end: pack.sizeBytes };
    const found = await registry.read({ key: packKey(pack.digest) }, range);
    return found === undefined ? Buffer.alloc(0) : await readBounded(found.bytes, MAX_PACK_BYTES);
  };
  const footer = await readEnd(PACK_FOOTER_BYTES);
  return parsePackTable(await readEnd(packTailBytes(footer, pack)), pack);
}

/** What else holds the needed members of packs that go. */
function copiesToCheck(
  survey: Survey,
  goes: (pack: Digest) => boolean,
  repacked: ReadonlyMap<Digest, Descriptor>,
): Pick<PackPlan, 'packsToCheck' | 'looseToCheck'> {
  const { index, reach, loose } = survey;
  const packsToCheck = new Set<Digest>();
  const looseToCheck = new DigestSet();
  let anyGoes = false;
  for (const { digest, pack } of index.records()) {
    if (!goes(pack)) continue;
    anyGoes = true;
    if (isNeeded(survey, digest)) {
      const home = index.find(digest)?.pack;
      if (home !== undefined && home !== pack && !repacked.has(home)) packsToCheck.add(home);
    } else if (reach.digests.has(digest)) looseToCheck.add(digest);
  }
  for (const digest of anyGoes ? reach.large.keys() : []) {
    if (loose.has(digest) && index.has(digest)) looseToCheck.add(digest);
  }
  return { packsToCheck, looseToCheck };
}

/** Packing anew: what is needed of sparse packs goes into new ones, and the index is written again. */

import { packKey, segmentKey } from '../objects/layout.ts';
import { DigestSet } from '../packs/digest-set.ts';
import { encodeIndexSegment } from '../packs/index-segment.ts';
import { type FinishedPack, PACK_BUFFER_BYTES, PackWriter } from '../packs/pack-file.ts';
import type { IndexRecord } from '../packs/packs.ts';
import { startProgress } from '../runtime/progress.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { ALWAYS, type Storage } from '../storage/storage.ts';
import { uploadOf } from '../storage/whole-content.ts';
import { type Descriptor, type Digest, digestOf, streamOf } from '../store/digest.ts';
import { readWholePack } from './check-copies.ts';
import { type PackPlan, RECORDS_A_SEGMENT } from './pack-plan.ts';
import { isNeeded, type Survey } from './survey.ts';

/** The members of so many packs are held at once. */
const PACKS_AT_ONCE = 256;

/** New packs and where their members lie. */
export interface NewPacks {
  readonly packs: readonly Descriptor[];
  readonly records: readonly IndexRecord[];
}

/**
 * Copies what is needed of sparse packs into new packs, checked; no segment names those yet.
 * @throws PkgError `integrity` where one of the packs is damaged.
 */
export async function packAnew(
  runtime: Runtime,
  registry: Storage,
  survey: Survey,
  { repacked }: PackPlan,
): Promise<NewPacks> {
  const packs: Descriptor[] = [];
  const records: IndexRecord[] = [];
  if (repacked.size === 0) return { packs, records };
  const progress = startProgress(runtime, 'pack anew', repacked.size);
  const buffer = Buffer.allocUnsafeSlow(PACK_BUFFER_BYTES);
  let writer = new PackWriter(buffer);
  const send = async () => {
    const pack = writer.finish();
    await writePack(registry, pack);
    packs.push({ digest: pack.digest, sizeBytes: pack.sizeBytes });
    for (const member of pack.members) records.push(member);
    writer = new PackWriter(buffer);
  };
  const order = [...repacked.keys()];
  for (let start = 0; start < order.length; start += PACKS_AT_ONCE) {
    for (const [pack, members] of membersOf(survey, order.slice(start, start + PACKS_AT_ONCE))) {
      const data = await readWholePack(registry, pack);
      for (const { kind, digest, offset, sizeBytes } of members) {
        writer.add(kind, digest, data.subarray(offset, offset + sizeBytes));
        if (writer.isFull) await send();
      }
      progress.advance({ sizeBytes: data.length });
    }
  }
  if (writer.memberCount > 0) await send();
  progress.finish(`${String(packs.length)} packs written`);
  return { packs, records };
}

/** The needed members of some packs, in the order of the packs and of their bodies. */
function membersOf(
  survey: Survey,
  packs: readonly Digest[],
): ReadonlyMap<Digest, readonly IndexRecord[]> {
  const { index } = survey;
  const members = new Map<Digest, IndexRecord[]>(packs.map((pack) => [pack, []]));
  const seen = new DigestSet();
  for (const { digest, pack } of index.records()) {
    const ofPack = members.get(pack);
    if (ofPack === undefined || !isNeeded(survey, digest)) continue;
    const home = index.find(digest);
    if (home?.pack === pack && seen.add(digest)) ofPack.push(home);
  }
  for (const ofPack of members.values()) ofPack.sort((a, b) => a.offset - b.offset);
  return members;
}

async function writePack(registry: Storage, { digest, sizeBytes, data }: FinishedPack) {
  const upload = { digest, sizeBytes, inOneRequest: true };
  const open = ({ start, end }: { start: number; end: number }) =>
    streamOf(data.subarray(start, end));
  await registry.write(packKey(digest), { ...upload, open }, ALWAYS);
}

/**
 * Writes the index of the packs that stay and of the new ones, and gives the names of its segments. The
 * list of a large file's chunks is left out where no revision needs it, for its chunks may have gone.
 */
export async function writeIndex(
  registry: Storage,
  survey: Survey,
  plan: PackPlan,
  added: NewPacks,
): Promise<ReadonlySet<Digest>> {
  const written = new Set<Digest>();
  for (const packs of groupsOf(survey, plan, added)) {
    const sizes = new Map(packs.map((pack) => [pack.digest, pack]));
    const data = encodeIndexSegment(recordsFor(survey, plan, added, sizes), packs);
    const name = digestOf(data);
    await registry.write(segmentKey(name), await uploadOf(data), ALWAYS);
    written.add(name);
  }
  return written;
}

function* recordsFor(
  survey: Survey,
  plan: PackPlan,
  added: NewPacks,
  packs: ReadonlyMap<Digest, Descriptor>,
): Generator<IndexRecord> {
  for (const records of [survey.index.records(), plan.adopted, added.records]) {
    for (const record of records) {
      if (!packs.has(record.pack)) continue;
      if (record.kind === 'whole' || isNeeded(survey, record.digest)) yield record;
    }
  }
}

/** The packs of the new index by segment, each with about as many records as it may have. */
function* groupsOf(
  survey: Survey,
  { dropped, repacked, adopted }: PackPlan,
  added: NewPacks,
): Generator<readonly Descriptor[]> {
  const counts = new Map<Digest, number>();
  for (const records of [survey.index.records(), adopted, added.records]) {
    for (const { pack } of records) counts.set(pack, (counts.get(pack) ?? 0) + 1);
  }
  const sizes = new Map(added.packs.map(({ digest, sizeBytes }) => [digest, sizeBytes]));
  for (const [digest, { sizeBytes }] of survey.packs) {
    const isAsSaid = (survey.index.packSizeBytes(digest) ?? sizeBytes) === sizeBytes;
    const stays = isAsSaid && !dropped.has(digest) && !repacked.has(digest);
    if (stays && counts.has(digest)) sizes.set(digest, sizeBytes);
  }
  let group: Descriptor[] = [];
  let records = 0;
  for (const [digest, sizeBytes] of [...sizes].sort(([a], [b]) => (a < b ? -1 : 1))) {
    group.push({ digest, sizeBytes });
    records += counts.get(digest) ?? 0;
    if (records < RECORDS_A_SEGMENT) continue;
    yield group;
    [group, records] = [[], 0];
  }
  if (group.length > 0) yield group;
}

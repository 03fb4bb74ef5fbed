/** The check of a registry's packs: each against its name, its table and the index. */

import { digestOfKey, PACK_PREFIX, packKey, segmentKey } from '../objects/layout.ts';
import { parseChunkList } from '../packs/chunk-list.ts';
import { parsePackTable } from '../packs/pack-file.ts';
import { type IndexRecord, MAX_PACK_BYTES } from '../packs/packs.ts';
import { mapLimit } from '../runtime/concurrency.ts';
import { PkgError } from '../runtime/errors.ts';
import type { Progress } from '../runtime/progress.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { Storage } from '../storage/storage.ts';
import { type Descriptor, type Digest, digestOf } from '../store/digest.ts';
import { OTHER_BYTES, type Problems, type RegistryFinding } from './inspection.ts';
import type { Segments } from './segments.ts';
import { readStored } from './stored-bytes.ts';
import type { Wanted } from './wanted.ts';

/** Packs in memory, of up to 32 MiB each. */
const PACKS_AT_ONCE = 3;

/** The packs that are there, by digest with their sizes. */
export type PackSizes = ReadonlyMap<Digest, number>;

/** A pack that no segment names, with the members that are as they should be. */
export interface UnnamedPack {
  readonly pack: Descriptor;
  readonly members: readonly IndexRecord[];
}

export interface PackScan {
  readonly runtime: Runtime;
  readonly storage: Storage;
  readonly progress: Progress;
  readonly segments: Segments;
  readonly wanted: Wanted;
  readonly problems: Problems;
}

/** Lists the packs, and says which keys are none. */
export async function* listPackSizes(
  storage: Storage,
): AsyncGenerator<RegistryFinding, Map<Digest, number>> {
  const packs = new Map<Digest, number>();
  for await (const { key, sizeBytes } of storage.list(PACK_PREFIX)) {
    const digest = digestOfKey(key);
    if (digest !== undefined && key === packKey(digest)) packs.set(digest, sizeBytes);
    else yield { kind: 'extra', key, why: 'it is no pack' };
  }
  return packs;
}

/** Reads every pack once, notes what is wrong with each and which of its members are good. */
export async function* scanPacks(
  scan: PackScan,
  packs: PackSizes,
): AsyncGenerator<RegistryFinding, readonly UnnamedPack[]> {
  const { segments, problems, progress } = scan;
  for (const { digest } of segments.index.packs()) {
    if (packs.has(digest)) continue;
    problems.note(packKey(digest), 'missing', 'the index names it');
  }
  const unnamed: UnnamedPack[] = [];
  const checked = mapLimit(packs, PACKS_AT_ONCE, async ([digest, sizeBytes]) => {
    const found = await checkPack(scan, { digest, sizeBytes });
    progress.advance({ sizeBytes, failed: problems.has(packKey(digest)) });
    return { pack: { digest, sizeBytes }, ...found };
  });
  for await (const { pack, members, findings } of checked) {
    yield* findings;
    if (segments.index.packSizeBytes(pack.digest) === undefined) unnamed.push({ pack, members });
  }
  return unnamed;
}

interface CheckedPack {
  readonly members: readonly IndexRecord[];
  readonly findings: readonly RegistryFinding[];
}

async function checkPack(scan: PackScan, pack: Descriptor): Promise<CheckedPack> {
  const { runtime, storage, segments, problems } = scan;
  runtime.signal.throwIfAborted();
  const key = packKey(pack.digest);
  const knownBytes = segments.index.packSizeBytes(pack.digest);
  const isPossible = pack.sizeBytes <= MAX_PACK_BYTES;
  const address = { key, sizeBytes: pack.sizeBytes };
  const data = isPossible ? await readStored(storage, address) : undefined;
  if (data === undefined || digestOf(data) !== pack.digest) {
    const isShort = knownBytes !== undefined && pack.sizeBytes < knownBytes;
    problems.note(key, isShort ? 'truncated' : 'changed', OTHER_BYTES);
    const records = [...segments.recordsOfPack(pack.digest)].map(({ record }) => record);
    for (const member of data === undefined ? [] : records) takeMember(scan, member, data);
    return { members: [], findings: [] };
  }
  try {
    const members = parsePackTable(data, pack);
    for (const member of members) {
      if (takeMember(scan, member, data)) continue;
      problems.note(key, 'broken', `its table calls other bytes ${member.digest}`);
    }
    return { members, findings: [...disagreements(segments, pack.digest, members)] };
  } catch (error) {
    if (!(error instanceof PkgError) || error.code !== 'integrity') throw error;
    problems.note(key, 'broken', error.message);
    return { members: [], findings: [] };
  }
}

/** Takes note of a member that is as it should be; false for one that is not. */
function takeMember({ wanted }: PackScan, member: IndexRecord, data: Buffer | undefined): boolean {
  const { kind, digest, offset, sizeBytes } = member;
  if (data === undefined || offset + sizeBytes > data.length) return false;
  const body = data.subarray(offset, offset + sizeBytes);
  if (kind === 'whole') {
    if (digestOf(body) !== digest) return false;
    wanted.find({ digest, sizeBytes });
    return true;
  }
  const fileBytes = wanted.sizeOfLarge(digest);
  if (fileBytes === undefined) return true;
  try {
    for (const chunk of parseChunkList(body, fileBytes)) wanted.need(chunk);
    return true;
  } catch (error) {
    if (error instanceof PkgError && error.code === 'integrity') return false;
    throw error;
  }
}

/** What segments say of a sound pack other than its table. */
function* disagreements(
  segments: Segments,
  pack: Digest,
  members: readonly IndexRecord[],
): Generator<RegistryFinding> {
  const rows = new Map(members.map((member) => [member.digest, member]));
  const wrong = new Set<Digest>();
  for (const { segment, record } of segments.recordsOfPack(pack)) {
    const row = rows.get(record.digest);
    const isSame =
      row?.kind === record.kind &&
      row.offset === record.offset &&
      row.sizeBytes === record.sizeBytes;
    if (isSame || wrong.has(segment)) continue;
    wrong.add(segment);
    const why = `it says of ${record.digest} what pack ${pack} does not`;
    yield { kind: 'broken', key: segmentKey(segment), why };
  }
}

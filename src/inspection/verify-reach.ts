/** Which packs anything needs, and what the index should say of those that it does not know. */
import { packKey, segmentKey } from '../objects/layout.ts';
import type { Digest } from '../store/digest.ts';
import { EXTRA, type Fault } from './inspection.ts';
import { type Segments, segmentOf } from './segments.ts';
import type { PackScan, PackSizes, UnnamedPack } from './verify-packs.ts';

export interface ScannedPacks {
  readonly packs: PackSizes;
  readonly unnamed: readonly UnnamedPack[];
  /** How many segments are damaged, so that what they said is not known. */
  readonly damagedSegments: number;
}

/**
 * Says which packs are of no use, and which segment is missing, whose records the index then has too,
 * so that all further checks find what is there.
 */
export function* judgePacks(
  { segments, wanted, problems }: PackScan,
  { packs, unnamed, damagedSegments }: ScannedPacks,
): Generator<Fault> {
  const useful = new Set<Digest>();
  for (const record of segments.index.records()) {
    if (wanted.isMemberReached(record)) useful.add(record.pack);
  }
  const needed = neededPacks(unnamed, segments, (member) => wanted.isMemberReached(member));
  for (const { pack } of needed) useful.add(pack.digest);
  for (const pack of packs.keys()) {
    const key = packKey(pack);
    if (!useful.has(pack) && !problems.has(key)) yield { kind: 'extra', key, why: EXTRA };
  }
  if (needed.length === 0) return;
  const { name, data } = segmentOf(needed);
  const key = segmentKey(name);
  const says = needed.map(({ pack }) => packKey(pack.digest)).join(', ');
  segments.add(name, data);
  const why = `no segment of the index tells what is in ${says}`;
  yield { kind: 'missing', key, why, remedy: data, isHidden: damagedSegments > 0 };
}

/** Packs that no segment names although they have what is reached and what the index lacks. */
function neededPacks(
  unnamed: readonly UnnamedPack[],
  { index }: Segments,
  isReached: (member: UnnamedPack['members'][number]) => boolean,
): readonly UnnamedPack[] {
  return unnamed.filter(({ members }) =>
    members.some((member) => isReached(member) && !index.has(member.digest)),
  );
}

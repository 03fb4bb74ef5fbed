/** The check of a whole registry: every file of it, against its name and against all the others. */

import { digestInPhysicalKey } from '../objects/layout.ts';
import type { Package, TopHash } from '../package/package.ts';
import { startProgress } from '../runtime/progress.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { Storage } from '../storage/storage.ts';
import { type Digest, isDigest } from '../store/digest.ts';
import { EXTRA, type Fault, findingOf, Problems, type RegistryFinding } from './inspection.ts';
import { extraSegments, readSegments } from './segments.ts';
import { checkLists, type ListedLists, listLists } from './verify-lists.ts';
import { blameLost, type LostScan } from './verify-lost.ts';
import { checkHistories, type NamedRevisions, readNames } from './verify-names.ts';
import { Elsewhere, scanChunked, scanObjects } from './verify-objects.ts';
import { checkOwnFiles, checkSettings } from './verify-own.ts';
import { listPackSizes, scanPacks } from './verify-packs.ts';
import { judgePacks } from './verify-reach.ts';
import { reliableDigest, Wanted } from './wanted.ts';

/**
 * Reads a whole registry and says of each file that is changed, truncated, missing, extra or at odds
 * with the others, what is wrong with it. Each byte is read once, those of large files in packs twice;
 * lists are read again where something is lost, to tell which packages lose it. While a pointer or a
 * list is damaged nobody knows what is extra, so that is not said then.
 * @throws PkgError `unreachable` where the storage is; damage is never thrown.
 */
export async function* verifyRegistry(
  runtime: Runtime,
  storage: Storage,
): AsyncGenerator<RegistryFinding> {
  for await (const fault of findFaults(runtime, storage)) {
    if (fault.isHidden !== true) yield findingOf(fault);
  }
}

/**
 * The same, with what is lost and what is known to help. `largeBytes` is filled with the sizes of all
 * files of over 8 MiB.
 */
export async function* findFaults(
  runtime: Runtime,
  storage: Storage,
  largeBytes?: Map<Digest, number>,
): AsyncGenerator<Fault> {
  const progress = startProgress(runtime, 'verify', undefined);
  const seed = Math.floor(runtime.random() * 2 ** 32);
  const [wanted, problems, elsewhere] = [new Wanted(seed), new Problems(), new Elsewhere(seed)];
  const { segments, damaged } = yield* readSegments(runtime, storage);
  const packs = yield* listPackSizes(storage);
  yield* checkSettings(storage, segments.byName.size + damaged > 0);
  const named = yield* readNames(storage);
  const scan = { runtime, storage, progress, segments, packs, wanted, problems, named };
  const revisions = yield* readRevisions(scan, elsewhere);
  for (const [digest, { sizeBytes }] of wanted.largeEntries) largeBytes?.set(digest, sizeBytes);
  const known = revisions.isReachKnown ? () => true : ({ why }: Fault) => why !== EXTRA;
  const rest = checkRest(scan, elsewhere, { damaged, readable: revisions.readable });
  for await (const fault of rest) if (known(fault)) yield fault;
  progress.finish('the registry is checked');
}

interface Revisions {
  /** Those whose lists are what they should be. */
  readonly readable: ReadonlySet<TopHash>;
  /** Whether that is all of them. */
  readonly isReachKnown: boolean;
}

/** Reads all lists and takes note of what they want. */
async function* readRevisions(
  scan: LostScan,
  elsewhere: Elsewhere,
): AsyncGenerator<RegistryFinding, Revisions> {
  const { storage, named, wanted } = scan;
  const readable = new Set<TopHash>();
  const takeNamed = async (pkg: Package, hash: TopHash): Promise<void> => {
    readable.add(hash);
    for (const entry of pkg.entries) {
      const digest = reliableDigest(entry);
      if (digest !== undefined) wanted.want(digest, entry);
    }
    await elsewhere.check(scan, pkg);
  };
  const takeBase = (pkg: Package): void => {
    for (const entry of pkg.entries) {
      const digest = reliableDigest(entry) ?? digestInPhysicalKey(entry.physicalKey);
      if (digest !== undefined && isDigest(digest)) {
        wanted.need({ digest, sizeBytes: entry.sizeBytes });
      }
    }
  };
  const listed = yield* listLists(storage);
  const extra: RegistryFinding[] = [];
  for await (const finding of checkLists({ ...scan, takeNamed, takeBase }, listed)) {
    if (finding.why === EXTRA) extra.push(finding);
    else yield finding;
  }
  const odd = [...checkHistories(named, (hash) => hasList(listed, hash))];
  yield* odd;
  const isReachKnown = odd.length === 0 && isAllKnown(named, readable);
  if (isReachKnown) yield* extra;
  return { readable, isReachKnown };
}

function hasList({ lists, deltas }: ListedLists, hash: TopHash): boolean {
  return lists.has(hash) || deltas.has(hash);
}

function isAllKnown(named: NamedRevisions, readable: ReadonlySet<TopHash>): boolean {
  for (const { isDamaged } of named.histories.values()) if (isDamaged) return false;
  for (const hash of named.packages.keys()) if (!readable.has(hash)) return false;
  return true;
}

/** Everything but pointers and lists, once it is known what these want. */
async function* checkRest(
  scan: LostScan,
  elsewhere: Elsewhere,
  { damaged, readable }: { readonly damaged: number; readonly readable: ReadonlySet<TopHash> },
): AsyncGenerator<Fault> {
  const { runtime, storage, segments, packs, wanted, problems, named } = scan;
  yield* checkOwnFiles(runtime, storage, named);
  const unnamed = yield* scanPacks(scan, packs);
  yield* judgePacks(scan, { packs, unnamed, damagedSegments: damaged });
  yield* extraSegments(segments, (record) => wanted.isMemberReached(record));
  yield* scanObjects(scan, elsewhere.keys);
  const lost = await scanChunked(scan);
  if (!wanted.isComplete || problems.size > 0) await blameLost(scan, { readable, lost });
  yield* problems.faults();
}

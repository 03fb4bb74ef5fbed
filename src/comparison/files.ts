/** Files of two packages: the same, changed, added, removed and moved ones. */

import type { Entry } from '../package/entry.ts';
import { compareLogicalKeys } from '../package/logical-key.ts';
import { formatQuiltJson } from '../package/quilt-json.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { FilesComparison, Sum } from './comparison.ts';
import { identityOf, isSameContent } from './entry-identity.ts';
import { covers, type Side } from './side.ts';
import { FileTally } from './tallies.ts';

/** What is kept of a file of one side only, until it is known whether it moved. */
interface LoneFile {
  readonly logicalKey: string;
  readonly sizeBytes: number;
  readonly identity: string;
}

export interface ComparedFiles {
  readonly files: FilesComparison;
  /** Of all files of either side that were compared. */
  readonly sums: { readonly a: Sum; readonly b: Sum };
}

/**
 * Walks the two sorted lists of entries together. Of a million entries it keeps the files that one
 * side lacks and the names to be told, `maxNames` of each kind and state. Keys that either side is
 * not about are left aside.
 * @throws PkgError where bytes that have to be hashed cannot be read.
 */
export async function compareFiles(
  runtime: Runtime,
  a: Side,
  b: Side,
  maxNames: number,
): Promise<ComparedFiles> {
  const tally = new FileTally(maxNames);
  const sums = { a: { files: 0, sizeBytes: 0 }, b: { files: 0, sizeBytes: 0 } };
  const [added, removed]: [LoneFile[], LoneFile[]] = [[], []];
  for (const { before, after } of pairEntries(a, b)) {
    runtime.signal.throwIfAborted();
    if (before !== undefined) addTo(sums.a, before);
    if (after !== undefined) addTo(sums.b, after);
    if (before === undefined) {
      if (after !== undefined) added.push(loneFile(after));
    } else if (after === undefined) {
      removed.push(loneFile(before));
    } else if (await isSameContent(a, before, after)) {
      tally.same(after);
      if (hasOtherMeta(a, b, before, after)) tally.otherMeta(after);
    } else {
      tally.changed(before, after);
    }
  }
  const sources = pairMoves(removed, added);
  for (const file of added) {
    const from = sources.get(file);
    if (from === undefined) tally.added(file);
    else tally.moved(from, file);
  }
  const gone = new Set(sources.values());
  for (const file of removed) if (!gone.has(file)) tally.removed(file);
  return { files: tally.finish(), sums };
}

interface EntryPair {
  readonly before: Entry | undefined;
  readonly after: Entry | undefined;
}

function* pairEntries(a: Side, b: Side): Generator<EntryPair> {
  const [left, right] = [coveredEntries(a, b), coveredEntries(b, a)];
  let before = nextOf(left);
  let after = nextOf(right);
  while (before !== undefined || after !== undefined) {
    const order = orderOf(before, after);
    yield { before: order > 0 ? undefined : before, after: order < 0 ? undefined : after };
    if (order <= 0) before = nextOf(left);
    if (order >= 0) after = nextOf(right);
  }
}

function* coveredEntries(own: Side, other: Side): Generator<Entry> {
  for (const entry of own.entries) {
    if (covers(own, entry.logicalKey) && covers(other, entry.logicalKey)) yield entry;
  }
}

function nextOf(entries: Iterator<Entry, unknown>): Entry | undefined {
  const { done, value } = entries.next();
  return done === true ? undefined : value;
}

/** An absent entry comes after all others. */
function orderOf(before: Entry | undefined, after: Entry | undefined): number {
  if (before === undefined) return 1;
  if (after === undefined) return -1;
  return compareLogicalKeys(before.logicalKey, after.logicalKey);
}

function hasOtherMeta(a: Side, b: Side, before: Entry, after: Entry): boolean {
  if (a.meta === 'unknown' || b.meta === 'unknown') return false;
  return formatQuiltJson(before.meta) !== formatQuiltJson(after.meta);
}

function addTo(sum: { files: number; sizeBytes: number }, { sizeBytes }: Entry): void {
  sum.files += 1;
  sum.sizeBytes += sizeBytes;
}

function loneFile(entry: Entry): LoneFile {
  const { logicalKey, sizeBytes } = entry;
  return { logicalKey, sizeBytes, identity: identityOf(entry) };
}

/**
 * For each added file with the bytes of a removed one, that one. Each is taken once, in their order;
 * empty files are alike by chance.
 */
function pairMoves(
  removed: readonly LoneFile[],
  added: readonly LoneFile[],
): ReadonlyMap<LoneFile, LoneFile> {
  const wanted = new Set(added.map(({ identity }) => identity));
  const sources = new Map<string, LoneFile[]>();
  for (const file of removed.toReversed()) {
    if (file.sizeBytes === 0 || !wanted.has(file.identity)) continue;
    const others = sources.get(file.identity);
    if (others === undefined) sources.set(file.identity, [file]);
    else others.push(file);
  }
  const pairs = new Map<LoneFile, LoneFile>();
  for (const file of added) {
    const source = sources.get(file.identity)?.pop();
    if (source !== undefined) pairs.set(file, source);
  }
  return pairs;
}

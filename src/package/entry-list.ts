/** Putting entries that come in any order into hashing order, in little memory however many they are. */
import type { Entry, EntryList } from './entry.ts';
import { EntryBlocks } from './entry-blocks.ts';
import { compareLogicalKeys, requireKey } from './logical-key.ts';

/** Up to so many entries are kept as an array; longer lists are deflated. */
const SHORT_LENGTH = 20_000;

/** Entries in hashing order, each key once. */
interface Run {
  readonly entries: EntryBlocks;
  lastKey: string | undefined;
}

/**
 * Collects the entries of a package. A list that comes in hashing order, as those of quilt3 and of this
 * tool do, is deflated as it comes. Another one is an external merge sort: each 20,000 entries are
 * sorted and deflated, and these runs are merged at the end.
 */
export class EntryListBuilder {
  #pending: Entry[] = [];
  readonly #runs: Run[] = [];
  readonly #shortLength: number;

  /** `shortLength`: how many entries are kept as an array, and sorted at once. */
  constructor(shortLength = SHORT_LENGTH) {
    this.#shortLength = shortLength;
  }

  /**
   * Adds an entry; `line` is the line it was read from, which need not be made again then.
   * @throws PkgError `integrity` for a key that cannot stand in a package.
   */
  add(entry: Entry, line?: string): void {
    if (this.#pending.length === this.#shortLength) this.#closeRun();
    const run = this.#runs.at(-1);
    if (run !== undefined && this.#pending.length === 0 && isAfter(entry, run)) {
      append(run, entry, line);
    } else {
      this.#pending.push(entry);
    }
  }

  /**
   * All entries in hashing order; nothing can be added after it.
   * @throws PkgError `integrity` for a key that cannot stand in a package.
   */
  finish(): EntryList {
    if (this.#runs.length === 0) {
      const sorted = inOrder(this.#pending);
      requireKeys(sorted, undefined);
      return sorted;
    }
    this.#closeRun();
    const [first, ...others] = this.#runs;
    if (first !== undefined && others.length === 0) return first.entries;
    const merged: Run = { entries: new EntryBlocks(), lastKey: undefined };
    for (const entry of merge(this.#runs)) append(merged, entry);
    return merged.entries;
  }

  #closeRun(): void {
    const sorted = inOrder(this.#pending);
    this.#pending = [];
    let run = this.#runs.at(-1);
    const [first] = sorted;
    if (first === undefined) return;
    if (run === undefined || !isAfter(first, run)) {
      run = { entries: new EntryBlocks(), lastKey: undefined };
      this.#runs.push(run);
    }
    for (const entry of sorted) append(run, entry);
  }
}

/** Whether an entry does not belong before the last one of a run; it may have the same key. */
function isAfter(entry: Entry, { lastKey }: Run): boolean {
  return lastKey === undefined || compareLogicalKeys(lastKey, entry.logicalKey) <= 0;
}

function append(run: Run, entry: Entry, line?: string): void {
  requireKey(entry.logicalKey, run.lastKey);
  run.entries.add(entry, line);
  run.lastKey = entry.logicalKey;
}

function requireKeys(entries: readonly Entry[], last: string | undefined): void {
  let before = last;
  for (const { logicalKey } of entries) {
    requireKey(logicalKey, before);
    before = logicalKey;
  }
}

/** Sorts the array itself, unless it is in order already. */
function inOrder(entries: Entry[]): Entry[] {
  const isSorted = entries.every((entry, index) => {
    const before = entries[index - 1];
    return before === undefined || compareLogicalKeys(before.logicalKey, entry.logicalKey) <= 0;
  });
  if (isSorted) return entries;
  return entries.sort((a, b) => compareLogicalKeys(a.logicalKey, b.logicalKey));
}

/** The entries of all runs in order, which empties them. */
function merge(runs: readonly Run[]): Generator<Entry> {
  const [first, ...others] = runs;
  if (first === undefined || others.length === 0)
    return (first?.entries ?? new EntryBlocks()).drain();
  const middle = runs.length >>> 1;
  return mergeTwo(merge(runs.slice(0, middle)), merge(runs.slice(middle)));
}

function* mergeTwo(left: Generator<Entry>, right: Generator<Entry>): Generator<Entry> {
  let a = left.next();
  let b = right.next();
  while (a.done !== true && b.done !== true) {
    if (compareLogicalKeys(a.value.logicalKey, b.value.logicalKey) <= 0) {
      yield a.value;
      a = left.next();
    } else {
      yield b.value;
      b = right.next();
    }
  }
  for (; a.done !== true; a = left.next()) yield a.value;
  for (; b.done !== true; b = right.next()) yield b.value;
}

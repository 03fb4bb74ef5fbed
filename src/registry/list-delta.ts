/** Deltas of lists: what one list has other than another, as a list of its own. */

import type { Entry } from '../package/entry.ts';
import { formatEntryLine } from '../package/entry-line.ts';
import { compareLogicalKeys, requireKey } from '../package/logical-key.ts';
import { isJsonArray, type JsonObject, type JsonValue } from '../package/lossless-json.ts';
import { isTopHash, type Package, type TopHash } from '../package/package.ts';
import { PkgError } from '../runtime/errors.ts';

/** The header's keys of a delta: the base's top hash, the package's own header, the keys that are gone. */
const BASE = 'delta_base';
const HEADER = 'header';
const REMOVED = 'removed';

/** The keys that are gone stand in the header, whose line has a limit. */
const MAX_REMOVED_LENGTH = 200_000;

export interface Delta {
  /** Its entries are those that are new or other than in the base. */
  readonly delta: Package;
  /** About how long the whole list is. */
  readonly listBytes: number;
}

/** What `pkg` has other than `base`; undefined where too many keys are gone. */
export function makeDelta(baseHash: TopHash, base: Package, pkg: Package): Delta | undefined {
  const maker = new DeltaMaker(pkg);
  for (const entry of base.entries) maker.takeBase(entry);
  return maker.finish(baseHash);
}

/** Makes a delta to a base whose entries come one after another, in hashing order, and are not kept. */
export class DeltaMaker {
  readonly #pkg: Package;
  readonly #entries: Iterator<Entry, unknown>;
  #next: IteratorResult<Entry, unknown>;
  readonly #removed: string[] = [];
  readonly #changed: Entry[] = [];
  #listBytes = 0;
  #removedLength = 0;
  #last: string | undefined;
  #isInOrder = true;

  constructor(pkg: Package) {
    this.#pkg = pkg;
    this.#entries = pkg.entries[Symbol.iterator]();
    this.#next = this.#entries.next();
  }

  /**
   * Takes the base's next entry, and the line it was read from, if it is known.
   * @throws PkgError `integrity` for a key that cannot stand in a package.
   */
  takeBase(before: Entry, line?: string): void {
    const { logicalKey } = before;
    requireKey(logicalKey, this.#last);
    if (this.#last !== undefined && compareLogicalKeys(this.#last, logicalKey) > 0) {
      this.#isInOrder = false;
    }
    this.#last = logicalKey;
    this.#passUpTo(logicalKey);
    const { done, value: after } = this.#next;
    if (done === true || after.logicalKey !== logicalKey) {
      this.#remove(logicalKey);
      return;
    }
    const own = formatEntryLine(after);
    this.#listBytes += own.length;
    if (own !== line && own !== formatEntryLine(before)) this.#changed.push(after);
    this.#next = this.#entries.next();
  }

  /** Undefined where too many keys are gone, or where the base was not in hashing order. */
  finish(baseHash: TopHash): Delta | undefined {
    this.#passUpTo(undefined);
    if (!this.#isInOrder || this.#removedLength > MAX_REMOVED_LENGTH) return undefined;
    const header = new Map<string, JsonValue>([
      [BASE, baseHash],
      [HEADER, this.#pkg.header],
      [REMOVED, this.#removed],
    ]);
    const { folders } = this.#pkg;
    return { delta: { header, entries: this.#changed, folders }, listBytes: this.#listBytes };
  }

  /** Takes the package's own entries before a key, or all that are left. */
  #passUpTo(key: string | undefined): void {
    for (let next = this.#next; next.done !== true; next = this.#next) {
      if (key !== undefined && compareLogicalKeys(next.value.logicalKey, key) >= 0) return;
      this.#listBytes += formatEntryLine(next.value).length;
      this.#changed.push(next.value);
      this.#next = this.#entries.next();
    }
  }

  #remove(key: string): void {
    this.#removedLength += key.length;
    if (this.#removedLength <= MAX_REMOVED_LENGTH) this.#removed.push(key);
  }
}

/**
 * The base of a delta.
 * @throws PkgError `integrity` where a list is no delta.
 */
export function baseOf({ header }: Package): TopHash {
  const base = header.get(BASE);
  if (typeof base === 'string' && isTopHash(base)) return base;
  throw broken('it names no base');
}

/**
 * The package that a delta makes of its base, whose entries it does not copy; that it is the right one,
 * its top hash tells.
 * @throws PkgError `integrity` where it is no delta, or makes keys that cannot stand in a package.
 */
export function applyDelta(base: Package, delta: Package): Package {
  const header = delta.header.get(HEADER);
  const gone = delta.header.get(REMOVED);
  if (!(header instanceof Map) || !isJsonArray(gone)) throw broken('its header is incomplete');
  const own: JsonObject = header;
  const removed = new Set(gone);
  let length = 0;
  let last: string | undefined;
  for (const { logicalKey } of merge(base, delta, removed)) {
    requireKey(logicalKey, last);
    last = logicalKey;
    length++;
  }
  const entries = { length, [Symbol.iterator]: () => merge(base, delta, removed) };
  return { header: own, entries, folders: delta.folders };
}

function* merge(base: Package, delta: Package, removed: ReadonlySet<JsonValue>): Generator<Entry> {
  for (const [before, after] of pairs(base.entries, delta.entries)) {
    if (after !== undefined) yield after;
    else if (before !== undefined && !removed.has(before.logicalKey)) yield before;
  }
}

/** The entries of two lists in hashing order, those of one key together. */
function* pairs(
  left: Iterable<Entry>,
  right: Iterable<Entry>,
): Generator<readonly [Entry | undefined, Entry | undefined]> {
  const [lefts, rights] = [left[Symbol.iterator](), right[Symbol.iterator]()];
  let [a, b] = [lefts.next(), rights.next()];
  while (a.done !== true || b.done !== true) {
    const order =
      a.done === true
        ? 1
        : b.done === true
          ? -1
          : compareLogicalKeys(a.value.logicalKey, b.value.logicalKey);
    yield [
      order <= 0 && a.done !== true ? a.value : undefined,
      order >= 0 && b.done !== true ? b.value : undefined,
    ];
    if (order <= 0) a = lefts.next();
    if (order >= 0) b = rights.next();
  }
}

function broken(why: string): PkgError {
  return new PkgError('integrity', `a delta of a list cannot be used: ${why}`, {
    hint: 'The registry is damaged; restore it with pkg repair.',
  });
}

/** The plan of an install: what is here, what has to come from where, what goes, what is in the way. */
import { type BigIntStats, readdirSync, statSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import type { Entry, EntryList } from '../package/entry.ts';
import { describeFileContent } from '../package/file-content.ts';
import { compareLogicalKeys } from '../package/logical-key.ts';
import { isSameFile } from '../package/stat-cache.ts';
import { checkFile } from '../package/verify.ts';
import { eachLimit } from '../runtime/concurrency.ts';
import { PkgError } from '../runtime/errors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { Store } from '../store/store.ts';
import { isContentOf, likelyDigest } from './entry-content.ts';
import type { FileCache } from './file-cache.ts';
import { FolderPaths, kindOf, refuseOwnKey } from './folder-paths.ts';

/** What is to happen with an entry; a byte for each in a plan. */
export const KEEP = 0;
export const FETCH = 1;
export const FROM_STORE = 2;
/** Is made out of other entries before the plan is carried out, and then comes from the store. */
export const DERIVE = 3;

/** A number of files and the sum of their sizes. */
export interface Tally {
  readonly files: number;
  readonly sizeBytes: number;
}

export interface Plan {
  readonly selected: EntryList;
  /** `KEEP`, `FETCH`, `FROM_STORE` or `DERIVE` for each of `selected`. */
  readonly steps: Uint8Array;
  /** Keys of files as the revision before had them, which go: replaced, or no longer belonging. */
  readonly outdated: ReadonlySet<string>;
  /** Those of them that the revision does not have. */
  readonly leaving: Tally;
  /** Keys at which there are other files or links. */
  readonly changed: readonly string[];
  /** Keys at which there are folders with other things in them. */
  readonly blocked: readonly string[];
}

export interface PlanParts {
  readonly folder: string;
  readonly selected: EntryList;
  /** The entries of what was installed before; in hashing order, as `selected`. */
  readonly installed: EntryList;
  readonly store: Store | undefined;
  readonly cache: FileCache;
}

/** An entry that is wanted (with its number), that was installed before, or both. */
interface Pair {
  readonly entry: Entry | undefined;
  readonly index: number;
  readonly was: Entry | undefined;
}

/** A file of a pair that has to be hashed. */
interface Unknown extends Pair {
  readonly key: string;
  readonly stats: BigIntStats;
}

/** How many files are looked at between two moments in which a signal can be heard. */
const PAUSE_AFTER = 512;

/**
 * Compares a folder with what is to be in it; changes nothing. Files that the cache knows are not read.
 * @throws PkgError `integrity` for links or files where folders have to be, and for keys of our own.
 */
export async function planInstall(runtime: Runtime, parts: PlanParts): Promise<Plan> {
  const survey = new Survey(runtime, parts);
  return await survey.plan();
}

class Survey {
  readonly #runtime: Runtime;
  readonly #parts: PlanParts;
  readonly #paths: FolderPaths;
  readonly #steps: Uint8Array;
  readonly #outdated = new Set<string>();
  #leaving: Tally = { files: 0, sizeBytes: 0 };
  readonly #changed: string[] = [];
  readonly #folders: string[] = [];
  /** Keys of files that stand where a wanted key has a folder. */
  readonly #inTheWay = new Set<string>();

  constructor(runtime: Runtime, parts: PlanParts) {
    this.#runtime = runtime;
    this.#parts = parts;
    this.#paths = new FolderPaths(parts.folder);
    this.#steps = new Uint8Array(parts.selected.length);
  }

  async plan(): Promise<Plan> {
    await eachLimit(this.#unknown(), this.#runtime.concurrency, (file) => this.#hash(file));
    for (const key of this.#inTheWay) {
      if (!this.#outdated.has(key)) throw inTheWay(this.#paths.path(key));
    }
    const blocked = this.#folders.filter((key) => this.#hasOthers(key));
    return {
      selected: this.#parts.selected,
      steps: this.#steps,
      outdated: this.#outdated,
      leaving: this.#leaving,
      changed: this.#changed.sort(),
      blocked,
    };
  }

  /** Goes through all pairs, decides what stats and cache can decide, and gives the rest. */
  async *#unknown(): AsyncGenerator<Unknown> {
    let count = 0;
    for (const pair of pairsOf(this.#parts.selected, this.#parts.installed)) {
      if (++count % PAUSE_AFTER === 0) await setImmediate();
      this.#runtime.signal.throwIfAborted();
      const key = (pair.entry ?? pair.was)?.logicalKey ?? '';
      refuseOwnKey(key);
      const stats = this.#reach(pair, key);
      if (stats === undefined) continue;
      if (!this.#fitsSize(pair, stats)) {
        this.#decide(pair, key, 'other');
        continue;
      }
      const known = this.#parts.cache.find(key, stats);
      const verdict = known === undefined ? undefined : verdictOf(pair, known);
      if (verdict === undefined) yield { ...pair, key, stats };
      else this.#decide(pair, key, verdict);
    }
  }

  /** The stats of a regular file at a key; what is no such file is decided at once. */
  #reach(pair: Pair, key: string): BigIntStats | undefined {
    const obstacle = this.#paths.obstacle(key);
    if (obstacle !== undefined) {
      if (pair.entry === undefined) return undefined;
      if (obstacle.kind !== 'absent') this.#inTheWay.add(obstacle.key);
      this.#want(pair.entry, pair.index);
      return undefined;
    }
    const stats = this.#paths.find(key);
    const kind = kindOf(stats);
    if (kind === 'file' && stats?.isFile() === true) return stats;
    if (pair.entry === undefined) return undefined;
    this.#want(pair.entry, pair.index);
    if (kind === 'folder') this.#folders.push(key);
    else if (kind !== 'absent') this.#changed.push(key);
    return undefined;
  }

  #fitsSize({ entry, was }: Pair, { size }: BigIntStats): boolean {
    return BigInt(entry?.sizeBytes ?? -1) === size || BigInt(was?.sizeBytes ?? -1) === size;
  }

  async #hash(file: Unknown): Promise<void> {
    this.#decide(file, file.key, await this.#contentVerdict(file));
  }

  async #contentVerdict(file: Unknown): Promise<Verdict> {
    const { key, stats, entry, was } = file;
    const path = this.#paths.path(key);
    const content = await describeFileContent(this.#runtime, path, Number(stats.size));
    const after = this.#paths.find(key);
    if (after !== undefined && isSameFile(stats, after)) {
      this.#parts.cache.note(key, after, content);
    }
    const verdict = verdictOf(file, content);
    if (verdict !== undefined) return verdict;
    if (await this.#isFileOf(entry, path)) return 'same';
    return (await this.#isFileOf(was, path)) ? 'outdated' : 'other';
  }

  async #isFileOf(entry: Entry | undefined, path: string): Promise<boolean> {
    return entry !== undefined && (await checkFile(this.#runtime, entry, path)) === 'same';
  }

  #decide({ entry, was, index }: Pair, key: string, verdict: Verdict): void {
    if (verdict === 'outdated') this.#outdated.add(key);
    if (entry === undefined) {
      if (verdict === 'outdated' && was !== undefined) {
        const { files, sizeBytes } = this.#leaving;
        this.#leaving = { files: files + 1, sizeBytes: sizeBytes + was.sizeBytes };
      }
      return;
    }
    if (verdict === 'same') return;
    if (verdict === 'other') this.#changed.push(key);
    this.#want(entry, index);
  }

  #want(entry: Entry, index: number): void {
    this.#steps[index] = this.#isInStore(entry) ? FROM_STORE : FETCH;
  }

  #isInStore(entry: Entry): boolean {
    const { store } = this.#parts;
    const digest = store === undefined ? undefined : likelyDigest(entry);
    if (store === undefined || digest === undefined) return false;
    return statSync(store.path(digest), { throwIfNoEntry: false })?.size === entry.sizeBytes;
  }

  /** Whether a folder will be left when the files that go are gone; folders that were empty are left. */
  #hasOthers(key: string): boolean {
    const items = readdirSync(this.#paths.path(key), { withFileTypes: true });
    if (items.length === 0) return true;
    return items.some((item) => {
      const inner = `${key}/${item.name}`;
      return item.isDirectory() ? this.#hasOthers(inner) : !this.#outdated.has(inner);
    });
  }
}

/** A file is what is wanted, or what was installed before and is no longer wanted, or neither. */
type Verdict = 'same' | 'outdated' | 'other';

/** Undefined where the hashes that are known do not tell. */
function verdictOf(
  { entry, was }: Pair,
  content: Parameters<typeof isContentOf>[0],
): Verdict | undefined {
  const isWanted = entry === undefined ? false : isContentOf(content, entry);
  if (isWanted === true) return 'same';
  const isOld = was === undefined ? false : isContentOf(content, was);
  if (isWanted === undefined || isOld === undefined) return undefined;
  return isOld ? 'outdated' : 'other';
}

/** Two lists in hashing order, gone through side by side. */
function* pairsOf(selected: EntryList, installed: EntryList): Generator<Pair> {
  const before = installed[Symbol.iterator]();
  let old = before.next();
  let index = 0;
  for (const entry of selected) {
    let order = 1;
    while (old.done !== true) {
      order = compareLogicalKeys(old.value.logicalKey, entry.logicalKey);
      if (order >= 0) break;
      yield { entry: undefined, index: -1, was: old.value };
      old = before.next();
    }
    const was = old.done !== true && order === 0 ? old.value : undefined;
    yield { entry, index, was };
    if (was !== undefined) old = before.next();
    index++;
  }
  for (; old.done !== true; old = before.next()) {
    yield { entry: undefined, index: -1, was: old.value };
  }
}

function inTheWay(path: string): PkgError {
  return new PkgError('integrity', `${path} is a link or a file where a folder has to be`, {
    hint: 'Remove it, then install again: nothing is written through links.',
  });
}

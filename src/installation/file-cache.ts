/** What an install remembers of the files it checked or wrote, so that the next one need not read them. */
import { randomUUID } from 'node:crypto';
import { type BigIntStats, lstatSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Content } from '../package/object-hash.ts';
import { StatCache } from '../package/stat-cache.ts';
import { OWN_FOLDER } from '../package/verify.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { pathIn } from './folder-paths.ts';

const CACHE_FILE = 'files.cache';

/** Files that were written are remembered up to this number; further ones are hashed next time. */
const MAX_FRESH_FILES = 100_000;

/** More than a tick of the clock by which a kernel dates changes, in milliseconds. */
const TICK_MS = 20;

/** The cache lets nothing in that is younger than this. */
const CACHE_SETTLES_AFTER_MS = 2001;

interface FreshFile {
  readonly ctimeNs: bigint;
  readonly content: Content;
}

/** The stat cache of an installed folder, and what was written just now. */
export class FileCache {
  readonly #runtime: Runtime;
  readonly #folder: string;
  readonly #cache: StatCache;
  readonly #clock: { shiftMs: number };
  readonly #fresh = new Map<string, FreshFile>();

  private constructor(
    runtime: Runtime,
    folder: string,
    cache: StatCache,
    clock: { shiftMs: number },
  ) {
    this.#runtime = runtime;
    this.#folder = folder;
    this.#cache = cache;
    this.#clock = clock;
  }

  static async open(runtime: Runtime, folder: string): Promise<FileCache> {
    const shift = { shiftMs: 0 };
    const { clock } = runtime;
    const cache = await StatCache.open(join(folder, OWN_FOLDER, CACHE_FILE), {
      now: () => clock.now() + shift.shiftMs,
      sleep: (delayMs, signal) => clock.sleep(delayMs, signal),
    });
    return new FileCache(runtime, folder, cache, shift);
  }

  find(logicalKey: string, stats: BigIntStats): Content | undefined {
    return this.#cache.find(logicalKey, stats);
  }

  /** A file that was hashed; `stats` are those it had before and after. */
  note(logicalKey: string, stats: BigIntStats, content: Content): void {
    this.#cache.note(logicalKey, stats, content);
  }

  /** A file that was given its name at this moment, with known content. */
  noteFresh(logicalKey: string, content: Content): void {
    if (this.#fresh.size >= MAX_FRESH_FILES) return;
    const stats = this.#stat(logicalKey);
    if (stats !== undefined) this.#fresh.set(logicalKey, { ctimeNs: stats.ctimeNs, content });
  }

  /**
   * Writes the cache; with `isComplete`, what was neither found nor noted is forgotten. Files that were
   * written just now are remembered where the disk dates changes finely: none of them may have been
   * touched since, and whatever touches one from now on gets another date.
   */
  async save(isComplete: boolean): Promise<void> {
    if (this.#fresh.size > 0) await this.#settle();
    await this.#cache.save({ prune: isComplete });
  }

  async #settle(): Promise<void> {
    const { clock, signal } = this.#runtime;
    await clock.sleep(2 * TICK_MS, signal);
    const nowNs = this.#diskTimeNs();
    if (nowNs % 1_000_000n === 0n) return;
    this.#clock.shiftMs = CACHE_SETTLES_AFTER_MS;
    for (const [logicalKey, { ctimeNs, content }] of this.#fresh) {
      const stats = this.#stat(logicalKey);
      const isUntouched = stats?.ctimeNs === ctimeNs && stats.isFile();
      const isSettled = ctimeNs < nowNs - BigInt(TICK_MS) * 1_000_000n;
      if (isUntouched && isSettled) this.#cache.note(logicalKey, stats, content);
    }
    this.#clock.shiftMs = 0;
  }

  /** The time of the disk's own clock, which need not be this machine's. */
  #diskTimeNs(): bigint {
    const path = join(this.#folder, OWN_FOLDER, `.${randomUUID()}.tmp`);
    try {
      writeFileSync(path, '', { flag: 'wx' });
      return lstatSync(path, { bigint: true }).ctimeNs;
    } finally {
      rmSync(path, { force: true });
    }
  }

  #stat(logicalKey: string): BigIntStats | undefined {
    return lstatSync(pathIn(this.#folder, logicalKey), { bigint: true, throwIfNoEntry: false });
  }
}

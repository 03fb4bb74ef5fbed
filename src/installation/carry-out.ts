/** Carrying a plan out: from the store what is there, the rest from the registry. */
import { join } from 'node:path';
import { type EntryContent, EntryReader } from '../objects/objects.ts';
import type { Entry } from '../package/entry.ts';
import { OWN_FOLDER } from '../package/verify.ts';
import { DigestSet } from '../packs/digest-set.ts';
import { MAX_WHOLE_BYTES } from '../packs/packs.ts';
import { type Progress, startProgress } from '../runtime/progress.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { Storage } from '../storage/storage.ts';
import type { Store } from '../store/store.ts';
import { provenDigest } from './entry-content.ts';
import type { FileCache } from './file-cache.ts';
import { requireDistinctNames } from './folder-names.ts';
import { findLinkMethod, type LinkMode } from './link-method.ts';
import { Materializer } from './materialize.ts';
import { Partials } from './partials.ts';
import { FETCH, FROM_STORE, KEEP, type Plan } from './plan.ts';
import { requireInStore } from './plan-summary.ts';

/** An entry whose bytes are on their way for another one, and come from the store thereafter. */
const LATER = 4;

export interface Work {
  readonly registry: Storage;
  readonly plan: Plan;
  readonly folder: string;
  readonly store: Store | undefined;
  readonly link: LinkMode;
  readonly offline: boolean;
  readonly cache: FileCache;
}

export interface Carried {
  readonly fetched: number;
  readonly fromStore: number;
  readonly fetchedBytes: number;
}

/** Installs what a plan says into a folder of ours, in which there is room. */
export async function carryOut(runtime: Runtime, work: Work): Promise<Carried> {
  const wanted = work.plan.steps.reduce((sum, step) => sum + (step === KEEP ? 0 : 1), 0);
  const progress = startProgress(runtime, 'install', wanted);
  if (wanted > 0) requireDistinctNames(work.folder, work.plan.selected);
  const own = join(work.folder, OWN_FOLDER);
  const method = wanted === 0 ? undefined : await findLinkMethod(work.store, own, work.link);
  const { folder, store, cache } = work;
  const files = new Materializer(runtime, { folder, store, method, cache });
  const execution = new Execution(runtime, work, files, progress);
  let isComplete = false;
  try {
    if (wanted > 0) await execution.run();
    isComplete = true;
  } finally {
    // What ended the install counts, not that the cache could then not be written.
    const saved = cache.save(isComplete);
    await (isComplete ? saved : saved.catch(() => undefined));
  }
  progress.finish(`${String(wanted)} files installed`);
  return execution.counts();
}

class Execution {
  readonly #runtime: Runtime;
  readonly #work: Work;
  readonly #files: Materializer;
  readonly #partials: Partials;
  readonly #reader: EntryReader;
  readonly #progress: Progress;
  readonly #damaged: Entry[] = [];
  #fetched = 0;
  #fromStore = 0;
  #fetchedBytes = 0;

  constructor(runtime: Runtime, work: Work, files: Materializer, progress: Progress) {
    this.#runtime = runtime;
    this.#work = work;
    this.#files = files;
    this.#partials = new Partials(runtime, work.folder);
    this.#reader = new EntryReader(runtime, work.registry, work.store);
    this.#progress = progress;
  }

  counts(): Carried {
    return {
      fetched: this.#fetched,
      fromStore: this.#fromStore,
      fetchedBytes: this.#fetchedBytes,
    };
  }

  async run(): Promise<void> {
    await this.#placeKept(FROM_STORE);
    if (this.#work.offline) requireInStore(this.#work.plan);
    await this.#placeArrived();
    await this.#fetch(this.#toFetch());
    await this.#placeKept(LATER);
    await this.#fetch(this.#stepsAt(FETCH, KEEP));
    await this.#partials.clear();
  }

  /** Places what the store has; what turns out not to be there is to be fetched. */
  async #placeKept(step: number): Promise<void> {
    const { plan } = this.#work;
    let index = 0;
    for (const entry of plan.selected) {
      const at = index++;
      if (plan.steps[at] !== step) continue;
      this.#runtime.signal.throwIfAborted();
      const isPlaced = await this.#files.placeFromStore(entry);
      plan.steps[at] = isPlaced ? KEEP : FETCH;
      if (!isPlaced) continue;
      this.#fromStore++;
      this.#progress.advance({ sizeBytes: 0 });
    }
  }

  /** Places large entries of which an install that was killed had every byte. */
  async #placeArrived(): Promise<void> {
    const { plan } = this.#work;
    let index = 0;
    for (const entry of plan.selected) {
      const at = index++;
      if (plan.steps[at] !== FETCH || entry.sizeBytes <= MAX_WHOLE_BYTES) continue;
      const whole = await this.#partials.findWhole(entry);
      if (whole === undefined) continue;
      await this.#files.placeFile(entry, whole);
      plan.steps[at] = KEEP;
      this.#count(entry, 0);
    }
  }

  /** What is to be fetched, the same bytes once where they can be linked afterwards. */
  *#toFetch(): Generator<Entry> {
    const { plan } = this.#work;
    const seen = new DigestSet(Math.floor(this.#runtime.random() * 2 ** 32) | 0);
    let index = 0;
    for (const entry of plan.selected) {
      const at = index++;
      if (plan.steps[at] !== FETCH) continue;
      const digest = this.#files.isShared ? provenDigest(entry) : undefined;
      const isNew = digest === undefined || seen.add(digest);
      plan.steps[at] = isNew ? KEEP : LATER;
      if (isNew) yield entry;
    }
  }

  *#stepsAt(step: number, then: number): Generator<Entry> {
    const { plan } = this.#work;
    let index = 0;
    for (const entry of plan.selected) {
      const at = index++;
      if (plan.steps[at] !== step) continue;
      plan.steps[at] = then;
      yield entry;
    }
  }

  async #fetch(entries: Iterable<Entry>): Promise<void> {
    const take = (entry: Entry, content: EntryContent) => this.#take(entry, content);
    await this.#reader.readMany(entries, take, {
      resumeAt: (entry) => this.#partials.sizeOf(entry),
    });
    const damaged = this.#damaged.splice(0);
    if (damaged.length > 0) await this.#reader.readMany(damaged, take);
  }

  async #take(entry: Entry, content: EntryContent): Promise<void> {
    this.#runtime.signal.throwIfAborted();
    if (content instanceof Uint8Array) {
      await this.#files.placeBytes(entry, content);
      this.#count(entry, entry.sizeBytes);
      return;
    }
    const start = this.#partials.startOf(entry);
    const whole = await this.#partials.receive(entry, content);
    if (whole === undefined) {
      this.#damaged.push(entry);
      return;
    }
    await this.#files.placeFile(entry, whole);
    this.#count(entry, entry.sizeBytes - start);
  }

  #count({ sizeBytes }: Entry, fetchedBytes: number): void {
    this.#fetched++;
    this.#fetchedBytes += fetchedBytes;
    this.#progress.advance({ sizeBytes });
  }
}

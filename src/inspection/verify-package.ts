/** The check of one package's objects, wherever a registry has them. */

import { EntryReader } from '../objects/objects.ts';
import { PackRun } from '../objects/pack-run.ts';
import { placeInPack } from '../objects/places.ts';
import type { Entry, EntryList } from '../package/entry.ts';
import type { Finding } from '../package/verify.ts';
import { planReads, type WantedPlace } from '../packs/read-plan.ts';
import { mapLimit } from '../runtime/concurrency.ts';
import { PkgError } from '../runtime/errors.ts';
import { startProgress } from '../runtime/progress.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { Storage } from '../storage/storage.ts';
import type { Store } from '../store/store.ts';

/** Entries that are planned together. */
const WINDOW = 20_000;
const RUNS_AT_ONCE = 4;
const OBJECTS_AT_ONCE = 8;

/**
 * Reads every object of a package where it is and reports the missing and the changed ones, in no
 * order. Neighbours in a pack come in one request, large objects as a stream.
 */
export async function* verifyObjects(
  runtime: Runtime,
  registry: Storage,
  entries: EntryList,
  cache?: Store,
): AsyncGenerator<Finding> {
  const progress = startProgress(runtime, 'verify', entries.length);
  const reader = new EntryReader(runtime, registry, cache);
  for (const window of windowsOf(entries)) {
    const packed: WantedPlace<Entry>[] = [];
    const others: Entry[] = [];
    for (const entry of window) {
      const place = placeInPack(entry);
      if (place?.kind === 'whole') packed.push({ ...place, item: entry });
      else others.push(entry);
    }
    const runs = mapLimit(planReads(packed), RUNS_AT_ONCE, async (read) => {
      return await new PackRun(runtime, registry, read).readInto((entry) => {
        progress.advance({ sizeBytes: entry.sizeBytes });
        return Promise.resolve();
      });
    });
    for await (const absent of runs) others.push(...absent);
    const checks = mapLimit(others, OBJECTS_AT_ONCE, async (entry) => {
      runtime.signal.throwIfAborted();
      const state = await checkObject(reader, entry);
      progress.advance({ sizeBytes: entry.sizeBytes, failed: state !== 'same' });
      return { logicalKey: entry.logicalKey, state };
    });
    for await (const { logicalKey, state } of checks) {
      if (state !== 'same') yield { logicalKey, kind: state };
    }
  }
  progress.finish(`${String(entries.length)} objects checked`);
}

async function checkObject(
  reader: EntryReader,
  entry: Entry,
): Promise<'same' | 'missing' | 'changed'> {
  try {
    await reader.readMany([entry], async (_, content) => {
      if (!(content instanceof Uint8Array)) for await (const _chunk of content) continue;
    });
    return 'same';
  } catch (error) {
    if (!(error instanceof PkgError) || error.code !== 'integrity') throw error;
    return error.message.includes('is missing') ? 'missing' : 'changed';
  }
}

function* windowsOf(entries: EntryList): Generator<readonly Entry[]> {
  let window: Entry[] = [];
  for (const entry of entries) {
    window.push(entry);
    if (window.length < WINDOW) continue;
    yield window;
    window = [];
  }
  if (window.length > 0) yield window;
}

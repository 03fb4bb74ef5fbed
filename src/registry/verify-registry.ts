/** The check of a registry's objects against a package. */
import type { Entry, EntryList } from '../package/entry.ts';
import type { Finding } from '../package/verify.ts';
import { mapLimit } from '../runtime/concurrency.ts';
import { PkgError } from '../runtime/errors.ts';
import { startProgress } from '../runtime/progress.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { Storage } from '../storage/storage.ts';
import { EntryReader } from './objects.ts';

const READS_AT_ONCE = 16;

/** Reads every object of a package where it is and reports the missing and the changed ones. */
export async function* verifyObjects(
  runtime: Runtime,
  registry: Storage,
  entries: EntryList,
): AsyncGenerator<Finding> {
  const progress = startProgress(runtime, 'verify', entries.length);
  const checks = mapLimit(entries, READS_AT_ONCE, async (entry) => {
    const state = await checkObject(runtime, registry, entry);
    progress.advance({ sizeBytes: entry.sizeBytes, failed: state !== 'same' });
    return { entry, state };
  });
  for await (const { entry, state } of checks) {
    runtime.signal.throwIfAborted();
    if (state !== 'same') yield { logicalKey: entry.logicalKey, kind: state };
  }
  progress.finish(`${String(entries.length)} objects checked`);
}

async function checkObject(
  runtime: Runtime,
  registry: Storage,
  entry: Entry,
): Promise<'same' | 'missing' | 'changed'> {
  try {
    for await (const _ of new EntryReader(runtime, registry, undefined).read(entry)) continue;
    return 'same';
  } catch (error) {
    if (!(error instanceof PkgError) || error.code !== 'integrity') throw error;
    return error.message.includes('is missing') ? 'missing' : 'changed';
  }
}

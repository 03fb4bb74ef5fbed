/** The check of a registry's objects against a package. */
import type { Entry } from '../package/package.ts';
import { type Finding, matchesHash } from '../package/verify.ts';
import { mapLimit } from '../runtime/concurrency.ts';
import { startProgress } from '../runtime/progress.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { candidates } from './objects.ts';
import type { Registry } from './registry.ts';

const READS_AT_ONCE = 16;

/** Reads every object of a package where it is and reports the missing and the changed ones. */
export async function* verifyObjects(
  runtime: Runtime,
  registry: Registry,
  entries: readonly Entry[],
): AsyncGenerator<Finding> {
  const progress = startProgress(runtime, 'verify', entries.length);
  const checks = mapLimit(entries, READS_AT_ONCE, async (entry) => {
    const state = await checkObject(registry, entry);
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
  registry: Registry,
  entry: Entry,
): Promise<'same' | 'missing' | 'changed'> {
  let state: 'missing' | 'changed' = 'missing';
  for (const address of candidates(registry, entry)) {
    const found = await registry.read(address);
    if (found === undefined) continue;
    const same = await matchesHash(found.bytes, entry);
    if (same && found.sizeBytes === entry.sizeBytes) return 'same';
    state = 'changed';
  }
  return state;
}

/** The check of one package's objects, wherever a registry has them. */
import { EntryReader } from '../objects/objects.ts';
import type { EntryList } from '../package/entry.ts';
import type { Finding } from '../package/verify.ts';
import { startProgress } from '../runtime/progress.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { Storage } from '../storage/storage.ts';
import type { Store } from '../store/store.ts';

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
  const findings: Finding[] = [];
  const reader = new EntryReader(runtime, registry, cache);
  await reader.readMany(
    entries,
    async ({ sizeBytes }, content) => {
      if (!(content instanceof Uint8Array)) for await (const _ of content) continue;
      progress.advance({ sizeBytes });
    },
    {
      onDamaged: ({ logicalKey, sizeBytes }, kind) => {
        progress.advance({ sizeBytes, failed: true });
        findings.push({ logicalKey, kind });
      },
    },
  );
  progress.finish(`${String(entries.length)} objects checked`);
  yield* findings;
}

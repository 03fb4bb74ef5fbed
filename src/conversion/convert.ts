/** Conversion of a registry from packs to objects of their own, or the other way. */

import { deltaKey, listPrefixes, packageKey, topHashOfKey } from '../objects/layout.ts';
import { waitForSweep, withLease } from '../objects/leases.ts';
import {
  type FoundSettings,
  findSettings,
  type Policy,
  type Settings,
  writeSettings,
} from '../objects/settings.ts';
import type { TopHash } from '../package/package.ts';
import { topHash } from '../package/top-hash.ts';
import { readPackage, withUpload } from '../registry/lists.ts';
import { PkgError } from '../runtime/errors.ts';
import { startProgress } from '../runtime/progress.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { ALWAYS, IF_ABSENT, type Storage } from '../storage/storage.ts';
import type { Store } from '../store/store.ts';
import type { ConvertContext, PlaceObjects } from './conversion.ts';
import { ObjectExtractor } from './convert-to-objects.ts';
import { packObjects } from './convert-to-packs.ts';

export interface ConvertResult {
  readonly policy: Policy;
  /** Lists written with the new places. */
  readonly lists: number;
  /** Objects that were made for it, or put into packs. */
  readonly objects: number;
  /** Bytes that passed through this machine on their way back to the registry. */
  readonly sentBytes: number;
}

/**
 * Converts a registry. First the objects get their new places, then the lists name these, and last the
 * settings change; everything can be read at every moment, and a conversion that was ended goes on when
 * it is run again. The old copies stay, for a sweep to remove.
 * @throws PkgError `integrity` where something is damaged, `conflict` where the settings were changed
 * meanwhile.
 */
export async function convertRegistry(
  runtime: Runtime,
  storage: Storage,
  policy: Policy,
  store: Store | undefined,
): Promise<ConvertResult> {
  const { sentBytes } = storage;
  const done = await withLease(runtime, storage, 'push', async (lease) => {
    await waitForSweep(runtime, storage, lease);
    const before = await findSettings(storage);
    const context = { runtime, storage, store, lease };
    const place = placerOf(context, policy);
    const seen = new Set<TopHash>();
    const first = await convertLists(context, place, seen);
    await changeSettings(storage, before, { policy, looseObjects: policy === 'packs' });
    // Pushes that began under the old settings may have written more lists meanwhile.
    const rest = await convertLists(context, place, seen);
    return { lists: first.lists + rest.lists, objects: first.objects + rest.objects };
  });
  return { policy, ...done, sentBytes: storage.sentBytes - sentBytes };
}

function placerOf(context: ConvertContext, policy: Policy): PlaceObjects {
  if (policy === 'packs') return async (pkg) => await packObjects(context, pkg);
  const extractor = new ObjectExtractor(context);
  return async (pkg) => await extractor.extract(pkg);
}

/** Converts the lists that were not seen before. */
async function convertLists(
  context: ConvertContext,
  place: PlaceObjects,
  seen: Set<TopHash>,
): Promise<{ readonly lists: number; readonly objects: number }> {
  const { runtime, storage, store, lease } = context;
  const hashes = (await listHashes(storage)).filter((hash) => !seen.has(hash));
  const progress = startProgress(runtime, 'convert', hashes.length);
  let objects = 0;
  for (const hash of hashes) {
    runtime.signal.throwIfAborted();
    await lease.renew();
    const done = await place(await readPackage(storage, hash));
    if (topHash(done.placed) !== hash) {
      throw new PkgError('integrity', `the list of package ${hash} would change its top hash`);
    }
    await withUpload(runtime, done.placed, store, async (upload) => {
      await storage.write(packageKey(hash), upload, ALWAYS);
    });
    seen.add(hash);
    objects += done.objects;
    progress.advance();
  }
  // Each has its own whole list now; a reader takes that first.
  const deltas = hashes.map(deltaKey);
  for (const key of deltas)
    if ((await storage.head({ key })) !== undefined) await storage.remove([key]);
  progress.finish(`${String(hashes.length)} lists converted`);
  return { lists: hashes.length, objects };
}

async function listHashes(storage: Storage): Promise<readonly TopHash[]> {
  const hashes = new Set<TopHash>();
  for (const prefix of listPrefixes('')) {
    for await (const { key } of storage.list(prefix)) {
      const hash = topHashOfKey(key);
      if (hash !== undefined) hashes.add(hash);
    }
  }
  return [...hashes];
}

async function changeSettings(
  storage: Storage,
  before: FoundSettings | undefined,
  settings: Settings,
): Promise<void> {
  const condition =
    before === undefined ? IF_ABSENT : ({ kind: 'if-match', etag: before.etag } as const);
  const isSame =
    before?.policy === settings.policy && before.looseObjects === settings.looseObjects;
  if (isSame || (await writeSettings(storage, settings, condition)) !== 'conflict') return;
  const now = await findSettings(storage);
  if (now?.policy === settings.policy) return;
  throw new PkgError('conflict', `the settings of ${storage.url} were changed meanwhile`, {
    hint: 'Look at them, then convert again.',
  });
}

/** A folder of the user's, whose files are read again only if they were touched. */
import { join, resolve } from 'node:path';
import type { Runtime } from '../runtime/runtime.ts';
import { digestOf } from '../store/digest.ts';
import type { Store } from '../store/store.ts';
import { type FolderPackage, readFolder } from './folder.ts';
import { StatCache } from './stat-cache.ts';

/**
 * Hashes the files below a folder into a package with a message, or none; what they held last time is
 * known to the store.
 */
export async function readFolderCached(
  runtime: Runtime,
  store: Store,
  { folder, message }: { readonly folder: string; readonly message?: string | undefined },
): Promise<FolderPackage> {
  const path = join(await store.scratchFolder('stats'), digestOf(resolve(folder)));
  const cache = await StatCache.open(path, runtime.clock);
  const found = await readFolder(runtime, folder, cache);
  await cache.save({ prune: true });
  if (message === undefined) return found;
  const header = new Map([...found.pkg.header, ['message', message]]);
  return { ...found, pkg: { ...found.pkg, header } };
}

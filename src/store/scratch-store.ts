/** A store for one piece of work, in the scratch space of another, and gone afterwards. */
import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { openStore, type Store } from './store.ts';

/**
 * Calls `use` with a store that nothing is in yet, and removes it however that ends. One that is left
 * behind by a kill goes with the other leftovers of `store`.
 */
export async function withScratchStore<T>(
  store: Store,
  nowMs: number,
  use: (scratch: Store) => Promise<T>,
): Promise<T> {
  const folder = join(await store.scratchFolder('tmp'), `store-${randomUUID()}`);
  try {
    return await use(await openStore(folder, nowMs));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

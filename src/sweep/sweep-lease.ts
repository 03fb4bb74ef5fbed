/** The lease under which a sweep removes: nobody pushes then, and no other sweep is under way. */
import { LEASE_PREFIX, leaseKey } from '../objects/layout.ts';
import { LEASE_MAX_AGE_MS, withLease } from '../objects/leases.ts';
import { PkgError } from '../runtime/errors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { ListedObject, Storage } from '../storage/storage.ts';
import { GuardedStorage } from './guarded-storage.ts';

/** A process that was stopped for so long may find that others took its lease for abandoned. */
const MAX_PAUSE_MS = LEASE_MAX_AGE_MS / 2;

/**
 * Runs `work` while nobody else pushes to or sweeps the registry, on storage that refuses once the lease
 * may be lost; `nowMs` is the storage's own time.
 * @throws PkgError `conflict` where someone else is at work.
 */
export async function withSweepLease<T>(
  runtime: Runtime,
  registry: Storage,
  work: (guarded: Storage, nowMs: number) => Promise<T>,
): Promise<T> {
  return await withLease(runtime, registry, 'sweep', async (lease) => {
    const nowMs = await requireAlone(registry, lease.key);
    let lastMs = runtime.clock.now();
    const guard = async () => {
      runtime.signal.throwIfAborted();
      const pauseMs = runtime.clock.now() - lastMs;
      if (pauseMs > MAX_PAUSE_MS) throw stopped(registry, pauseMs);
      lastMs += pauseMs;
      await lease.renew();
    };
    return await work(new GuardedStorage(registry, guard), nowMs);
  });
}

/** The leases that nobody renewed for an hour. */
export async function* staleLeases(registry: Storage, nowMs: number): AsyncGenerator<ListedObject> {
  for await (const lease of registry.list(LEASE_PREFIX)) if (isStale(lease, nowMs)) yield lease;
}

/** Looks for the leases of others, and gives the time at which the storage took in our own. */
async function requireAlone(registry: Storage, ownKey: string): Promise<number> {
  const leases: ListedObject[] = [];
  for await (const lease of registry.list(LEASE_PREFIX)) leases.push(lease);
  const own = leases.find(({ key }) => key === ownKey);
  if (own === undefined) {
    throw new PkgError('conflict', `the lease ${ownKey} in ${registry.url} was taken away`, {
      hint: 'Run the sweep again.',
    });
  }
  const held = leases.filter((lease) => lease !== own && !isStale(lease, own.modifiedMs));
  const [first] = held;
  if (first === undefined) return own.modifiedMs;
  const isPush = held.some(({ key }) => key.startsWith(leaseKey('push', '')));
  throw new PkgError(
    'conflict',
    isPush
      ? `a push to ${registry.url} is in flight; nothing was removed`
      : `another sweep of ${registry.url} goes on; nothing was removed`,
    { hint: 'Run the sweep again when it has ended, or in an hour if it was killed.' },
  );
}

function isStale({ modifiedMs }: ListedObject, nowMs: number): boolean {
  return nowMs - modifiedMs >= LEASE_MAX_AGE_MS;
}

function stopped(registry: Storage, pauseMs: number): PkgError {
  const minutes = String(Math.round(pauseMs / 60_000));
  return new PkgError(
    'conflict',
    `the sweep of ${registry.url} stood still for ${minutes} minutes`,
    {
      hint: 'Pushes may have begun since; run the sweep again.',
    },
  );
}

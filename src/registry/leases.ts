/** Leases: how pushes and sweeps that run at once know of each other. */
import { randomUUID } from 'node:crypto';
import { PkgError } from '../runtime/errors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { ALWAYS, type Storage } from '../storage/storage.ts';
import { LEASE_PREFIX, leaseKey } from './layout.ts';
import { uploadOf } from './settings.ts';

/**
 * A push counts on objects that no revision reaches yet, a sweep removes such objects; so each writes
 * its lease first and looks for the other's afterwards, and one of two sees the other.
 */
export type LeaseKind = 'push' | 'sweep';

/** A lease that was not renewed for so long was left by a process that died. */
export const LEASE_MAX_AGE_MS = 60 * 60 * 1000;

/** How often whoever holds a lease renews it while working. */
const RENEW_AFTER_MS = 10 * 60 * 1000;

/** How long a push waits for a sweep, which holds its lease only while it removes. */
const MAX_WAIT_MS = 15 * 60 * 1000;
const POLL_MS = 1000;

export interface Lease {
  readonly key: string;
  /** Renews the lease where that is due; called while work goes on. */
  renew(): Promise<void>;
}

/** Runs `work` under a lease, which is given back however the work ends. */
export async function withLease<T>(
  runtime: Runtime,
  registry: Storage,
  kind: LeaseKind,
  work: (lease: Lease) => Promise<T>,
): Promise<T> {
  const key = leaseKey(kind, randomUUID());
  const write = async () => {
    const text = JSON.stringify({ version: 1, kind, writtenMs: runtime.clock.now() });
    await registry.write(key, await uploadOf(Buffer.from(`${text}\n`)), ALWAYS);
  };
  await write();
  let renewedMs = runtime.clock.now();
  try {
    return await work({
      key,
      async renew() {
        if (runtime.clock.now() - renewedMs < RENEW_AFTER_MS) return;
        renewedMs = runtime.clock.now();
        await write();
      },
    });
  } finally {
    await giveBack(runtime, registry, key);
  }
}

/** How many leases of a kind are held now. */
export async function countLeases(
  runtime: Runtime,
  registry: Storage,
  kind: LeaseKind,
): Promise<number> {
  let held = 0;
  for await (const { modifiedMs } of registry.list(leaseKey(kind, ''))) {
    if (runtime.clock.now() - modifiedMs < LEASE_MAX_AGE_MS) held++;
  }
  return held;
}

/** The keys of leases that nobody renews any more. */
export async function staleLeases(runtime: Runtime, registry: Storage): Promise<readonly string[]> {
  const keys: string[] = [];
  for await (const { key, modifiedMs } of registry.list(LEASE_PREFIX)) {
    if (runtime.clock.now() - modifiedMs >= LEASE_MAX_AGE_MS) keys.push(key);
  }
  return keys;
}

/**
 * Waits until no sweep is removing anything.
 * @throws PkgError `conflict` where one does so for too long.
 */
export async function waitForSweep(runtime: Runtime, registry: Storage): Promise<void> {
  const startedMs = runtime.clock.now();
  while ((await countLeases(runtime, registry, 'sweep')) > 0) {
    if (runtime.clock.now() - startedMs > MAX_WAIT_MS) {
      throw new PkgError('conflict', `a sweep of ${registry.url} goes on`, {
        hint: 'Wait until it has ended, or for an hour if it was killed, then push again.',
      });
    }
    runtime.report({ kind: 'noted', message: `waiting for a sweep of ${registry.url}` });
    await runtime.clock.sleep(POLL_MS, runtime.signal);
  }
}

/** A lease that cannot be given back runs out by itself, so what went wrong before is what counts. */
async function giveBack(runtime: Runtime, registry: Storage, key: string): Promise<void> {
  try {
    await registry.remove([key]);
  } catch (error) {
    if (!(error instanceof PkgError) && !runtime.signal.aborted) throw error;
    runtime.report({ kind: 'noted', message: `the lease ${key} runs out in an hour` });
  }
}

/** Leases: how pushes and sweeps that run at once know of each other. */
import { randomUUID } from 'node:crypto';
import { PkgError } from '../runtime/errors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { ALWAYS, type Storage } from '../storage/storage.ts';
import { uploadOf } from '../storage/whole-content.ts';
import { LEASE_PREFIX, leaseKey } from './layout.ts';

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
  /**
   * Renews the lease where that is due; called while work goes on, and before what was done becomes visible.
   * @throws PkgError `conflict` where it has run out meanwhile.
   */
  renew(): Promise<void>;
  /** How long ago it was written or renewed last. */
  ageMs(): number;
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
      ageMs: () => runtime.clock.now() - renewedMs,
      async renew() {
        const ageMs = runtime.clock.now() - renewedMs;
        if (ageMs >= LEASE_MAX_AGE_MS) throw stoodStill(registry);
        if (ageMs < RENEW_AFTER_MS) return;
        renewedMs = runtime.clock.now();
        await write();
      },
    });
  } finally {
    await giveBack(runtime, registry, key);
  }
}

/**
 * Waits until no sweep is removing anything, by the storage's own clock.
 * @throws PkgError `conflict` where one does so for too long.
 */
export async function waitForSweep(
  runtime: Runtime,
  registry: Storage,
  lease: Lease,
): Promise<void> {
  const startedMs = runtime.clock.now();
  while (await isSwept(registry, lease)) {
    if (runtime.clock.now() - startedMs > MAX_WAIT_MS) {
      throw new PkgError('conflict', `a sweep of ${registry.url} goes on`, {
        hint: 'Wait until it has ended, or for an hour if it was killed, then push again.',
      });
    }
    runtime.report({ kind: 'noted', message: `waiting for a sweep of ${registry.url}` });
    await runtime.clock.sleep(POLL_MS, runtime.signal);
  }
}

async function isSwept(registry: Storage, lease: Lease): Promise<boolean> {
  const sweeps: number[] = [];
  let ownMs = Number.NEGATIVE_INFINITY;
  for await (const { key, modifiedMs } of registry.list(LEASE_PREFIX)) {
    if (key === lease.key) ownMs = modifiedMs;
    else if (key.startsWith(leaseKey('sweep', ''))) sweeps.push(modifiedMs);
  }
  const nowMs = ownMs + lease.ageMs();
  return sweeps.some((modifiedMs) => nowMs - modifiedMs < LEASE_MAX_AGE_MS);
}

function stoodStill(registry: Storage): PkgError {
  return new PkgError('conflict', `this command stood still for an hour, and its lease ran out`, {
    hint: `Run it again: a sweep of ${registry.url} may have removed what it counted on.`,
  });
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

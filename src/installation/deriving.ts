/** Deriving: entries of a plan that are made out of others here, so that fewer bytes have to be fetched. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { OWN_FOLDER } from '../package/verify.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { Storage } from '../storage/storage.ts';
import { Store } from '../store/store.ts';
import type { Carried } from './carry-out.ts';
import { provenDigest } from './entry-content.ts';
import type { FoundPackage } from './find-package.ts';
import { FETCH, type Plan } from './plan.ts';

/** What a deriver is given: a plan, and where bytes are had from. */
export interface DeriveWork {
  readonly registry: Storage;
  readonly found: FoundPackage;
  readonly plan: Plan;
  readonly folder: string;
  /** Where entries are put that were derived, and what they are derived from. */
  readonly store: Store;
  readonly offline: boolean;
}

/** What is going to be derived; its entries are `DERIVE` in the plan. */
export interface Derivation {
  readonly crops: number;
  readonly photos: number;
  /** The size of what is derived. */
  readonly cropBytes: number;
  /** The size of what is fetched for that alone. */
  readonly extraBytes: number;
  /** Derives; afterwards no entry of the plan is `DERIVE`. */
  carryOut(): Promise<DerivedParts>;
}

/** What was derived. */
export interface DerivedParts {
  readonly crops: number;
  readonly photos: number;
  readonly cropBytes: number;
  readonly extraBytes: number;
  /** Entries of the plan that were fetched meanwhile and now come from the store. */
  readonly fetched: number;
  /** All that was fetched meanwhile. */
  readonly fetchedBytes: number;
}

/**
 * Decides which entries that would be fetched are derived instead, and marks them in the plan; fetches
 * nothing but what it needs to know for that, and writes nothing.
 */
export type Derive = (runtime: Runtime, work: DeriveWork) => Promise<Derivation>;

/** How many crops are derived from how many photos, and what that saves. */
export interface DeriveCounts {
  readonly crops: number;
  readonly photos: number;
  /** What comes from the registry for all that is installed, and what would come without deriving. */
  readonly movedBytes: number;
  readonly insteadOfBytes: number;
}

/** The counts of an install that was done, and where its files came from. */
export function withDerived(carried: Carried, derived: DerivedParts) {
  const { crops, photos, cropBytes, extraBytes } = derived;
  const movedBytes = carried.fetchedBytes + derived.fetchedBytes;
  const insteadOfBytes = movedBytes - extraBytes + cropBytes;
  return {
    fetched: carried.fetched + derived.fetched,
    fromStore: carried.fromStore - derived.fetched - crops,
    fetchedBytes: movedBytes,
    derived: { crops, photos, movedBytes, insteadOfBytes },
  };
}

/** The counts of an install that is planned. */
export function plannedCounts(derivation: Derivation, plan: Plan): DeriveCounts {
  const { crops, photos, cropBytes, extraBytes } = derivation;
  const fetchBytes = distinctBytes(plan);
  const [movedBytes, insteadOfBytes] = [fetchBytes + extraBytes, fetchBytes + cropBytes];
  return { crops, photos, movedBytes, insteadOfBytes };
}

/** What is fetched, the same bytes once. */
function distinctBytes({ selected, steps }: Plan): number {
  const seen = new Set<string>();
  let sum = 0;
  let index = 0;
  for (const entry of selected) {
    if (steps[index++] !== FETCH) continue;
    const digest = provenDigest(entry);
    if (digest !== undefined && seen.has(digest)) continue;
    if (digest !== undefined) seen.add(digest);
    sum += entry.sizeBytes;
  }
  return sum;
}

/** A store of the folder's own, for who has none; an install that was killed goes on from it. */
export function ownStore(folder: string): Store {
  return new Store(ownStorePath(folder));
}

/** Removes the folder's own store, which an install that is complete does not need. */
export async function removeOwnStore(folder: string): Promise<void> {
  await rm(ownStorePath(folder), { recursive: true, force: true });
}

function ownStorePath(folder: string): string {
  return join(folder, OWN_FOLDER, 'derived');
}

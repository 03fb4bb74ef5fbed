/** Conversion of a registry: what either way of it is given, and what it gives. */

import type { Lease } from '../objects/leases.ts';
import type { Package } from '../package/package.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { Storage } from '../storage/storage.ts';
import type { Store } from '../store/store.ts';

export interface ConvertContext {
  readonly runtime: Runtime;
  readonly storage: Storage;
  /** Keeps the registry's index between commands. */
  readonly store: Store | undefined;
  readonly lease: Lease;
}

/** A package with its new places, and how many objects were placed anew for it. */
export interface PlacedPackage {
  readonly placed: Package;
  readonly objects: number;
}

/** Makes the objects of a package stand where the new policy has them, and says where. */
export type PlaceObjects = (pkg: Package) => Promise<PlacedPackage>;

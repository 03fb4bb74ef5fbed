/** The check of a registry's lists: each against its name, and what all of them want. */
import { createHash } from 'node:crypto';
import { deltaKey, listPrefixes, packageKey, topHashOfKey } from '../objects/layout.ts';
import { Shortfall } from '../objects/read-range.ts';
import { parseJsonl } from '../package/jsonl.ts';
import type { Package, TopHash } from '../package/package.ts';
import { topHash } from '../package/top-hash.ts';
import { applyDelta, baseOf } from '../registry/list-delta.ts';
import { readDeltaBase } from '../registry/lists.ts';
import { messageOf, PkgError } from '../runtime/errors.ts';
import type { Progress } from '../runtime/progress.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { Storage } from '../storage/storage.ts';
import { finishDigest, hashWhile } from '../store/digest.ts';
import { EXTRA, type RegistryFinding } from './inspection.ts';
import { type PlaceContext, problemOfPlaces } from './list-places.ts';
import { storedBytes, unlessDamaged } from './stored-bytes.ts';
import { lostList, type NamedRevisions } from './verify-names.ts';

export interface ListScan extends PlaceContext {
  readonly runtime: Runtime;
  readonly storage: Storage;
  readonly progress: Progress;
  readonly named: NamedRevisions;
  /** What is done with a package that a name has, and with one that deltas are based on alone. */
  readonly takeNamed: (pkg: Package, hash: TopHash) => Promise<void>;
  readonly takeBase: (pkg: Package) => void;
}

/** The lists and deltas that are there, with their sizes in bytes. */
export interface ListedLists {
  readonly lists: ReadonlyMap<TopHash, number>;
  readonly deltas: ReadonlyMap<TopHash, number>;
  /** The deltas of each list. */
  readonly byBase: ReadonlyMap<TopHash, readonly TopHash[]>;
}

/** Lists what is there, and says which keys are no lists. */
export async function* listLists(storage: Storage): AsyncGenerator<RegistryFinding, ListedLists> {
  const [lists, deltas] = [new Map<TopHash, number>(), new Map<TopHash, number>()];
  for (const prefix of listPrefixes('')) {
    for await (const { key, sizeBytes } of storage.list(prefix)) {
      const hash = topHashOfKey(key);
      if (hash === undefined) yield { kind: 'extra', key, why: 'it is no list of a package' };
      else if (key === packageKey(hash)) lists.set(hash, sizeBytes);
      else deltas.set(hash, sizeBytes);
    }
  }
  const byBase = new Map<TopHash, TopHash[]>();
  for (const hash of deltas.keys()) {
    const base = await unlessDamaged(() => readDeltaBase(storage, hash));
    // A delta beside its own whole list is of no use to anyone.
    if ('damage' in base || base.value === undefined) continue;
    byBase.set(base.value, [...(byBase.get(base.value) ?? []), hash]);
  }
  return { lists, deltas, byBase };
}

/** Reads every list and delta, and says which are not what they should be. */
export async function* checkLists(
  scan: ListScan,
  { lists, deltas, byBase }: ListedLists,
): AsyncGenerator<RegistryFinding> {
  const { named } = scan;
  const checked = new Set<TopHash>();
  for (const [hash, sizeBytes] of lists) {
    const key = packageKey(hash);
    const { pkg, finding } = await readListed(scan, key, sizeBytes, (own) => own);
    const wrongName = pkg === undefined ? undefined : misnamed(key, pkg, hash);
    const damage = finding ?? wrongName;
    const isSound = pkg !== undefined && wrongName === undefined;
    const basedOn = byBase.get(hash) ?? [];
    if (damage !== undefined) yield withPackages(scan, damage, [hash, ...basedOn]);
    for (const delta of basedOn) {
      checked.add(delta);
      if (isSound) yield* checkDelta(scan, delta, deltas.get(delta) ?? 0, pkg);
    }
    if (!isSound) continue;
    if (named.packages.has(hash)) await scan.takeNamed(pkg, hash);
    else if (basedOn.some((delta) => named.packages.has(delta))) scan.takeBase(pkg);
    else yield { kind: 'extra', key, why: EXTRA };
  }
  for (const [hash, sizeBytes] of deltas) {
    if (!checked.has(hash)) yield* checkLoneDelta(scan, hash, sizeBytes, lists);
  }
  for (const hash of named.packages.keys()) {
    if (!lists.has(hash) && !deltas.has(hash)) yield* lostList(named, hash);
  }
}

async function* checkDelta(
  scan: ListScan,
  hash: TopHash,
  sizeBytes: number,
  base: Package,
): AsyncGenerator<RegistryFinding> {
  const key = deltaKey(hash);
  const { pkg, finding } = await readListed(scan, key, sizeBytes, (own) => applyDelta(base, own));
  const damage = finding ?? (pkg === undefined ? undefined : misnamed(key, pkg, hash));
  if (damage !== undefined) yield withPackages(scan, damage, [hash]);
  if (pkg === undefined || misnamed(key, pkg, hash) !== undefined) return;
  if (scan.named.packages.has(hash)) await scan.takeNamed(pkg, hash);
  else yield { kind: 'extra', key, why: EXTRA };
}

/** A delta that is damaged, or whose base is not there, or that has a whole list beside it. */
async function* checkLoneDelta(
  scan: ListScan,
  hash: TopHash,
  sizeBytes: number,
  lists: ReadonlyMap<TopHash, number>,
): AsyncGenerator<RegistryFinding> {
  const key = deltaKey(hash);
  let base: TopHash | undefined;
  const take = (own: Package) => {
    base = baseOf(own);
    return own;
  };
  const { finding } = await readListed(scan, key, sizeBytes, take);
  const packages = packagesOf(scan, [hash]);
  if (finding !== undefined) yield withPackages(scan, finding, [hash]);
  else if (lists.has(hash)) yield { kind: 'extra', key, why: EXTRA };
  else if (base !== undefined) {
    const list = packageKey(base);
    yield { kind: 'missing', key: list, why: `the delta ${key} is based on it`, ...packages };
    yield { kind: 'broken', key, why: `the list ${list} that it is based on is gone`, ...packages };
  }
}

/** A list or delta, what is wrong with it, or both where only its physical keys are. */
async function readListed(
  scan: ListScan,
  key: string,
  sizeBytes: number,
  make: (own: Package) => Package,
): Promise<{ readonly pkg?: Package; readonly finding?: RegistryFinding }> {
  const { runtime, storage, progress } = scan;
  runtime.signal.throwIfAborted();
  const hash = createHash('sha256');
  const bytes = hashWhile(storedBytes(storage, { key, sizeBytes }), hash);
  let finding: RegistryFinding | undefined;
  try {
    const own = await parseJsonl(bytes, key);
    const problem = await problemOfPlaces(scan, own, { digest: finishDigest(hash), sizeBytes });
    if (problem !== undefined) finding = { ...problem, key };
    return { pkg: make(own), ...(finding === undefined ? {} : { finding }) };
  } catch (error) {
    const isDamage = error instanceof PkgError && error.code === 'integrity';
    if (!isDamage && !(error instanceof Shortfall)) throw error;
    return { finding: finding ?? { kind: 'changed', key, why: messageOf(error) } };
  } finally {
    progress.advance({ sizeBytes, failed: finding !== undefined });
  }
}

function misnamed(key: string, pkg: Package, hash: TopHash): RegistryFinding | undefined {
  const actual = topHash(pkg);
  if (actual === hash) return undefined;
  return { kind: 'changed', key, why: `its content has the top hash ${actual}` };
}

function withPackages(scan: ListScan, finding: RegistryFinding, hashes: readonly TopHash[]) {
  return { ...finding, ...packagesOf(scan, hashes) };
}

function packagesOf({ named }: ListScan, hashes: readonly TopHash[]) {
  const packages = hashes.flatMap((hash) => [...(named.packages.get(hash) ?? [])]).sort();
  return packages.length === 0 ? {} : { packages };
}

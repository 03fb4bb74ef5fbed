/** Packages that were built into a store: found again by name and top hash. */
import { z } from 'zod';
import type { OpenedPackage } from '../installation/opened-package.ts';
import type { Entry } from '../package/entry.ts';
import { encodeJsonl, parseJsonl } from '../package/jsonl.ts';
import {
  isTopHash,
  type Package,
  parseTopHash,
  statedDigest,
  type TopHash,
} from '../package/package.ts';
import { asBuildRecord, type BuildRecord } from '../provenance/build-record.ts';
import { PkgError } from '../runtime/errors.ts';
import { canonicalJson, type Json, toPlainJson } from '../store/canonical-json.ts';
import { type Digest, digestOf, isDigest, streamOf } from '../store/digest.ts';
import type { Store } from '../store/store.ts';

export interface BuiltPackage {
  readonly name: string;
  readonly topHash: TopHash;
  readonly pkg: Package;
  /** What the builder saw of its host; absent for one that another version built. */
  readonly record?: BuildRecord | undefined;
}

/** What is remembered of the last build of a name, to say why a step runs again. */
export type StepIdentities = Readonly<Record<string, Json>>;

const recordSchema = z.object({
  topHash: z.string().refine(isTopHash),
  list: z.string().refine(isDigest),
  steps: z.record(z.string(), z.json()),
  record: z.unknown(),
});

/** Keeps a package's list in the store, under its top hash and, unless it is kept `aside`, as the last of its name. */
export async function rememberBuilt(
  store: Store,
  { name, topHash, pkg, record: seen }: BuiltPackage,
  steps: StepIdentities,
  place: 'last' | 'aside',
): Promise<void> {
  const list = await store.putBytes(encodeJsonl(pkg));
  const record = toPlainJson({ topHash, list: list.digest, steps, record: seen });
  await store.writeRecord('built', keyOf(name, topHash), record);
  if (place === 'last') await store.writeRecord('built', keyOf(name, undefined), record);
}

/** What the steps of the last build of a name were made of. */
export async function findStepIdentities(store: Store, name: string): Promise<StepIdentities> {
  const record = recordSchema.safeParse(await store.findRecord('built', keyOf(name, undefined)));
  return record.success ? record.data.steps : {};
}

/**
 * The package of a name built last into this store, or the one with that top hash.
 * @throws PkgError `not-found` where there is none, `usage` for a hash that is not whole.
 */
export async function findBuilt(store: Store, name: string, hash?: string): Promise<BuiltPackage> {
  if (hash !== undefined && !isTopHash(hash)) {
    throw new PkgError('usage', `"@${hash}" is not a whole top hash`, {
      hint: 'Give all 64 digits, as pkg build printed them.',
    });
  }
  const topHash = hash;
  const record = recordSchema.safeParse(await store.findRecord('built', keyOf(name, topHash)));
  if (!record.success) {
    const what = topHash === undefined ? name : `${name}@${topHash}`;
    throw new PkgError('not-found', `${what} was not built into the store ${store.root}`, {
      hint: 'Build it first, with: pkg build <manifest>. Or name another store with --store.',
    });
  }
  const list = await store.read(record.data.list);
  const pkg = await parseJsonl(streamOf(list), `the list of ${name}`);
  const seen = asBuildRecord(record.data.record);
  return { name, topHash: parseTopHash(record.data.topHash), pkg, record: seen };
}

function keyOf(name: string, topHash: TopHash | undefined): Digest {
  return digestOf(canonicalJson({ name, topHash: topHash ?? null }));
}

/** A build as an opened package, its bytes being the store's. */
export function openBuilt(store: Store, { name, topHash, pkg }: BuiltPackage): OpenedPackage {
  const read = async (entry: Entry) => await store.read(digestOfEntry(entry));
  return {
    ...{ name, topHash, pkg, where: store.root, read },
    async readMany(entries, take) {
      for (const entry of entries) await take(entry, await read(entry));
    },
  };
}

function digestOfEntry(entry: Entry): Digest {
  const digest = statedDigest(entry);
  if (digest !== undefined && isDigest(digest)) return digest;
  throw new Error(`${entry.logicalKey} was built without a digest`);
}

/** Finding the package that a reference names: in the folder, in the store, or in the registry. */
import { isTopHash, type Package, type TopHash } from '../package/package.ts';
import { readPackage } from '../registry/lists.ts';
import { formatReference, type Reference } from '../registry/reference.ts';
import { resolveReference } from '../registry/revisions.ts';
import { PkgError } from '../runtime/errors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { Storage } from '../storage/storage.ts';
import type { Store } from '../store/store.ts';
import type { Installation } from './installation.ts';
import { KnownRevisions } from './known-revisions.ts';

/** A revision that was found and whose list was checked. */
export interface FoundPackage {
  readonly name: string;
  readonly topHash: TopHash;
  readonly pkg: Package;
}

export interface WantedPackage {
  readonly registry: Storage;
  readonly reference: Reference;
  /** What is installed in the folder, under whatever name. */
  readonly before: Installation | undefined;
  readonly store: Store | undefined;
  /** Whether the registry must not be asked. */
  readonly offline: boolean;
}

/**
 * The revision that a reference names, and its list, checked. A list that is here already is not asked
 * for again.
 * @throws PkgError `not-found` where there is none, `unreachable` where offline it is not known here.
 */
export async function findPackage(
  runtime: Runtime,
  wanted: WantedPackage,
): Promise<{ readonly topHash: TopHash; readonly pkg: Package }> {
  const { registry, reference, before, store, offline } = wanted;
  const known = store === undefined ? undefined : new KnownRevisions(store, registry.url);
  const topHash = offline
    ? await recallRevision(wanted, known)
    : await resolveReference(registry, reference);
  if (!offline && reference.revision.kind === 'tag') await known?.noteRevision(reference, topHash);
  const isHere = before?.topHash === topHash && (offline || before.registry === registry.url);
  if (isHere) return { topHash, pkg: before.pkg };
  const kept = await known?.findList(runtime, topHash, offline);
  if (kept !== undefined) return { topHash, pkg: kept };
  if (offline) throw unknownHere(`the list of ${formatReference(reference)}`);
  const pkg = await readPackage(registry, topHash);
  await known?.noteList(topHash, pkg);
  return { topHash, pkg };
}

/** The revision as the folder's notes or the store remember it. */
async function recallRevision(
  { registry, reference, before }: WantedPackage,
  known: KnownRevisions | undefined,
): Promise<TopHash> {
  const { name, revision } = reference;
  const installed = before?.name === name ? before : undefined;
  if (revision.kind === 'hash') {
    if (isTopHash(revision.prefix)) return revision.prefix;
    if (installed?.topHash.startsWith(revision.prefix) === true) return installed.topHash;
    throw unknownHere(formatReference(reference));
  }
  const found = await known?.findRevision(reference);
  const isFromHere = installed?.registry === registry.url;
  const topHash = found ?? (isFromHere ? installed.topHash : undefined);
  if (topHash === undefined) throw unknownHere(formatReference(reference));
  return topHash;
}

function unknownHere(what: string): PkgError {
  return new PkgError(
    'unreachable',
    `${what} is not known here, and looking it up needs the network`,
    {
      hint: 'Install without --offline once, or give the full top hash of a revision that is here.',
    },
  );
}

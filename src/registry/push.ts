/** Push: a package's bytes, its list and its pointers into a registry, in that order. */

import { LATEST } from '../objects/layout.ts';
import { waitForSweep, withLease } from '../objects/leases.ts';
import { sendObjects } from '../objects/send-objects.ts';
import { sendPacks } from '../objects/send-packs.ts';
import type { OpenObject, SendContext, Sent } from '../objects/sending.ts';
import { settingsForPush } from '../objects/settings.ts';
import type { Package, TopHash } from '../package/package.ts';
import { mapEntries } from '../package/package.ts';
import { topHash } from '../package/top-hash.ts';
import { PkgError } from '../runtime/errors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { Storage } from '../storage/storage.ts';
import type { Store } from '../store/store.ts';
import { readPackage, writeList, writeListOrDelta } from './lists.ts';
import {
  type Parent,
  type Pointer,
  publish,
  readPointer,
  requireParent,
  writeTag,
} from './pointers.ts';

export interface PushResult {
  readonly name: string;
  readonly topHash: TopHash;
  /** Objects sent, and objects that were there already. */
  readonly uploaded: number;
  readonly reused: number;
  /** Bytes sent, those of lists and pointers too. */
  readonly sentBytes: number;
  readonly requests: number;
}

export interface PushOptions {
  readonly name: string;
  readonly open: OpenObject;
  /** A further name for this revision, or undefined. */
  readonly tag: string | undefined;
  /** Keeps what was learnt of the registry for the next command. */
  readonly cache?: Store | undefined;
  readonly parent?: Parent;
  /** Puts what is found by a new revision beside it, before any pointer names it. */
  readonly describe?: (topHash: TopHash) => Promise<void>;
  /** Puts what is said of the revision beside it, be it new or not, before any pointer names it. */
  readonly attest?: (topHash: TopHash) => Promise<void>;
}

const AS_FOUND: Parent = { kind: 'as-found' };

/**
 * Pushes a package as the new revision of a name. What the registry already has is not sent. The
 * pointers move last and only if nobody moved them meanwhile.
 * @throws PkgError `conflict` where `latest` was moved by another push, or is not the parent given.
 */
export async function pushPackage(
  runtime: Runtime,
  registry: Storage,
  pkg: Package,
  options: PushOptions,
): Promise<PushResult> {
  const { name, tag, parent = AS_FOUND, attest } = options;
  const { requests, sentBytes } = registry;
  const hash = topHash(pkg);
  const latest = await readPointer(registry, name, LATEST);
  requireParent(registry, name, latest, parent);
  let sent = { uploaded: 0, reused: pkg.entries.length };
  if (latest?.topHash === hash) {
    await attest?.(hash);
    if (tag !== undefined) await writeTag(registry, name, tag, hash);
  } else {
    sent = await withLease(runtime, registry, 'push', async (lease) => {
      await waitForSweep(runtime, registry, lease);
      const context = { runtime, registry, cache: options.cache, lease, open: options.open };
      const done = await sendAll(context, pkg, hash, latest);
      await options.describe?.(hash);
      await attest?.(hash);
      await lease.renew();
      await publish(runtime, registry, { name, topHash: hash }, latest, parent);
      if (tag !== undefined) await writeTag(registry, name, tag, hash);
      return done;
    });
  }
  return {
    name,
    topHash: hash,
    uploaded: sent.uploaded,
    reused: sent.reused,
    sentBytes: registry.sentBytes - sentBytes,
    requests: registry.requests - requests,
  };
}

/** Sends the objects, then the list that tells where they are. */
async function sendAll(
  context: SendContext,
  pkg: Package,
  hash: TopHash,
  latest: Pointer | undefined,
): Promise<Sent> {
  const { policy, looseObjects } = await settingsForPush(context.registry);
  const arePacked = policy === 'packs';
  const sent = arePacked
    ? await sendPacks(context, pkg, looseObjects)
    : await sendObjects(context, pkg, await findPackage(context, latest?.topHash));
  const entries = mapEntries(pkg.entries, (entry) => ({
    ...entry,
    physicalKey: sent.physicalKeyOf(entry),
  }));
  const placed = { ...pkg, entries };
  const lists = { ...context, onEncoded: sent.forget };
  if (arePacked) await writeListOrDelta(lists, placed, hash, latest?.topHash);
  else await writeList(lists, placed, hash);
  return sent;
}

/** The package of the latest revision; one that is gone or damaged says nothing of what is there. */
async function findPackage(
  { registry }: SendContext,
  hash: TopHash | undefined,
): Promise<Package | undefined> {
  if (hash === undefined) return undefined;
  try {
    return await readPackage(registry, hash);
  } catch (error) {
    if (error instanceof PkgError && ['not-found', 'integrity'].includes(error.code)) {
      return undefined;
    }
    throw error;
  }
}

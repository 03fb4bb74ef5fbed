/** Sending under the policy `objects`: each object under its digest, where Quilt3 can read it. */
import type { Package } from '../package/package.ts';
import { eachLimit, mapLimit } from '../runtime/concurrency.ts';
import { startProgress } from '../runtime/progress.ts';
import { ALWAYS, type Storage } from '../storage/storage.ts';
import { OBJECT_PREFIX, objectKey } from './layout.ts';
import {
  distinctObjects,
  type PushObject,
  pushedDigest,
  type SendContext,
  type Sent,
} from './sending.ts';

const UPLOADS_AT_ONCE = 16;

/** A listing page names this many objects; asking for objects one by one costs a request each. */
const KEYS_A_PAGE = 1000;

/**
 * Sends what the registry lacks. What the `previous` revision reaches is known to be there; of the rest
 * one listing tells, as long as that is cheaper than asking for each.
 */
export async function sendObjects(
  context: SendContext,
  pkg: Package,
  previous: Package | undefined,
): Promise<Sent> {
  const { runtime, registry, lease, open } = context;
  const { unknown, known } = splitKnown(registry, pkg, previous);
  const absent = await findAbsent(context, unknown);
  const progress = startProgress(runtime, 'push', absent.length);
  await eachLimit(absent, UPLOADS_AT_ONCE, async ({ digest, entry }) => {
    runtime.signal.throwIfAborted();
    await lease.renew();
    const { sizeBytes, hash } = entry;
    const upload = {
      ...{ digest, sizeBytes, chunkedHash: hash.value },
      open: (range: Parameters<typeof open>[1]) => open(digest, range),
    };
    await registry.write(objectKey(digest), upload, ALWAYS);
    progress.advance({ sizeBytes });
  });
  progress.finish(`${String(absent.length)} objects sent`);
  return {
    uploaded: absent.length,
    reused: known + unknown.length - absent.length,
    physicalKeyOf: (entry) => registry.physicalKey(objectKey(pushedDigest(entry))),
  };
}

/** The objects of which nothing is known, and how many the previous revision has at their places. */
function splitKnown(
  registry: Storage,
  pkg: Package,
  previous: Package | undefined,
): { readonly unknown: readonly PushObject[]; readonly known: number } {
  const placed = new Set<string>();
  for (const { physicalKey } of previous?.entries ?? []) placed.add(physicalKey);
  const unknown: PushObject[] = [];
  let known = 0;
  for (const object of distinctObjects(pkg)) {
    if (placed.has(registry.physicalKey(objectKey(object.digest)))) known++;
    else unknown.push(object);
  }
  return { unknown, known };
}

/** The objects that the registry lacks or has with another size. */
async function findAbsent(
  { runtime, registry }: SendContext,
  objects: readonly PushObject[],
): Promise<readonly PushObject[]> {
  const present = new Map<string, number>();
  const budget = KEYS_A_PAGE * Math.ceil(objects.length / 4);
  let listed = 0;
  let listedUpTo: string | undefined = '';
  if (objects.length === 0) return [];
  for await (const { key, sizeBytes } of registry.list(OBJECT_PREFIX)) {
    runtime.signal.throwIfAborted();
    present.set(key, sizeBytes);
    listedUpTo = key;
    if (++listed >= budget) break;
  }
  if (listed < budget) listedUpTo = undefined;
  const absent: PushObject[] = [];
  const checks = mapLimit(objects, UPLOADS_AT_ONCE, async (object) => {
    const key = objectKey(object.digest);
    const isListed = listedUpTo === undefined || key <= listedUpTo;
    const sizeBytes = isListed ? present.get(key) : (await registry.head({ key }))?.sizeBytes;
    return sizeBytes === object.entry.sizeBytes ? undefined : object;
  });
  for await (const object of checks) if (object !== undefined) absent.push(object);
  return absent;
}

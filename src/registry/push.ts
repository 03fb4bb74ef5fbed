/** Push: a package's bytes, its list and its pointers into a registry, in that order. */
import { encodeJsonl } from '../package/jsonl.ts';
import { describeContent } from '../package/object-hash.ts';
import { type Entry, type Package, statedDigest, type TopHash } from '../package/package.ts';
import { topHash } from '../package/top-hash.ts';
import { eachLimit, mapLimit } from '../runtime/concurrency.ts';
import { invariant, PkgError } from '../runtime/errors.ts';
import { startProgress } from '../runtime/progress.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { type Digest, parseDigest, streamOf } from '../store/digest.ts';
import { LATEST, OBJECT_PREFIX, objectKey, packageKey, pointerKey } from './layout.ts';
import {
  ALWAYS,
  type ByteRange,
  type Registry,
  type Upload,
  type WriteCondition,
} from './registry.ts';
import { readPointer } from './revisions.ts';

export interface PushResult {
  readonly name: string;
  readonly topHash: TopHash;
  /** Objects sent, and objects that were there already. */
  readonly uploaded: number;
  readonly reused: number;
  readonly requests: number;
}

/** Opens the bytes of an object that is to be pushed. */
export type OpenObject = (digest: Digest, range: ByteRange) => AsyncIterable<Uint8Array>;

export interface PushOptions {
  readonly name: string;
  readonly open: OpenObject;
  /** A further name for this revision, or undefined. */
  readonly tag: string | undefined;
}

const UPLOADS_AT_ONCE = 16;

/** A listing page names this many objects; asking for objects one by one costs a request each. */
const KEYS_A_PAGE = 1000;

/** Two pushes of one name within a second take the next free second, up to so many. */
const MAX_SLOTS = 60;

/**
 * Pushes a package as the new revision of a name. What the registry already has is not sent. The
 * pointers move last and only if nobody moved them meanwhile.
 * @throws PkgError `conflict` where `latest` was moved by another push.
 */
export async function pushPackage(
  runtime: Runtime,
  registry: Registry,
  pkg: Package,
  options: PushOptions,
): Promise<PushResult> {
  const { name, open } = options;
  const before = registry.requests;
  const hash = topHash(pkg);
  const latest = await readPointer(registry, name, LATEST);
  const objects = distinctObjects(pkg);
  const absent = await findAbsent(runtime, registry, objects);
  const progress = startProgress(runtime, 'push', absent.length);
  await eachLimit(absent, UPLOADS_AT_ONCE, async ({ digest, entry }) => {
    const upload: Upload = {
      digest,
      sizeBytes: entry.sizeBytes,
      chunkedHash: entry.hash.value,
      open: (range) => open(digest, range),
    };
    await registry.write(objectKey(digest), upload, ALWAYS);
    progress.advance({ sizeBytes: entry.sizeBytes });
  });
  progress.finish(`${String(absent.length)} objects sent`);
  await writeList(registry, pkg, hash);
  if (latest?.topHash !== hash) await movePointers(runtime, registry, name, hash, latest?.etag);
  if (options.tag !== undefined) await writePointer(registry, name, options.tag, hash, ALWAYS);
  return {
    name,
    topHash: hash,
    uploaded: absent.length,
    reused: objects.length - absent.length,
    requests: registry.requests - before,
  };
}

interface PushObject {
  readonly digest: Digest;
  readonly entry: Entry;
}

/** The objects of a package, each once, by digest. */
function distinctObjects(pkg: Package): readonly PushObject[] {
  const objects = new Map<string, PushObject>();
  for (const entry of pkg.entries) {
    const stated = statedDigest(entry);
    invariant(stated !== undefined, `entry ${entry.logicalKey} states its digest`);
    invariant(
      entry.hash.type === 'sha2-256-chunked',
      `entry ${entry.logicalKey} is hashed in chunks`,
    );
    objects.set(stated, { digest: parseDigest(stated), entry });
  }
  return [...objects.values()].sort((a, b) => (a.digest < b.digest ? -1 : 1));
}

/**
 * The objects that the registry lacks or has with another size. A listing tells a thousand at a time,
 * so it is read as long as that is cheaper than asking for each of the rest.
 */
async function findAbsent(
  runtime: Runtime,
  registry: Registry,
  objects: readonly PushObject[],
): Promise<readonly PushObject[]> {
  const present = new Map<string, number>();
  const budget = KEYS_A_PAGE * Math.ceil(objects.length / 4);
  let listed = 0;
  let listedUpTo: string | undefined = '';
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
    const known = listedUpTo === undefined || key <= listedUpTo;
    const sizeBytes = known ? present.get(key) : (await registry.head({ key }))?.sizeBytes;
    return sizeBytes === object.entry.sizeBytes ? undefined : object;
  });
  for await (const object of checks) if (object !== undefined) absent.push(object);
  return absent;
}

async function writeList(registry: Registry, pkg: Package, hash: TopHash): Promise<void> {
  const entries = pkg.entries.map((entry) => ({
    ...entry,
    physicalKey: registry.physicalKey(objectKey(statedDigest(entry) ?? '')),
  }));
  const list = encodeJsonl({ ...pkg, entries });
  const key = packageKey(hash);
  const there = await registry.head({ key });
  if (there?.sizeBytes === list.length) return;
  await registry.write(key, await uploadOf(list), ALWAYS);
}

/** The revision's own pointer, in a second of its own, then `latest`. */
async function movePointers(
  runtime: Runtime,
  registry: Registry,
  name: string,
  hash: TopHash,
  latestEtag: string | undefined,
): Promise<void> {
  const slot = await writeTimestamp(runtime, registry, name, hash);
  const condition: WriteCondition =
    latestEtag === undefined ? { kind: 'if-absent' } : { kind: 'if-match', etag: latestEtag };
  if ((await writePointer(registry, name, LATEST, hash, condition)) === 'written') return;
  await registry.remove(pointerKey(name, slot));
  throw new PkgError(
    'conflict',
    `${name} in ${registry.url} was pushed by someone else meanwhile`,
    {
      hint: 'Look at their revision with pkg log, then push again.',
    },
  );
}

async function writeTimestamp(
  runtime: Runtime,
  registry: Registry,
  name: string,
  hash: TopHash,
): Promise<string> {
  const now = Math.floor(runtime.clock.now() / 1000);
  for (let second = now; second < now + MAX_SLOTS; second++) {
    const slot = String(second).padStart(10, '0');
    // A revision that was pushed before in this second keeps its place, also where it is this one.
    if ((await registry.head({ key: pointerKey(name, slot) })) !== undefined) continue;
    const written = await writePointer(registry, name, slot, hash, { kind: 'if-absent' });
    if (written === 'written') return slot;
  }
  throw new PkgError('conflict', `${name} in ${registry.url} is pushed too often in one minute`, {
    hint: 'Wait a minute, then push again.',
  });
}

async function writePointer(
  registry: Registry,
  name: string,
  pointer: string,
  hash: TopHash,
  condition: WriteCondition,
): Promise<'written' | 'conflict'> {
  const key = pointerKey(name, pointer);
  const upload = await uploadOf(Buffer.from(hash));
  if ((await registry.write(key, upload, condition)) === 'written') return 'written';
  // The answer to a write that happened may have been lost, and its repeat refused.
  const there = await readPointer(registry, name, pointer);
  return there?.topHash === hash ? 'written' : 'conflict';
}

async function uploadOf(data: Buffer): Promise<Upload> {
  return {
    ...(await describeContent(streamOf(data), data.length)),
    open: ({ start, end }) => streamOf(data.subarray(start, end)),
  };
}

/** Mending what names revisions: lists, pointers and settings. */

import type { Fault } from '../inspection/inspection.ts';
import { unlessDamaged } from '../inspection/stored-bytes.ts';
import {
  deltaKey,
  isTimestamp,
  LATEST,
  packageKey,
  parsePointerKey,
  pointerKey,
  pointerPrefix,
  SETTINGS_KEY,
  topHashOfKey,
} from '../objects/layout.ts';
import { formatSettings, holdsAnything, type Settings } from '../objects/settings.ts';
import { parseJsonl } from '../package/jsonl.ts';
import { isTopHash, type Package, type TopHash } from '../package/package.ts';
import { topHash } from '../package/top-hash.ts';
import { readPackage, withUpload } from '../registry/lists.ts';
import { readPointer } from '../registry/pointers.ts';
import { IF_ABSENT, type Storage, type WriteCondition } from '../storage/storage.ts';
import { uploadOf } from '../storage/whole-content.ts';
import { drop, type MendContext, put } from './mend.ts';
import { placedIn } from './placed-list.ts';

/** Says what a registry is by what it holds; only a registry of packs has to say so. */
export async function mendSettings(context: MendContext): Promise<boolean> {
  const { storage, segments } = context;
  const isPacked = segments.byName.size > 0;
  let hasObjects = false;
  for await (const _ of storage.list('objects/')) {
    hasObjects = true;
    break;
  }
  if (!isPacked && !(await holdsAnything(storage))) return false;
  const settings: Settings = isPacked
    ? { policy: 'packs', looseObjects: hasObjects }
    : { policy: 'objects', looseObjects: false };
  const upload = await uploadOf(Buffer.from(formatSettings(settings)));
  await put(context, SETTINGS_KEY, upload, await overWhatIsThere(storage, SETTINGS_KEY));
  return true;
}

/** Writes a list again, of which only physical keys may be damaged, or another registry has a copy. */
export async function mendList(context: MendContext, { key, kind }: Fault): Promise<boolean> {
  const { runtime, storage, segments, store } = context;
  const hash = topHashOfKey(key);
  if (hash === undefined) return false;
  // A delta is as good as its base, which may be back by now.
  const isDelta = key === deltaKey(hash);
  if (isDelta && kind === 'broken') {
    if ('value' in (await unlessDamaged(() => readPackage(storage, hash)))) return false;
  }
  const found = await findList(context, key, hash);
  if (found === undefined) return false;
  const placed = placedIn(storage, segments.index, found.pkg, found.origin);
  await withUpload(runtime, placed, store, async (upload) => {
    await put(context, packageKey(hash), upload);
  });
  if (isDelta) await drop(context, key);
  return true;
}

async function findList(
  { storage, from }: MendContext,
  key: string,
  hash: TopHash,
): Promise<{ readonly pkg: Package; readonly origin: Storage } | undefined> {
  const own = await unlessDamaged(async () => {
    const found = await storage.read({ key });
    return found === undefined ? undefined : await parseJsonl(found.bytes, key);
  });
  if ('value' in own && own.value !== undefined && topHash(own.value) === hash) {
    return { pkg: own.value, origin: storage };
  }
  for (const origin of [storage, ...from]) {
    const read = await unlessDamaged(() => readPackage(origin, hash));
    if ('value' in read) return { pkg: read.value, origin };
  }
  return undefined;
}

/** Puts a pointer back: `latest` to the newest revision, others as another registry has them. */
export async function mendPointer(context: MendContext, { key, kind }: Fault): Promise<boolean> {
  const { storage, from } = context;
  const parsed = parsePointerKey(key);
  if (parsed === undefined) return false;
  const { name, pointer } = parsed;
  const now = await readable(storage, name, pointer);
  if (now !== undefined && (await hasList(storage, now)) && pointer !== LATEST) return false;
  if (pointer === LATEST && kind === 'broken' && now !== undefined) {
    if (await mendSlot(context, name, now)) return true;
  }
  const wanted =
    pointer === LATEST
      ? await latestOf(context, name, kind === 'broken' ? now : undefined)
      : await firstOf(from, async (other) => await readable(other, name, pointer));
  const own =
    wanted ?? (isTimestamp(pointer) ? await latestSlot(storage, name, pointer) : undefined);
  if (own === undefined || own === now) return false;
  const upload = await uploadOf(Buffer.from(own));
  return (await put(context, key, upload, await overWhatIsThere(storage, key))) !== 'conflict';
}

/**
 * What `latest` has to be: the newest of the history. Where it names a revision that is no part of that,
 * the history may have lost it, unless another registry has the same newest one as `latest`.
 */
async function latestOf(
  context: MendContext,
  name: string,
  now: TopHash | undefined,
): Promise<TopHash | undefined> {
  const { storage, from } = context;
  const [newest] = await slotsOf(storage, name);
  if (now === undefined || !(await hasList(storage, now))) {
    return newest?.hash ?? (await firstOf(from, (other) => readable(other, name, LATEST)));
  }
  for (const other of from) {
    const theirs = await readable(other, name, LATEST);
    if (theirs !== undefined && theirs === newest?.hash) return theirs;
  }
  return undefined;
}

/** Puts the pointer back by which a revision was part of the history, as another registry has it. */
async function mendSlot(context: MendContext, name: string, hash: TopHash): Promise<boolean> {
  for (const other of context.from) {
    const slot = (await slotsOf(other, name)).find((theirs) => theirs.hash === hash);
    if (slot === undefined) continue;
    const upload = await uploadOf(Buffer.from(hash));
    const key = pointerKey(name, slot.pointer);
    return (await put(context, key, upload, IF_ABSENT)) !== 'conflict';
  }
  return false;
}

/** The hash for a damaged pointer that is the newest of its name: `latest` says it too. */
async function latestSlot(
  storage: Storage,
  name: string,
  pointer: string,
): Promise<TopHash | undefined> {
  const latest = await readable(storage, name, LATEST);
  const others = await slotsOf(storage, name);
  const isNewest = others.every((other) => other.pointer <= pointer);
  if (latest === undefined || !isNewest || others.some(({ hash }) => hash === latest))
    return undefined;
  return (await hasList(storage, latest)) ? latest : undefined;
}

/** The pointers of a name's history that can be read and whose lists are there, newest first. */
async function slotsOf(storage: Storage, name: string) {
  const slots: { readonly pointer: string; readonly hash: TopHash }[] = [];
  for await (const { key } of storage.list(pointerPrefix(name))) {
    const pointer = parsePointerKey(key)?.pointer ?? '';
    if (!isTimestamp(pointer)) continue;
    const hash = await readable(storage, name, pointer);
    if (hash !== undefined && (await hasList(storage, hash))) slots.push({ pointer, hash });
  }
  return slots.reverse();
}

async function readable(
  storage: Storage,
  name: string,
  pointer: string,
): Promise<TopHash | undefined> {
  const read = await unlessDamaged(() => readPointer(storage, name, pointer));
  const hash = 'value' in read ? read.value?.topHash : undefined;
  return hash !== undefined && isTopHash(hash) ? hash : undefined;
}

async function hasList(storage: Storage, hash: TopHash): Promise<boolean> {
  for (const key of [packageKey(hash), deltaKey(hash)]) {
    if ((await storage.head({ key })) !== undefined) return true;
  }
  return false;
}

async function firstOf<T>(
  from: readonly Storage[],
  find: (storage: Storage) => Promise<T | undefined>,
): Promise<T | undefined> {
  for (const storage of from) {
    const found = await find(storage);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** A write in the place of exactly what is there now. */
async function overWhatIsThere(storage: Storage, key: string): Promise<WriteCondition> {
  const found = await storage.head({ key });
  return found === undefined ? IF_ABSENT : { kind: 'if-match', etag: found.etag };
}

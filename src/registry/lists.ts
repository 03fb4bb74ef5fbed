/** Lists: a package's JSON lines in a registry, whole or as what another list differs by. */
import { rm } from 'node:fs/promises';
import { deltaKey, packageKey } from '../objects/layout.ts';
import { encodeJsonl, jsonlChunks, parseJsonl, scanJsonl } from '../package/jsonl.ts';
import { describeContent } from '../package/object-hash.ts';
import type { Package, TopHash } from '../package/package.ts';
import { topHash } from '../package/top-hash.ts';
import { PkgError } from '../runtime/errors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { ALWAYS, type Storage, type Upload } from '../storage/storage.ts';
import { uploadOf } from '../storage/whole-content.ts';
import { withTemporaryFile, writeChunks } from '../store/atomic-file.ts';
import { fileBytes, readAtOnce, streamOf } from '../store/digest.ts';
import type { Store } from '../store/store.ts';
import { applyDelta, baseOf, type Delta, DeltaMaker } from './list-delta.ts';

/** Lists of more entries are written to disk before they are sent. */
const MAX_ENTRIES_IN_MEMORY = 20_000;

/** Parts of a list up to this size are sent from one piece of memory. */
const MAX_PIECE_BYTES = 16 * 2 ** 20;

/** Under `packs`, what saves this much of a push is sent as a delta. */
const MIN_DELTA_SAVING_BYTES = 256 * 1024;

/** Lists of fewer entries are far from that size. */
const MIN_DELTA_ENTRIES = 500;

/** The most of a list's size that a delta may have. */
const MAX_DELTA_SHARE = 0.25;

/**
 * Reads a package by its top hash and checks that its list is what the hash says.
 * @throws PkgError `not-found`, or `integrity` where the list has another top hash.
 */
export async function readPackage(registry: Storage, hash: TopHash): Promise<Package> {
  const pkg = (await readList(registry, hash)) ?? (await readDelta(registry, hash));
  if (pkg === undefined) throw absent(registry, hash);
  const actual = topHash(pkg);
  if (actual !== hash) {
    throw new PkgError('integrity', `the list of package ${hash} has top hash ${actual}`, {
      hint: `${registry.url} is damaged or was tampered with; nothing was installed.`,
    });
  }
  return pkg;
}

/** The list that a revision's list is kept as a delta to; undefined where it is kept whole. */
export async function readDeltaBase(
  registry: Storage,
  hash: TopHash,
): Promise<TopHash | undefined> {
  if ((await registry.head({ key: packageKey(hash) })) !== undefined) return undefined;
  const found = await registry.read({ key: deltaKey(hash) });
  if (found === undefined) return undefined;
  return baseOf(await parseJsonl(found.bytes, `${registry.url}/${deltaKey(hash)}`));
}

async function readList(registry: Storage, hash: TopHash): Promise<Package | undefined> {
  const found = await registry.read({ key: packageKey(hash) });
  if (found === undefined) return undefined;
  return await parseJsonl(found.bytes, `${registry.url}/${packageKey(hash)}`);
}

async function readDelta(registry: Storage, hash: TopHash): Promise<Package | undefined> {
  const found = await registry.read({ key: deltaKey(hash) });
  if (found === undefined) return undefined;
  const delta = await parseJsonl(found.bytes, `${registry.url}/${deltaKey(hash)}`);
  const base = await readList(registry, baseOf(delta));
  if (base === undefined) throw absent(registry, baseOf(delta));
  return applyDelta(base, delta);
}

export interface ListContext {
  readonly runtime: Runtime;
  readonly registry: Storage;
  readonly cache: Store | undefined;
  /** Called when a long list is on disk and its entries are not gone through any more. */
  readonly onEncoded?: (() => void) | undefined;
}

/** Writes a package's list, unless one of its size is there. */
export async function writeList(
  { runtime, registry, cache, onEncoded }: ListContext,
  pkg: Package,
  hash: TopHash,
): Promise<void> {
  const key = packageKey(hash);
  const write = async (upload: Upload) => {
    const there = await registry.head({ key });
    if (there?.sizeBytes !== upload.sizeBytes) await registry.write(key, upload, ALWAYS);
  };
  await withUpload(runtime, pkg, cache, write, onEncoded);
}

/**
 * Writes a package's list as what it has other than the list of `latest`, or than the one that is based
 * on; whole, where that saves little.
 */
export async function writeListOrDelta(
  context: ListContext,
  pkg: Package,
  hash: TopHash,
  latest: TopHash | undefined,
): Promise<void> {
  const { registry } = context;
  const isLong = pkg.entries.length >= MIN_DELTA_ENTRIES;
  if (isLong && (await isWritten(registry, hash))) return;
  const delta = isLong && latest !== undefined ? await deltaTo(registry, latest, pkg) : undefined;
  if (delta !== undefined) {
    const data = encodeJsonl(delta.delta);
    const savedBytes = delta.listBytes - data.length;
    const isWorthwhile =
      savedBytes >= MIN_DELTA_SAVING_BYTES && data.length <= delta.listBytes * MAX_DELTA_SHARE;
    if (isWorthwhile) {
      await registry.write(deltaKey(hash), await uploadOf(data), ALWAYS);
      return;
    }
  }
  await writeList(context, pkg, hash);
}

/** Whether the package is there as a delta with its base, as where it was pushed under another name. */
async function isWritten(registry: Storage, hash: TopHash): Promise<boolean> {
  const found = await registry.read({ key: deltaKey(hash) });
  if (found === undefined) return false;
  try {
    const base = baseOf(await parseJsonl(found.bytes, `${registry.url}/${deltaKey(hash)}`));
    const list = await registry.read({ key: packageKey(base) });
    if (list === undefined) return false;
    await scanJsonl(list.bytes, `${registry.url}/${packageKey(base)}`, () => undefined);
    return true;
  } catch (error) {
    if (error instanceof PkgError && ['integrity', 'not-found'].includes(error.code)) return false;
    throw error;
  }
}

/**
 * What a package has other than the whole list nearest to a revision, which is not kept in memory;
 * undefined where that is gone or damaged, or a delta cannot be made.
 */
async function deltaTo(
  registry: Storage,
  latest: TopHash,
  pkg: Package,
): Promise<Delta | undefined> {
  try {
    const own = await scanBase(registry, latest, pkg);
    if (own !== undefined) return own.finish(latest);
    const hash = await readDeltaBase(registry, latest);
    const maker = hash === undefined ? undefined : await scanBase(registry, hash, pkg);
    return hash === undefined ? undefined : maker?.finish(hash);
  } catch (error) {
    if (error instanceof PkgError && error.code === 'integrity') return undefined;
    throw error;
  }
}

async function scanBase(
  registry: Storage,
  hash: TopHash,
  pkg: Package,
): Promise<DeltaMaker | undefined> {
  const found = await registry.read({ key: packageKey(hash) });
  if (found === undefined) return undefined;
  const maker = new DeltaMaker(pkg);
  await scanJsonl(found.bytes, `${registry.url}/${packageKey(hash)}`, (entry, line) =>
    maker.takeBase(entry, line),
  );
  return maker;
}

/** A list as what is written: in memory where it is short, else in a file of the store's. */
export async function withUpload(
  runtime: Runtime,
  pkg: Package,
  cache: Store | undefined,
  write: (upload: Upload) => Promise<void>,
  onEncoded?: () => void,
): Promise<void> {
  if (cache === undefined || pkg.entries.length <= MAX_ENTRIES_IN_MEMORY) {
    await write(await uploadOf(encodeJsonl(pkg)));
    return;
  }
  await withTemporaryFile(await cache.scratchFolder('tmp'), async (path) => {
    const sizeBytes = await writeChunks(path, jsonlChunks(pkg));
    onEncoded?.();
    const content = await describeContent(fileBytes(path, runtime.signal), sizeBytes);
    await write({
      ...content,
      open: (range) =>
        range.end - range.start > MAX_PIECE_BYTES
          ? fileBytes(path, runtime.signal, range)
          : // In one piece: whoever sends it would join smaller ones, which takes it twice.
            streamOf(readAtOnce(path, range.start, range.end - range.start)),
    });
    await rm(path, { force: true });
  });
}

function absent(registry: Storage, hash: TopHash): PkgError {
  return new PkgError('not-found', `${registry.url} has no package ${hash}`, {
    hint: 'A pointer names it, but its list is gone; push it again.',
  });
}

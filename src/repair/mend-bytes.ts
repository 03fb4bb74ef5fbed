/** Mending what is named by its digest: segments, packs, objects, attestations; and lineages, by revisions. */

import type { Fault } from '../inspection/inspection.ts';
import { readStored, unlessDamaged } from '../inspection/stored-bytes.ts';
import { reliableDigest } from '../inspection/wanted.ts';
import { digestOfKey, objectKey } from '../objects/layout.ts';
import type { Entry } from '../package/entry.ts';
import { encodeChunkList } from '../packs/chunk-list.ts';
import { cutChunks } from '../packs/chunker.ts';
import { PackWriter, parsePackTable } from '../packs/pack-file.ts';
import { type IndexRecord, MAX_PACK_BYTES, MAX_WHOLE_BYTES } from '../packs/packs.ts';
import { uploadOf } from '../storage/whole-content.ts';
import { type Descriptor, type Digest, digestOf, isDigest } from '../store/digest.ts';
import { drop, type MendContext, put } from './mend.ts';

/** Puts a segment back, or what stands for it; then a damaged one is of no more use. */
export async function mendSegment(
  context: MendContext,
  fault: Fault,
  hasRemedy: boolean,
): Promise<boolean> {
  const { key, remedy } = fault;
  if (remedy !== undefined) {
    await put(context, key, await uploadOf(remedy));
    return true;
  }
  const digest = digestOfKey(key);
  const same = digest === undefined ? undefined : await context.sources.findSame(key, digest);
  if (same !== undefined) {
    await put(context, key, same);
    return true;
  }
  if (fault.kind === 'broken') return false;
  // What it told of packs that are there, the remedy of this round tells.
  if (!hasRemedy) await drop(context, key);
  return !hasRemedy;
}

/** Puts an attestation back, of which only another registry has a copy. */
export async function mendSame(context: MendContext, { key }: Fault): Promise<boolean> {
  const digest = key.slice(key.lastIndexOf('/') + 1).replace(/\.json$/, '');
  const same = isDigest(digest) ? await context.sources.findSame(key, digest) : undefined;
  if (same !== undefined) await put(context, key, same);
  return same !== undefined;
}

/** Makes a lineage again of the tables of its revision; one of several goes, as pkg impact --reindex makes it again. */
export async function mendLineage(context: MendContext, { key, remedy }: Fault): Promise<boolean> {
  if (remedy === undefined) await drop(context, key);
  else await put(context, key, await uploadOf(remedy));
  return true;
}

/** Puts an object back under its digest. */
export async function mendObject(context: MendContext, { key, lost }: Fault): Promise<boolean> {
  const digest = digestOfKey(key);
  const [entry] = lost ?? [];
  if (digest === undefined || key !== objectKey(digest))
    return await mendElsewhere(context, key, entry);
  const upload = await context.sources.find(digest, entry?.sizeBytes);
  if (upload === undefined) return false;
  await put(context, key, upload);
  return true;
}

/** Puts an object back that a list has elsewhere, where its version is not asked for. */
async function mendElsewhere(
  { sources, ...context }: MendContext,
  key: string,
  entry: Entry | undefined,
): Promise<boolean> {
  const { hash, sizeBytes } = entry ?? {};
  if (hash === undefined || sizeBytes === undefined || /\?versionId=|^[a-z0-9]+:\/\//.test(key)) {
    return false;
  }
  const stated = hash.type === 'SHA256' && isDigest(hash.value) ? hash.value : undefined;
  const upload =
    stated === undefined
      ? await sources.findByHash(hash.value, sizeBytes)
      : await sources.find(stated, sizeBytes);
  if (upload === undefined) return false;
  await put({ ...context, sources }, key, upload);
  return true;
}

/**
 * Makes a pack again, which has the same digest where its members stand in the same order. Where that
 * cannot be, what is lost with it is put beside it, object by object.
 */
export async function mendPack(context: MendContext, fault: Fault): Promise<boolean> {
  const { key, lost = [] } = fault;
  const pack = digestOfKey(key);
  if (pack === undefined || fault.kind === 'broken') return false;
  const same = await context.sources.findSame(key, pack);
  if (same !== undefined) {
    await put(context, key, same);
    return true;
  }
  const data = await rebuild(context, key, pack);
  if (data !== undefined) {
    await put(context, key, await uploadOf(data));
    return true;
  }
  let restored = false;
  for (const entry of lost) {
    const digest = reliableDigest(entry);
    const upload =
      digest === undefined ? undefined : await context.sources.find(digest, entry.sizeBytes);
    if (digest === undefined || upload === undefined) continue;
    await put(context, objectKey(digest), upload);
    restored = true;
  }
  return restored;
}

async function rebuild(
  context: MendContext,
  key: string,
  pack: Digest,
): Promise<Buffer | undefined> {
  const damaged = await readDamaged(context, key);
  const members = await membersOf(context, pack, damaged);
  const chunks = new ChunkFinder(context);
  const writer = new PackWriter();
  for (const { kind, digest, offset, sizeBytes } of members ?? []) {
    const kept = damaged?.subarray(offset, offset + sizeBytes);
    const isKept = kind === 'whole' && kept !== undefined && digestOf(kept) === digest;
    const data = isKept
      ? kept
      : kind === 'whole'
        ? ((await context.sources.findSmall(digest, sizeBytes)) ??
          (await chunks.chunk({ digest, sizeBytes })))
        : ((await chunks.list(digest)) ?? kept);
    if (data?.length !== sizeBytes || writer.isFull) return undefined;
    writer.add(kind, digest, data);
  }
  if (writer.memberCount === 0) return undefined;
  const finished = writer.finish();
  return finished.digest === pack ? finished.data : undefined;
}

async function readDamaged({ storage }: MendContext, key: string): Promise<Buffer | undefined> {
  const found = await storage.head({ key });
  if (found === undefined || found.sizeBytes > MAX_PACK_BYTES) return undefined;
  return await readStored(storage, { key, sizeBytes: found.sizeBytes });
}

/** The members of a pack in their order, as its index, another's, or its own table tells. */
async function membersOf(
  { segments, sources }: MendContext,
  pack: Digest,
  damaged: Buffer | undefined,
): Promise<readonly IndexRecord[] | undefined> {
  const indexes = [segments, ...(await sources.others()).map((other) => other.segments)];
  for (const index of indexes) {
    const records = Array.from(index.recordsOfPack(pack), ({ record }) => record);
    const members = [...new Map(records.map((record) => [record.digest, record])).values()];
    members.sort((a, b) => a.offset - b.offset || a.sizeBytes - b.sizeBytes);
    let end = 0;
    const isWhole = members.every(({ offset, sizeBytes }) => {
      const follows = offset === end;
      end += sizeBytes;
      return follows;
    });
    if (members.length > 0 && isWhole) return members;
  }
  if (damaged === undefined) return undefined;
  const table = { digest: pack, sizeBytes: damaged.length };
  const read = await unlessDamaged(() =>
    Promise.resolve().then(() => parsePackTable(damaged, table)),
  );
  return 'value' in read ? read.value : undefined;
}

/** Chunks and chunk lists of large files, which are cut anew where a source has the whole file. */
class ChunkFinder {
  readonly #context: MendContext;
  readonly #lists = new Map<Digest, Buffer | undefined>();
  readonly #places = new Map<Digest, { readonly file: Digest; readonly start: number }>();

  constructor(context: MendContext) {
    this.#context = context;
  }

  /** The list of a file's chunks. */
  async list(file: Digest): Promise<Buffer | undefined> {
    if (!this.#lists.has(file)) this.#lists.set(file, await this.#cut(file));
    return this.#lists.get(file);
  }

  async chunk({ digest, sizeBytes }: Descriptor): Promise<Buffer | undefined> {
    for (const file of this.#context.sources.chunkedBytes.keys()) {
      if (this.#places.has(digest)) break;
      await this.list(file);
    }
    const place = this.#places.get(digest);
    if (place === undefined || sizeBytes > MAX_WHOLE_BYTES) return undefined;
    const { sources } = this.#context;
    const upload = await sources.find(place.file, sources.chunkedBytes.get(place.file));
    const parts: Uint8Array[] = [];
    const range = { start: place.start, end: place.start + sizeBytes };
    for await (const part of upload?.open(range) ?? []) parts.push(part);
    const data = Buffer.concat(parts);
    return digestOf(data) === digest ? data : undefined;
  }

  async #cut(file: Digest): Promise<Buffer | undefined> {
    const { sources } = this.#context;
    const sizeBytes = sources.chunkedBytes.get(file);
    const upload = sizeBytes === undefined ? undefined : await sources.find(file, sizeBytes);
    if (upload === undefined) return undefined;
    const chunks: Descriptor[] = [];
    let start = 0;
    for await (const data of cutChunks(upload.open({ start: 0, end: upload.sizeBytes }))) {
      const digest = digestOf(data);
      chunks.push({ digest, sizeBytes: data.length });
      if (!this.#places.has(digest)) this.#places.set(digest, { file, start });
      start += data.length;
    }
    return encodeChunkList(chunks);
  }
}

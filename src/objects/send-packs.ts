/** Sending under the policy `packs`: many small objects in few large files, and an index of them. */

import { createHash } from 'node:crypto';
import type { Package } from '../package/package.ts';
import { formatPackFragment } from '../package/physical-key.ts';
import { encodeChunkList, MAX_CHUNKED_FILE_BYTES } from '../packs/chunk-list.ts';
import { cutChunks } from '../packs/chunker.ts';
import { DigestSet } from '../packs/digest-set.ts';
import { encodeIndexSegment } from '../packs/index-segment.ts';
import { type FinishedPack, PACK_BUFFER_BYTES, PackWriter } from '../packs/pack-file.ts';
import type { PackIndex } from '../packs/pack-index.ts';
import { bufferOf, type IndexRecord, MAX_WHOLE_BYTES } from '../packs/packs.ts';
import { eachLimit, mapLimit } from '../runtime/concurrency.ts';
import { invariant } from '../runtime/errors.ts';
import { startProgress } from '../runtime/progress.ts';
import { ALWAYS, type Storage } from '../storage/storage.ts';
import { uploadOf } from '../storage/whole-content.ts';
import {
  type Descriptor,
  type Digest,
  digestOf,
  finishDigest,
  hashWhile,
  streamOf,
} from '../store/digest.ts';
import {
  digestOfKey,
  OBJECT_PREFIX,
  objectKey,
  PACK_PREFIX,
  packKey,
  segmentKey,
} from './layout.ts';
import { loadIndex } from './registry-index.ts';
import {
  findLacking,
  type Lacking,
  localDamage,
  type PushObject,
  pushedDigest,
  type SendContext,
  type Sent,
} from './sending.ts';

/** Packs on their way; each holds a buffer of 24 MiB. */
const UPLOADS_AT_ONCE = 3;
const READS_AT_ONCE = 8;

/** Less is rather sent again than looked for. */
const MIN_RESUMED_BYTES = 1 << 20;

/** So many packs are sent before the index tells of them, which lets a killed push go on from there. */
const PACKS_A_SEGMENT = 64;

/**
 * Sends what neither the index nor, where the registry has some, the objects on their own hold. Objects
 * go into packs in the order of their entries, so that neighbours in a folder are neighbours in a pack,
 * and a push that was killed makes the same packs again, which are then found by name.
 */
export async function sendPacks(
  context: SendContext,
  pkg: Package,
  looseObjects: boolean,
): Promise<Sent> {
  const { runtime, registry, cache } = context;
  const { index } = await loadIndex(runtime, registry, cache);
  const loose = looseObjects ? await listLoose(registry) : new DigestSet();
  const found = findLacking(pkg, index, (digest) => loose.has(digest));
  const { absent, absentBytes, reused } = found;
  if (absent.length > 0) {
    const there = await listPacks(registry, absentBytes);
    await new PackSender(context, index, there).send(absent);
  }
  return {
    uploaded: absent.length,
    reused,
    forget: () => index.clear(),
    physicalKeyOf: (entry) => {
      const digest = pushedDigest(entry);
      const place = index.find(digest);
      const object = registry.physicalKey(objectKey(digest));
      return place === undefined ? object : `${object}${formatPackFragment(place)}`;
    },
  };
}

/** Packs that are there already and that a push of so many bytes may make once more. */
async function listPacks(
  registry: Storage,
  absentBytes: number,
): Promise<ReadonlyMap<Digest, number>> {
  const packs = new Map<Digest, number>();
  if (absentBytes < MIN_RESUMED_BYTES) return packs;
  for await (const { key, sizeBytes } of registry.list(PACK_PREFIX)) {
    const digest = digestOfKey(key);
    if (digest !== undefined) packs.set(digest, sizeBytes);
  }
  return packs;
}

async function listLoose(registry: Storage): Promise<DigestSet> {
  const loose = new DigestSet();
  for await (const { key } of registry.list(OBJECT_PREFIX)) {
    const digest = digestOfKey(key);
    if (digest !== undefined) loose.add(digest);
  }
  return loose;
}

/** Fills packs, sends them and tells the index. */
class PackSender {
  readonly #context: SendContext;
  readonly #index: PackIndex;
  readonly #there: ReadonlyMap<Digest, number>;
  /** Members of packs that no segment names yet. */
  readonly #added = new DigestSet();
  readonly #buffers: Buffer[] = [];
  #records: IndexRecord[] = [];
  #packs: Descriptor[] = [];

  constructor(context: SendContext, index: PackIndex, there: ReadonlyMap<Digest, number>) {
    this.#context = context;
    this.#index = index;
    this.#there = there;
  }

  /** The index knows all of the objects when this has ended well. */
  async send(objects: Lacking['absent']): Promise<void> {
    const { runtime, registry, lease } = this.#context;
    const progress = startProgress(runtime, 'push', objects.length);
    await eachLimit(this.#fill(objects), UPLOADS_AT_ONCE, async (pack) => {
      runtime.signal.throwIfAborted();
      await lease.renew();
      const { digest, sizeBytes, data, members } = pack;
      if (this.#there.get(digest) !== sizeBytes) {
        const upload = { digest, sizeBytes, inOneRequest: true };
        const open = ({ start, end }: { start: number; end: number }) =>
          streamOf(data.subarray(start, end));
        await registry.write(packKey(digest), { ...upload, open }, ALWAYS);
      }
      for (const member of members) this.#records.push(member);
      this.#packs.push({ digest, sizeBytes });
      this.#buffers.push(bufferBehind(data));
      for (const { sizeBytes: memberBytes } of members)
        progress.advance({ sizeBytes: memberBytes });
      if (this.#packs.length >= PACKS_A_SEGMENT) await this.#writeSegment();
    });
    await this.#writeSegment();
    progress.finish(`${String(objects.length)} objects sent`);
  }

  async *#fill(objects: Lacking['absent']): AsyncGenerator<FinishedPack> {
    let writer: PackWriter | undefined;
    for await (const { kind, digest, data } of this.#members(objects)) {
      writer ??= new PackWriter(this.#buffers.pop() ?? Buffer.allocUnsafeSlow(PACK_BUFFER_BYTES));
      writer.add(kind, digest, data);
      if (!writer.isFull) continue;
      yield writer.finish();
      writer = undefined;
    }
    if (writer !== undefined) yield writer.finish();
  }

  /** What goes into packs, in order, each digest once. */
  async *#members(objects: Lacking['absent']): AsyncGenerator<Member> {
    const read = mapLimit(objects, READS_AT_ONCE, async (object) =>
      object.entry.sizeBytes > MAX_WHOLE_BYTES
        ? { object, data: undefined }
        : { object, data: await this.#readWhole(object) },
    );
    for await (const { object, data } of read) {
      this.#context.runtime.signal.throwIfAborted();
      if (object.entry.sizeBytes > MAX_CHUNKED_FILE_BYTES) await this.#sendAlone(object);
      else if (data === undefined) yield* this.#chunksOf(object);
      else if (this.#isNew(object.digest)) yield { kind: 'whole', digest: object.digest, data };
    }
  }

  /** A file whose chunks are too many for one list stays an object of its own. */
  async #sendAlone({ digest, entry }: PushObject): Promise<void> {
    const { registry, open } = this.#context;
    const key = objectKey(digest);
    const { sizeBytes } = entry;
    if ((await registry.head({ key }))?.sizeBytes === sizeBytes) return;
    const upload = { digest, sizeBytes, chunkedHash: entry.hash.value };
    await registry.write(key, { ...upload, open: (range) => open(digest, range) }, ALWAYS);
  }

  async #readWhole(object: PushObject): Promise<Buffer> {
    const { digest, entry } = object;
    const chunks: Uint8Array[] = [];
    const range = { start: 0, end: entry.sizeBytes };
    for await (const chunk of this.#context.open(digest, range)) chunks.push(chunk);
    const [only] = chunks;
    const data = only !== undefined && chunks.length === 1 ? bufferOf(only) : Buffer.concat(chunks);
    if (digestOf(data) !== digest) throw localDamage(object);
    return data;
  }

  /** The chunks of a large file that are new, and the list of all of them. */
  async *#chunksOf(object: PushObject): AsyncGenerator<Member> {
    const { digest, entry } = object;
    const whole = createHash('sha256');
    const bytes = this.#context.open(digest, { start: 0, end: entry.sizeBytes });
    const chunks: Descriptor[] = [];
    for await (const data of cutChunks(hashWhile(bytes, whole))) {
      const chunk = { digest: digestOf(data), sizeBytes: data.length };
      chunks.push(chunk);
      if (this.#isNew(chunk.digest)) yield { kind: 'whole', digest: chunk.digest, data };
    }
    if (finishDigest(whole) !== digest) throw localDamage(object);
    yield { kind: 'chunked', digest, data: encodeChunkList(chunks) };
  }

  #isNew(digest: Digest): boolean {
    return !this.#index.has(digest) && this.#added.add(digest);
  }

  /** Writes what the index does not know yet, if anything. */
  async #writeSegment(): Promise<void> {
    const [records, packs] = [this.#records, this.#packs];
    if (packs.length === 0) return;
    [this.#records, this.#packs] = [[], []];
    const { registry, cache } = this.#context;
    const data = encodeIndexSegment(records, packs);
    const key = segmentKey(digestOf(data));
    await registry.write(key, await uploadOf(data), ALWAYS);
    await cache?.putBytes(data);
    this.#index.add(data, `${registry.url}/${key}`);
  }
}

interface Member {
  readonly kind: IndexRecord['kind'];
  readonly digest: Digest;
  readonly data: Uint8Array;
}

/** The whole buffer that a finished pack is a view of, to be lent again. */
function bufferBehind(data: Buffer): Buffer {
  invariant(data.byteOffset === 0, 'a pack begins where its buffer does');
  return Buffer.from(data.buffer);
}

/** Where lost bytes may be had from, by their digest: registries, the local store, folders. */

import { readSegments, type Segments } from '../inspection/segments.ts';
import { readStored, unlessDamaged } from '../inspection/stored-bytes.ts';
import { reliableDigest } from '../inspection/wanted.ts';
import { chunkedBytes } from '../objects/chunked-reader.ts';
import { objectKey, packKey } from '../objects/layout.ts';
import { readFolder } from '../package/folder.ts';
import { describeContent } from '../package/object-hash.ts';
import { MAX_WHOLE_BYTES } from '../packs/packs.ts';
import { PkgError } from '../runtime/errors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { ByteRange, Storage, Upload } from '../storage/storage.ts';
import { type Digest, digestOf, fileBytes, streamOf } from '../store/digest.ts';
import type { Store } from '../store/store.ts';

export interface SourceOptions {
  /** Other registries with the same packages. */
  readonly from: readonly Storage[];
  readonly store: Store | undefined;
  /** Folders of files, such as installed packages. */
  readonly folders: readonly string[];
}

type Open = (range: ByteRange) => AsyncIterable<Uint8Array>;

interface Candidate {
  readonly sizeBytes: number;
  readonly open: Open;
}

/** A registry with its index, as far as that is good. */
interface IndexedRegistry {
  readonly storage: Storage;
  readonly segments: Segments;
}

/** Looks for bytes in all sources, the nearest first. */
export class ByteSources {
  /** The sizes of large files, which chunk lists do not tell; set by who knows them. */
  readonly chunkedBytes = new Map<Digest, number>();
  readonly #runtime: Runtime;
  readonly #own: IndexedRegistry;
  readonly #options: SourceOptions;
  #others: Promise<readonly IndexedRegistry[]> | undefined;
  #files: Promise<FolderFiles> | undefined;

  constructor(runtime: Runtime, own: IndexedRegistry, options: SourceOptions) {
    this.#runtime = runtime;
    this.#own = own;
    this.#options = options;
  }

  /** Other registries with what their indexes say. */
  async others(): Promise<readonly IndexedRegistry[]> {
    this.#others ??= Promise.all(
      this.#options.from.map(async (storage) => ({
        storage,
        segments: await goodSegments(this.#runtime, storage),
      })),
    );
    return await this.#others;
  }

  /**
   * Bytes of a digest as something to write, once a source has them all; undefined where none does.
   * `sizeBytes` is undefined where nobody knows it.
   */
  async find(digest: Digest, sizeBytes: number | undefined): Promise<Upload | undefined> {
    for await (const candidate of this.#candidates(digest)) {
      this.#runtime.signal.throwIfAborted();
      if (sizeBytes !== undefined && candidate.sizeBytes !== sizeBytes) continue;
      const read = await unlessDamaged(() => checkedUpload(candidate, digest));
      if ('value' in read && read.value !== undefined) return read.value;
    }
    return undefined;
  }

  /** The small bytes of a digest. */
  async findSmall(digest: Digest, sizeBytes: number): Promise<Buffer | undefined> {
    const upload = await this.find(digest, sizeBytes);
    if (upload === undefined) return undefined;
    const chunks: Uint8Array[] = [];
    for await (const chunk of upload.open({ start: 0, end: sizeBytes })) chunks.push(chunk);
    return Buffer.concat(chunks);
  }

  /** The file of another registry at the same key, if its bytes have a digest. */
  async findSame(key: string, digest: Digest): Promise<Upload | undefined> {
    for (const { storage } of await this.others()) {
      const found = await storage.head({ key });
      if (found === undefined || found.sizeBytes > MAX_SAME_BYTES) continue;
      const address = { key, sizeBytes: found.sizeBytes };
      const data = await readStored(storage, address);
      if (data === undefined || digestOf(data) !== digest) continue;
      const open = ({ start, end }: ByteRange) => streamOf(data.subarray(start, end));
      return { digest, sizeBytes: data.length, open, inOneRequest: true };
    }
    return undefined;
  }

  /** A file in one of the folders by the hash that quilt3 gives it. */
  async findByHash(value: string, sizeBytes: number): Promise<Upload | undefined> {
    const digest = (await this.#folderFiles()).byHash.get(value);
    return digest === undefined ? undefined : await this.find(digest, sizeBytes);
  }

  async *#candidates(digest: Digest): AsyncGenerator<Candidate> {
    yield* this.#inRegistry(this.#own, digest);
    const { store } = this.#options;
    if (store !== undefined && (await store.hasDigest(digest))) {
      yield* this.#inFile(store.path(digest));
    }
    const path = (await this.#folderFiles()).paths.get(digest);
    if (path !== undefined) yield* this.#inFile(path);
    for (const other of await this.others()) yield* this.#inRegistry(other, digest);
  }

  async *#inRegistry(
    { storage, segments }: IndexedRegistry,
    digest: Digest,
  ): AsyncGenerator<Candidate> {
    const key = objectKey(digest);
    const loose = await storage.head({ key });
    if (loose !== undefined) {
      yield { sizeBytes: loose.sizeBytes, open: (range) => rangeOf(storage, key, range) };
    }
    const record = segments.index.find(digest);
    if (record === undefined) return;
    if (record.kind === 'whole') {
      const { offset, sizeBytes } = record;
      const open = ({ start, end }: ByteRange) =>
        rangeOf(storage, packKey(record.pack), { start: offset + start, end: offset + end });
      yield { sizeBytes, open };
      return;
    }
    const context = { runtime: this.#runtime, registry: storage, name: digest };
    const open = (sizeBytes: number) => (range: ByteRange) =>
      upTo(range.end - range.start, () =>
        chunkedBytes(context, segments.index, { list: record, sizeBytes }, range.start),
      );
    const sizeBytes = this.chunkedBytes.get(digest);
    if (sizeBytes !== undefined) yield { sizeBytes, open: open(sizeBytes) };
  }

  async *#inFile(path: string): AsyncGenerator<Candidate> {
    const { signal } = this.#runtime;
    let sizeBytes = 0;
    for await (const chunk of fileBytes(path, signal)) sizeBytes += chunk.length;
    yield { sizeBytes, open: (range) => fileBytes(path, signal, range) };
  }

  async #folderFiles(): Promise<FolderFiles> {
    this.#files ??= readFolders(this.#runtime, this.#options.folders);
    return await this.#files;
  }
}

/** Packs and attestations are far smaller. */
const MAX_SAME_BYTES = 128 * 2 ** 20;

interface FolderFiles {
  readonly paths: ReadonlyMap<Digest, string>;
  readonly byHash: ReadonlyMap<string, Digest>;
}

async function readFolders(runtime: Runtime, folders: readonly string[]): Promise<FolderFiles> {
  const paths = new Map<Digest, string>();
  const byHash = new Map<string, Digest>();
  for (const folder of folders) {
    const found = await readFolder(runtime, folder);
    const digests = new Map([...found.paths].map(([digest, path]) => [path, digest]));
    for (const [path, digest] of digests) paths.set(digest, path);
    for (const entry of found.pkg.entries) {
      const digest = reliableDigest(entry);
      if (digest !== undefined) byHash.set(entry.hash.value, digest);
    }
  }
  return { paths, byHash };
}

/** What can be read of a registry's index. */
export async function goodSegments(runtime: Runtime, storage: Storage): Promise<Segments> {
  const reading = readSegments(runtime, storage);
  for (;;) {
    const next = await reading.next();
    if (next.done === true) return next.value.segments;
  }
}

/** Small bytes are read once and kept, larger ones are read once to check them, then as they are sent. */
async function checkedUpload(
  { sizeBytes, open }: Candidate,
  digest: Digest,
): Promise<Upload | undefined> {
  const all = { start: 0, end: sizeBytes };
  if (sizeBytes > MAX_WHOLE_BYTES) {
    const content = await describeContent(open(all), sizeBytes);
    return content.digest === digest ? { ...content, open } : undefined;
  }
  const chunks: Uint8Array[] = [];
  for await (const chunk of open(all)) chunks.push(chunk);
  const data = Buffer.concat(chunks);
  if (digestOf(data) !== digest) return undefined;
  const content = await describeContent(streamOf(data), data.length);
  return { ...content, open: ({ start, end }) => streamOf(data.subarray(start, end)) };
}

async function* rangeOf(
  storage: Storage,
  key: string,
  range: ByteRange,
): AsyncGenerator<Uint8Array> {
  const found = await storage.read({ key }, range);
  if (found === undefined) throw new PkgError('integrity', `${storage.url} has no ${key}`);
  yield* found.bytes;
}

/** The first bytes of what is opened, which is not opened for none. */
export async function* upTo(
  sizeBytes: number,
  open: () => AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  let left = sizeBytes;
  if (left === 0) return;
  for await (const chunk of open()) {
    yield chunk.subarray(0, left);
    left -= chunk.length;
    if (left <= 0) return;
  }
}

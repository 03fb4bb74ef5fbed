/** Conversion into objects: the storage itself copies them out of packs where it can. */

import { placeByDigest } from '../inspection/list-places.ts';
import { digestOfStored } from '../inspection/stored-bytes.ts';
import { chunkedBytes } from '../objects/chunked-reader.ts';
import { objectKey, packKey } from '../objects/layout.ts';
import { EntryReader } from '../objects/objects.ts';
import type { Entry } from '../package/entry.ts';
import { mapEntries, type Package } from '../package/package.ts';
import { DigestSet } from '../packs/digest-set.ts';
import { MAX_WHOLE_BYTES } from '../packs/packs.ts';
import { upTo } from '../repair/byte-sources.ts';
import { eachLimit } from '../runtime/concurrency.ts';
import { PkgError } from '../runtime/errors.ts';
import { ALWAYS, type ByteRange, type Storage } from '../storage/storage.ts';
import type { Digest } from '../store/digest.ts';
import type { ConvertContext, PlacedPackage } from './conversion.ts';

const COPIES_AT_ONCE = 8;

/** Makes objects of what is in packs, each once, however many lists have it. */
export class ObjectExtractor {
  readonly #context: ConvertContext;
  readonly #reader: EntryReader;
  readonly #done = new DigestSet();

  constructor(context: ConvertContext) {
    this.#context = context;
    this.#reader = new EntryReader(context.runtime, context.storage, context.store);
  }

  /** The package with its objects under their digests, and how many of them were made. */
  async extract(pkg: Package): Promise<PlacedPackage> {
    const { runtime, storage, lease } = this.#context;
    let objects = 0;
    await eachLimit(this.#undone(pkg), COPIES_AT_ONCE, async ({ entry, digest }) => {
      runtime.signal.throwIfAborted();
      await lease.renew();
      if (await this.#make(entry, digest)) objects++;
    });
    const entries = mapEntries(pkg.entries, (entry) => {
      const place = placeByDigest(entry);
      if (place === undefined) return entry;
      return { ...entry, physicalKey: storage.physicalKey(objectKey(place.digest)) };
    });
    return { placed: { ...pkg, entries }, objects };
  }

  *#undone(pkg: Package): Generator<{ readonly entry: Entry; readonly digest: Digest }> {
    for (const entry of pkg.entries) {
      const digest = placeByDigest(entry)?.digest;
      if (digest !== undefined && this.#done.add(digest)) yield { entry, digest };
    }
  }

  /** Every object that is made, or was left by a conversion that was ended, is read and checked. */
  async #make(entry: Entry, digest: Digest): Promise<boolean> {
    const { storage } = this.#context;
    const key = objectKey(digest);
    const { sizeBytes } = entry;
    const { index } = await this.#reader.loadIndex();
    const place = index.find(digest);
    if ((await storage.head({ key }))?.sizeBytes === sizeBytes) {
      if (place === undefined) return false;
      if ((await digestOfStored(storage, { key, sizeBytes })) === digest) return false;
    }
    if (place === undefined) throw damaged(storage, `${entry.logicalKey} is missing`);
    if (place.kind === 'chunked') {
      await this.#join(entry, digest);
      return true;
    }
    const range = { start: place.offset, end: place.offset + place.sizeBytes };
    await storage.copy({ address: { key: packKey(place.pack) }, range }, key);
    if (
      sizeBytes <= MAX_WHOLE_BYTES &&
      (await digestOfStored(storage, { key, sizeBytes })) === digest
    ) {
      return true;
    }
    await storage.remove([key]);
    throw damaged(storage, `${entry.logicalKey} is damaged in pack ${place.pack}`);
  }

  /** Large files are joined of their chunks here and sent in parts, whose hashes the entry tells. */
  async #join(entry: Entry, digest: Digest): Promise<void> {
    const { runtime, storage } = this.#context;
    const { sizeBytes, hash, logicalKey: name } = entry;
    const { index } = await this.#reader.loadIndex();
    const list = index.find(digest);
    if (list === undefined) return;
    const context = { runtime, registry: storage, name };
    const open = ({ start, end }: ByteRange) =>
      upTo(end - start, () => chunkedBytes(context, index, { list, sizeBytes }, start));
    const chunkedHash = hash.type === 'sha2-256-chunked' ? { chunkedHash: hash.value } : {};
    await storage.write(objectKey(digest), { digest, sizeBytes, ...chunkedHash, open }, ALWAYS);
  }
}

function damaged(storage: Storage, what: string): PkgError {
  return new PkgError('integrity', `${what} in ${storage.url}`, {
    hint: 'Restore it with pkg repair, then convert again.',
  });
}

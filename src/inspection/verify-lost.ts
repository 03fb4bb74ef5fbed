/** What damage means: which files of which revisions are lost by it. */

import { objectKey, packKey } from '../objects/layout.ts';
import type { Entry } from '../package/entry.ts';
import type { TopHash } from '../package/package.ts';
import { parsePackFragment } from '../package/physical-key.ts';
import { parseChunkList } from '../packs/chunk-list.ts';
import { readPackage } from '../registry/lists.ts';
import type { Digest } from '../store/digest.ts';
import { OTHER_BYTES } from './inspection.ts';
import { addressOf, placeByDigest } from './list-places.ts';
import { hashEntry, storedBytes, unlessDamaged, unlessShort } from './stored-bytes.ts';
import type { NamedRevisions } from './verify-names.ts';
import { labelOf } from './verify-objects.ts';
import type { PackScan, PackSizes } from './verify-packs.ts';
import { reliableDigest } from './wanted.ts';

export interface LostScan extends PackScan {
  readonly named: NamedRevisions;
  readonly packs: PackSizes;
}

export interface Lost {
  /** The revisions whose lists can be read. */
  readonly readable: Iterable<TopHash>;
  /** Large files that their chunks do not make, with why. */
  readonly lost: ReadonlyMap<Digest, string>;
}

/** Goes through the lists again and notes what each revision loses, and by what. */
export async function blameLost(scan: LostScan, { readable, lost }: Lost): Promise<void> {
  const { storage, wanted, problems, named } = scan;
  for (const hash of readable) {
    scan.runtime.signal.throwIfAborted();
    const packages = named.packages.get(hash) ?? [];
    for (const entry of (await readPackage(storage, hash)).entries) {
      const digest = reliableDigest(entry);
      if (digest === undefined) {
        problems.blame(labelOf(entry, addressOf(storage, entry.physicalKey)), entry, packages);
      } else if (!wanted.isFound(digest, entry) && !(await isWherePointed(scan, digest, entry))) {
        const key = await causeOf(scan, digest, entry);
        problems.note(key, 'missing', lost.get(digest) ?? 'a list points at it');
        problems.blame(key, entry, packages);
      }
    }
  }
}

/** Whether an entry's bytes are where its physical key says, which is not under its digest. */
async function isWherePointed(scan: LostScan, digest: Digest, entry: Entry): Promise<boolean> {
  const { storage, wanted, problems } = scan;
  if (placeByDigest(entry) !== undefined) return false;
  const address = addressOf(storage, entry.physicalKey);
  const found = address === undefined ? undefined : await storage.head(address);
  if (address === undefined || found === undefined) return false;
  const { sizeBytes } = found;
  const hashes = await unlessShort(async () =>
    sizeBytes === entry.sizeBytes
      ? await hashEntry(storedBytes(storage, { ...address, sizeBytes }), entry)
      : undefined,
  );
  if (hashes?.isEntry === true) {
    wanted.find({ digest, sizeBytes });
    return true;
  }
  const kind = sizeBytes < entry.sizeBytes ? 'truncated' : 'changed';
  problems.note(labelOf(entry, address), kind, OTHER_BYTES);
  return false;
}

/** The key at which an entry is lost: of what is damaged, or of what is not there. */
async function causeOf(scan: LostScan, digest: Digest, entry: Entry): Promise<string> {
  const { storage, problems, segments, packs } = scan;
  const own = objectKey(digest);
  const pointed = addressOf(storage, entry.physicalKey);
  const fragment = parsePackFragment(entry.physicalKey);
  const record = segments.index.find(digest);
  const inPacks = [fragment?.pack, record?.pack].filter((pack) => pack !== undefined).map(packKey);
  for (const key of [own, ...inPacks, pointed === undefined ? own : labelOf(entry, pointed)]) {
    if (problems.has(key)) return key;
  }
  if (record?.kind === 'chunked') {
    for (const pack of await packsOfChunks(scan, digest, entry)) {
      if (problems.has(packKey(pack))) return packKey(pack);
    }
  }
  const isPackGone = fragment !== undefined && !packs.has(fragment.pack);
  return isPackGone ? packKey(fragment.pack) : own;
}

/** The packs with the chunks of a large file, each once. */
async function packsOfChunks(
  { runtime, storage, segments }: LostScan,
  digest: Digest,
  entry: Entry,
): Promise<readonly Digest[]> {
  const list = segments.index.find(digest);
  if (list === undefined) return [];
  const { offset, sizeBytes } = list;
  const read = await unlessDamaged(async () => {
    const range = { start: offset, end: offset + sizeBytes };
    const found = await storage.read({ key: packKey(list.pack) }, range);
    const parts: Uint8Array[] = [];
    for await (const part of found?.bytes ?? []) {
      runtime.signal.throwIfAborted();
      parts.push(part);
    }
    return parseChunkList(Buffer.concat(parts), entry.sizeBytes);
  });
  const packs = new Set<Digest>();
  for (const chunk of 'value' in read ? read.value : []) {
    const place = segments.index.find(chunk.digest);
    if (place !== undefined) packs.add(place.pack);
  }
  return [...packs];
}

/** The chunks of large files that a registry's revisions reach. */

import { packKey } from '../objects/layout.ts';
import { type Chunk, parseChunkList } from '../packs/chunk-list.ts';
import { DigestSet } from '../packs/digest-set.ts';
import type { PackIndex } from '../packs/pack-index.ts';
import { damaged, type IndexRecord, MAX_WHOLE_BYTES } from '../packs/packs.ts';
import { mapLimit } from '../runtime/concurrency.ts';
import { PkgError } from '../runtime/errors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { Storage } from '../storage/storage.ts';
import { readBounded } from '../storage/whole-content.ts';
import type { Digest } from '../store/digest.ts';
import type { Damage, Reach } from './reachable.ts';

/** What the chunk lists of live files name. */
export interface LiveChunks {
  readonly digests: DigestSet;
  /** The packs in which a large file's list and chunks lie, by the file's digest. */
  readonly packsOf: ReadonlyMap<Digest, ReadonlySet<Digest>>;
  /** Files whose list or chunks are not what they must be. */
  readonly damaged: readonly Damage[];
}

const READS_AT_ONCE = 4;

/** Reads the chunk lists of the large files that a registry reaches and that lie in its packs. */
export async function readLiveChunks(
  runtime: Runtime,
  registry: Storage,
  { large }: Pick<Reach, 'large'>,
  index: PackIndex,
): Promise<LiveChunks> {
  const digests = new DigestSet(Math.floor(runtime.random() * 2 ** 32) | 0);
  const packsOf = new Map<Digest, ReadonlySet<Digest>>();
  const problems: Damage[] = [];
  const read = mapLimit(large, READS_AT_ONCE, async ([digest, sizes]) => {
    runtime.signal.throwIfAborted();
    const record = index.find(digest);
    if (record?.kind !== 'chunked') return undefined;
    return { record, chunks: await readChunks(registry, record, sizes) };
  });
  for await (const found of read) {
    if (found === undefined) continue;
    const { record, chunks } = found;
    if (!Array.isArray(chunks)) {
      problems.push(chunks);
      continue;
    }
    const packs = new Set([record.pack]);
    for (const { digest } of chunks) {
      const place = index.find(digest);
      if (place === undefined) {
        problems.push({ key: packKey(record.pack), why: `no pack has the chunk ${digest}` });
        continue;
      }
      digests.add(digest);
      packs.add(place.pack);
    }
    packsOf.set(record.digest, packs);
  }
  return { digests, packsOf, damaged: problems };
}

async function readChunks(
  registry: Storage,
  { digest, pack, offset, sizeBytes }: IndexRecord,
  sizes: ReadonlySet<number>,
): Promise<Chunk[] | Damage> {
  const key = packKey(pack);
  try {
    const found = await registry.read({ key }, { start: offset, end: offset + sizeBytes });
    if (found === undefined) throw damaged(`pack ${pack}`, 'it is missing');
    return parseForSize(await readBounded(found.bytes, MAX_WHOLE_BYTES), sizes);
  } catch (error) {
    if (!(error instanceof PkgError) || error.code !== 'integrity') throw error;
    return { key, why: `the chunk list of ${digest}: ${error.message}` };
  }
}

/** The list for one of the sizes that are stated of a file; all but one of them are lies. */
function parseForSize(list: Buffer, sizes: ReadonlySet<number>): Chunk[] {
  let failure: unknown;
  for (const sizeBytes of sizes) {
    try {
      return parseChunkList(list, sizeBytes);
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

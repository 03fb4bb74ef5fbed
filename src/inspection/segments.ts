/** The segments of a registry's index as they are, good and damaged ones. */

import { digestOfKey, INDEX_PREFIX, segmentKey } from '../objects/layout.ts';
import {
  encodeIndexSegment,
  findInSegment,
  PACK_AT,
  parseIndexSegment,
  RECORD_BYTES,
  recordAt,
  recordsOf,
  type Segment,
} from '../packs/index-segment.ts';
import { PackIndex } from '../packs/pack-index.ts';
import { DIGEST_BYTES, digestAt, type IndexRecord } from '../packs/packs.ts';
import { PkgError } from '../runtime/errors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { Storage } from '../storage/storage.ts';
import { type Descriptor, type Digest, digestOf } from '../store/digest.ts';
import { EXTRA, type RegistryFinding } from './inspection.ts';
import { readStored } from './stored-bytes.ts';

/** Segments of more bytes are refused by readers too. */
const MAX_SEGMENT_BYTES = 128 * 2 ** 20;

/** All good segments, with what is in each by pack. */
export class Segments {
  readonly index = new PackIndex();
  readonly byName = new Map<Digest, Segment>();
  /** For each pack, where its records are in the segments that name it. */
  readonly #byPack = new Map<Digest, { readonly segment: Digest; readonly ats: number[] }[]>();
  readonly #wanted = Buffer.alloc(DIGEST_BYTES);

  /** @throws PkgError `integrity` for what is no segment, or does not agree with the others. */
  add(name: Digest, data: Buffer): void {
    const segment = parseIndexSegment(data, segmentKey(name));
    this.index.add(data, segmentKey(name));
    this.byName.set(name, segment);
    const lists = segment.packs.map((): number[] => []);
    for (let at = segment.firstRecordAt, n = 0; n < segment.recordCount; n++, at += RECORD_BYTES) {
      lists[data.readUInt32LE(at + PACK_AT)]?.push(at);
    }
    for (const [number, { digest }] of segment.packs.entries()) {
      const known = this.#byPack.get(digest);
      const own = { segment: name, ats: lists[number] ?? [] };
      if (known === undefined) this.#byPack.set(digest, [own]);
      else known.push(own);
    }
  }

  /** What the segments say of a pack, each record with the segment that has it. */
  *recordsOfPack(pack: Digest): Generator<{ segment: Digest; record: IndexRecord }> {
    for (const { segment: name, ats } of this.#byPack.get(pack) ?? []) {
      const segment = this.byName.get(name);
      if (segment === undefined) continue;
      for (const at of ats) {
        yield { segment: name, record: recordAt(segment, at, digestAt(segment.bytes, at)) };
      }
    }
  }

  /** Where segments say a digest is in one pack. */
  recordIn(pack: Digest, digest: Digest): IndexRecord | undefined {
    this.#wanted.write(digest, 'hex');
    for (const segment of this.byName.values()) {
      let at = findInSegment(segment, this.#wanted);
      while (at !== undefined && at < segment.bytes.length) {
        if (segment.bytes.compare(this.#wanted, 0, DIGEST_BYTES, at, at + DIGEST_BYTES) !== 0)
          break;
        const record = recordAt(segment, at, digest);
        if (record.pack === pack) return record;
        at += RECORD_BYTES;
      }
    }
    return undefined;
  }
}

export interface ReadSegments {
  readonly segments: Segments;
  /** How many are damaged. */
  readonly damaged: number;
}

/** Reads every segment, and says which are not what they should be. */
export async function* readSegments(
  runtime: Runtime,
  storage: Storage,
): AsyncGenerator<RegistryFinding, ReadSegments> {
  const segments = new Segments();
  let damaged = 0;
  for await (const { key, sizeBytes } of storage.list(INDEX_PREFIX)) {
    runtime.signal.throwIfAborted();
    const name = digestOfKey(key);
    if (name === undefined || key !== segmentKey(name)) {
      yield { kind: 'extra', key, why: 'it is no segment of the index' };
      continue;
    }
    const isLong = sizeBytes > MAX_SEGMENT_BYTES;
    const data = isLong ? undefined : await readStored(storage, { key, sizeBytes });
    const problem = problemOf(segments, name, data);
    if (problem === undefined) continue;
    damaged++;
    yield { ...problem, key };
  }
  return { segments, damaged };
}

function problemOf(
  segments: Segments,
  name: Digest,
  data: Buffer | undefined,
): Pick<RegistryFinding, 'kind' | 'why'> | undefined {
  if (data === undefined) return { kind: 'changed', why: 'it cannot be a segment by its size' };
  if (digestOf(data) !== name) {
    const isShort = data.length >= 16 && expectedBytes(data) > data.length;
    const why = 'its bytes are not those of its name';
    return { kind: isShort ? 'truncated' : 'changed', why };
  }
  try {
    segments.add(name, data);
    return undefined;
  } catch (error) {
    if (!(error instanceof PkgError)) throw error;
    return { kind: 'broken', why: error.message };
  }
}

/** How long the head of a segment says that it is. */
function expectedBytes(data: Buffer): number {
  const packs = data.readUInt32LE(8) * (DIGEST_BYTES + 4);
  return 16 + packs + data.readUInt32LE(12) * RECORD_BYTES;
}

/** Segments that say nothing anybody needs. */
export function* extraSegments(
  { byName }: Segments,
  isReached: (record: IndexRecord) => boolean,
): Generator<RegistryFinding> {
  for (const [name, segment] of byName) {
    let hasReached = false;
    for (const record of recordsOf(segment)) {
      hasReached = isReached(record);
      if (hasReached) break;
    }
    if (!hasReached) yield { kind: 'extra', key: segmentKey(name), why: EXTRA };
  }
}

/** The segment that says what is in some packs; the same packs give the same segment. */
export function segmentOf(
  packs: Iterable<{ readonly pack: Descriptor; readonly members: readonly IndexRecord[] }>,
): { readonly name: Digest; readonly data: Buffer } {
  const all = [...packs];
  const data = encodeIndexSegment(
    all.flatMap(({ members }) => members),
    all.map(({ pack }) => pack),
  );
  return { name: digestOf(data), data };
}

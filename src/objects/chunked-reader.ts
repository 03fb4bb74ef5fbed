/** Large files out of packs: the list of their chunks, then the chunks, each checked. */

import { type Chunk, parseChunkList } from '../packs/chunk-list.ts';
import type { PackIndex } from '../packs/pack-index.ts';
import { MAX_WHOLE_BYTES, type PackPlace } from '../packs/packs.ts';
import { PkgError } from '../runtime/errors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { Storage } from '../storage/storage.ts';
import { digestOf } from '../store/digest.ts';
import { packKey } from './layout.ts';
import { readRange } from './read-range.ts';

interface Context {
  readonly runtime: Runtime;
  readonly registry: Storage;
  /** The logical key, for messages. */
  readonly name: string;
}

/** A read takes in so many bytes of chunks that lie one behind the other. */
const MAX_RUN_BYTES = 16 * 2 ** 20;

/** Chunks that lie one behind the other in one pack. */
interface Run {
  readonly place: PackPlace;
  readonly chunks: readonly Chunk[];
}

/**
 * The bytes of a large file of `sizeBytes` from `start` on. Each chunk is checked before
 * it is passed on; that they are the file's is for the caller to check.
 * @throws PkgError `integrity` for a list or a chunk that is missing or damaged.
 */
export async function* chunkedBytes(
  context: Context,
  index: PackIndex,
  { list, sizeBytes }: { readonly list: PackPlace; readonly sizeBytes: number },
  start: number,
): AsyncGenerator<Uint8Array> {
  const all = readChunkList(context, await readPlace(context, list), sizeBytes);
  let position = 0;
  let first = 0;
  for (const chunk of all) {
    if (position + chunk.sizeBytes > start) break;
    position += chunk.sizeBytes;
    first++;
  }
  for (const run of runsOf(context, index, all.slice(first))) {
    for await (const data of readChunks(context, run)) {
      const skipped = Math.max(start - position, 0);
      position += data.length;
      yield data.subarray(skipped);
    }
  }
}

function readChunkList(context: Context, data: Buffer, sizeBytes: number): readonly Chunk[] {
  try {
    return parseChunkList(data, sizeBytes);
  } catch (error) {
    if (error instanceof PkgError) throw damaged(context, 'has a damaged list of chunks', error);
    throw error;
  }
}

/** The chunks in their order, those together that one request can bring. */
function* runsOf(context: Context, index: PackIndex, chunks: readonly Chunk[]): Generator<Run> {
  let run: { place: PackPlace; chunks: Chunk[] } | undefined;
  for (const chunk of chunks) {
    const found = index.find(chunk.digest);
    if (found?.kind !== 'whole' || found.sizeBytes !== chunk.sizeBytes) {
      throw damaged(context, `lacks the chunk ${chunk.digest}`);
    }
    const { pack, offset, sizeBytes } = found;
    if (run !== undefined && follows(run.place, found)) {
      run.place = { ...run.place, sizeBytes: run.place.sizeBytes + sizeBytes };
      run.chunks.push(chunk);
    } else {
      if (run !== undefined) yield run;
      run = { place: { pack, offset, sizeBytes }, chunks: [chunk] };
    }
  }
  if (run !== undefined) yield run;
}

function follows(place: PackPlace, next: PackPlace): boolean {
  const isNext = place.pack === next.pack && place.offset + place.sizeBytes === next.offset;
  return isNext && place.sizeBytes < MAX_RUN_BYTES;
}

async function* readChunks(context: Context, { place, chunks }: Run): AsyncGenerator<Buffer> {
  let waiting: Uint8Array[] = [];
  let waitingBytes = 0;
  let next = 0;
  for await (const part of bytesOf(context, place)) {
    waiting.push(part);
    waitingBytes += part.length;
    for (let chunk = chunks[next]; chunk !== undefined; chunk = chunks[next]) {
      if (waitingBytes < chunk.sizeBytes) break;
      const all = Buffer.concat(waiting);
      const data = all.subarray(0, chunk.sizeBytes);
      if (digestOf(data) !== chunk.digest) throw damaged(context, 'has other bytes');
      yield data;
      waiting = [all.subarray(chunk.sizeBytes)];
      waitingBytes = all.length - chunk.sizeBytes;
      next++;
    }
  }
}

async function readPlace(context: Context, place: PackPlace): Promise<Buffer> {
  if (place.sizeBytes > MAX_WHOLE_BYTES) throw damaged(context, 'has too long a list of chunks');
  const parts: Uint8Array[] = [];
  for await (const part of bytesOf(context, place)) parts.push(part);
  return Buffer.concat(parts);
}

function bytesOf({ registry }: Context, { pack, offset, sizeBytes }: PackPlace) {
  const range = { start: offset, end: offset + sizeBytes };
  const source = { address: { key: packKey(pack) }, range, endsThere: false };
  return readRange(registry, source);
}

function damaged({ registry, name }: Context, what: string, cause?: unknown): PkgError {
  return new PkgError('integrity', `${name} ${what} in ${registry.url}`, {
    hint: 'Name another registry that has the package, or restore it there with pkg repair.',
    cause,
  });
}

/** Reads of a range of an object, which has to be there as a whole. */
import type { ByteRange, ObjectAddress, Storage } from '../storage/storage.ts';

/** What is read. */
export interface ReadSource {
  readonly address: ObjectAddress;
  readonly range: ByteRange;
  /** Whether the object may have nothing beyond the range. */
  readonly endsThere: boolean;
}

/** The object is not there, or has fewer or more bytes than it should. */
export class Shortfall extends Error {
  readonly kind: 'missing' | 'short' | 'long';

  constructor(kind: 'missing' | 'short' | 'long') {
    super(kind);
    this.kind = kind;
  }
}

/**
 * The bytes of a range as they arrive, not checked.
 * @throws Shortfall where the object is absent or of another size, before any of its bytes if the
 * storage says so.
 */
export async function* readRange(
  registry: Storage,
  { address, range, endsThere }: ReadSource,
): AsyncGenerator<Uint8Array> {
  const isAll = endsThere && range.start === 0;
  const found = await registry.read(address, isAll ? undefined : range);
  if (found === undefined) throw new Shortfall('missing');
  const problem = sizeProblem(found.sizeBytes, range, endsThere);
  let position = range.start;
  for await (const chunk of found.bytes) {
    if (problem !== undefined) throw problem;
    position += chunk.length;
    if (position > range.end) throw new Shortfall('long');
    yield chunk;
  }
  if (problem !== undefined) throw problem;
  if (position < range.end) throw new Shortfall('short');
}

function sizeProblem(
  sizeBytes: number,
  { end }: ByteRange,
  endsThere: boolean,
): Shortfall | undefined {
  if (sizeBytes < end) return new Shortfall('short');
  return endsThere && sizeBytes > end ? new Shortfall('long') : undefined;
}

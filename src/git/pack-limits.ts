/** Limits of a pack from a server, checked before anybody inflates it without limits. */
import { inflateSync } from 'node:zlib';
import { PkgError, systemErrorCode } from '../runtime/errors.ts';
import { readDeltaSize } from './delta.ts';
import { TREE_LIMITS } from './tree-path.ts';

/** Of all objects of a pack, inflated; a whole history may come where a server gives no less. */
const MAX_TOTAL_BYTES = 8 * 2 ** 30;

/** Types of objects in a pack that are differences to another (gitformat-pack). */
const OFFSET_DELTA = 6;
const REFERENCE_DELTA = 7;

/**
 * Walks a pack (gitformat-pack, version 2) and inflates each object within its limit.
 * @throws PkgError `unreachable` where the pack is damaged or would take too much memory.
 */
export function checkPack(pack: Uint8Array): void {
  const reader = new PackReader(pack);
  const count = reader.start();
  let totalBytes = 0;
  for (let index = 0; index < count; index++) {
    totalBytes += reader.skipObject();
    if (totalBytes > MAX_TOTAL_BYTES) throw refusal('unpacks to too much');
  }
  if (reader.restBytes !== 20) throw refusal('is damaged');
}

class PackReader {
  readonly #pack: Uint8Array;
  #position = 12;

  constructor(pack: Uint8Array) {
    this.#pack = pack;
  }

  get restBytes(): number {
    return this.#pack.length - this.#position;
  }

  /** The number of objects. */
  start(): number {
    if (this.#pack.length < 32) throw refusal('is cut off');
    const view = new DataView(this.#pack.buffer, this.#pack.byteOffset);
    if (view.getUint32(0) !== 0x5041434b || view.getUint32(4) !== 2) throw refusal('is damaged');
    return view.getUint32(8);
  }

  /** Passes an object; returns what it takes in memory, in bytes. */
  skipObject(): number {
    let byte = this.#byte();
    const type = (byte >> 4) & 7;
    let size = byte & 15;
    for (let scale = 16; byte & 0x80; scale *= 128) {
      byte = this.#byte();
      size += (byte & 0x7f) * scale;
      if (size > TREE_LIMITS.fileBytes) throw refusal('holds a file that is too large');
    }
    if (type === REFERENCE_DELTA) this.#position += 20;
    if (type === OFFSET_DELTA) while (this.#byte() & 0x80);
    const inflated = this.#inflate(size);
    if (type !== OFFSET_DELTA && type !== REFERENCE_DELTA) return size;
    const target = targetSize(inflated);
    if (target > TREE_LIMITS.fileBytes) throw refusal('holds a file that is too large');
    return target;
  }

  #byte(): number {
    const byte = this.#pack[this.#position++];
    if (byte === undefined) throw refusal('is cut off');
    return byte;
  }

  #inflate(sizeBytes: number): Uint8Array {
    try {
      const result: unknown = inflateSync(this.#pack.subarray(this.#position), {
        maxOutputLength: Math.max(1, sizeBytes),
        info: true,
      });
      const { buffer, engine } = parseInflated(result);
      if (buffer.length !== sizeBytes) throw refusal('is damaged');
      this.#position += engine.bytesWritten;
      return buffer;
    } catch (error) {
      const code = systemErrorCode(error) ?? '';
      if (error instanceof PkgError || !/^(Z_|ERR_BUFFER_TOO_LARGE)/.test(code)) throw error;
      throw refusal('is damaged');
    }
  }
}

/** What zlib answers with `info`, which its types do not tell. */
function parseInflated(value: unknown): {
  readonly buffer: Uint8Array;
  readonly engine: { readonly bytesWritten: number };
} {
  if (
    typeof value !== 'object' ||
    value === null ||
    !('buffer' in value && value.buffer instanceof Uint8Array) ||
    !('engine' in value && typeof value.engine === 'object' && value.engine !== null) ||
    !('bytesWritten' in value.engine && typeof value.engine.bytesWritten === 'number')
  ) {
    throw new Error('zlib did not say how many bytes it read');
  }
  return { buffer: value.buffer, engine: { bytesWritten: value.engine.bytesWritten } };
}

/** The size of what a delta makes: its second number, after the size of its base. */
function targetSize(delta: Uint8Array): number {
  try {
    return readDeltaSize(delta, readDeltaSize(delta, 0).end).value;
  } catch {
    throw refusal('is damaged');
  }
}

function refusal(why: string): PkgError {
  return new PkgError('unreachable', `the pack that the server sent ${why}`, {
    hint: 'Run the command again; if that does not help, clone the repository and name its folder.',
  });
}

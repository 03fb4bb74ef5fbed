/** Messages to and from the program in a sandbox: a header as JSON, and bytes. */
import { PkgError } from '../runtime/errors.ts';

export interface Message {
  readonly header: unknown;
  readonly body: Uint8Array;
}

/** What an answer may have at most; whoever is in the sandbox may say anything. */
export interface MessageLimits {
  readonly headerBytes: number;
  readonly bodyBytes: number;
}

/** The header's length and the body's, each 4 bytes, little-endian. */
const PREFIX_BYTES = 8;

/** A message in parts, to be written one after the other. */
export function formatMessage(
  header: object,
  body: readonly Uint8Array[] = [],
): readonly Uint8Array[] {
  const text = Buffer.from(JSON.stringify(header));
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32LE(text.length, 0);
  prefix.writeUInt32LE(
    body.reduce((sum, { length }) => sum + length, 0),
    4,
  );
  return [prefix, text, ...body];
}

/**
 * Reads one message; undefined where the stream ends before it.
 * @throws PkgError `manifest` where it is longer than the limits, no JSON, or more than one.
 */
export class MessageReader {
  #chunks: Uint8Array[] = [];
  #length = 0;

  /** The message, once all of it is there. */
  add(chunk: Uint8Array, limits: MessageLimits): Message | undefined {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    if (this.#length < PREFIX_BYTES) return undefined;
    const first = this.#first(PREFIX_BYTES);
    const headerBytes = first.readUInt32LE(0);
    const bodyBytes = first.readUInt32LE(4);
    if (headerBytes > limits.headerBytes || bodyBytes > limits.bodyBytes) throw strange();
    const end = PREFIX_BYTES + headerBytes + bodyBytes;
    if (this.#length > end) throw strange();
    if (this.#length < end) return undefined;
    const whole = Buffer.concat(this.#chunks);
    this.#chunks = [];
    this.#length = 0;
    const header = parseJson(whole.subarray(PREFIX_BYTES, PREFIX_BYTES + headerBytes));
    // In memory of its own, so that numbers in it are where numbers may be.
    return { header, body: Uint8Array.from(whole.subarray(PREFIX_BYTES + headerBytes)) };
  }

  /** The first bytes, which may stand in several chunks. */
  #first(count: number): Buffer {
    const [first] = this.#chunks;
    if (first !== undefined && first.length >= count) {
      return Buffer.from(first.buffer, first.byteOffset, count);
    }
    const joined = Buffer.concat(this.#chunks);
    this.#chunks = [joined];
    return joined.subarray(0, count);
  }
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) throw strange();
    throw error;
  }
}

function strange(): PkgError {
  return new PkgError('manifest', "the model code answered in place of pkg's own program", {
    key: 'model.entry',
    hint: 'It writes to a file descriptor that is not its own.',
  });
}

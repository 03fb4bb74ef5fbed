/** Numbers of variable length and texts, written one behind the other and read back. */
import { PkgError } from '../runtime/errors.ts';

/** Collects bytes; numbers as LEB128: seven bits a byte, the lowest first. */
export class ByteWriter {
  #bytes = Buffer.alloc(1024);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  number(value: number): void {
    this.#reserve(8);
    let rest = value;
    for (; rest >= 128; rest = Math.floor(rest / 128)) {
      this.#bytes[this.#length++] = (rest % 128) + 128;
    }
    this.#bytes[this.#length++] = rest;
  }

  /** A text's length in bytes of UTF-8, then these. */
  text(text: string): void {
    const sizeBytes = Buffer.byteLength(text);
    this.number(sizeBytes);
    this.#reserve(sizeBytes);
    this.#length += this.#bytes.write(text, this.#length);
  }

  bytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  finish(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  #reserve(sizeBytes: number): void {
    if (this.#length + sizeBytes <= this.#bytes.length) return;
    const larger = Buffer.alloc(Math.max(this.#bytes.length * 2, this.#length + sizeBytes));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}

/** Reads what a ByteWriter wrote, out of bytes that anyone may have made. */
export class ByteReader {
  readonly #bytes: Buffer;
  #position: number;

  constructor(bytes: Buffer, position = 0) {
    this.#bytes = bytes;
    this.#position = position;
  }

  get position(): number {
    return this.#position;
  }

  /** @throws PkgError `integrity` where the bytes end before, or the number is over 2^48. */
  number(): number {
    let value = 0;
    for (let factor = 1; factor < 2 ** 48; factor *= 128) {
      const byte = this.#bytes[this.#position++];
      if (byte === undefined) throw new PkgError('integrity', 'it ends inside a number');
      value += (byte % 128) * factor;
      if (byte < 128) return value;
    }
    throw new PkgError('integrity', 'it has a number that is too long');
  }

  /** @throws PkgError `integrity` where the bytes end before. */
  text(): string {
    const sizeBytes = this.number();
    const end = this.#position + sizeBytes;
    if (end > this.#bytes.length) throw new PkgError('integrity', 'it ends inside a text');
    const text = this.#bytes.toString('utf8', this.#position, end);
    this.#position = end;
    return text;
  }
}

/** Storage that counts what a test reads of it. */
import type {
  ByteRange,
  CopySource,
  ObjectAddress,
  Storage,
  Upload,
  WriteCondition,
} from '../../src/storage/storage.ts';

/** The same storage, with the bytes of contents that came out of it. */
export class CountedStorage implements Storage {
  readonly url: string;
  readonly #storage: Storage;
  readonly #beforeRead: (key: string) => Promise<void>;
  readBytes = 0;

  /** `beforeRead` is called before each content is read, with its key. */
  constructor(
    storage: Storage,
    beforeRead: (key: string) => Promise<void> = () => Promise.resolve(),
  ) {
    this.url = storage.url;
    this.#storage = storage;
    this.#beforeRead = beforeRead;
  }

  get requests(): number {
    return this.#storage.requests;
  }

  get sentBytes(): number {
    return this.#storage.sentBytes;
  }

  physicalKey(key: string, versionId?: string) {
    return this.#storage.physicalKey(key, versionId);
  }

  addressOf(physicalKey: string) {
    return this.#storage.addressOf(physicalKey);
  }

  head(address: ObjectAddress) {
    return this.#storage.head(address);
  }

  async read(address: ObjectAddress, range?: ByteRange) {
    await this.#beforeRead(address.key);
    const found = await this.#storage.read(address, range);
    return found && { ...found, bytes: this.#counted(found.bytes) };
  }

  async *#counted(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of bytes) {
      this.readBytes += chunk.length;
      yield chunk;
    }
  }

  write(key: string, upload: Upload, condition: WriteCondition) {
    return this.#storage.write(key, upload, condition);
  }

  remove(keys: readonly string[]) {
    return this.#storage.remove(keys);
  }

  list(prefix: string, startAfter?: string) {
    return this.#storage.list(prefix, startAfter);
  }

  copy(source: CopySource, key: string) {
    return this.#storage.copy(source, key);
  }

  abandonUploads(beforeMs: number, mode: 'remove' | 'count') {
    return this.#storage.abandonUploads(beforeMs, mode);
  }
}

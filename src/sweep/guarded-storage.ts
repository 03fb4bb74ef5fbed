/** Storage that is used only as long as a lease on it is held. */
import type {
  ByteRange,
  CopySource,
  ListedObject,
  ObjectAddress,
  ReadObject,
  Storage,
  StoredObject,
  Upload,
  WriteCondition,
  WriteOutcome,
} from '../storage/storage.ts';

/** Called before each operation: renews the lease, or fails where it may have been lost. */
export type Guard = () => Promise<void>;

/** The same storage, with a guard before each operation and each object that is listed. */
export class GuardedStorage implements Storage {
  readonly url: string;
  readonly #storage: Storage;
  readonly #guard: Guard;

  constructor(storage: Storage, guard: Guard) {
    this.url = storage.url;
    this.#storage = storage;
    this.#guard = guard;
  }

  get requests(): number {
    return this.#storage.requests;
  }

  get sentBytes(): number {
    return this.#storage.sentBytes;
  }

  physicalKey(key: string, versionId?: string): string {
    return this.#storage.physicalKey(key, versionId);
  }

  addressOf(physicalKey: string): ObjectAddress | undefined {
    return this.#storage.addressOf(physicalKey);
  }

  async head(address: ObjectAddress): Promise<StoredObject | undefined> {
    await this.#guard();
    return await this.#storage.head(address);
  }

  async read(address: ObjectAddress, range?: ByteRange): Promise<ReadObject | undefined> {
    await this.#guard();
    return await this.#storage.read(address, range);
  }

  async write(key: string, upload: Upload, condition: WriteCondition): Promise<WriteOutcome> {
    await this.#guard();
    return await this.#storage.write(key, upload, condition);
  }

  async remove(keys: readonly string[]): Promise<void> {
    await this.#guard();
    await this.#storage.remove(keys);
  }

  async *list(prefix: string, startAfter?: string): AsyncGenerator<ListedObject> {
    await this.#guard();
    for await (const found of this.#storage.list(prefix, startAfter)) {
      await this.#guard();
      yield found;
    }
  }

  async copy(source: CopySource, key: string): Promise<void> {
    await this.#guard();
    await this.#storage.copy(source, key);
  }

  async abandonUploads(beforeMs: number, mode: 'remove' | 'count'): Promise<number> {
    await this.#guard();
    return await this.#storage.abandonUploads(beforeMs, mode);
  }
}

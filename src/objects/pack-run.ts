/** One read of a pack: several entries that lie near each other, in one request. */
import type { Entry } from '../package/entry.ts';
import { matchesHash } from '../package/verify.ts';
import type { PackRead, WantedPlace } from '../packs/read-plan.ts';
import { PkgError } from '../runtime/errors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { Storage } from '../storage/storage.ts';
import { streamOf } from '../store/digest.ts';
import { packKey } from './layout.ts';
import { readRange, Shortfall } from './read-range.ts';

/** Reads the members of one range of one pack, each whole and checked. */
export class PackRun {
  readonly #runtime: Runtime;
  readonly #registry: Storage;
  readonly #read: PackRead<Entry>;

  constructor(runtime: Runtime, registry: Storage, read: PackRead<Entry>) {
    this.#runtime = runtime;
    this.#registry = registry;
    this.#read = read;
  }

  /**
   * Hands over each entry, one after the other, and returns those whose bytes are not there: the pack is
   * gone or cut short, or others stand at the place.
   */
  async readInto(take: (entry: Entry, data: Buffer) => Promise<void>): Promise<readonly Entry[]> {
    const members = this.#members();
    try {
      return await this.#handOver(members, take);
    } finally {
      await members.return(undefined);
    }
  }

  async #handOver(
    members: AsyncGenerator<Member>,
    take: (entry: Entry, data: Buffer) => Promise<void>,
  ): Promise<readonly Entry[]> {
    const absent: Entry[] = [];
    let arrived = 0;
    for (;;) {
      const next = await nextOrShortfall(members);
      if (next instanceof Shortfall) {
        return [...absent, ...this.#read.items.slice(arrived).map(({ item }) => item)];
      }
      if (next.done === true) return absent;
      this.#runtime.signal.throwIfAborted();
      const { place, data } = next.value;
      arrived++;
      if (data !== undefined && (await matchesHash(streamOf(data), place.item))) {
        await take(place.item, data);
      } else absent.push(place.item);
    }
  }

  async *#members(): AsyncGenerator<Member> {
    const { pack, start, end, items } = this.#read;
    const range = { start, end };
    const source = { address: { key: packKey(pack) }, range, endsThere: false };
    const cursor = new Cursor(start, readRange(this.#registry, source));
    let before: { place: WantedPlace<Entry>; data: Buffer } | undefined;
    try {
      for (const place of items) {
        if (before !== undefined && isSamePlace(before.place, place)) {
          yield { place, data: before.data };
        } else if (place.offset < cursor.position) {
          yield { place, data: undefined };
        } else {
          await cursor.skipTo(place.offset);
          before = { place, data: await cursor.take(place.sizeBytes) };
          yield before;
        }
      }
    } finally {
      await cursor.close();
    }
  }
}

/** A place with its bytes; without any for one that lies across another. */
interface Member {
  readonly place: WantedPlace<Entry>;
  readonly data: Buffer | undefined;
}

function isSamePlace(a: WantedPlace<Entry>, b: WantedPlace<Entry>): boolean {
  return a.offset === b.offset && a.sizeBytes === b.sizeBytes;
}

async function nextOrShortfall<T>(
  iterator: AsyncGenerator<T>,
): Promise<IteratorResult<T> | Shortfall> {
  try {
    return await iterator.next();
  } catch (error) {
    if (error instanceof Shortfall) return error;
    throw error;
  }
}

/** Takes runs of bytes off a stream. */
class Cursor {
  readonly #bytes: AsyncGenerator<Uint8Array>;
  #chunk: Uint8Array = new Uint8Array();
  #position: number;

  constructor(position: number, bytes: AsyncGenerator<Uint8Array>) {
    this.#position = position;
    this.#bytes = bytes;
  }

  /** Where in the pack the next byte lies. */
  get position(): number {
    return this.#position;
  }

  async skipTo(position: number): Promise<void> {
    while (this.#position < position) {
      await this.#fill();
      this.#drop(position - this.#position);
    }
  }

  async take(sizeBytes: number): Promise<Buffer> {
    const data = Buffer.allocUnsafe(sizeBytes);
    let filled = 0;
    while (filled < sizeBytes) {
      await this.#fill();
      filled += this.#drop(sizeBytes - filled, data, filled);
    }
    return data;
  }

  async close(): Promise<void> {
    await this.#bytes.return(undefined);
  }

  async #fill(): Promise<void> {
    while (this.#chunk.length === 0) {
      const next = await this.#bytes.next();
      if (next.done === true) throw new PkgError('integrity', 'a pack ended too early');
      this.#chunk = next.value;
    }
  }

  /** Lets up to `most` bytes go, copied to `into` where that is given, and returns how many. */
  #drop(most: number, into?: Buffer, at = 0): number {
    const part = this.#chunk.subarray(0, most);
    into?.set(part, at);
    this.#chunk = this.#chunk.subarray(part.length);
    this.#position += part.length;
    return part.length;
  }
}

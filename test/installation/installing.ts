/** What tests of installing have in common: registries in folders that count and cut what is read. */
import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type InstallOptions,
  installPackage,
  planPackage,
} from '../../src/installation/install.ts';
import { parseReference } from '../../src/registry/reference.ts';
import type { Runtime } from '../../src/runtime/runtime.ts';
import { DirectoryStorage } from '../../src/storage/directory.ts';
import type { ByteRange, ObjectAddress, ReadObject } from '../../src/storage/storage.ts';
import { openStore } from '../../src/store/store.ts';
import { push } from '../registry/registry-contract.ts';
import { testRuntime } from '../support/runtime.ts';
import { type Files, samplePackage } from '../support/sample-packages.ts';
import { temporaryFolder } from '../support/temporary.ts';

/** A registry in a folder whose network can be broken. */
class WatchedStorage extends DirectoryStorage {
  /** Bytes of objects and packs that were read. */
  readBytes = 0;
  /** Called with that number after each chunk; what it throws breaks the transfer. */
  onRead: (readBytes: number) => void = () => undefined;

  override async read(address: ObjectAddress, range?: ByteRange): Promise<ReadObject | undefined> {
    const found = await super.read(address, range);
    if (found === undefined || !/^(objects|\.pkg\/packs)\//.test(address.key)) return found;
    return { ...found, bytes: this.#watched(found.bytes) };
  }

  async *#watched(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of bytes) {
      this.readBytes += chunk.length;
      yield chunk;
      this.onRead(this.readBytes);
    }
  }
}

type Changes = Partial<InstallOptions> & { reference?: string; runtime?: Runtime };

/** A registry with a package in it, a store, and names for folders to install into. */
export async function withRegistry(files: Files) {
  const root = await temporaryFolder();
  await mkdir(join(root, 'registry'));
  const registry = new WatchedStorage(testRuntime(), join(root, 'registry'));
  const writer = new DirectoryStorage(testRuntime(), join(root, 'registry'));
  await push(writer, samplePackage(files));
  const store = await openStore(join(root, 'store'), Date.now());
  const argumentsOf = (folder: string, changes: Changes) => {
    const { reference = 'user/name', runtime = testRuntime(), ...options } = changes;
    const all = { folder, paths: [], foreignFiles: 'refuse' as const, store, ...options };
    return [runtime, registry, parseReference(reference), all] as const;
  };
  return {
    registry,
    store,
    folder: (name: string) => join(root, 'installed', name),
    pushAgain: async (next: Files) => await push(writer, samplePackage(next)),
    install: async (folder: string, changes: Changes = {}) =>
      await installPackage(...argumentsOf(folder, changes)),
    plan: async (folder: string, changes: Changes = {}) =>
      await planPackage(...argumentsOf(folder, changes)),
  };
}

/** What tells two names of one file. */
export async function inodeOf(path: string): Promise<number> {
  return (await stat(path)).ino;
}

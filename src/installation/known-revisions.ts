/** What the store knows of registries: which revision a reference last named, and the lists of packages. */
import { join } from 'node:path';
import { z } from 'zod';
import { parseJsonl } from '../package/jsonl.ts';
import { isTopHash, type Package, type TopHash } from '../package/package.ts';
import { topHash as topHashOf } from '../package/top-hash.ts';
import { formatReference, type Reference } from '../registry/reference.ts';
import { PkgError, systemErrorCode } from '../runtime/errors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { readTextIfPresent, writeFileAtomic } from '../store/atomic-file.ts';
import { digestOf, fileBytes, isDigest } from '../store/digest.ts';
import type { Store } from '../store/store.ts';
import { listChunks } from './list-chunks.ts';

const revisionSchema = z.object({ topHash: z.string().refine(isTopHash) });
const listSchema = z.object({ registry: z.string(), list: z.string().refine(isDigest) });

/** The knowledge of one registry that a store keeps; lists are objects, the rest small files. */
export class KnownRevisions {
  readonly #store: Store;
  readonly #registry: string;

  /** `registry` is the registry's URL. */
  constructor(store: Store, registry: string) {
    this.#store = store;
    this.#registry = registry;
  }

  /** The top hash that a reference named when it was last looked up. */
  async findRevision(reference: Reference): Promise<TopHash | undefined> {
    const found = await this.#read(this.#revisionName(reference));
    return revisionSchema.safeParse(found).data?.topHash;
  }

  async noteRevision(reference: Reference, topHash: TopHash): Promise<void> {
    if ((await this.findRevision(reference)) === topHash) return;
    await this.#write(this.#revisionName(reference), { topHash });
  }

  /**
   * A package's list, checked; undefined where it is not here. With `anyRegistry`, one that came from
   * elsewhere will do, whose physical keys lead elsewhere too.
   */
  async findList(
    runtime: Runtime,
    topHash: TopHash,
    anyRegistry: boolean,
  ): Promise<Package | undefined> {
    const known = listSchema.safeParse(await this.#read(listName(topHash))).data;
    if (known === undefined || !(anyRegistry || known.registry === this.#registry))
      return undefined;
    const path = this.#store.path(known.list);
    try {
      const pkg = await parseJsonl(fileBytes(path, runtime.signal), path);
      return topHashOf(pkg) === topHash ? pkg : undefined;
    } catch (error) {
      const isAbsent = systemErrorCode(error) === 'ENOENT';
      if (isAbsent || (error instanceof PkgError && error.code === 'integrity')) return undefined;
      throw error;
    }
  }

  async noteList(topHash: TopHash, pkg: Package): Promise<void> {
    const { digest } = await this.#store.put(chunksOf(pkg));
    await this.#write(listName(topHash), { registry: this.#registry, list: digest });
  }

  #revisionName(reference: Reference): string {
    return `revision-${digestOf(JSON.stringify([this.#registry, formatReference(reference)]))}`;
  }

  async #read(name: string): Promise<unknown> {
    const text = await readTextIfPresent(await this.#path(name));
    try {
      return text === undefined ? undefined : JSON.parse(text);
    } catch (error) {
      if (error instanceof SyntaxError) return undefined;
      throw error;
    }
  }

  async #write(name: string, value: object): Promise<void> {
    await writeFileAtomic(await this.#path(name), `${JSON.stringify(value)}\n`);
  }

  async #path(name: string): Promise<string> {
    return join(await this.#store.scratchFolder('index'), `${name}.json`);
  }
}

function listName(topHash: TopHash): string {
  return `list-${topHash}`;
}

async function* chunksOf(pkg: Package): AsyncGenerator<Uint8Array> {
  for (const chunk of listChunks(pkg)) yield await Promise.resolve(chunk);
}

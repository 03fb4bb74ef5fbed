/** The check of what stays in place of copies that a sweep removes. */
import { createHash } from 'node:crypto';
import { objectKey, packKey } from '../objects/layout.ts';
import { DigestSet } from '../packs/digest-set.ts';
import { damaged, MAX_PACK_BYTES } from '../packs/packs.ts';
import { eachLimit } from '../runtime/concurrency.ts';
import { startProgress } from '../runtime/progress.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { Storage } from '../storage/storage.ts';
import { readBounded } from '../storage/whole-content.ts';
import { type Digest, digestOf, finishDigest } from '../store/digest.ts';
import { listLoose } from './survey.ts';

/** Packs are read whole. */
const PACKS_AT_ONCE = 2;
const OBJECTS_AT_ONCE = 8;

/** Checks objects and packs by reading them, each once; packs and objects never change. */
export class CopyChecker {
  readonly #runtime: Runtime;
  readonly #goodPacks = new Set<Digest>();
  readonly #goodObjects = new DigestSet();

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** @throws PkgError `integrity` for the first that is missing or damaged. */
  async checkPacks(registry: Storage, packs: ReadonlySet<Digest>): Promise<void> {
    const unknown = [...packs].filter((pack) => !this.#goodPacks.has(pack));
    if (unknown.length === 0) return;
    const progress = startProgress(this.#runtime, 'check', unknown.length);
    await eachLimit(unknown, PACKS_AT_ONCE, async (pack) => {
      this.#runtime.signal.throwIfAborted();
      const { length: sizeBytes } = await readWholePack(registry, pack);
      this.#goodPacks.add(pack);
      progress.advance({ sizeBytes });
    });
    progress.finish(`${String(unknown.length)} packs checked`);
  }

  /** @throws PkgError `integrity` for the first that is missing or damaged. */
  async checkObjects(registry: Storage, objects: DigestSet): Promise<void> {
    if (objects.size === 0) return;
    const progress = startProgress(this.#runtime, 'check', objects.size);
    await eachLimit(listLoose(registry), OBJECTS_AT_ONCE, async ({ digest, found }) => {
      if (!objects.has(digest) || this.#goodObjects.has(digest)) return;
      await this.#checkObject(registry, digest);
      this.#goodObjects.add(digest);
      progress.advance({ sizeBytes: found.sizeBytes });
    });
    progress.finish(`${String(objects.size)} objects checked`);
  }

  async #checkObject(registry: Storage, digest: Digest): Promise<void> {
    const found = await registry.read({ key: objectKey(digest) });
    if (found === undefined) throw damaged(`object ${digest}`, 'it is missing');
    const hash = createHash('sha256');
    for await (const chunk of found.bytes) {
      this.#runtime.signal.throwIfAborted();
      hash.update(chunk);
    }
    if (finishDigest(hash) !== digest) throw damaged(`object ${digest}`, 'it has other bytes');
  }
}

/**
 * A pack's bytes, checked.
 * @throws PkgError `integrity` where it is missing or damaged.
 */
export async function readWholePack(registry: Storage, pack: Digest): Promise<Buffer> {
  const found = await registry.read({ key: packKey(pack) });
  if (found === undefined) throw damaged(`pack ${pack}`, 'it is missing');
  const data = await readBounded(found.bytes, MAX_PACK_BYTES);
  if (digestOf(data) !== pack) throw damaged(`pack ${pack}`, 'it has other bytes');
  return data;
}

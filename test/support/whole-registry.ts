/** Whether all that a registry shows of a name is whole, whatever happened to pushes. */

import { isTimestamp, LATEST, parsePointerKey, pointerPrefix } from '../../src/objects/layout.ts';
import { EntryReader } from '../../src/objects/objects.ts';
import type { TopHash } from '../../src/package/package.ts';
import { readPackage } from '../../src/registry/lists.ts';
import { readPointer } from '../../src/registry/pointers.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { testRuntime } from './runtime.ts';

export interface ShownRevisions {
  /** The revision of each slot of the history, oldest first. */
  readonly history: readonly TopHash[];
  readonly latest: TopHash | undefined;
}

/**
 * Reads every pointer of a name.
 * @throws Error for whatever is no pointer of a push, and where `latest` is not in the history.
 */
export async function readPointers(storage: Storage, name: string): Promise<ShownRevisions> {
  const history: TopHash[] = [];
  let latest: TopHash | undefined;
  for await (const { key } of storage.list(pointerPrefix(name))) {
    const pointer = parsePointerKey(key)?.pointer ?? '';
    const hash = (await readPointer(storage, name, pointer))?.topHash;
    if (hash === undefined) throw new Error(`${key} is listed and not there`);
    if (isTimestamp(pointer)) history.push(hash);
    else if (pointer === LATEST) latest = hash;
    else throw new Error(`${key} is no pointer of a push`);
  }
  if (latest !== undefined && !history.includes(latest)) {
    throw new Error(`latest is ${latest}, which is not in the history of ${name}`);
  }
  return { history, latest };
}

/**
 * Reads every pointer of a name, every list and every byte behind them.
 * @throws Error for whatever is missing or wrong, and where `latest` is not in the history.
 */
export async function readWhole(storage: Storage, name: string): Promise<ShownRevisions> {
  const shown = await readPointers(storage, name);
  for (const hash of new Set(shown.history)) await readEntries(storage, hash);
  return shown;
}

async function readEntries(storage: Storage, hash: TopHash): Promise<void> {
  const { entries } = await readPackage(storage, hash);
  const left = new Set([...entries].map(({ logicalKey }) => logicalKey));
  const reader = new EntryReader(testRuntime(), storage, undefined);
  await reader.readMany(entries, async (entry, content) => {
    // Buffers were checked; a stream fails at its end where its bytes are others.
    if (!(content instanceof Uint8Array)) for await (const _ of content) continue;
    left.delete(entry.logicalKey);
  });
  if (left.size > 0) throw new Error(`${hash} has no bytes for ${[...left].join(', ')}`);
}

/** The check of a registry's pointers: whether each leads to a revision, and each name has a history. */

import {
  deltaKey,
  isTimestamp,
  LATEST,
  packageKey,
  parsePointerKey,
  pointerKey,
  pointerPrefix,
} from '../objects/layout.ts';
import type { TopHash } from '../package/package.ts';
import { readPointer } from '../registry/pointers.ts';
import { mapLimit } from '../runtime/concurrency.ts';
import type { Storage } from '../storage/storage.ts';
import type { RegistryFinding } from './inspection.ts';
import { unlessDamaged } from './stored-bytes.ts';

const READS_AT_ONCE = 16;

/** The revisions that pointers name. */
export interface NamedRevisions {
  /** For each, the packages that have it, as `user/name@<top hash>`. */
  readonly packages: ReadonlyMap<TopHash, ReadonlySet<string>>;
  /** For each, the pointers that name it. */
  readonly pointers: ReadonlyMap<TopHash, readonly string[]>;
  readonly histories: ReadonlyMap<string, History>;
}

export interface History {
  readonly slots: Set<TopHash>;
  latest: TopHash | undefined;
  isDamaged: boolean;
}

/** Reads all pointers. */
export async function* readNames(
  storage: Storage,
): AsyncGenerator<RegistryFinding, NamedRevisions> {
  const packages = new Map<TopHash, Set<string>>();
  const pointers = new Map<TopHash, string[]>();
  const histories = new Map<string, History>();
  const read = mapLimit(storage.list(pointerPrefix(undefined)), READS_AT_ONCE, async ({ key }) => {
    const parsed = parsePointerKey(key);
    if (parsed === undefined) return { key, parsed };
    const { name, pointer } = parsed;
    return { key, parsed, found: await unlessDamaged(() => readPointer(storage, name, pointer)) };
  });
  for await (const { key, parsed, found } of read) {
    if (parsed === undefined) {
      yield { kind: 'extra', key, why: 'it is no pointer of a package' };
      continue;
    }
    const { name, pointer } = parsed;
    const history = histories.get(name) ?? newHistory();
    histories.set(name, history);
    if ('damage' in found) {
      history.isDamaged = true;
      yield { kind: 'changed', key, why: 'it does not hold a top hash' };
    } else if (found.value !== undefined) {
      const { topHash } = found.value;
      if (pointer === LATEST) history.latest = topHash;
      else if (isTimestamp(pointer)) history.slots.add(topHash);
      note(packages, topHash).add(`${name}@${topHash}`);
      pointers.set(topHash, [...(pointers.get(topHash) ?? []), key]);
    }
  }
  return { packages, pointers, histories };
}

function newHistory(): History {
  return { slots: new Set(), latest: undefined, isDamaged: false };
}

function note<K, V>(sets: Map<K, Set<V>>, key: K): Set<V> {
  const known = sets.get(key) ?? new Set<V>();
  sets.set(key, known);
  return known;
}

/** Names whose `latest` is gone or names no revision; where a pointer is damaged, that is said already. */
export function* checkHistories(
  { histories }: NamedRevisions,
  hasList: (topHash: TopHash) => boolean,
): Generator<RegistryFinding> {
  for (const [name, { slots, latest, isDamaged }] of histories) {
    if (isDamaged || ![...slots].every(hasList)) continue;
    const key = pointerKey(name, LATEST);
    if (latest === undefined) {
      yield { kind: 'missing', key, why: `${name} has revisions, and none is the latest` };
    } else if (!slots.has(latest) && hasList(latest)) {
      const why = `it names ${latest}, which is not in the history of ${name}`;
      yield { kind: 'broken', key, why, packages: [`${name}@${latest}`] };
    }
  }
}

/** Pointers to a revision whose list is not there, and that list. */
export function* lostList(named: NamedRevisions, topHash: TopHash): Generator<RegistryFinding> {
  const packages = [...(named.packages.get(topHash) ?? [])].sort();
  const pointers = named.pointers.get(topHash) ?? [];
  const key = packageKey(topHash);
  const delta = `and there is no delta ${deltaKey(topHash)} either`;
  yield { kind: 'missing', key, why: `${pointers.join(', ')} names it, ${delta}`, packages };
  for (const pointer of pointers) {
    const why = `it names ${topHash}, whose list is not there`;
    yield { kind: 'broken', key: pointer, why, packages };
  }
}

/** The removal of lineages whose revisions are gone, and of what merged ones say of such. */
import { decodeLineage, lineageOfSome } from '../lineage/decode-lineage.ts';
import { encodeLineage } from '../lineage/encode-lineage.ts';
import type { Lineage } from '../lineage/lineage.ts';
import { readLineageBytes } from '../lineage/lineage-file.ts';
import { LINEAGE_PREFIX, mergedLineageKey, parseLineageKey } from '../objects/layout.ts';
import type { TopHash } from '../package/package.ts';
import { PkgError } from '../runtime/errors.ts';
import { ALWAYS, type ListedObject, type Storage } from '../storage/storage.ts';
import { uploadOf } from '../storage/whole-content.ts';
import { digestOf } from '../store/digest.ts';
import type { Remover } from './remover.ts';
import type { Survey } from './survey.ts';

interface LineageRemoval {
  readonly registry: Storage;
  readonly remover: Remover;
  readonly survey: Survey;
}

/** Drops what is told of revisions that have no list in `lists`; what is young stays. */
export async function dropLineages(
  { registry, remover, survey }: LineageRemoval,
  lists: ReadonlySet<TopHash>,
): Promise<void> {
  const merged: ListedObject[] = [];
  for await (const found of registry.list(LINEAGE_PREFIX)) {
    const name = parseLineageKey(found.key);
    const isTaken = name === undefined || survey.reach.keys.has(found.key);
    if (isTaken || found.modifiedMs > survey.cutoffMs) continue;
    if ('digest' in name) merged.push(found);
    else if (!lists.has(name.topHash)) await remover.drop('lineages', found);
  }
  for (const found of merged) {
    const lineage = await readSound(registry, found.key);
    if (lineage?.revisions.every(({ topHash }) => lists.has(topHash)) !== false) continue;
    const rest = lineageOfSome(lineage, (topHash) => lists.has(topHash));
    if (rest !== undefined && remover.mode === 'remove') {
      const data = encodeLineage(rest);
      await registry.write(mergedLineageKey(digestOf(data)), await uploadOf(data), ALWAYS);
    }
    await remover.drop('lineages', found);
  }
  await remover.flush();
}

/** A damaged lineage is left to the check of the registry, and to whoever makes it again. */
async function readSound(registry: Storage, key: string): Promise<Lineage | undefined> {
  try {
    const bytes = await readLineageBytes(registry, key);
    return bytes === undefined ? undefined : decodeLineage(bytes);
  } catch (error) {
    if (error instanceof PkgError && error.code === 'integrity') return undefined;
    throw error;
  }
}

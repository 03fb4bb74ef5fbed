/** The source tables of a lockfile, as files on this disk and as a tree. */
import { namedSources } from '../lockfile/drift.ts';
import type { PinnedSource, PinnedSources } from '../lockfile/lockfile.ts';
import { openPinnedSource, type ResolveContext } from '../lockfile/resolve.ts';
import type { QuerySources, SourceTable } from '../steps/query.ts';
import { type Tree, treeOf } from '../store/tree.ts';

/**
 * The pinned tables, fetched again where the store lacks them.
 * @throws PkgError `lockfile` where a source now holds other bytes.
 */
export async function openSources(
  context: ResolveContext,
  folder: string,
  sources: PinnedSources,
): Promise<QuerySources> {
  const open = async (pinned: PinnedSource): Promise<SourceTable> => {
    const { digest, sizeBytes, path } = await openPinnedSource(context, folder, pinned);
    return { digest, sizeBytes, path, name: pinned.url };
  };
  const openAll = async (list: readonly PinnedSource[]): Promise<readonly SourceTable[]> => {
    const tables: SourceTable[] = [];
    for (const pinned of list) tables.push(await open(pinned));
    return tables;
  };
  return {
    classes: await open(sources.classes),
    boxes: await openAll(sources.boxes),
    images: await openAll(sources.images),
    hierarchy: sources.hierarchy === undefined ? undefined : await open(sources.hierarchy),
  };
}

/** The pinned tables by the names that messages use, for the key of the first step. */
export function sourceTree(sources: PinnedSources): Tree {
  return treeOf(
    [...namedSources(sources)].map(([path, { digest, sizeBytes }]) => ({
      path,
      digest,
      sizeBytes,
    })),
  );
}

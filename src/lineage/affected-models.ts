/** Which models photos went into: trained or judged on them, or based on what was. */
import type { TopHash } from '../package/package.ts';
import type { ModelUse, SplitCounts } from './impact.ts';
import { NO_CROPS } from './impact.ts';
import type { LineageBase, LineageRevision } from './lineage.ts';
import type { RevisionHits } from './look-up.ts';

export interface ModelReach {
  readonly topHash: TopHash;
  readonly use: ModelUse;
  readonly crops: SplitCounts;
  /** Packages in between, from the one that has the photos on, as `name@<top hash>`. */
  readonly via: readonly string[];
}

/**
 * The models that photos reach. Who builds on data by its top hash has the photos in tables of its own;
 * where such tables lack them, they were left out, and the model has not seen them.
 */
export function reachedModels(
  revisions: ReadonlyMap<TopHash, LineageRevision>,
  hits: ReadonlyMap<TopHash, RevisionHits>,
): readonly ModelReach[] {
  const reached = new Map<TopHash, ModelReach>();
  for (const [topHash, { revision, crops }] of hits) {
    if (!revision.hasModel) continue;
    const isJudged = crops.validation + crops.test > 0;
    const use = crops.train > 0 ? 'trained' : isJudged ? 'judged' : undefined;
    if (use !== undefined) reached.set(topHash, { topHash, use, crops, via: [] });
  }
  followBases(revisions, hits, reached);
  return [...reached.values()];
}

/** Goes from each model that has learnt of the photos to those that are based on it. */
function followBases(
  revisions: ReadonlyMap<TopHash, LineageRevision>,
  hits: ReadonlyMap<TopHash, RevisionHits>,
  reached: Map<TopHash, ModelReach>,
): void {
  const dependents = dependentsOf(revisions);
  const waiting = [...hits.keys()].map((topHash) => ({ topHash, via: new Array<string>() }));
  const seen = new Set<TopHash>();
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    if (seen.has(next.topHash)) continue;
    seen.add(next.topHash);
    for (const { revision, base } of dependents.get(next.topHash) ?? []) {
      if (!passesOn(base, revision, next.topHash, { hits, reached })) continue;
      const via = [...next.via, `${base.name}@${base.topHash}`];
      const known = reached.get(revision.topHash);
      if (revision.hasModel && (known === undefined || known.use === 'judged')) {
        const crops = known?.crops ?? NO_CROPS;
        reached.set(revision.topHash, { topHash: revision.topHash, use: 'based', crops, via });
      }
      waiting.push({ topHash: revision.topHash, via });
    }
  }
}

interface Dependent {
  readonly revision: LineageRevision;
  readonly base: LineageBase;
}

function dependentsOf(
  revisions: ReadonlyMap<TopHash, LineageRevision>,
): ReadonlyMap<TopHash, readonly Dependent[]> {
  const dependents = new Map<TopHash, Dependent[]>();
  for (const revision of revisions.values()) {
    for (const base of revision.bases) {
      const own = dependents.get(base.topHash);
      if (own === undefined) dependents.set(base.topHash, [{ revision, base }]);
      else own.push({ revision, base });
    }
  }
  return dependents;
}

/** A model hands on what it was trained on or based on itself; data, what it holds. */
function passesOn(
  base: LineageBase,
  revision: LineageRevision,
  from: TopHash,
  {
    hits,
    reached,
  }: {
    readonly hits: ReadonlyMap<TopHash, RevisionHits>;
    readonly reached: ReadonlyMap<TopHash, ModelReach>;
  },
): boolean {
  if (base.use === 'model') {
    const use = reached.get(from)?.use;
    return use === 'trained' || use === 'based';
  }
  return hits.has(from) && !revision.hasPhotos;
}

/** Impact: what in a registry holds a photo, or was made of it. */
import type { TopHash } from '../package/package.ts';
import type { SPLITS, TermKind } from './lineage.ts';

/** How many crops are in which split; `none` of them in one that is not known. */
export type SplitCounts = Readonly<Record<(typeof SPLITS)[number] | 'none', number>>;

/** What a question matched. */
export interface ImpactMatch {
  readonly kinds: readonly TermKind[];
  /** The licences that it stands for, as the tables spell them. */
  readonly licences: readonly string[];
}

/** A revision that holds what was asked for, under one of its names. */
export interface AffectedRevision {
  readonly name: string;
  readonly topHash: TopHash;
  readonly isNewest: boolean;
  /** When it was pushed, in seconds since the epoch. */
  readonly pushedSeconds: number;
  readonly tags: readonly string[];
  readonly photos: number;
  /** ImageIDs and logical keys of crops, the first of them; counts are of all. */
  readonly imageIds: readonly string[];
  readonly crops: SplitCounts;
  readonly cropKeys: readonly string[];
  /** Whether that was read out of the lineage beside it, which is a claim, or out of its own tables. */
  readonly by: 'lineage' | 'tables';
}

/**
 * What a model has to do with the photos: it was `trained` on crops of them; only `judged` by them, in
 * the validation or test split; or is `based` on a model or data that was trained on or holds them.
 */
export type ModelUse = 'trained' | 'judged' | 'based';

export interface AffectedModel {
  readonly name: string;
  readonly topHash: TopHash;
  readonly isNewest: boolean;
  readonly use: ModelUse;
  readonly crops: SplitCounts;
  /** For `based`: the packages in between, from the one that has the photos on, as `name@<top hash>`. */
  readonly via: readonly string[];
}

export interface Impact {
  readonly query: string;
  readonly registry: string;
  readonly matched: ImpactMatch;
  /** How many different photos. */
  readonly photos: number;
  /** By name, then newest first. */
  readonly revisions: readonly AffectedRevision[];
  readonly models: readonly AffectedModel[];
  /** How many revisions there are, and of how many the tables were read for want of a lineage. */
  readonly looked: { readonly revisions: number; readonly byTables: number };
  /** Revisions and pointers of which it is not known whether they hold it, and why, a sentence each. */
  readonly unknown: readonly string[];
  readonly notes: readonly string[];
}

export const NO_CROPS: SplitCounts = { train: 0, validation: 0, test: 0, none: 0 };

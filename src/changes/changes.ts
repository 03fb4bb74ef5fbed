/** Changes: what differs between two lockfiles, in sentences, and what follows of it. */

/** What a change is about, in the order in which they are told. */
export const LOCK_SECTIONS = [
  'package',
  'sources',
  'query',
  'fetch',
  'crop',
  'split',
  'model',
  'seed',
  'bases',
  'code',
  'environment',
  'toolchain',
  'record',
  'manifest',
] as const;

export type LockSection = (typeof LOCK_SECTIONS)[number];

/** The steps that a lockfile can ask for, in the order in which they run. */
export const LOCKED_STEPS = [
  'query',
  'exclude',
  'dataset',
  'fetch',
  'crop',
  'split',
  'examples',
  'train',
  'evaluate',
  'summarize',
] as const;

export type LockedStep = (typeof LOCKED_STEPS)[number];

/** One difference between two lockfiles. */
export interface LockChange {
  readonly section: LockSection;
  /** Such as `the query now also selects Hot dog`. */
  readonly sentence: string;
  /** What follows for the package, such as `every crop and the model will change`. */
  readonly effect: string;
  /**
   * The steps of the second lockfile that run again, in order. All but the first are taken from the cache where
   * they happen to be given the same.
   */
  readonly steps: readonly LockedStep[];
}

/** A sentence, and the steps whose keys it changes. */
export interface Finding {
  readonly section: LockSection;
  readonly sentence: string;
  readonly roots: readonly LockedStep[];
  /** In place of what the steps do, where there is something better to say. */
  readonly effect?: string | undefined;
}

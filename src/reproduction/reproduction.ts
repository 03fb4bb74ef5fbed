/** A reproduction: what doing a package's work again says of it. */
import type { EnvironmentFinding } from '../environment/environment.ts';
import type { TopHash } from '../package/package.ts';

/** A stretch of a training that was done again. */
export interface Segment {
  /** Updates done before and after it. */
  readonly from: number;
  readonly to: number;
  readonly verdict: 'same' | 'differs';
}

export interface SpotCheck {
  readonly name: string;
  readonly topHash: TopHash;
  /** Segments in the whole training; those below were drawn from them. */
  readonly segments: number;
  readonly checked: readonly Segment[];
  /** Whether the weights are those of the training; `unknown` where no segment leads up to them. */
  readonly weights: 'same' | 'differ' | 'unknown';
  /** What was found to be false, a sentence each; empty where all that was looked at is true. */
  readonly findings: readonly string[];
  readonly proved: boolean;
}

/** Files of one kind, those below one top folder, by what a rebuild says of them. */
export interface KindTally {
  /** `images`, `models` and the like; empty for files that stand in no folder. */
  readonly kind: string;
  readonly same: number;
  readonly differs: number;
  /** Published, and not made again. */
  readonly missing: number;
  /** Made, and not published. */
  readonly extra: number;
}

export interface EntryDifference {
  readonly logicalKey: string;
  readonly kind: 'differs' | 'missing' | 'extra';
}

/** A step as it was done again. */
export interface StepVerdict {
  readonly name: string;
  /** `recorded`: not run, its published output was taken; `unknown`: the package does not say what it gave. */
  readonly verdict: 'same' | 'differs' | 'recorded' | 'unknown';
  readonly seconds: number;
  /** Why it differs, may differ, or was not run. */
  readonly why?: string;
}

/** Two versions of a package whose numbers agree within a tolerance. */
export interface Agreement {
  readonly tolerance: number;
  readonly isWithin: boolean;
  /** The largest absolute difference of two numbers, and the file it is in. */
  readonly largest: number;
  readonly in: string;
  /** Files that differ and hold no numbers that could be compared. */
  readonly notCompared: readonly string[];
}

export interface Reproduction {
  readonly name: string;
  /** Of the published package. */
  readonly topHash: TopHash;
  /** The folder or registry. */
  readonly where: string;
  /** Of the rebuilt package; of data alone there is none. */
  readonly rebuilt?: TopHash;
  readonly scope: 'all' | 'data';
  readonly files: readonly KindTally[];
  readonly differences: readonly EntryDifference[];
  readonly steps: readonly StepVerdict[];
  /** The first step whose output differs. */
  readonly firstDifference?: { readonly step?: string; readonly logicalKey?: string };
  readonly environment: readonly EnvironmentFinding[];
  /** Whether all parts of the toolchain are those that the lockfile pins. */
  readonly toolchainSame: boolean;
  /** What of the sources is not any more what it was, a sentence each; only where they were asked. */
  readonly sources?: readonly string[];
  /** What else there is to know, a sentence each. */
  readonly notes: readonly string[];
  readonly agreement?: Agreement;
  readonly reproduced: boolean;
}

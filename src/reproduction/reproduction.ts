/** A reproduction: what doing a package's work again says of it. */
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

/** An engine: something that trains a network and predicts with it, batch by batch. */
import type { Network, Weights } from './classifier.ts';

export type Loss = 'binaryCrossentropy' | 'categoricalCrossentropy';

/** An optimizer with all its settings but the learning rate; names and meanings are Keras'. */
export type Optimizer =
  | {
      readonly kind: 'rmsprop';
      readonly rho: number;
      readonly momentum: number;
      readonly epsilon: number;
    }
  | { readonly kind: 'sgd'; readonly momentum: number; readonly nesterov: boolean }
  | {
      readonly kind: 'adam';
      readonly beta1: number;
      readonly beta2: number;
      readonly epsilon: number;
    };

/** Some examples to train on or to predict. */
export interface Batch {
  readonly count: number;
  /** Pixels of 8 bits: [count, height, width, channels]. */
  readonly pixels: Uint8Array;
  /** Indices of classes: [count]. */
  readonly labels: Int32Array;
}

export interface TrainingBatch extends Batch {
  /** How much each example counts: [count]. */
  readonly exampleWeights: Float32Array;
  /** Affine maps from output to input pixels, [count, 2, 3]; undefined where nothing is warped. */
  readonly transforms: Float64Array | undefined;
  readonly learningRate: number;
  /** Which update this is, from 0; what dropout drops is drawn by it. */
  readonly iteration: number;
}

export interface BatchResult {
  /** Sum of the examples' losses, each times its weight. */
  readonly lossSum: number;
  /** How many examples got the right class. */
  readonly right: number;
}

export interface PredictedBatch extends BatchResult {
  /** [count, units of the last layer]. */
  readonly probabilities: Float32Array;
}

export interface Engine {
  readonly network: Network;
  /** Examples a batch may have. */
  readonly batchSize: number;
  /**
   * One update of the weights.
   * @throws PkgError `manifest` where a number stops being finite; the layer is named.
   */
  train(batch: TrainingBatch): BatchResult;
  predict(batch: Batch): PredictedBatch;
  readWeights(): Weights;
  writeWeights(weights: Weights): void;
  /** Weights and the optimizer's memory as they are; for the same engine, network and optimizer. */
  readState(): Uint8Array;
  writeState(state: Uint8Array): void;
  close(): Promise<void>;
}

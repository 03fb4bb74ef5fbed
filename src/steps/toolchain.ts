/** The toolchain: versions of everything that decides a hashed byte, by the step that uses it. */

import { KERNELS_DIGEST } from '../engine/kernels-digest.ts';
import { SHARP_VERSION } from '../images/sharp.ts';
import type { ModelParams } from '../manifest/model.ts';
import { H5WASM_VERSION } from '../models/keras.ts';
import { DUCKDB_VERSION } from '../openimages/sql.ts';
import type { StepName, StepSpec } from './step.ts';

/**
 * Raised when a step gives other bytes for the same inputs and parameters; everything built by the
 * step before is then built again.
 */
const STEP_VERSIONS: Readonly<Record<StepName, string>> = {
  query: '1',
  exclude: '1',
  dataset: '1',
  fetch: '1',
  crop: '1',
  split: '1',
  examples: '1',
  train: '1',
  evaluate: '1',
  summarize: '2',
};

const LIBRARIES: Readonly<Record<StepName, Readonly<Record<string, string>>>> = {
  query: { duckdb: DUCKDB_VERSION },
  exclude: {},
  dataset: {},
  fetch: { sharp: SHARP_VERSION },
  crop: { sharp: SHARP_VERSION },
  split: {},
  examples: { sharp: SHARP_VERSION },
  train: { kernels: KERNELS_DIGEST, h5wasm: H5WASM_VERSION },
  evaluate: { kernels: KERNELS_DIGEST, sharp: SHARP_VERSION },
  summarize: { sharp: SHARP_VERSION },
};

/** The version of TensorFlow.js, which trains what the deterministic engine has no kernels for. */
const TFJS_VERSION = '4.22.0';

/** What trains where the deterministic engine does not; its kernels warp the examples all the same. */
const TENSORFLOW_TRAINING = {
  train: STEP_VERSIONS.train,
  ...LIBRARIES.train,
  tfjs: TFJS_VERSION,
};

/** The parts of the toolchain that one step's result depends on. */
export function toolchainOf(step: StepName): Readonly<Record<string, string>> {
  return { [step]: STEP_VERSIONS[step], ...LIBRARIES[step] };
}

/** The parts of the toolchain that the result of a step with these parameters depends on. */
export function toolchainOfSpec(spec: StepSpec): Readonly<Record<string, string>> {
  const engine = spec.name === 'train' ? spec.params.engine : 'deterministic';
  return toolchainWith(spec.name, engine);
}

function toolchainWith(step: StepName, engine: ModelParams['engine'] | undefined) {
  return step === 'train' && engine === 'tensorflow' ? TENSORFLOW_TRAINING : toolchainOf(step);
}

/** The toolchain of the given steps, as a lockfile pins it: steps first, then libraries. */
export function toolchainFor(
  steps: readonly StepName[],
  engine: ModelParams['engine'] | undefined,
): Readonly<Record<string, string>> {
  const parts = Object.fromEntries(
    steps.flatMap((step) => Object.entries(toolchainWith(step, engine))),
  );
  return Object.fromEntries([
    ...Object.keys(STEP_VERSIONS).flatMap((name) => pick(parts, name)),
    ...LIBRARY_NAMES.flatMap((name) => pick(parts, name)),
  ]);
}

const LIBRARY_NAMES = ['duckdb', 'sharp', 'kernels', 'h5wasm', 'tfjs'];

function pick(parts: Readonly<Record<string, string>>, name: string) {
  const version = parts[name];
  return version === undefined ? [] : [[name, version] as const];
}

/** The toolchain: versions of everything that decides a hashed byte, by the step that uses it. */

import { KERNELS_DIGEST } from '../engine/kernels-digest.ts';
import { SHARP_VERSION } from '../images/sharp.ts';
import { H5WASM_VERSION } from '../models/keras.ts';
import { DUCKDB_VERSION } from '../openimages/sql.ts';
import type { StepName } from './step.ts';

/**
 * Raised when a step gives other bytes for the same inputs and parameters; everything built by the
 * step before is then built again.
 */
const STEP_VERSIONS: Readonly<Record<StepName, string>> = {
  query: '1',
  fetch: '1',
  crop: '1',
  split: '1',
  examples: '1',
  train: '1',
  evaluate: '1',
  summarize: '1',
};

const LIBRARIES: Readonly<Record<StepName, Readonly<Record<string, string>>>> = {
  query: { duckdb: DUCKDB_VERSION },
  fetch: { sharp: SHARP_VERSION },
  crop: { sharp: SHARP_VERSION },
  split: {},
  examples: { sharp: SHARP_VERSION },
  train: { kernels: KERNELS_DIGEST, h5wasm: H5WASM_VERSION },
  evaluate: { kernels: KERNELS_DIGEST, sharp: SHARP_VERSION },
  summarize: { sharp: SHARP_VERSION },
};

/** The parts of the toolchain that one step's result depends on. */
export function toolchainOf(step: StepName): Readonly<Record<string, string>> {
  return { [step]: STEP_VERSIONS[step], ...LIBRARIES[step] };
}

/** The whole toolchain, as a lockfile pins it. */
export function currentToolchain(): Readonly<Record<string, string>> {
  return {
    ...STEP_VERSIONS,
    duckdb: DUCKDB_VERSION,
    sharp: SHARP_VERSION,
    kernels: KERNELS_DIGEST,
    h5wasm: H5WASM_VERSION,
  };
}

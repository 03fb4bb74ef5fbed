/** The plan: which steps a manifest asks for, in order, and where each takes its inputs from. */
import type { Manifest } from '../manifest/manifest.ts';
import { invariant } from '../runtime/errors.ts';
import type { StepName, StepSpec } from '../steps/step.ts';

/** An output of an earlier step. */
export interface OutputRef {
  readonly step: StepName;
  readonly output: string;
}

export interface PlannedStep {
  readonly spec: StepSpec;
  readonly inputs: Readonly<Record<string, OutputRef>>;
}

/** A step that a manifest asks for and that this version has no code for. */
export interface UnavailableStep {
  readonly name: 'train' | 'evaluate';
}

export interface Plan {
  readonly steps: readonly PlannedStep[];
  /** After `split`, before `summarize`; they give `models/`. */
  readonly unavailable: readonly UnavailableStep[];
}

const SELECTION: OutputRef = { step: 'query', output: 'selection' };
const IMAGES: OutputRef = { step: 'fetch', output: 'images' };
const PHOTOS: OutputRef = { step: 'fetch', output: 'photos' };
const TABLES: OutputRef = { step: 'crop', output: 'tables' };
const CROPS_TABLE: OutputRef = { step: 'split', output: 'crops' };

/** Plans the steps of a manifest; pure. */
export function planSteps(manifest: Manifest): Plan {
  const { data, seed, name, description, license } = manifest;
  invariant(data.source !== undefined && data.query !== undefined, 'a plan needs a source');
  const { maxBytes, changed, from } = data.fetch;
  return {
    steps: [
      { spec: { name: 'query', params: { ...data.query, seed } }, inputs: {} },
      {
        spec: { name: 'fetch', params: { maxBytes, changed, from, tables: data.source.images } },
        inputs: { selection: SELECTION },
      },
      {
        spec: { name: 'crop', params: { ...data.crop, changed } },
        inputs: { selection: SELECTION, images: IMAGES, photos: PHOTOS },
      },
      { spec: { name: 'split', params: { ...data.split, seed } }, inputs: { tables: TABLES } },
      {
        spec: { name: 'summarize', params: { name, description, license, seed } },
        inputs: { selection: SELECTION, images: IMAGES, crops: CROPS_TABLE },
      },
    ],
    unavailable: manifest.model === undefined ? [] : [{ name: 'train' }, { name: 'evaluate' }],
  };
}

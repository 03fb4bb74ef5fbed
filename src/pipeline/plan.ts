/** The plan: which steps a manifest asks for, in order, and where each takes its inputs from. */
import type { Manifest } from '../manifest/manifest.ts';
import type { ModelParams } from '../manifest/model.ts';
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
  /** What is lacking, for a sentence. */
  readonly why: string;
}

export interface Plan {
  readonly steps: readonly PlannedStep[];
  readonly unavailable: readonly UnavailableStep[];
}

const SELECTION: OutputRef = { step: 'query', output: 'selection' };
const IMAGES: OutputRef = { step: 'fetch', output: 'images' };
const PHOTOS: OutputRef = { step: 'fetch', output: 'photos' };
const TABLES: OutputRef = { step: 'crop', output: 'tables' };
const CROPS: OutputRef = { step: 'crop', output: 'crops' };
const CROPS_TABLE: OutputRef = { step: 'split', output: 'crops' };
const EXAMPLES: OutputRef = { step: 'examples', output: 'examples' };
const MODEL: OutputRef = { step: 'train', output: 'model' };

/** Plans the steps of a manifest; pure. */
export function planSteps(manifest: Manifest): Plan {
  const { data, seed, name, description, license, model } = manifest;
  invariant(data.source !== undefined && data.query !== undefined, 'a plan needs a source');
  const { maxBytes, changed, from } = data.fetch;
  const trains = model?.engine === 'deterministic';
  const engine = trains ? model.engine : undefined;
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
      ...(trains ? modelSteps(model, seed) : []),
      {
        spec: { name: 'summarize', params: { name, description, license, seed, engine } },
        inputs: { selection: SELECTION, images: IMAGES, crops: CROPS_TABLE },
      },
    ],
    unavailable: model === undefined || trains ? [] : UNAVAILABLE,
  };
}

/** What another engine would do. */
const UNAVAILABLE: readonly UnavailableStep[] = (['train', 'evaluate'] as const).map((name) => ({
  name,
  why: 'this version has only engine: deterministic',
}));

/** From crops to a classifier that is judged. */
function modelSteps(model: ModelParams, seed: number): readonly PlannedStep[] {
  return [
    {
      spec: { name: 'examples', params: model.input },
      inputs: { crops: CROPS, table: CROPS_TABLE },
    },
    {
      spec: { name: 'train', params: { ...model, seed } },
      inputs: { examples: EXAMPLES, crops: CROPS },
    },
    {
      spec: { name: 'evaluate', params: {} },
      inputs: { model: MODEL, examples: EXAMPLES, crops: CROPS },
    },
  ];
}

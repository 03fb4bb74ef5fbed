/** The plan: which steps a manifest asks for, in order, and where each takes its inputs from. */
import type { Manifest } from '../manifest/manifest.ts';
import type { ModelParams } from '../manifest/model.ts';
import { invariant } from '../runtime/errors.ts';
import type { StepName, StepSpec } from '../steps/step.ts';
import type { Tree } from '../store/tree.ts';
import type { FurtherPart } from '../summaries/summaries.ts';

/** An output of an earlier step. */
export interface OutputRef {
  readonly step: StepName;
  readonly output: string;
}

/** Something a build is given from outside, pinned by the lockfile. */
export interface GivenRef {
  readonly given: 'sources' | 'data' | 'base' | 'code';
}

export interface PlannedStep {
  readonly spec: StepSpec;
  readonly inputs: Readonly<Record<string, OutputRef | GivenRef>>;
}

/** The trees that a build is given, by their names; their bytes need not be in the store. */
export type Given = Readonly<Partial<Record<GivenRef['given'], Tree>>>;

/** Where later steps find what a data set is made of. */
interface DataRefs {
  readonly selection: OutputRef;
  readonly images: OutputRef;
  readonly photos: OutputRef;
  readonly crops: OutputRef;
  /** `crops.csv` with its splits. */
  readonly table: OutputRef;
}

export interface DataPlan {
  readonly steps: readonly PlannedStep[];
  readonly refs: DataRefs;
}

export interface PlanOptions {
  /** Images that are left out of the selection, by ImageID or author. */
  readonly without: readonly string[];
  /** The input of the network that a model is built upon, where there is one. */
  readonly baseInput: ModelParams['input'];
}

/** The names of the steps of a manifest, in order. */
export function stepNames(manifest: Manifest): readonly StepName[] {
  return [
    ...planData(manifest, []).steps.map(({ spec }) => spec.name),
    ...(manifest.model === undefined ? [] : (['examples', 'train', 'evaluate'] as const)),
    'summarize',
  ];
}

/** Plans the steps of a manifest; pure. */
export function planSteps(manifest: Manifest, { without, baseInput }: PlanOptions): DataPlan {
  const { seed, name, description, license, model } = manifest;
  const { steps, refs } = planData(manifest, without);
  const { selection, images, table } = refs;
  return {
    steps: [
      ...steps,
      ...(model === undefined ? [] : modelSteps(model, { seed, baseInput }, refs)),
      {
        spec: {
          name: 'summarize',
          params: {
            ...{ name, description, license, seed },
            ...{ engine: model?.engine, holds: partsOf(manifest) },
          },
        },
        inputs: { selection, images, crops: table },
      },
    ],
    refs,
  };
}

function partsOf({ code, environment, model }: Manifest): readonly FurtherPart[] | undefined {
  const parts: FurtherPart[] = [];
  if (model?.base !== undefined) parts.push('base');
  if (code !== undefined) parts.push('code');
  const { lockfile, dockerfile } = environment ?? {};
  if (lockfile !== undefined || dockerfile !== undefined) parts.push('environment');
  return parts.length === 0 ? undefined : parts;
}

/** The steps that make a manifest's data set, without what is made of it. */
export function planData(manifest: Manifest, without: readonly string[]): DataPlan {
  const { data, seed } = manifest;
  if (data.source === undefined) return DATASET;
  invariant(data.query !== undefined, 'a source has a query');
  const { maxBytes, changed, from } = data.fetch;
  const isPartial = without.length > 0;
  const selection: OutputRef = { step: isPartial ? 'exclude' : 'query', output: 'selection' };
  const images: OutputRef = { step: 'fetch', output: 'images' };
  const photos: OutputRef = { step: 'fetch', output: 'photos' };
  const queried: OutputRef = { step: 'query', output: 'selection' };
  const steps: readonly PlannedStep[] = [
    {
      spec: { name: 'query', params: { ...data.query, seed } },
      inputs: { sources: { given: 'sources' } },
    },
    ...(isPartial
      ? [
          {
            spec: { name: 'exclude', params: { without } },
            inputs: { selection: queried },
          } as const,
        ]
      : []),
    {
      spec: { name: 'fetch', params: { maxBytes, changed, from, tables: data.source.images } },
      inputs: { selection },
    },
    {
      spec: { name: 'crop', params: { ...data.crop, changed } },
      inputs: { selection, images, photos },
    },
    {
      spec: { name: 'split', params: { ...data.split, seed } },
      inputs: { tables: { step: 'crop', output: 'tables' } },
    },
  ];
  const crops: OutputRef = { step: 'crop', output: 'crops' };
  const table: OutputRef = { step: 'split', output: 'crops' };
  return { steps, refs: { selection, images, photos, crops, table } };
}

/** The data of a package that is there already. */
const DATASET: DataPlan = {
  steps: [{ spec: { name: 'dataset', params: {} }, inputs: { data: { given: 'data' } } }],
  refs: {
    selection: { step: 'dataset', output: 'selection' },
    images: { step: 'dataset', output: 'images' },
    photos: { step: 'dataset', output: 'photos' },
    crops: { step: 'dataset', output: 'crops' },
    table: { step: 'dataset', output: 'table' },
  },
};

/** From crops to a classifier that is judged. */
function modelSteps(
  model: ModelParams,
  { seed, baseInput }: { readonly seed: number } & Pick<PlanOptions, 'baseInput'>,
  { crops, table }: DataRefs,
): readonly PlannedStep[] {
  const input = model.input ?? baseInput;
  invariant(input !== undefined, 'a network has an input');
  const examples: OutputRef = { step: 'examples', output: 'examples' };
  return [
    { spec: { name: 'examples', params: input }, inputs: { crops, table } },
    {
      spec: { name: 'train', params: { ...model, seed } },
      inputs: {
        examples,
        crops,
        ...(model.base === undefined ? {} : { base: { given: 'base' } as const }),
        ...(model.entry === undefined ? {} : { code: { given: 'code' } as const }),
      },
    },
    {
      spec: { name: 'evaluate', params: {} },
      inputs: {
        ...{ model: { step: 'train', output: 'model' } as const, examples, crops },
        ...(model.engine === 'tensorflow'
          ? { predictions: { step: 'train', output: 'predictions' } as const }
          : {}),
      },
    },
  ];
}

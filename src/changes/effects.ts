/** What follows of a change of a lockfile: which steps run again, and what becomes of crops and model. */
import type { Lockfile } from '../lockfile/lockfile.ts';
import type { Json } from '../store/canonical-json.ts';
import { LOCKED_STEPS, type LockedStep } from './changes.ts';

/** Which steps take an output of a step. */
const TAKEN_BY: Readonly<Record<LockedStep, readonly LockedStep[]>> = {
  query: ['exclude', 'fetch', 'crop', 'summarize'],
  exclude: ['fetch', 'crop', 'summarize'],
  dataset: ['examples', 'train', 'evaluate', 'summarize'],
  fetch: ['crop', 'summarize'],
  crop: ['split', 'examples', 'train', 'evaluate'],
  split: ['examples', 'summarize'],
  examples: ['train', 'evaluate'],
  train: ['evaluate'],
  evaluate: [],
  summarize: [],
};

/** Which steps a library's version is part of the key of. */
const LIBRARY_STEPS: ReadonlyMap<string, readonly LockedStep[]> = new Map([
  ['duckdb', ['query']],
  ['sharp', ['fetch', 'crop', 'examples', 'evaluate', 'summarize']],
  ['kernels', ['train', 'evaluate']],
  ['h5wasm', ['train']],
]);

/** What a step that runs again does to a package, for a reader; the first of these that runs says it. */
const CONSEQUENCES: Readonly<Record<LockedStep, readonly [withModel: string, without: string]>> = {
  query: [
    'photos are selected anew, and crops and model follow',
    'photos are selected anew, and crops follow',
  ],
  exclude: [
    'other photos are left out, and crops and model follow',
    'other photos are left out, and crops follow',
  ],
  dataset: ['the data set is another, and the model follows', 'the data set is another'],
  fetch: ['other photos, crops and model may come of it', 'other photos and crops may come of it'],
  crop: ['every crop and the model will change', 'every crop will change'],
  split: [
    'photos may move between the splits, and the model will change',
    'photos may move between the splits',
  ],
  examples: ['the model will change', ''],
  train: ['the model will change, no crop does', ''],
  evaluate: ['the model is judged anew', ''],
  summarize: [
    'only the data card and the summaries are written anew',
    'only the data card and the summaries are written anew',
  ],
};

/** The steps of a lockfile, in order. */
export function stepsOf({ parameters }: Lockfile): readonly LockedStep[] {
  const has = (key: string) => Object.hasOwn(parameters, key);
  const data: readonly LockedStep[] = has('package')
    ? ['dataset']
    : ['query', ...(has('without') ? (['exclude'] as const) : []), 'fetch', 'crop', 'split'];
  const model: readonly LockedStep[] = has('model') ? ['examples', 'train', 'evaluate'] : [];
  return [...data, ...model, 'summarize'];
}

/** The steps that a part of the toolchain is a part of: a step's own name, or a library's; all for a stranger. */
export function stepsUsing(part: string): readonly LockedStep[] {
  const own = LOCKED_STEPS.filter((step) => step === part);
  return own.length > 0 ? own : (LIBRARY_STEPS.get(part) ?? LOCKED_STEPS);
}

/**
 * The steps of a lockfile that run again when the keys of some change, in order: those, and each one that
 * takes what they give. One of the latter is taken from the cache where it happens to be given the same.
 */
export function stepsAfter(
  planned: readonly LockedStep[],
  roots: readonly LockedStep[],
): readonly LockedStep[] {
  const reached = new Set<LockedStep>(roots);
  for (const step of LOCKED_STEPS) {
    if (reached.has(step)) for (const taker of TAKEN_BY[step]) reached.add(taker);
  }
  return planned.filter((step) => reached.has(step));
}

/** What becomes of a package when these steps run again, in words. */
export function consequenceOf(
  planned: readonly LockedStep[],
  steps: readonly LockedStep[],
): string {
  const [first] = steps;
  if (first === undefined) return 'no step runs again';
  const [withModel, without] = CONSEQUENCES[first];
  return planned.includes('train') ? withModel : without;
}

/** Whether a lockfile's model is a module of the pinned code. */
export function runsCode({ parameters }: Lockfile): boolean {
  const model: Json | undefined = parameters['model'];
  return typeof model === 'object' && model !== null && 'entry' in model;
}

/** Which step made a file of a package, by the place that it has there. */
import type { Json } from '../store/canonical-json.ts';
import type { Recipe } from './recipe.ts';
import type { FileLineage, MakingStep } from './why.ts';

interface Maker {
  readonly pattern: RegExp;
  readonly kind: FileLineage['kind'];
  /** Steps that may have made it, as `step/output`; the first that the package was made by did. */
  readonly steps: readonly string[];
}

/** Source: the table of a package's files in `docs/format.md`. */
const MAKERS: readonly Maker[] = [
  { pattern: /^images\//, kind: 'photo', steps: ['dataset/photos', 'fetch/photos'] },
  { pattern: /^images_cropped\//, kind: 'crop', steps: ['dataset/crops', 'crop/crops'] },
  { pattern: /^metadata\/images\.csv$/, kind: 'table', steps: ['dataset/images', 'fetch/images'] },
  { pattern: /^metadata\/crops\.csv$/, kind: 'table', steps: ['dataset/table', 'split/crops'] },
  {
    pattern: /^metadata\//,
    kind: 'table',
    steps: ['dataset/selection', 'exclude/selection', 'query/selection'],
  },
  {
    pattern: /^models\/(?:model\.json|weights\.bin|clf\.h5|history\.csv|replay\.json|replay\/.*)$/,
    kind: 'model',
    steps: ['train/model'],
  },
  { pattern: /^models\//, kind: 'model', steps: ['evaluate/evaluation'] },
  {
    pattern: /^(?:README\.md|quilt_summarize\.json|summaries\/.*)$/,
    kind: 'other',
    steps: ['summarize/summaries'],
  },
];

/** What a file is, and the step that made it; without a step what the build itself put there. */
export function makerOf(
  logicalKey: string,
  { steps }: Pick<Recipe, 'steps'>,
): { readonly kind: FileLineage['kind']; readonly step: MakingStep | undefined } {
  const maker = MAKERS.find(({ pattern }) => pattern.test(logicalKey));
  if (maker === undefined) return { kind: 'other', step: undefined };
  const known = maker.steps.find((step) => steps.has(nameOf(step)));
  const made = known ?? (steps.size > 0 ? undefined : maker.steps.at(-1));
  if (made === undefined) return { kind: maker.kind, step: undefined };
  const key = steps.get(nameOf(made))?.key;
  const output = made.slice(nameOf(made).length + 1);
  return {
    kind: maker.kind,
    step: { name: nameOf(made), output, ...(key === undefined ? {} : { key }) },
  };
}

function nameOf(step: string): string {
  return step.slice(0, step.indexOf('/'));
}

/** The locked parameters of a step; of what trains or judges, those of the model. */
export function parametersOf(
  step: MakingStep | undefined,
  { parameters }: Pick<Recipe, 'parameters'>,
): Json | undefined {
  if (step === undefined) return undefined;
  return parameters[['train', 'evaluate'].includes(step.name) ? 'model' : step.name];
}

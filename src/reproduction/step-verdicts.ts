/** The steps of a rebuild against those that a package says it was made by. */
import type { Run } from '../pipeline/run.ts';
import type { ProvenanceStep } from '../provenance/provenance.ts';
import { treeDigest } from '../store/tree.ts';
import type { StepVerdict } from './reproduction.ts';

/** Why a step was not run again, by its name. */
export type Recorded = Readonly<Record<string, string>>;

/**
 * A verdict a step, in the order they ran: whether its outputs are those that the package states, and why
 * they may not be.
 * @param published the steps of the package's provenance; none where it has no provenance.
 */
export function judgeSteps(
  published: readonly ProvenanceStep[],
  run: Run,
  recorded: Recorded,
): readonly StepVerdict[] {
  const stated = new Map(published.map((step) => [step.name, step]));
  return run.map((step) => {
    const { name, seconds } = step;
    const before = stated.get(name);
    const notRun = recorded[name];
    if (notRun !== undefined) return { name, seconds, verdict: 'recorded', why: notRun };
    if (before === undefined) {
      const why = 'the package does not say what this step gave';
      return { name, seconds, verdict: 'unknown', why };
    }
    const outputs = Object.entries(step.outputs);
    const others = outputs.filter(([output, tree]) => before.outputs[output] !== treeDigest(tree));
    if (others.length === 0) return { name, seconds, verdict: 'same' };
    const why = whyDiffers(
      before,
      step,
      others.map(([output]) => output),
    );
    return { name, seconds, verdict: 'differs', why };
  });
}

function whyDiffers(
  before: ProvenanceStep,
  { key, identity }: Run[number],
  outputs: readonly string[],
): string {
  const gives = `its ${outputs.join(' and ')} ${outputs.length === 1 ? 'is' : 'are'} another`;
  const moved = Object.entries(identity.inputs)
    .filter(([input, digest]) => before.inputs[input] !== digest)
    .map(([input]) => input);
  if (moved.length > 0) return `${gives}, since what it takes is: ${moved.join(', ')}`;
  if (before.key !== key) return `${gives}, since its parameters or its toolchain are`;
  return (
    `${gives} for the same inputs, parameters and toolchain: the published one was not made so, ` +
    'or this machine does not compute as it should'
  );
}

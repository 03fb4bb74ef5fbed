/** Running a plan: what the cache has is taken, the rest is done and remembered. */
import { invariant } from '../runtime/errors.ts';
import { imagesTableOf } from '../steps/fetch-record.ts';
import type { StepInputs, StepKey, StepName, StepOutputs } from '../steps/step.ts';
import { runStep, type StepContext } from '../steps/steps.ts';
import { toolchainOfSpec } from '../steps/toolchain.ts';
import type { Digest } from '../store/digest.ts';
import { type Tree, treeDigest } from '../store/tree.ts';
import type { DataPlan, Given, GivenRef, OutputRef, PlannedStep } from './plan.ts';
import { findOutputs, rememberOutputs, type StepIdentity, stepKey } from './step-cache.ts';

export interface StepRun {
  readonly name: StepName;
  readonly key: StepKey;
  readonly cached: boolean;
  readonly seconds: number;
  readonly identity: StepIdentity;
  readonly outputs: StepOutputs;
}

/** The steps of a plan that are done, in order. */
export type Run = readonly StepRun[];

/** The tree a step left under a name; throws a plain Error where there is none, which is a bug. */
export function outputOf(run: Run, { step, output }: OutputRef): Tree {
  const tree = run.find(({ name }) => name === step)?.outputs[output];
  invariant(tree !== undefined, `step ${step} left no ${output}`);
  return tree;
}

/** The tree a step left under a name; empty where the step was not asked for. */
export function findOutput(run: Run, step: StepName, output: string): Tree {
  return run.find(({ name }) => name === step)?.outputs[output] ?? [];
}

/**
 * Runs the steps of a plan in order and yields each as it is done.
 * @param given the trees that the plan takes from outside.
 */
export async function* runPlan(
  context: StepContext,
  { steps }: Pick<DataPlan, 'steps'>,
  given: Given,
): AsyncGenerator<StepRun> {
  const done: StepRun[] = [];
  for (const planned of steps) {
    context.runtime.signal.throwIfAborted();
    const inputs = Object.fromEntries(
      Object.entries(planned.inputs).map(
        ([name, ref]) => [name, treeAt(ref, done, given)] as const,
      ),
    );
    const startMs = context.runtime.clock.now();
    const run = await runOrRecall(context, planned, inputs);
    const finished = { ...run, seconds: (context.runtime.clock.now() - startMs) / 1000 };
    done.push(finished);
    yield finished;
  }
}

function treeAt(ref: OutputRef | GivenRef, done: Run, given: Given): Tree {
  if ('step' in ref) return outputOf(done, ref);
  const tree = given[ref.given];
  invariant(tree !== undefined, `the build was given no ${ref.given}`);
  return tree;
}

async function runOrRecall(
  context: StepContext,
  planned: PlannedStep,
  inputs: StepInputs,
): Promise<Omit<StepRun, 'seconds'>> {
  const { name } = planned.spec;
  const recorded = context.record?.table.digest;
  // What the network answers is an input too: until it is recorded, a fetch has no key.
  if (name !== 'fetch' || recorded !== undefined) {
    const identity = identify(planned, inputs, recorded);
    const key = stepKey(identity);
    const known = await findOutputs(context.store, key);
    if (known !== undefined) return { name, key, cached: true, identity, outputs: known };
  }
  const outputs = await runStep(context, planned.spec, inputs);
  const record = name === 'fetch' ? imagesTableOf(outputs).digest : recorded;
  const identity = identify(planned, inputs, record);
  const key = stepKey(identity);
  await rememberOutputs(context.store, key, outputs);
  return { name, key, cached: false, identity, outputs };
}

/** Everything that a step's outputs are a function of. */
export function identify(
  planned: PlannedStep,
  inputs: StepInputs,
  record: Digest | undefined,
): StepIdentity {
  const { name } = planned.spec;
  const digests = Object.fromEntries(
    Object.entries(inputs).map(([input, tree]) => [input, treeDigest(tree)] as const),
  );
  const further = name === 'fetch' && record !== undefined ? { record } : {};
  return {
    spec: planned.spec,
    inputs: { ...digests, ...further },
    toolchain: toolchainOfSpec(planned.spec),
  };
}

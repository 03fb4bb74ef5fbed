/** A step is judged by the outputs that a package states, and a difference is traced to what it takes. */
import { describe, expect, it } from 'vitest';
import type { StepRun } from '../../src/pipeline/run.ts';
import type { ProvenanceStep } from '../../src/provenance/provenance.ts';
import { judgeSteps } from '../../src/reproduction/step-verdicts.ts';
import { digestOf } from '../../src/store/digest.ts';
import { treeDigest } from '../../src/store/tree.ts';

const tree = (content: string) => [
  { path: 'a', digest: digestOf(content), sizeBytes: content.length },
];

const run = (input: string, output: string, key = 'key'): StepRun => ({
  name: 'split',
  key: digestOf(key),
  cached: false,
  seconds: 1,
  identity: {
    spec: { name: 'split', params: { seed: 1, validation: 0.2, test: 0 } },
    inputs: { tables: treeDigest(tree(input)) },
    toolchain: {},
  },
  outputs: { crops: tree(output) },
});

const stated = (input: string, output: string, key = 'key'): ProvenanceStep => ({
  name: 'split',
  key: digestOf(key),
  inputs: { tables: treeDigest(tree(input)) },
  outputs: { crops: treeDigest(tree(output)) },
});

describe('a step that is done again', () => {
  it('is the same where its outputs are', () => {
    expect(judgeSteps([stated('in', 'out')], [run('in', 'out')], {})).toEqual([
      { name: 'split', seconds: 1, verdict: 'same' },
    ]);
  });

  it.each([
    ['what it takes', run('other', 'other'), 'since what it takes is: tables'],
    ['its parameters or its toolchain', run('in', 'other', 'key 2'), 'since its parameters'],
    ['neither', run('in', 'other'), 'for the same inputs, parameters and toolchain'],
  ])('differs because of %s, and says so', (_, again, why) => {
    const [verdict] = judgeSteps([stated('in', 'out')], [again], {});
    expect(verdict).toMatchObject({ verdict: 'differs' });
    expect(verdict?.why).toContain(why);
  });

  it('is unknown where the package does not state it, and recorded where it was not run', () => {
    expect(judgeSteps([], [run('in', 'out')], {})[0]).toMatchObject({ verdict: 'unknown' });
    const recorded = judgeSteps([stated('in', 'x')], [run('in', 'out')], { split: 'no tables' });
    expect(recorded[0]).toEqual({
      name: 'split',
      seconds: 1,
      verdict: 'recorded',
      why: 'no tables',
    });
  });
});

/** What follows of a change is what the plan and the steps' keys say. */
import { describe, expect, it } from 'vitest';
import { LOCKED_STEPS } from '../../src/changes/changes.ts';
import { stepsAfter, stepsOf, stepsUsing } from '../../src/changes/effects.ts';
import { lockedParameters } from '../../src/lockfile/resolve.ts';
import { parseManifest } from '../../src/manifest/parse.ts';
import { planSteps } from '../../src/pipeline/plan.ts';
import { toolchainOf } from '../../src/steps/toolchain.ts';
import { rootLockfile } from '../support/lock-edits.ts';
import { DESIGN_EXAMPLE, SMALLEST } from '../support/manifests.ts';

const DATASET = `version: 1\nname: user/name\ndata: { package: user/data@${'1'.repeat(64)} }\n`;
const MODEL = 'model: { layers: [flatten, { dense: { units: 1 } }] }\n';

const manifests = [
  [SMALLEST, []],
  [SMALLEST, ['image1']],
  [SMALLEST + MODEL, []],
  [DESIGN_EXAMPLE, ['image1']],
  [DATASET, []],
  [DATASET + MODEL, []],
] as const;

describe('what follows of a change', () => {
  it.each(manifests)(
    'knows the steps of a manifest and what they take of each other (%#)',
    (text, without) => {
      const { manifest } = parseManifest(text, 'm.yaml');
      const parameters = lockedParameters(manifest, without);
      const planned = stepsOf({ ...rootLockfile(), parameters });
      const { steps } = planSteps(manifest, { without, baseInput: undefined });
      expect(planned).toEqual(steps.map(({ spec }) => spec.name));
      for (const { spec } of steps) {
        const reached = new Set<string>([spec.name]);
        for (const later of steps) {
          const refs = Object.values(later.inputs);
          if (refs.some((ref) => 'step' in ref && reached.has(ref.step)))
            reached.add(later.spec.name);
        }
        expect(stepsAfter(planned, [spec.name])).toEqual(
          planned.filter((step) => reached.has(step)),
        );
      }
    },
  );

  it('knows the steps that a part of the toolchain is a part of', () => {
    for (const step of LOCKED_STEPS) {
      for (const part of Object.keys(toolchainOf(step))) expect(stepsUsing(part)).toContain(step);
    }
    for (const part of new Set(LOCKED_STEPS.flatMap((step) => Object.keys(toolchainOf(step))))) {
      const users = LOCKED_STEPS.filter((step) => part in toolchainOf(step));
      expect([part, stepsUsing(part)]).toEqual([part, users]);
    }
    expect(stepsUsing('a stranger')).toEqual(LOCKED_STEPS);
  });
});

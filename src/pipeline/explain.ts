/** Why a step ran: what of its identity differs from the last build, in words. */
import { parameterDrift } from '../lockfile/drift.ts';
import type { StepIdentities } from './built.ts';
import type { StepRun } from './run.ts';
import { identityJson } from './step-cache.ts';

/** A sentence for a step of a run, given what the steps of the build before were made of. */
export function explainStep(run: StepRun, before: StepIdentities): string {
  const key = run.key.slice(0, 12);
  if (run.cached) return `${run.name} ${key}: taken from the cache`;
  const last = before[run.name];
  if (last === undefined) return `${run.name} ${key}: ran, for the first time in this store`;
  const drift = parameterDrift(last, identityJson(run.identity));
  if (drift.length > 0) return `${run.name} ${key}: ran, because ${drift.join('; ')}`;
  return run.name === 'fetch'
    ? `${run.name} ${key}: ran, because its answers were not recorded yet`
    : `${run.name} ${key}: ran, because its outputs were not in the store any more`;
}

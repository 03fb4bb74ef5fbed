/** The step cache: what a step gave for the same spec, inputs and toolchain. */
import { z } from 'zod';
import { mapLimit } from '../runtime/concurrency.ts';
import type { StepKey, StepOutputs, StepSpec } from '../steps/step.ts';
import { canonicalJson, type Json, toPlainJson } from '../store/canonical-json.ts';
import { type Digest, digestOf, isDigest } from '../store/digest.ts';
import type { Store } from '../store/store.ts';
import { formatTree, parseTree, type Tree } from '../store/tree.ts';

/** Everything a step's outputs are a function of. */
export interface StepIdentity {
  readonly spec: StepSpec;
  /** Digests of the input trees by name. */
  readonly inputs: Readonly<Record<string, Digest>>;
  readonly toolchain: Readonly<Record<string, string>>;
}

/** How many objects are looked for at once. */
const LOOKUPS = 64;

const recordSchema = z.record(z.string(), z.string().refine(isDigest));

/** The key of a step: SHA-256 of its identity as canonical JSON. */
export function stepKey(identity: StepIdentity): StepKey {
  return digestOf(canonicalJson(identityJson(identity)));
}

/** An identity as plain JSON; absent parameters are left out. */
export function identityJson({ spec, inputs, toolchain }: StepIdentity): Json {
  return toPlainJson({ spec, inputs, toolchain });
}

/** The outputs remembered under a key, if every object they name is still in the store. */
export async function findOutputs(store: Store, key: StepKey): Promise<StepOutputs | undefined> {
  const record = recordSchema.safeParse(await store.findRecord('steps', key));
  if (!record.success) return undefined;
  const outputs: Record<string, Tree> = {};
  for (const [name, digest] of Object.entries(record.data)) {
    const tree = await findTree(store, digest);
    if (tree === undefined) return undefined;
    outputs[name] = tree;
  }
  return outputs;
}

export async function rememberOutputs(
  store: Store,
  key: StepKey,
  outputs: StepOutputs,
): Promise<void> {
  const record: Record<string, string> = {};
  for (const [name, tree] of Object.entries(outputs)) {
    record[name] = (await store.putBytes(formatTree(tree))).digest;
  }
  await store.writeRecord('steps', key, record);
}

async function findTree(store: Store, digest: string): Promise<Tree | undefined> {
  if (!isDigest(digest) || !(await store.hasDigest(digest))) return undefined;
  const tree = parseTree(await store.readText(digest));
  for await (const present of mapLimit(tree, LOOKUPS, (entry) => store.has(entry))) {
    if (!present) return undefined;
  }
  return tree;
}

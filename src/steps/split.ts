/** The split step: crops into train, validation and test, by photo and its duplicates. */
import { groupDuplicates } from '../images/near-duplicates.ts';
import { readCsv } from '../openimages/csv.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { digestOf, fileBytes } from '../store/digest.ts';
import type { Store } from '../store/store.ts';
import { entryAt, type TreeEntry } from '../store/tree.ts';
import { LOOKS_COLUMNS } from './crop.ts';
import { CROPS_COLUMNS, formatCropsTable } from './crops-table.ts';
import type { StepInputs, StepOutputs, StepSpec } from './step.ts';

export type SplitName = 'train' | 'validation' | 'test';

type SplitStepParams = Extract<StepSpec, { name: 'split' }>['params'];

/**
 * Fills the Split column of `inputs.tables`' crops. Outputs `crops`: `crops.csv`. Photos that are
 * copies of each other share a split, and a photo's split depends on nothing but the content of its
 * group and the seed, so that adding photos moves no other.
 */
export async function splitExamples(
  runtime: Runtime,
  store: Store,
  params: SplitStepParams,
  inputs: StepInputs,
): Promise<StepOutputs> {
  const tables = inputs['tables'] ?? [];
  const open = (entry: TreeEntry) => fileBytes(store.path(entry.digest), runtime.signal);
  const looks = [];
  for await (const row of readCsv(open(entryAt(tables, 'looks.csv')), LOOKS_COLUMNS)) {
    looks.push({
      imageId: row.ImageID,
      digest: row.Digest,
      hash: row.Hash,
      colours: row.Colours,
    });
  }
  const groups = groupDuplicates(looks);
  const splits = new Map(
    looks.map(({ imageId }, index) => [imageId, splitOf(groups[index] ?? '', params)]),
  );
  const rows = [];
  for await (const row of readCsv(open(entryAt(tables, 'crops.csv')), CROPS_COLUMNS)) {
    rows.push(row.LogicalKey === '' ? row : { ...row, Split: splits.get(row.ImageID) ?? '' });
  }
  return { crops: [{ path: 'crops.csv', ...(await store.putBytes(formatCropsTable(rows))) }] };
}

/**
 * The split of a group: SHA-256 of `seed:group`, its first 48 bits as a fraction, falls into test,
 * validation or train, in this order from 0.
 */
export function splitOf(group: string, { seed, validation, test }: SplitStepParams): SplitName {
  const fraction = Number.parseInt(digestOf(`${String(seed)}:${group}`).slice(0, 12), 16) / 2 ** 48;
  if (fraction < test) return 'test';
  return fraction < test + validation ? 'validation' : 'train';
}

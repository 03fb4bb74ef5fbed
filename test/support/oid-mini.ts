/** The shared photo data set, whichever it is: its tables and the answers that came with it. */
import { readFile } from 'node:fs/promises';
import { parse } from 'csv-parse/sync';
import { readLabels } from '../../src/openimages/labels.ts';
import { shared } from './shared.ts';

export const OID_MINI = 'data/oid-mini';

export const TABLES = {
  boxes: { path: shared(OID_MINI, 'train-annotations-bbox.csv'), name: 'boxes' },
  images: { path: shared(OID_MINI, 'train-images-boxable-with-rotation.csv'), name: 'images' },
  classes: { path: shared(OID_MINI, 'class-descriptions-boxable.csv'), name: 'classes' },
};

/** Counts of one class in EXPECTED.json. */
export interface ExpectedClass {
  readonly name: string;
  readonly box_rows: number;
  readonly orphan_rows: number;
  readonly invalid_rows: number;
  readonly duplicate_rows: number;
}

/** The classes that the data set has boxes of, by MID, most boxes first. */
export async function expectedClasses(): Promise<readonly (readonly [string, ExpectedClass])[]> {
  const text = await readFile(shared(OID_MINI, 'EXPECTED.json'), 'utf8');
  const { classes } = JSON.parse(text) as { classes: Record<string, ExpectedClass> };
  return Object.entries(classes).sort(([, a], [, b]) => b.box_rows - a.box_rows);
}

export type ExpectedRow = Readonly<Record<string, string>>;

/** The rows of EXPECTED_IMAGES.csv or EXPECTED_CROPS.csv, by column. */
export async function expectedRows(name: 'IMAGES' | 'CROPS'): Promise<readonly ExpectedRow[]> {
  const text = await readFile(shared(OID_MINI, `EXPECTED_${name}.csv`), 'utf8');
  return parse(text, { columns: true });
}

/** The bytes of a photo as the server of the data set sends them. */
export async function readPhoto(file: string): Promise<Buffer> {
  return await readFile(shared(OID_MINI, 'images', file));
}

/** A chosen class for each of the MIDs, one label each. */
export async function classesOf(mids: readonly string[]) {
  const labels = await readLabels(TABLES.classes);
  return mids.map((mid) => {
    const label = labels.find((candidate) => candidate.mid === mid);
    if (label === undefined) throw new Error(`no class ${mid}`);
    return { ...label, labels: [mid] };
  });
}

/** The oid-mini data set and whatever of its shape stands in its place: manifests and answers. */
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { shared } from './shared.ts';
import { type Row, readTable } from './tables.ts';

export const OID_FOLDER = shared('data/oid-mini');

interface ClassAnswer {
  readonly name: string;
  readonly box_rows: number;
}

/** Chosen classes, by MID: Apple and Orange where the data has them, else the two with most boxes. */
export function chooseOidClasses(): ReadonlyMap<string, string> {
  const expected: { classes: Record<string, ClassAnswer> } = JSON.parse(
    readFileSync(join(OID_FOLDER, 'EXPECTED.json'), 'utf8'),
  ) as { classes: Record<string, ClassAnswer> };
  const all = Object.entries(expected.classes);
  const fruit = all.filter(([, { name }]) => name === 'Apple' || name === 'Orange');
  const common = [...all].sort(([, a], [, b]) => b.box_rows - a.box_rows).slice(0, 2);
  const chosen = fruit.length === 2 ? fruit : common;
  return new Map(chosen.map(([mid, { name }]) => [mid, name]));
}

/** All classes that the answers know, by MID. */
export function allOidClasses(): ReadonlyMap<string, string> {
  const expected = JSON.parse(readFileSync(join(OID_FOLDER, 'EXPECTED.json'), 'utf8')) as {
    classes: Record<string, ClassAnswer>;
  };
  return new Map(Object.entries(expected.classes).map(([mid, { name }]) => [mid, name]));
}

export interface OidManifest {
  readonly name?: string;
  readonly baseUrl: string;
  readonly classes: Iterable<string>;
  /** Further lines of YAML below `query`. */
  readonly query?: string;
  /** The flow mapping of `fetch`. */
  readonly fetch?: string;
}

/** Writes a manifest over a served data set and returns its path. */
export async function writeOidManifest(folder: string, options: OidManifest): Promise<string> {
  const path = join(folder, 'manifest.yaml');
  const meta = `${options.baseUrl}/meta`;
  await writeFile(
    path,
    `version: 1
name: ${options.name ?? 'test/oid'}
data:
  source:
    classes: ${meta}/class-descriptions-boxable.csv
    boxes: ${meta}/train-annotations-bbox.csv
    images: ${meta}/train-images-boxable-with-rotation.csv
    hierarchy: ${meta}/bbox_labels_600_hierarchy.json
  query:
    classes: ${JSON.stringify([...options.classes])}
${options.query ?? ''}
  fetch: ${options.fetch ?? '{ requestsPerSecond: 1000 }'}
seed: 7
`,
  );
  return path;
}

/** The status that our table must have for each status of the answers. */
export const STATUS_OF_ANSWER: Readonly<Record<string, string>> = {
  ok: 'ok',
  ok_format: 'ok',
  ok_changed: 'changed',
  missing_404: 'missing',
  gone_410: 'gone',
  placeholder_redirect: 'placeholder',
  placeholder_inline: 'placeholder',
  truncated: 'corrupt',
  corrupt: 'corrupt',
  empty: 'corrupt',
  html: 'corrupt',
  bomb: 'too-large',
};

/** The box rows of the source table for the given MIDs. */
export function sourceBoxes(mids: ReadonlySet<string>): readonly Row[] {
  return readTable(join(OID_FOLDER, 'train-annotations-bbox.csv')).filter((row) =>
    mids.has(row['LabelName'] ?? ''),
  );
}

/** Two packages compared: files, rows of the tables, parameters, metrics and header. */

import type { Entry } from '../package/entry.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../package/lossless-json.ts';
import type { Runtime } from '../runtime/runtime.ts';
import {
  type Comparison,
  DocumentProblem,
  type FilesComparison,
  type SideSummary,
  type Sum,
} from './comparison.ts';
import { compareCrops } from './crop-rows.ts';
import { differingEntries, findDocuments, openTable, readDocument } from './documents.ts';
import { compareFiles } from './files.ts';
import { comparePhotos } from './photo-rows.ts';
import { comparePredictions } from './predictions.ts';
import type { TableBytes } from './rows.ts';
import type { Side } from './side.ts';
import { compareMetrics, compareValues } from './values.ts';

export interface CompareOptions {
  /** How many names are kept of each kind of change; counts are of all. */
  readonly maxNames: number;
}

/** What is compared of a lockfile beside its parameters; the rest is digests of what came of them. */
const LOCKED_PARTS = ['toolchain', 'sources'];

/**
 * Compares A with B. A table or document that is no such thing is named in `notes`, and everything else
 * is compared.
 * @throws PkgError where bytes cannot be read or are not what their package says.
 */
export async function comparePackages(
  runtime: Runtime,
  a: Side,
  b: Side,
  { maxNames }: CompareOptions,
): Promise<Comparison> {
  const { files, sums } = await compareFiles(runtime, a, b, maxNames);
  const header = a.header && b.header ? compareValues(a.header, b.header) : [];
  const { notes, ...documents } = await compareDocuments(runtime, a, b, maxNames);
  const alike = isUnchanged(files) && header.length === 0;
  const hasHashes = a.topHash !== undefined && b.topHash !== undefined;
  const same = hasHashes ? a.topHash === b.topHash : alike;
  const spelling = 'the top hashes differ only by how the same content is written down';
  return {
    ...{ a: summaryOf(a, sums.a), b: summaryOf(b, sums.b) },
    ...{ same, header, files, ...documents },
    notes: [
      ...[partNote(a, 'A'), partNote(b, 'B'), ...notes].filter((note) => note !== undefined),
      ...(alike && !same ? [spelling] : []),
    ],
  };
}

type Documents = Pick<
  Comparison,
  'photos' | 'crops' | 'parameters' | 'metrics' | 'predictions' | 'notes'
>;

/** How entries that are one document of both sides are compared. */
type Comparer<T> = (before: Entry, after: Entry) => Promise<readonly T[]>;

async function compareDocuments(
  runtime: Runtime,
  a: Side,
  b: Side,
  maxNames: number,
): Promise<Documents> {
  const notes: string[] = [];
  const found = findDocuments(a, b);
  async function compared<T>(
    key: keyof typeof found,
    what: string,
    compare: Comparer<T>,
  ): Promise<readonly T[]> {
    runtime.signal.throwIfAborted();
    try {
      const differing = await differingEntries(a, found[key]);
      return differing === undefined ? [] : await compare(differing.before, differing.after);
    } catch (error) {
      if (!(error instanceof DocumentProblem)) throw error;
      notes.push(`${error.message}; ${what} are not compared`);
      return [];
    }
  }
  const tables = (before: Entry, after: Entry): readonly [TableBytes, TableBytes] => [
    openTable(a, 'A', before),
    openTable(b, 'B', after),
  ];
  const objects = async (
    before: Entry,
    after: Entry,
  ): Promise<readonly [JsonObject, JsonObject]> => [
    await readDocument(a, 'A', before),
    await readDocument(b, 'B', after),
  ];
  const [predictions] = await compared('predictions', 'predictions', async (before, after) => [
    await comparePredictions(openTwice(a, 'A', before), openTwice(b, 'B', after), maxNames),
  ]);
  return {
    photos: await compared('images', 'photos', (before, after) =>
      comparePhotos(...tables(before, after), maxNames),
    ),
    crops: await compared('crops', 'crops', (before, after) =>
      compareCrops(...tables(before, after), maxNames),
    ),
    parameters: await compared('lockfile', 'parameters', async (before, after) => {
      const [was, is] = await objects(before, after);
      return compareValues(lockedValues(was), lockedValues(is));
    }),
    metrics: await compared('evaluation', 'metrics', async (before, after) =>
      compareMetrics(...(await objects(before, after))),
    ),
    ...(predictions === undefined ? {} : { predictions }),
    notes,
  };
}

/** A table that is read twice: for its columns, and for its rows. */
function openTwice(side: Side, letter: string, entry: Entry): () => TableBytes {
  return () => openTable(side, letter, entry);
}

/** Parameters under the keys they have in a manifest, then the other parts under their own. */
function lockedValues(lockfile: JsonObject): JsonObject {
  const parameters = lockfile.get('parameters');
  const values = new Map<string, JsonValue>(isJsonObject(parameters) ? parameters : []);
  for (const part of LOCKED_PARTS) {
    const value = lockfile.get(part);
    if (value !== undefined) values.set(part, value);
  }
  return values;
}

function isUnchanged({ kinds, otherMeta }: FilesComparison): boolean {
  return (
    otherMeta.files === 0 &&
    kinds.every(
      ({ changed, added, removed, moved }) =>
        changed.files + added.files + removed.files + moved.files === 0,
    )
  );
}

function partNote({ part, where }: Side, letter: string): string | undefined {
  if (part === undefined) return undefined;
  return `${letter}, in ${where}, is ${part.words} of its package; the rest is not compared`;
}

function summaryOf({ where, name, topHash }: Side, sum: Sum): SideSummary {
  return {
    where,
    ...(name === undefined ? {} : { name }),
    ...(topHash === undefined ? {} : { topHash }),
    ...sum,
  };
}

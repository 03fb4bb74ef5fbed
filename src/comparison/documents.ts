/** The tables and JSON documents of a package that a comparison looks into. */

import type { Entry } from '../package/entry.ts';
import { isJsonObject, type JsonObject, parseJson } from '../package/lossless-json.ts';
import { messageOf } from '../runtime/errors.ts';
import { DocumentProblem } from './comparison.ts';
import { isSameContent } from './entry-identity.ts';
import type { TableBytes } from './rows.ts';
import { covers, type Side } from './side.ts';

/** Longer ones are left aside: a JSON document is parsed whole, a table is fetched whole. */
const MAX_JSON_BYTES = 64 * 2 ** 20;
const MAX_TABLE_BYTES = 2 ** 30;

/** A document as both sides have it. */
export interface DocumentPair {
  readonly key: string;
  readonly before: Entry | undefined;
  readonly after: Entry | undefined;
}

/** Where a package that this tool made has them. */
const KEYS = {
  images: 'metadata/images.csv',
  crops: 'metadata/crops.csv',
  lockfile: 'manifest.lock.json',
  evaluation: 'models/evaluation.json',
  predictions: 'models/predictions.csv',
} as const;

/** The documents of both sides, found in one pass over each; only those that both sides are about. */
export function findDocuments(a: Side, b: Side): Readonly<Record<keyof typeof KEYS, DocumentPair>> {
  const keys = Object.values(KEYS).filter((key) => covers(a, key) && covers(b, key));
  const [before, after] = [entriesAt(a, new Set(keys)), entriesAt(b, new Set(keys))];
  const pair = (key: string) => ({ key, before: before.get(key), after: after.get(key) });
  return {
    images: pair(KEYS.images),
    crops: pair(KEYS.crops),
    lockfile: pair(KEYS.lockfile),
    evaluation: pair(KEYS.evaluation),
    predictions: pair(KEYS.predictions),
  };
}

function entriesAt({ entries }: Side, wanted: ReadonlySet<string>): ReadonlyMap<string, Entry> {
  const found = new Map<string, Entry>();
  for (const entry of entries) if (wanted.has(entry.logicalKey)) found.set(entry.logicalKey, entry);
  return found;
}

/**
 * Both sides' entries where there is something to compare: undefined where neither has the document or
 * both have the same.
 * @throws DocumentProblem where one side alone has it.
 */
export async function differingEntries(
  a: Side,
  { key, before, after }: DocumentPair,
): Promise<{ readonly before: Entry; readonly after: Entry } | undefined> {
  if (before === undefined && after === undefined) return undefined;
  if (before === undefined) throw new DocumentProblem(`A has no ${key}`);
  if (after === undefined) throw new DocumentProblem(`B has no ${key}`);
  return (await isSameContent(a, before, after)) ? undefined : { before, after };
}

/**
 * A table's bytes; `letter` is the side's name in sentences.
 * @throws DocumentProblem where it is too long.
 */
export function openTable(side: Side, letter: string, entry: Entry): TableBytes {
  const name = `${entry.logicalKey} of ${letter}`;
  refuseOver(MAX_TABLE_BYTES, name, entry);
  return { name, bytes: side.open(entry) };
}

/**
 * A JSON document that is an object.
 * @throws DocumentProblem where it is none, or too long.
 */
export async function readDocument(side: Side, letter: string, entry: Entry): Promise<JsonObject> {
  const name = `${entry.logicalKey} of ${letter}`;
  refuseOver(MAX_JSON_BYTES, name, entry);
  const chunks: Uint8Array[] = [];
  for await (const chunk of side.open(entry)) chunks.push(chunk);
  try {
    const value = parseJson(Buffer.concat(chunks).toString('utf8'));
    if (isJsonObject(value)) return value;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new DocumentProblem(`${name} is ${messageOf(error)}`, { cause: error });
  }
  throw new DocumentProblem(`${name} is no JSON object`);
}

function refuseOver(maxBytes: number, name: string, { sizeBytes }: Entry): void {
  if (sizeBytes <= maxBytes) return;
  throw new DocumentProblem(`${name} has more than ${String(maxBytes)} bytes`);
}

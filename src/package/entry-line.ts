/** An entry as one line of JSON, the way quilt3 and this tool write it. */
import type { Entry } from './entry.ts';
import {
  isJsonArray,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  parseJson,
} from './lossless-json.ts';
import type { ObjectHash } from './object-hash.ts';
import { formatQuiltJson, formatText } from './quilt-json.ts';

const NO_META: JsonObject = new Map();

const TEXT = '"([^"\\\\\\u0000-\\u001f]*)"';

/** The members in their usual order and spacing, no text with an escape, a size of up to 15 digits. */
const USUAL_LINE = new RegExp(
  `^\\{"logical_key": ${TEXT}, "physical_keys": \\[${TEXT}\\], "size": (0|[1-9][0-9]{0,14}), ` +
    `"hash": \\{"type": ${TEXT}, "value": ${TEXT}\\}, "meta": (\\{.*\\})\\}$`,
);

const DIGEST_META = /^\{"pkg": \{"sha256": "([0-9a-f]{64})"\}\}$/;

/** The line of an entry, without its line end. */
export function formatEntryLine({ logicalKey, physicalKey, size, hash, meta }: Entry): string {
  return (
    `{"logical_key": ${formatText(logicalKey)}, ` +
    `"physical_keys": [${formatText(physicalKey)}], "size": ${formatQuiltJson(size)}, ` +
    `"hash": {"type": ${formatText(hash.type)}, "value": ${formatText(hash.value)}}, ` +
    `"meta": ${formatQuiltJson(meta)}}`
  );
}

/** The entry in a line without its line end; throws a plain Error for what is none. */
export function parseEntryLine(line: string): Entry {
  return parseUsualEntry(line) ?? parseEntry(parseObject(line));
}

/**
 * The entry in a line that is spelt in the usual way, the same that reading it as any JSON would
 * give, at a fraction of the time; undefined for other lines, good or bad.
 */
export function parseUsualEntry(line: string): Entry | undefined {
  const match = USUAL_LINE.exec(line);
  if (match === null) return undefined;
  const meta = parseUsualMeta(match[6] ?? '');
  if (meta === undefined) return undefined;
  const size = match[3] ?? '';
  return {
    logicalKey: match[1] ?? '',
    physicalKey: match[2] ?? '',
    size: BigInt(size),
    sizeBytes: Number(size),
    hash: { type: match[4] ?? '', value: match[5] ?? '' },
    meta,
  };
}

function parseUsualMeta(json: string): JsonObject | undefined {
  if (json === '{}') return NO_META;
  const digest = DIGEST_META.exec(json)?.[1];
  if (digest !== undefined) return new Map([['pkg', new Map([['sha256', digest]])]]);
  try {
    const value = parseJson(json, 1);
    return isJsonObject(value) ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** A line as an object; throws a plain Error for what is none. */
export function parseObject(line: string): JsonObject {
  const value = parseJson(line);
  if (!isJsonObject(value)) throw new Error('expected a JSON object');
  return value;
}

/** The entry that an object is; throws a plain Error for what is none. */
export function parseEntry(object: JsonObject): Entry {
  const physicalKeys = object.get('physical_keys');
  const physicalKey: JsonValue | undefined = isJsonArray(physicalKeys)
    ? physicalKeys[0]
    : undefined;
  if (typeof physicalKey !== 'string') throw new Error('expected physical_keys with a text');
  const size = object.get('size');
  if ((typeof size !== 'bigint' && typeof size !== 'number') || !isSize(Number(size))) {
    throw new Error('expected size, a number of bytes');
  }
  const meta = object.get('meta');
  if (meta !== null && !isJsonObject(meta)) throw new Error('expected meta, an object or null');
  return {
    logicalKey: textOf(object, 'logical_key'),
    physicalKey,
    size,
    sizeBytes: Number(size),
    hash: parseHash(object.get('hash')),
    meta: meta ?? NO_META,
  };
}

/** A member that has to be a text; throws a plain Error where it is none. */
export function textOf(object: JsonObject, key: string): string {
  const value = object.get(key);
  if (typeof value !== 'string') throw new Error(`expected ${key}, a text`);
  return value;
}

function parseHash(value: JsonValue | undefined): ObjectHash {
  if (!isJsonObject(value) || value.size !== 2) throw new Error('expected hash, type and value');
  return { type: textOf(value, 'type'), value: textOf(value, 'value') };
}

function isSize(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

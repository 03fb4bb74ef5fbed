/** The JSON lines form of a package, which registries keep and quilt3 reads. */
import { messageOf, PkgError } from '../runtime/errors.ts';
import {
  isJsonArray,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  parseJson,
} from './lossless-json.ts';
import type { ObjectHash } from './object-hash.ts';
import { type Entry, type FolderMeta, type Package, packageOf } from './package.ts';
import { formatQuiltJson } from './quilt-json.ts';

/** Quilt's own limit for a line. */
const MAX_LINE_BYTES = 1_000_000;

/** How much text is encoded at once. */
const BATCH_LENGTH = 1 << 20;

/** The lines of a package, each with its line end, header first, entries in hashing order. */
export function* formatJsonl(pkg: Package): Generator<string> {
  yield `${formatQuiltJson(pkg.header)}\n`;
  for (const { logicalKey, meta } of pkg.folders) {
    yield `${formatQuiltJson(
      new Map([
        ['logical_key', logicalKey],
        ['meta', meta],
      ]),
    )}\n`;
  }
  for (const entry of pkg.entries) {
    const line = `${formatQuiltJson(entryObject(entry))}\n`;
    if (line.length > MAX_LINE_BYTES / 4) {
      refuseLongLine(Buffer.byteLength(line), entry.logicalKey, 1);
    }
    yield line;
  }
}

/** All lines as bytes; those of a million entries come near the longest text that there can be. */
export function encodeJsonl(pkg: Package): Buffer {
  const batches: Buffer[] = [];
  let batch = '';
  for (const line of formatJsonl(pkg)) {
    batch += line;
    if (batch.length < BATCH_LENGTH) continue;
    batches.push(Buffer.from(batch));
    batch = '';
  }
  return Buffer.concat([...batches, Buffer.from(batch)]);
}

/**
 * Reads a package from its JSON lines; `name` is what messages call them.
 * @throws PkgError `integrity` that names the line of whatever a package must not hold.
 */
export async function parseJsonl(bytes: AsyncIterable<Uint8Array>, name: string): Promise<Package> {
  let header: JsonObject | undefined;
  const entries: Entry[] = [];
  const folders: FolderMeta[] = [];
  let number = 0;
  for await (const line of splitLines(bytes, name)) {
    number++;
    try {
      const object = parseObject(line);
      if (header === undefined) header = object;
      else if (isFolderLine(object)) folders.push(parseFolder(object));
      else entries.push(parseEntry(object));
    } catch (error) {
      if (error instanceof PkgError) throw error;
      throw new PkgError('integrity', `${name}:${String(number)}: ${messageOf(error)}`, {
        hint: 'The package list is broken; ask whoever pushed it.',
        cause: error,
      });
    }
  }
  if (header === undefined) throw new PkgError('integrity', `${name} is empty, not a package list`);
  return packageOf(header, entries, folders);
}

function entryObject(entry: Entry): JsonObject {
  return new Map<string, JsonValue>([
    ['logical_key', entry.logicalKey],
    ['physical_keys', [entry.physicalKey]],
    ['size', entry.size],
    ['hash', new Map(Object.entries(entry.hash))],
    ['meta', entry.meta],
  ]);
}

function parseObject(line: string): JsonObject {
  const value = parseJson(line);
  if (!isJsonObject(value)) throw new Error('expected a JSON object');
  return value;
}

function isFolderLine(object: JsonObject): boolean {
  const key = object.get('logical_key');
  return typeof key === 'string' && key.endsWith('/') && !object.has('physical_keys');
}

function parseFolder(object: JsonObject): FolderMeta {
  return { logicalKey: textOf(object, 'logical_key'), meta: object.get('meta') ?? null };
}

function parseEntry(object: JsonObject): Entry {
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
    meta: meta ?? new Map(),
  };
}

function parseHash(value: JsonValue | undefined): ObjectHash {
  if (!isJsonObject(value) || value.size !== 2) throw new Error('expected hash, type and value');
  return { type: textOf(value, 'type'), value: textOf(value, 'value') };
}

function textOf(object: JsonObject, key: string): string {
  const value = object.get(key);
  if (typeof value !== 'string') throw new Error(`expected ${key}, a text`);
  return value;
}

function isSize(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

async function* splitLines(bytes: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let rest = Buffer.alloc(0);
  let number = 1;
  const decode = (line: Buffer): string => {
    refuseLongLine(line.length, name, number);
    const end = line.at(-1) === 0x0d ? line.length - 1 : line.length;
    try {
      return decoder.decode(line.subarray(0, end));
    } catch (error) {
      throw new PkgError('integrity', `${name}:${String(number)}: not UTF-8`, { cause: error });
    }
  };
  for await (const chunk of bytes) {
    let data = rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([rest, chunk]);
    for (let end = data.indexOf(0x0a); end >= 0; end = data.indexOf(0x0a)) {
      yield decode(data.subarray(0, end));
      number++;
      data = data.subarray(end + 1);
    }
    refuseLongLine(data.length, name, number);
    rest = data;
  }
  if (rest.length > 0) yield decode(rest);
}

function refuseLongLine(sizeBytes: number, name: string, number: number): void {
  if (sizeBytes <= MAX_LINE_BYTES) return;
  throw new PkgError('integrity', `${name}:${String(number)}: a line of over 1,000,000 bytes`);
}

/** The JSON lines form of a package, which registries keep and quilt3 reads. */
import { messageOf, PkgError } from '../runtime/errors.ts';
import type { Entry } from './entry.ts';
import { formatEntryLine, parseEntry, parseObject, parseUsualEntry, textOf } from './entry-line.ts';
import { EntryListBuilder } from './entry-list.ts';
import type { JsonObject } from './lossless-json.ts';
import type { FolderMeta, Package } from './package.ts';
import { formatQuiltJson } from './quilt-json.ts';

/** Quilt's own limit for a line. */
const MAX_LINE_BYTES = 1_000_000;

/** No line of so few UTF-16 units can be longer than the limit. */
const SURELY_SHORT = Math.floor(MAX_LINE_BYTES / 3);

/** How much text is encoded at once; larger buffers wait longer for their memory to be taken back. */
const BATCH_LENGTH = 1 << 17;

/** How much text is decoded at once; longer texts live longer, and so does all that is cut from them. */
const DECODE_BYTES = 1 << 16;

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

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
    const line = `${formatEntryLine(entry)}\n`;
    if (line.length > SURELY_SHORT) {
      refuseLongLine(Buffer.byteLength(line), entry.logicalKey, 1);
    }
    yield line;
  }
}

/** All lines as bytes; for a package whose list may be long, `jsonlChunks` takes less memory. */
export function encodeJsonl(pkg: Package): Buffer {
  return Buffer.concat([...jsonlChunks(pkg)]);
}

/** All lines as bytes, in chunks of about 128 KiB. */
export function* jsonlChunks(pkg: Package): Generator<Buffer> {
  let batch: string[] = [];
  let length = 0;
  for (const line of formatJsonl(pkg)) {
    batch.push(line);
    length += line.length;
    if (length < BATCH_LENGTH) continue;
    yield Buffer.from(batch.join(''));
    batch = [];
    length = 0;
  }
  if (length > 0) yield Buffer.from(batch.join(''));
}

/**
 * Reads a package from its JSON lines; `name` is what messages call them.
 * @throws PkgError `integrity` that names the line of whatever a package must not hold.
 */
export async function parseJsonl(bytes: AsyncIterable<Uint8Array>, name: string): Promise<Package> {
  const entries = new EntryListBuilder();
  const rest = await scanJsonl(bytes, name, (entry, line) => entries.add(entry, line));
  return { ...rest, entries: entries.finish() };
}

/**
 * Reads the JSON lines of a package and keeps none of its entries: `take` gets each as it comes, in
 * whatever order, with its line where that is spelt in the usual way.
 * @throws PkgError `integrity` that names the line of what is no entry, folder or header.
 */
export async function scanJsonl(
  bytes: AsyncIterable<Uint8Array>,
  name: string,
  take: (entry: Entry, line?: string) => void,
): Promise<Omit<Package, 'entries'>> {
  let header: JsonObject | undefined;
  const folders: FolderMeta[] = [];
  let number = 0;
  const takeLine = (line: string): void => {
    const usual = header === undefined ? undefined : parseUsualEntry(line);
    if (usual !== undefined) {
      take(usual, line);
      return;
    }
    const object = parseObject(line);
    if (header === undefined) header = object;
    else if (isFolderLine(object)) folders.push(parseFolder(object));
    else take(parseEntry(object));
  };
  for await (const lines of splitLines(bytes, name)) {
    for (const line of lines) {
      number++;
      try {
        takeLine(line);
      } catch (error) {
        if (error instanceof PkgError) throw error;
        throw new PkgError('integrity', `${name}:${String(number)}: ${messageOf(error)}`, {
          hint: 'The package list is broken; ask whoever pushed it.',
          cause: error,
        });
      }
    }
  }
  if (header === undefined) throw new PkgError('integrity', `${name} is empty, not a package list`);
  return { header, folders };
}

function isFolderLine(object: JsonObject): boolean {
  const key = object.get('logical_key');
  return typeof key === 'string' && key.endsWith('/') && !object.has('physical_keys');
}

function parseFolder(object: JsonObject): FolderMeta {
  return { logicalKey: textOf(object, 'logical_key'), meta: object.get('meta') ?? null };
}

/**
 * The lines of each chunk that has a line end, without their line ends; the last one may have none.
 * Lines before one that is refused are given first.
 */
async function* splitLines(
  bytes: AsyncIterable<Uint8Array>,
  name: string,
): AsyncGenerator<readonly string[]> {
  let rest: Uint8Array[] = [];
  let restBytes = 0;
  let number = 1;
  for await (const chunk of bytes) {
    let start = 0;
    const end = chunk.lastIndexOf(0x0a) + 1;
    if (end > 0 && restBytes > 0) {
      start = lineEnd(chunk, 0);
      const line = Buffer.concat([...rest, chunk.subarray(0, start)]);
      yield* decodeLines(line, name, number);
      number++;
    }
    for (const lines of decodeLines(chunk.subarray(start, end), name, number)) {
      yield lines;
      number += lines.length;
    }
    if (end > 0) [rest, restBytes] = [[], 0];
    if (end < chunk.length) rest.push(Buffer.from(chunk.subarray(end)));
    restBytes += chunk.length - end;
    refuseLongLine(restBytes, name, number);
  }
  yield* decodeLines(Buffer.concat(rest), name, number);
}

/** The lines in some bytes, some at a time; `number` is that of the first. */
function* decodeLines(
  bytes: Uint8Array,
  name: string,
  number: number,
): Generator<readonly string[]> {
  let line = number;
  for (let start = 0; start < bytes.length; ) {
    const near = Math.min(start + DECODE_BYTES, bytes.length);
    const before = bytes.lastIndexOf(0x0a, near - 1) + 1;
    const end = before > start ? before : lineEnd(bytes, start);
    const part = bytes.subarray(start, end);
    const lines = linesOf(decodeUtf8(part) ?? '');
    const isPlain = lines.length > 0 && lines.every(({ length }) => length <= SURELY_SHORT);
    for (const given of isPlain ? [lines] : decodeEach(part, name, line)) {
      yield given;
      line += given.length;
    }
    start = end;
  }
}

/** The lines in some bytes, one by one, up to the first that is refused. */
function* decodeEach(bytes: Uint8Array, name: string, number: number): Generator<[string]> {
  let line = number;
  for (let start = 0; start < bytes.length; line++) {
    const end = lineEnd(bytes, start);
    const part = bytes.subarray(start, bytes[end - 1] === 0x0a ? end - 1 : end);
    refuseLongLine(part.length, name, line);
    const text = decodeUtf8(part);
    if (text === undefined) throw new PkgError('integrity', `${name}:${String(line)}: not UTF-8`);
    yield [withoutReturn(text)];
    start = end;
  }
}

/** Where the line that begins at `start` ends, its line end included. */
function lineEnd(bytes: Uint8Array, start: number): number {
  const found = bytes.indexOf(0x0a, start);
  return found < 0 ? bytes.length : found + 1;
}

function linesOf(text: string): readonly string[] {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return text.includes('\r') ? lines.map(withoutReturn) : lines;
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return UTF8.decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

function refuseLongLine(sizeBytes: number, name: string, number: number): void {
  if (sizeBytes <= MAX_LINE_BYTES) return;
  throw new PkgError('integrity', `${name}:${String(number)}: a line of over 1,000,000 bytes`);
}

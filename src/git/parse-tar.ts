/** The tar of pinned code as files: exactly what `writeTar` writes, and nothing else. */
import { PkgError } from '../runtime/errors.ts';
import { comparePaths, PathClashes, pathFault, TREE_LIMITS } from './tree-path.ts';
import { BLOCK_BYTES, HEADER, headerChecksum, PAX_NAME, paxRecord } from './write-tar.ts';

/** A file of pinned code. */
export interface CodeFile {
  /** Relative, `/` between names, never out of its folder. */
  readonly path: string;
  readonly mode: 0o644 | 0o755;
  readonly bytes: Buffer;
}

/**
 * The files of a tar that comes as chunks of any length; each is checked before it is handed out.
 * @throws PkgError `integrity` at what `writeTar` never writes: links, devices, owners, times, paths out
 * of the folder, two paths that are one on some disks, files out of order, more than the limits.
 */
export async function* parseTar(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<CodeFile> {
  const reader = new BlockReader(chunks);
  const clashes = new PathClashes();
  let previous: string | undefined;
  let totalBytes = 0;
  for (let files = 0; ; files++) {
    const entry = await readEntry(reader, TREE_LIMITS.sizeBytes - totalBytes);
    if (entry === undefined) return;
    if (files >= TREE_LIMITS.files) throw refusal('it holds too many files');
    const { path, bytes } = entry;
    const fault = pathFault(path);
    if (fault !== undefined) throw refusal(`the path ${JSON.stringify(path)} ${fault}`);
    if (previous !== undefined && comparePaths(previous, path) >= 0) {
      throw refusal(`${path} is out of order`);
    }
    const clash = clashes.add(path);
    if (clash !== undefined) throw refusal(`${path} and ${clash} are one on some disks`);
    previous = path;
    totalBytes += bytes.length;
    yield entry;
  }
}

/** Reads whole blocks from chunks of any length. */
class BlockReader {
  readonly #chunks: AsyncIterator<Uint8Array> | Iterator<Uint8Array>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>) {
    this.#chunks =
      Symbol.asyncIterator in chunks ? chunks[Symbol.asyncIterator]() : chunks[Symbol.iterator]();
  }

  /** Exactly `sizeBytes`, of a whole number of blocks. */
  async take(sizeBytes: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    let missing = sizeBytes;
    while (missing > 0) {
      if (this.#rest.length === 0) {
        const next = await this.#chunks.next();
        if (next.done === true) throw refusal('it is cut off');
        this.#rest = Buffer.from(next.value.buffer, next.value.byteOffset, next.value.length);
      }
      const part = this.#rest.subarray(0, missing);
      this.#rest = this.#rest.subarray(part.length);
      missing -= part.length;
      parts.push(part);
    }
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
  }

  /** Whether nothing follows. */
  async isAtEnd(): Promise<boolean> {
    while (this.#rest.length === 0) {
      const next = await this.#chunks.next();
      if (next.done === true) return true;
      this.#rest = Buffer.from(next.value.buffer, next.value.byteOffset, next.value.length);
    }
    return false;
  }
}

async function readEntry(reader: BlockReader, maxBytes: number): Promise<CodeFile | undefined> {
  let block = await reader.take(BLOCK_BYTES);
  if (isZero(block)) {
    if (!isZero(await reader.take(BLOCK_BYTES)) || !(await reader.isAtEnd())) {
      throw refusal('something follows its end');
    }
    return undefined;
  }
  let head = parseHeader(block);
  let longPath: string | undefined;
  if (head.type === 'x') {
    if (head.name.toString('latin1') !== PAX_NAME || head.mode !== 0o644) {
      throw refusal('it holds a pax header of another kind');
    }
    if (head.sizeBytes > TREE_LIMITS.pathBytes + 16) throw refusal('it holds a path too long');
    longPath = parsePaxPath(await takePadded(reader, head.sizeBytes));
    block = await reader.take(BLOCK_BYTES);
    head = parseHeader(block);
  }
  if (head.type !== '0') throw refusal(`it holds something other than files (type ${head.type})`);
  const path = longPath ?? decodePath(head.name);
  if (longPath !== undefined && !isCutOf(head.name, longPath)) {
    throw refusal('a path and its pax header differ');
  }
  const { mode } = head;
  if (mode !== 0o644 && mode !== 0o755) {
    throw refusal(`${path} has the mode ${mode.toString(8)}`);
  }
  if (head.sizeBytes > maxBytes) throw refusal('it holds more than the limit');
  return { path, mode, bytes: await takePadded(reader, head.sizeBytes) };
}

interface TarHeader {
  readonly name: Buffer;
  readonly mode: number;
  readonly sizeBytes: number;
  readonly type: string;
}

function parseHeader(block: Buffer): TarHeader {
  const field = ([start, length]: readonly [number, number]) =>
    block.subarray(start, start + length);
  const checksum = field(HEADER.checksum).toString('latin1');
  if (checksum !== `${headerChecksum(block).toString(8).padStart(6, '0')}\0 `) {
    throw refusal('a header does not match its checksum');
  }
  if (
    field(HEADER.magic).toString('latin1') !== 'ustar\0' ||
    parseOctal(field(HEADER.version)) !== 0
  ) {
    throw refusal('it is no ustar archive');
  }
  for (const zero of [
    HEADER.uid,
    HEADER.gid,
    HEADER.mtime,
    HEADER.deviceMajor,
    HEADER.deviceMinor,
  ]) {
    if (parseOctal(field(zero)) !== 0) throw refusal('it holds an owner, a time or a device');
  }
  for (const empty of [
    HEADER.linkName,
    HEADER.userName,
    HEADER.groupName,
    HEADER.prefix,
    HEADER.rest,
  ]) {
    if (!isZero(field(empty))) throw refusal('it holds a link, the name of an owner or a prefix');
  }
  const name = field(HEADER.name);
  const end = name.indexOf(0);
  if (end !== -1 && !isZero(name.subarray(end))) throw refusal('a name holds a NUL');
  return {
    name: end === -1 ? name : name.subarray(0, end),
    mode: parseOctal(field(HEADER.mode)),
    sizeBytes: parseOctal(field(HEADER.size)),
    type: field(HEADER.type).toString('latin1'),
  };
}

function parseOctal(field: Buffer): number {
  const text = field.toString('latin1').replace(/\0$/, '');
  if (!/^[0-7]+$/.test(text)) throw refusal('a number in a header is none');
  return Number.parseInt(text, 8);
}

function parsePaxPath(record: Buffer): string {
  const equals = record.indexOf('=');
  const path = decodePath(record.subarray(equals + 1, -1));
  if (!record.equals(paxRecord('path', path))) throw refusal('a pax header holds more than a path');
  return path;
}

/** Whether a header's name is the beginning of a path that is too long for it. */
function isCutOf(name: Buffer, path: string): boolean {
  const bytes = Buffer.from(path);
  return bytes.length > HEADER.name[1] && bytes.subarray(0, HEADER.name[1]).equals(name);
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decodePath(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) throw refusal('a path is not UTF-8');
    throw error;
  }
}

async function takePadded(reader: BlockReader, sizeBytes: number): Promise<Buffer> {
  const bytes = await reader.take(Math.ceil(sizeBytes / BLOCK_BYTES) * BLOCK_BYTES);
  if (!isZero(bytes.subarray(sizeBytes))) throw refusal('something follows a file in its block');
  return bytes.subarray(0, sizeBytes);
}

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}

/** The error for a tar that is not to be trusted. */
export function refusal(why: string): PkgError {
  return new PkgError('integrity', `the tar of the code is refused: ${why}`, {
    hint: 'It was not written by pkg, or was changed since; lock the code again from its repository.',
  });
}

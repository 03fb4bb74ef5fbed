/** Writing the tar of pinned code: one tree, one sequence of bytes, on any machine. */
import { comparePaths } from './tree-path.ts';

/** A file on its way into a tar. */
export interface TarEntry {
  /** Relative, `/` between names. */
  readonly path: string;
  readonly mode: 0o644 | 0o755;
  readonly bytes: Uint8Array;
}

/** The unit of a tar. */
export const BLOCK_BYTES = 512;

/** Where the fields of a ustar header stand, in bytes (POSIX.1-2017, pax, "ustar Interchange Format"). */
export const HEADER = {
  name: [0, 100],
  mode: [100, 8],
  uid: [108, 8],
  gid: [116, 8],
  size: [124, 12],
  mtime: [136, 12],
  checksum: [148, 8],
  type: [156, 1],
  linkName: [157, 100],
  magic: [257, 6],
  version: [263, 2],
  userName: [265, 32],
  groupName: [297, 32],
  deviceMajor: [329, 8],
  deviceMinor: [337, 8],
  prefix: [345, 155],
  rest: [500, 12],
} as const;

/** The name of the header block that carries a path which no ustar header can hold. */
export const PAX_NAME = 'PaxHeader';

/**
 * A ustar archive (POSIX.1-2017) of files in ascending order of their paths' UTF-8 bytes, without entries for folders:
 * times, owners and names of owners are zero or empty, modes are 644 or 755, and a path that does
 * not fit into 100 bytes has a pax header with its `path` alone before it. Throws a plain Error
 * where the files are out of order.
 */
export async function* writeTar(
  files: AsyncIterable<TarEntry> | Iterable<TarEntry>,
): AsyncGenerator<Uint8Array> {
  let previous: string | undefined;
  let parts: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const file of files) {
    if (previous !== undefined && comparePaths(previous, file.path) >= 0) {
      throw new Error(`${file.path} is out of order in the tar`);
    }
    previous = file.path;
    for (const part of entryParts(file)) {
      parts.push(part);
      sizeBytes += part.length;
    }
    if (sizeBytes >= CHUNK_BYTES) {
      yield Buffer.concat(parts, sizeBytes);
      parts = [];
      sizeBytes = 0;
    }
  }
  yield Buffer.concat([...parts, Buffer.alloc(2 * BLOCK_BYTES)]);
}

/** Small files are handed on together: each chunk costs a write. */
const CHUNK_BYTES = 1 << 18;

function* entryParts({ path, mode, bytes }: TarEntry): Generator<Uint8Array> {
  const name = Buffer.from(path);
  if (name.length > HEADER.name[1]) {
    const record = paxRecord('path', path);
    yield header(Buffer.from(PAX_NAME), 0o644, record.length, 'x');
    yield* padded(record);
  }
  yield header(name.subarray(0, HEADER.name[1]), mode, bytes.length, '0');
  yield* padded(bytes);
}

function* padded(bytes: Uint8Array): Generator<Uint8Array> {
  if (bytes.length === 0) return;
  yield bytes;
  const rest = bytes.length % BLOCK_BYTES;
  if (rest !== 0) yield Buffer.alloc(BLOCK_BYTES - rest);
}

/** The sum of a header's bytes, those of the checksum itself counted as spaces. */
export function headerChecksum(block: Uint8Array): number {
  const [start, length] = HEADER.checksum;
  let sum = length * 0x20;
  for (let index = 0; index < BLOCK_BYTES; index++) {
    if (index < start || index >= start + length) sum += block[index] ?? 0;
  }
  return sum;
}

function header(name: Uint8Array, mode: number, sizeBytes: number, type: '0' | 'x'): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES);
  block.set(name, HEADER.name[0]);
  const octal = (field: readonly [number, number], value: number) => {
    block.write(value.toString(8).padStart(field[1] - 1, '0'), field[0], 'latin1');
  };
  octal(HEADER.mode, mode);
  octal(HEADER.uid, 0);
  octal(HEADER.gid, 0);
  octal(HEADER.size, sizeBytes);
  octal(HEADER.mtime, 0);
  block.write(type, HEADER.type[0], 'latin1');
  block.write('ustar\0', HEADER.magic[0], 'latin1');
  block.write('00', HEADER.version[0], 'latin1');
  octal(HEADER.deviceMajor, 0);
  octal(HEADER.deviceMinor, 0);
  const checksum = headerChecksum(block).toString(8).padStart(6, '0');
  block.write(`${checksum}\0 `, HEADER.checksum[0], 'latin1');
  return block;
}

/** `length keyword=value\n`, where the length in decimal digits counts itself too. */
export function paxRecord(keyword: string, value: string): Buffer {
  const rest = Buffer.from(` ${keyword}=${value}\n`);
  let length = rest.length;
  while (String(length).length + rest.length !== length) {
    length = String(length).length + rest.length;
  }
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

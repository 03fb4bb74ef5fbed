/** Git's index: what is tracked, and how each file looked when it was last compared (gitformat-index). */
import { PkgError } from '../runtime/errors.ts';

export interface IndexEntry {
  readonly path: string;
  /** Type and permissions: 0o100644, 0o100755, 0o120000 (link), 0o160000 (submodule), 0o040000 (folder). */
  readonly mode: number;
  readonly id: string;
  /** 0, or a side of a merge that is not done. */
  readonly stage: number;
  /** Git was told not to look at the file on disk, or not to have it there. */
  readonly isUnwatched: boolean;
  /** The file's size in bytes, times and number on disk, each modulo 2^32. */
  readonly sizeBytes: number;
  readonly changed: UnixTime;
  readonly modified: UnixTime;
  readonly inode: number;
}

export interface UnixTime {
  readonly seconds: number;
  readonly nanoseconds: number;
}

const ID_BYTES = 20;
const FIXED_BYTES = 62;

const ASSUME_VALID = 0x8000;
const EXTENDED = 0x4000;
const SKIP_WORKTREE = 0x4000;

/**
 * The entries of an index of version 2, 3 or 4, in its order.
 * @throws PkgError `usage` where it is of another version or split in two files, `integrity` where it
 * is damaged; `file` names it.
 */
export function parseIndex(bytes: Buffer, file: string): readonly IndexEntry[] {
  const damaged = () =>
    new PkgError('integrity', `the git index ${file} is damaged`, {
      hint: 'Run git status in the repository, which says more.',
    });
  if (bytes.length < 12 + ID_BYTES || bytes.toString('latin1', 0, 4) !== 'DIRC') throw damaged();
  const version = bytes.readUInt32BE(4);
  if (version < 2 || version > 4) {
    throw new PkgError('usage', `the git index ${file} is of version ${String(version)}`, {
      hint: 'Rewrite it with: git update-index --index-version 2',
    });
  }
  const entries: IndexEntry[] = [];
  let position = 12;
  let previous = Buffer.alloc(0);
  for (let count = bytes.readUInt32BE(8); count > 0; count--) {
    const read = readEntry(bytes, position, version, previous);
    if (read === undefined) throw damaged();
    entries.push(read.entry);
    position = read.end;
    previous = read.path;
  }
  checkExtensions(bytes, position, file);
  return entries;
}

interface ReadEntry {
  readonly entry: IndexEntry;
  readonly path: Buffer<ArrayBuffer>;
  readonly end: number;
}

function readEntry(
  bytes: Buffer,
  start: number,
  version: number,
  previous: Buffer,
): ReadEntry | undefined {
  if (start + FIXED_BYTES + 2 > bytes.length) return undefined;
  const flags = bytes.readUInt16BE(start + 60);
  const isExtended = version > 2 && (flags & EXTENDED) !== 0;
  const more = isExtended ? bytes.readUInt16BE(start + FIXED_BYTES) : 0;
  let position = start + FIXED_BYTES + (isExtended ? 2 : 0);
  let kept = 0;
  if (version === 4) {
    const removed = readRemoved(bytes, position);
    if (removed === undefined || removed.value > previous.length) return undefined;
    kept = previous.length - removed.value;
    position = removed.end;
  }
  const end = bytes.indexOf(0, position);
  if (end === -1) return undefined;
  const path = Buffer.concat([previous.subarray(0, kept), bytes.subarray(position, end)]);
  const time = (at: number): UnixTime => ({
    seconds: bytes.readUInt32BE(at),
    nanoseconds: bytes.readUInt32BE(at + 4),
  });
  const entry: IndexEntry = {
    path: path.toString('utf8'),
    mode: bytes.readUInt32BE(start + 24),
    id: bytes.toString('hex', start + 40, start + 40 + ID_BYTES),
    stage: (flags >> 12) & 3,
    isUnwatched: (flags & ASSUME_VALID) !== 0 || (more & SKIP_WORKTREE) !== 0,
    sizeBytes: bytes.readUInt32BE(start + 36),
    changed: time(start),
    modified: time(start + 8),
    inode: bytes.readUInt32BE(start + 20),
  };
  const padded = start + Math.ceil((end + 1 - start) / 8) * 8;
  return { entry, path, end: version === 4 ? end + 1 : padded };
}

/** How many bytes of the previous path the next one does not share, as version 4 spells it. */
function readRemoved(
  bytes: Buffer,
  start: number,
): { readonly value: number; readonly end: number } | undefined {
  let position = start;
  let byte = bytes[position++];
  if (byte === undefined) return undefined;
  let value = byte & 0x7f;
  while (byte & 0x80) {
    byte = bytes[position++];
    if (byte === undefined || value > 0xffffff) return undefined;
    value = (value + 1) * 128 + (byte & 0x7f);
  }
  return { value, end: position };
}

/** An extension in lower case changes what the entries mean; of these, folders as entries are known. */
function checkExtensions(bytes: Buffer, start: number, file: string): void {
  for (let position = start; position + 8 + ID_BYTES <= bytes.length; ) {
    const name = bytes.toString('latin1', position, position + 4);
    if (/^[a-z]/.test(name) && name !== 'sdir') {
      throw new PkgError('usage', `the git index ${file} is split or holds the extension ${name}`, {
        hint: 'Rewrite it with: git update-index --no-split-index',
      });
    }
    position += 8 + bytes.readUInt32BE(position + 4);
  }
}

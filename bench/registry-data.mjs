// The files that the registry benchmark pushes: made from a seed, of which nothing can be compressed.
import { createCipheriv, createHash } from 'node:crypto';
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

const CLASSES = ['Apple', 'Orange'];
const SEED = 'registry benchmark 1';

/** Sizes are spread evenly from the least to the most, so that their mean is 50 KB. */
const LEAST_BYTES = 10_000;
const MOST_BYTES = 90_000;

const CHANGED_BYTES = 64;
const JPEG_HEADER = Buffer.from('ffd8ffe000104a46494600010100000100010000', 'hex');
const JPEG_END = Buffer.from('ffd9', 'hex');
const BLOCK_BYTES = 2 ** 24;

/**
 * The folders S and S2, made in `folder` unless they are there: `{ count, bytes, original, changed,
 * changedCount, changedBytes, one }`; `one` is the path of a file in them, bytes are sums of sizes.
 * S2 is S with 64 bytes changed in one file of a hundred.
 */
export function registryFiles(folder, count) {
  const root = join(
    folder,
    `${createHash('sha256').update(SEED).digest('hex').slice(0, 8)}-${count}`,
  );
  const files = planFiles(count);
  if (!existsSync(root)) writeFiles(root, files);
  const changed = files.filter((file) => file.changed);
  const sum = (some) => some.reduce((total, { bytes }) => total + bytes, 0);
  return {
    count,
    bytes: sum(files),
    original: join(root, 'S'),
    changed: join(root, 'S2'),
    changedCount: changed.length,
    changedBytes: sum(changed),
    one: files[count >> 1].path,
  };
}

function planFiles(count) {
  const numbers = randomBytes('sizes', 4 * count);
  return Array.from({ length: count }, (_, index) => {
    const part = numbers.readUInt32LE(4 * index) / 2 ** 32;
    const name = `${createHash('sha256').update(`${SEED} ${index}`).digest('hex').slice(0, 16)}.jpg`;
    return {
      path: `${CLASSES[index % CLASSES.length]}/${name}`,
      bytes: LEAST_BYTES + Math.floor(part * (MOST_BYTES - LEAST_BYTES + 1)),
      changed: index % 100 === 50,
    };
  });
}

function writeFiles(root, files) {
  const making = `${root}.making`;
  rmSync(making, { recursive: true, force: true });
  for (const name of ['S', 'S2']) {
    for (const label of CLASSES) mkdirSync(join(making, name, label), { recursive: true });
  }
  for (const { path, bytes, changed } of files) {
    const body = randomBytes(path, bytes);
    JPEG_HEADER.copy(body);
    JPEG_END.copy(body, bytes - JPEG_END.length);
    writeFileSync(join(making, 'S', path), body);
    if (changed) randomBytes(`${path} changed`, CHANGED_BYTES).copy(body, bytes >> 1);
    writeFileSync(join(making, 'S2', path), body);
  }
  renameSync(making, root);
}

/** Writes `bytes` of the seed's bytes to a file, `inserted` others in the middle of them. */
export function writeLargeFile(path, bytes, inserted) {
  const stream = cipher('large file');
  const zeros = Buffer.alloc(BLOCK_BYTES);
  const file = openSync(path, 'w');
  const writePart = (length) => {
    for (let left = length; left > 0; left -= BLOCK_BYTES) {
      writeSync(file, stream.update(zeros.subarray(0, Math.min(left, BLOCK_BYTES))));
    }
  };
  writePart(bytes >> 1);
  writeSync(file, randomBytes('inserted', inserted));
  writePart(bytes - (bytes >> 1));
  closeSync(file);
}

/** Makes `target` a copy of a folder of files, each with the time of now, instead of what it was. */
export function replaceFolder(source, target) {
  rmSync(target, { recursive: true, force: true });
  for (const path of filesBelow(source)) {
    const file = join(target, path);
    mkdirSync(join(file, '..'), { recursive: true });
    copyFileSync(join(source, path), file);
  }
}

/** Throws unless two folders hold the same files. */
export function assertSameFiles(expected, actual) {
  const paths = filesBelow(expected);
  const others = filesBelow(actual);
  if (JSON.stringify(paths) !== JSON.stringify(others)) {
    throw new Error(
      `${actual}: ${others.length} files, expected ${paths.length} of the same names`,
    );
  }
  const different = paths.find(
    (path) => !readFileSync(join(expected, path)).equals(readFileSync(join(actual, path))),
  );
  if (different !== undefined) throw new Error(`${join(actual, different)}: other bytes`);
}

/** Files, also in folders, by path; those of tools' own begin with a dot and do not count. */
function filesBelow(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .filter((path) => !path.split('/').some((part) => part.startsWith('.')))
    .sort();
}

function randomBytes(label, bytes) {
  return cipher(label).update(Buffer.alloc(bytes));
}

function cipher(label) {
  const key = createHash('sha256').update(`${SEED}\n${label}`).digest();
  return createCipheriv('aes-256-ctr', key, Buffer.alloc(16));
}

/** Small packages for tests, made of files in memory by the rules of the format alone. */
import { createHash } from 'node:crypto';
import { lstat, mkdir, readdir, readFile, readlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { OpenObject } from '../../src/objects/sending.ts';
import type { Entry } from '../../src/package/entry.ts';
import type { JsonValue } from '../../src/package/lossless-json.ts';
import { type Package, packageOf } from '../../src/package/package.ts';

export type Files = Readonly<Record<string, string | Uint8Array>>;

export interface SamplePackage {
  readonly pkg: Package;
  readonly files: Files;
  readonly open: OpenObject;
}

const CHUNK_BYTES = 8 * 2 ** 20;

/** A package of files with a message, whose entries state their SHA-256 as ours do. */
export function samplePackage(files: Files, message: string | null = null): SamplePackage {
  const objects = new Map<string, Buffer>();
  const entries = Object.entries(files).map(([logicalKey, content]) => {
    const data = Buffer.from(content);
    const digest = createHash('sha256').update(data).digest('hex');
    objects.set(digest, data);
    return entryOf(logicalKey, data, `file:///nowhere/${digest}`);
  });
  return {
    pkg: packageOf(headerOf(message), entries),
    files,
    async *open(digest, { start, end }) {
      const data = objects.get(digest);
      if (data === undefined) throw new Error(`no object ${digest}`);
      yield await Promise.resolve(data.subarray(start, end));
    },
  };
}

export function headerOf(message: string | null): ReadonlyMap<string, JsonValue> {
  return new Map<string, JsonValue>([
    ['version', 'v0'],
    ['message', message],
  ]);
}

/** An entry of some bytes. */
export function entryOf(logicalKey: string, data: Buffer, physicalKey: string): Entry {
  const sha256 = createHash('sha256').update(data).digest('hex');
  return {
    logicalKey,
    physicalKey,
    size: BigInt(data.length),
    sizeBytes: data.length,
    hash: { type: 'sha2-256-chunked', value: chunkedHash(data) },
    meta: new Map([['pkg', new Map([['sha256', sha256]])]]),
  };
}

/** The hash as its definition says it, apart from the code under test. */
export function chunkedHash(data: Buffer): string {
  const outer = createHash('sha256');
  for (let start = 0; start < data.length; start += CHUNK_BYTES) {
    const chunk = data.subarray(start, start + CHUNK_BYTES);
    outer.update(createHash('sha256').update(chunk).digest());
  }
  return outer.digest('base64');
}

/** Bytes that no compression or hole in a file could stand for, the same for the same seed. */
export function noise(sizeBytes: number, seed: number): Buffer {
  const bytes = Buffer.alloc(sizeBytes);
  let state = seed >>> 0 || 1;
  for (let index = 0; index < sizeBytes; index++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[index] = state >>> 24;
  }
  return bytes;
}

export async function writeFiles(folder: string, files: Files): Promise<void> {
  for (const [key, content] of Object.entries(files)) {
    const path = join(folder, key);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
  }
}

/** Every file below a folder but our own notes, by path: what it holds, or where it links to. */
export async function filesBelow(folder: string, prefix = ''): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const name of (await readdir(join(folder, prefix))).sort()) {
    const key = `${prefix}${name}`;
    if (key === '.pkg') continue;
    const path = join(folder, key);
    const kind = await lstat(path);
    if (kind.isDirectory()) Object.assign(found, await filesBelow(folder, `${key}/`));
    else if (kind.isSymbolicLink()) found[key] = `-> ${await readlink(path)}`;
    else found[key] = contentWord(await readFile(path));
  }
  return found;
}

/** What `filesBelow` finds where exactly these files are. */
export function asFound(files: Files): Record<string, string> {
  return Object.fromEntries(
    Object.entries(files).map(([key, content]) => [key, contentWord(Buffer.from(content))]),
  );
}

/** Bytes as a word to compare: themselves where they are few, else size and digest. */
function contentWord(data: Buffer): string {
  if (data.length <= 200) return data.toString('latin1');
  const digest = createHash('sha256').update(data).digest('hex');
  return `${String(data.length)} bytes of SHA-256 ${digest}`;
}

/** Tars from strangers, and tars into folders. */
import { readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Header, Pax } from 'tar';
import { describe, expect, it } from 'vitest';
import { parseTar } from '../../src/git/parse-tar.ts';
import { extractTar, readTar } from '../../src/git/read-tar.ts';
import { type TarEntry, writeTar } from '../../src/git/write-tar.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { gitContext } from './git-repositories.ts';

const FILE = {
  type: 'File',
  mode: 0o644,
  uid: 0,
  gid: 0,
  uname: '',
  gname: '',
  mtime: new Date(0),
} as const;

/** A tar of our kind, with a header that may say anything. */
function forged(fields: Record<string, unknown> & { readonly path: string }, content = ''): Buffer {
  const header = new Header({ ...FILE, size: content.length, ...fields });
  const block = Buffer.alloc(512);
  header.encode(block, 0);
  block.fill(0, 345, 512).fill(0, 0, 100).write(fields.path, 0, 100, 'utf8');
  const body = Buffer.alloc(Math.ceil(content.length / 512) * 512);
  body.write(content, 'latin1');
  return asOurs(Buffer.concat([block, body]));
}

/** With the spelling of ours: numbers zero-filled and ended by NUL, the checksum made anew. */
function asOurs(tar: Buffer): Buffer {
  for (const [start, length] of [
    [100, 8],
    [108, 8],
    [116, 8],
    [124, 12],
    [136, 12],
    [329, 8],
    [337, 8],
  ] as const) {
    const text = tar.toString('latin1', start, start + length);
    if (!/^[0-7 \0]*$/.test(text)) continue;
    const value = Number.parseInt(text.replaceAll(/[^0-7]/g, '') || '0', 8);
    tar.write(`${value.toString(8).padStart(length - 1, '0')}\0`, start, 'latin1');
  }
  tar.fill(0x20, 148, 156);
  const sum = tar.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  tar.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return tar;
}

const END = Buffer.alloc(1024);

async function read(...parts: readonly Buffer[]): Promise<readonly string[]> {
  const paths: string[] = [];
  for await (const { path } of parseTar([Buffer.concat([...parts, END])])) paths.push(path);
  return paths;
}

async function tarOf(entries: readonly TarEntry[]): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of writeTar(entries)) parts.push(part);
  return Buffer.concat(parts);
}

const entry = (path: string, content = path, mode: 0o644 | 0o755 = 0o644): TarEntry => ({
  path,
  mode,
  bytes: Buffer.from(content),
});

describe('a tar from a stranger', () => {
  it('of our own spelling is read', async () => {
    expect(await read(forged({ path: 'a.txt' }, 'hello'))).toEqual(['a.txt']);
    expect(await read(forged({ path: 'a' }), forged({ path: 'b' }))).toEqual(['a', 'b']);
    expect(await read()).toEqual([]);
  });

  it.each([
    ['a path above its folder', { path: '../evil' }, /leads out of its folder/],
    ['a path that climbs within', { path: 'a/../../evil' }, /leads out of its folder/],
    ['an absolute path', { path: '/etc/passwd' }, /leads out of its folder/],
    ['a path of a folder', { path: 'a/' }, /leads out of its folder|holds a file/],
    ['an empty path', { path: '' }, /is empty/],
    ['a path into .git', { path: '.git/hooks/post-checkout' }, /reserved name \.git/],
    ['a path into .git as Windows spells it', { path: 'GIT~1/config' }, /reserved name/],
    ['a backslash', { path: 'a\\b' }, /backslash/],
    ['a symbolic link', { path: 'a', type: 'SymbolicLink', linkpath: '/etc' }, /a link/],
    ['a hard link', { path: 'a', type: 'Link', linkpath: 'b' }, /a link/],
    ['a folder', { path: 'a', type: 'Directory' }, /other than files \(type 5\)/],
    ['a device', { path: 'a', type: 'CharacterDevice' }, /other than files/],
    ['a pipe', { path: 'a', type: 'FIFO' }, /other than files/],
    ['a setuid file', { path: 'a', mode: 0o4755 }, /has the mode 4755/],
    ['an owner', { path: 'a', uid: 1000 }, /an owner/],
    ["an owner's name", { path: 'a', uname: 'root' }, /an owner/],
    ['a time', { path: 'a', mtime: new Date(1_700_000_000_000) }, /a time/],
    ['a size beyond all limits', { path: 'a', size: 2 ** 32 }, /more than the limit/],
    ['a size in base 256', { path: 'a', size: 2 ** 40 }, /a number in a header is none/],
  ])('with %s is refused', async (_title, fields, message) => {
    await expect(read(forged(fields))).rejects.toMatchObject({
      code: 'integrity',
      message: expect.stringMatching(message) as unknown,
    });
  });

  it.each([
    ['twice', ['a', 'a'], /out of order/],
    ['out of order', ['b', 'a'], /out of order/],
    ['twice in another case', ['A', 'a'], /are one on some disks/],
    ['as a file and a folder', ['a', 'a/b'], /are one on some disks/],
  ])('with a path %s is refused', async (_title, paths, message) => {
    await expect(read(...paths.map((path) => forged({ path })))).rejects.toThrow(message);
  });

  it('with a pax header of more, or of another path, is refused', async () => {
    const long = 'x'.repeat(150);
    const pax = (fields: ConstructorParameters<typeof Pax>[0]) => {
      const bytes = new Pax(fields).encode();
      bytes.write('PaxHeader\0'.padEnd(100, '\0'), 0, 'latin1');
      bytes.fill(0, 345, 512);
      return asOurs(bytes);
    };
    const ours = await tarOf([entry(long)]);
    expect(await read(pax({ path: long }), forged({ path: 'x'.repeat(100) }))).toEqual([long]);
    expect(ours.subarray(512, 1024)).toEqual(pax({ path: long }).subarray(512, 1024));
    await expect(read(pax({ path: long, comment: 'more' }), forged({ path: 'x' }))).rejects.toThrow(
      /pax/,
    );
    await expect(read(pax({ path: long }), forged({ path: 'y' }))).rejects.toThrow(/differ/);
    await expect(read(pax({ path: 'short' }), forged({ path: 'short' }))).rejects.toThrow(/differ/);
    await expect(read(pax({ path: long }))).rejects.toThrow(/refused/);
  });

  it('that is no tar, or goes on after its end, is refused', async () => {
    const gzip = Buffer.alloc(1024, Buffer.from([0x1f, 0x8b, 8, 0]));
    await expect(read(gzip)).rejects.toMatchObject({ code: 'integrity' });
    await expect(read(forged({ path: 'a' }), END, forged({ path: 'b' }))).rejects.toThrow(
      /something follows its end/,
    );
    const dirty = forged({ path: 'a' }, 'hello');
    dirty[600] = 7;
    await expect(read(dirty)).rejects.toThrow(/something follows a file in its block/);
  });
});

describe('the tar of pinned code in the store', () => {
  const entries = [entry('a/b.txt'), entry('bin/run', '#!/bin/sh\n', 0o755), entry('c', '')];

  it('is written into an empty folder, with modes', async () => {
    const context = await gitContext();
    const tar = await context.store.put(writeTar(entries));
    const folder = join(await temporaryFolder(), 'new', 'code');
    expect(await extractTar(context, tar, folder)).toBe(3);
    expect(await readFile(join(folder, 'a', 'b.txt'), 'utf8')).toBe('a/b.txt');
    expect((await stat(join(folder, 'bin', 'run'))).mode & 0o111).toBe(0o111);
    expect((await stat(join(folder, 'c'))).mode & 0o111).toBe(0);
    expect((await readdir(folder)).sort()).toEqual(['a', 'bin', 'c']);
  });

  it('is not written where something is', async () => {
    const context = await gitContext();
    const tar = await context.store.put(writeTar(entries));
    const folder = await temporaryFolder();
    await symlink('/tmp', join(folder, 'a'));
    await expect(extractTar(context, tar, folder)).rejects.toMatchObject({ code: 'conflict' });
  });

  it('is refused and removed where its bytes were changed, and missed where it is gone', async () => {
    const context = await gitContext();
    const tar = await context.store.put(writeTar(entries));
    const bytes = await readFile(context.store.path(tar.digest));
    bytes[512] = 0x21;
    await writeFile(context.store.path(tar.digest), bytes);
    const drain = async () => {
      for await (const { path } of readTar(context, tar)) return path;
      return undefined;
    };
    await expect(drain()).rejects.toMatchObject({
      code: 'integrity',
      message: expect.stringMatching(/did not match its digest/) as unknown,
    });
    await expect(drain()).rejects.toMatchObject({
      code: 'integrity',
      message: expect.stringMatching(/is gone/) as unknown,
    });
  });

  it('is not begun where files are out of order', async () => {
    await expect(tarOf([entry('b'), entry('a')])).rejects.toThrow(/out of order/);
  });
});

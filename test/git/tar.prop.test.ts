/** The tar of pinned code: what is written is read, whatever the files are, and other tars agree. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { Parser, type ReadEntry } from 'tar';
import { describe, expect, it } from 'vitest';
import { type CodeFile, parseTar } from '../../src/git/parse-tar.ts';
import { comparePaths, PathClashes, pathFault } from '../../src/git/tree-path.ts';
import { type TarEntry, writeTar } from '../../src/git/write-tar.ts';
import { PkgError } from '../../src/runtime/errors.ts';

const run = promisify(execFile);

const name = fc.oneof(
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }),
  fc.string({
    unit: fc.constantFrom('a', 'B', '-', '.', '/', '0', 'é'),
    minLength: 1,
    maxLength: 60,
  }),
);

const path = fc.array(name, { minLength: 1, maxLength: 6 }).map((names) => names.join('/'));

/** Files that may stand in one tree, in the order of a tar. */
const files: fc.Arbitrary<readonly TarEntry[]> = fc
  .array(
    fc.record({
      path,
      mode: fc.constantFrom(0o644 as const, 0o755 as const),
      bytes: fc.oneof(
        fc.uint8Array({ maxLength: 1100 }),
        fc.constantFrom(0, 511, 512, 513, 1024).map((length) => new Uint8Array(length)),
      ),
    }),
    { maxLength: 8 },
  )
  .map((entries) => {
    const clashes = new PathClashes();
    return entries
      .filter((entry) => pathFault(entry.path) === undefined)
      .filter((entry) => clashes.add(entry.path) === undefined)
      .sort((a, b) => comparePaths(a.path, b.path));
  });

async function tarOf(entries: readonly TarEntry[]): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of writeTar(entries)) parts.push(part);
  return Buffer.concat(parts);
}

async function read(chunks: Iterable<Uint8Array>): Promise<readonly CodeFile[]> {
  const found: CodeFile[] = [];
  for await (const file of parseTar(chunks)) found.push(file);
  return found;
}

function plain(entries: readonly TarEntry[]) {
  return entries.map(({ path, mode, bytes }) => ({ path, mode, bytes: Buffer.from(bytes) }));
}

function* cut(bytes: Buffer, at: readonly number[]): Generator<Uint8Array> {
  let start = 0;
  for (const length of at) {
    yield bytes.subarray(start, start + length);
    start += length;
  }
  yield bytes.subarray(start);
}

describe('the tar of pinned code', () => {
  it('reads as the files that were written, however its bytes come in', async () => {
    await fc.assert(
      fc.asyncProperty(files, fc.array(fc.nat(3000), { maxLength: 6 }), async (entries, at) => {
        const tar = await tarOf(entries);
        expect(plain(await read(cut(tar, at)))).toEqual(plain(entries));
      }),
      { numRuns: 200 },
    );
  });

  it('is refused, or reads as the same files, when a byte of it is changed', async () => {
    await fc.assert(
      fc.asyncProperty(
        files,
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        async (entries, at, by) => {
          const tar = await tarOf(entries);
          const place = at % tar.length;
          const changed = Buffer.from(tar);
          changed[place] = (tar[place] ?? 0) ^ by;
          let found: readonly CodeFile[];
          try {
            found = await read([changed]);
          } catch (error) {
            if (!(error instanceof PkgError)) throw error;
            expect(error.code).toBe('integrity');
            return;
          }
          // Only a file's own bytes have no check of their own; the digest of the whole tar is theirs.
          const strip = (list: readonly TarEntry[]) =>
            list.map(({ path, mode }) => ({ path, mode }));
          expect(strip(found)).toEqual(strip(entries));
          expect(await tarOf(found)).toEqual(changed);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('is refused when it is cut off anywhere', async () => {
    await fc.assert(
      fc.asyncProperty(files, fc.nat(), async (entries, at) => {
        const tar = await tarOf(entries);
        await expect(read([tar.subarray(0, at % tar.length)])).rejects.toMatchObject({
          code: 'integrity',
        });
      }),
      { numRuns: 100 },
    );
  });

  it('reads the same with node-tar, but for an empty one, which it takes for none', async () => {
    await fc.assert(
      fc.asyncProperty(files, async (entries) => {
        fc.pre(entries.length > 0);
        const found: TarEntry[] = [];
        const parser = new Parser({
          strict: true,
          onReadEntry: (entry: ReadEntry) => {
            const parts: Buffer[] = [];
            entry.on('data', (part: Buffer) => parts.push(part));
            entry.on('end', () => {
              expect(entry).toMatchObject({ type: 'File', uid: 0, gid: 0 });
              expect(entry.mtime?.getTime()).toBe(0);
              found.push({
                path: entry.path,
                mode: entry.mode === 0o755 ? 0o755 : 0o644,
                bytes: Buffer.concat(parts),
              });
            });
          },
        });
        const tar = await tarOf(entries);
        await new Promise((ended, failed) => {
          parser.on('end', ended);
          parser.on('error', failed);
          parser.end(tar);
        });
        expect(plain(found)).toEqual(plain(entries));
      }),
      { numRuns: 100 },
    );
  });

  it('reads the same with the system’s tar', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'pkg-test-'));
    try {
      const entries: readonly TarEntry[] = [
        { path: 'bin/run', mode: 0o755 as const, bytes: Buffer.from('#!/bin/sh\n') },
        { path: 'empty', mode: 0o644 as const, bytes: Buffer.alloc(0) },
        {
          path: `${'folder/'.repeat(20)}${'x'.repeat(200)}`,
          mode: 0o644 as const,
          bytes: Buffer.from('long'),
        },
        { path: 'größe — 写真.txt', mode: 0o644 as const, bytes: Buffer.alloc(512, 'y') },
      ].sort((a, b) => comparePaths(a.path, b.path));
      await writeFile(join(folder, 'code.tar'), await tarOf(entries));
      const { stdout } = await run(
        'tar',
        ['-tvf', 'code.tar', '--numeric-owner', '--full-time', '--quoting-style=literal'],
        {
          cwd: folder,
          env: { ...process.env, TZ: 'UTC', LC_ALL: 'C.UTF-8' },
        },
      );
      const lines = entries.map(({ path, mode, bytes }) => {
        const letters = mode === 0o755 ? '-rwxr-xr-x' : '-rw-r--r--';
        return `${letters} 0/0 ${String(bytes.length)} 1970-01-01 00:00:00 ${path}`;
      });
      expect(
        stdout
          .trimEnd()
          .split('\n')
          .map((line) => line.replace(/ +/g, ' ')),
      ).toEqual(lines);
      await run('tar', ['-xf', 'code.tar'], { cwd: folder });
      for (const { path, mode, bytes } of entries) {
        expect(await readFile(join(folder, path))).toEqual(Buffer.from(bytes));
        expect((await stat(join(folder, path))).mode & 0o777).toBe(mode);
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

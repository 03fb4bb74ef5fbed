/** A folder becomes a package of its files, and of nothing else. */
import { mkdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { listFolder, readFolder } from '../../src/package/folder.ts';
import { statedDigest } from '../../src/package/package.ts';
import { parsePhysicalKey } from '../../src/package/physical-key.ts';
import { isIgnored, parseQuiltIgnore } from '../../src/package/quiltignore.ts';
import { topHash } from '../../src/package/top-hash.ts';
import { PkgError } from '../../src/runtime/errors.ts';
import { digestOf } from '../../src/store/digest.ts';
import { testRuntime } from '../support/runtime.ts';
import { noise, samplePackage, writeFiles } from '../support/sample-packages.ts';
import { temporaryFolder } from '../support/temporary.ts';

const FILES = {
  'a b': '1',
  'a/b/c': '2',
  'a/empty': '',
  'large.bin': noise(9 * 2 ** 20, 1),
  'odd é #?%+&=;😀 name': 'odd',
};

async function keysOf(folder: string): Promise<readonly string[]> {
  const keys: string[] = [];
  for await (const { logicalKey } of listFolder(folder)) keys.push(logicalKey);
  return keys.sort();
}

describe('readFolder', () => {
  it('hashes every file into an entry, with the same top hash wherever the folder is', async () => {
    const folder = join(await temporaryFolder(), 'with é and space');
    await writeFiles(folder, FILES);
    const { pkg, paths } = await readFolder(testRuntime(), folder);
    expect(topHash(pkg)).toBe(topHash(samplePackage(FILES).pkg));
    for (const entry of pkg.entries) {
      const path = join(folder, entry.logicalKey);
      expect(parsePhysicalKey(entry.physicalKey)).toEqual({ scheme: 'file', path });
      expect(entry.sizeBytes).toBe((await stat(path)).size);
    }
    const a = [...pkg.entries].find(({ logicalKey }) => logicalKey === 'a b');
    expect(a === undefined ? '' : statedDigest(a)).toBe(digestOf('1'));
    expect(paths.get(digestOf('1'))).toBe(join(folder, 'a b'));
  });

  it('does not look at times, modes, and the number of workers', async () => {
    const hashes = new Set<string>();
    for (const concurrency of [1, 7]) {
      const folder = await temporaryFolder();
      await writeFiles(folder, FILES);
      await rm(join(folder, 'a b'));
      await writeFile(join(folder, 'a b'), '1', { mode: 0o600 });
      const { pkg } = await readFolder(testRuntime({ concurrency }), folder);
      hashes.add(topHash(pkg));
    }
    expect(hashes.size).toBe(1);
  });

  it('gives an empty folder a package without entries', async () => {
    const { pkg } = await readFolder(testRuntime(), await temporaryFolder());
    expect(pkg.entries).toEqual([]);
  });

  it('says which folder is not there, or is a file', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'file'), '');
    for (const name of ['absent', 'file', 'file/below']) {
      const error: unknown = await readFolder(testRuntime(), join(folder, name)).catch(
        (thrown: unknown) => thrown,
      );
      expect(error).toBeInstanceOf(PkgError);
      expect(String(error)).toContain(join(folder, name));
    }
  });

  it.runIf(process.platform === 'linux')(
    'refuses a file whose name is not UTF-8, as quilt3 does',
    async () => {
      const folder = await temporaryFolder();
      await writeFile(Buffer.concat([Buffer.from(`${folder}/bad-`), Buffer.from([0xff])]), 'x');
      await expect(readFolder(testRuntime(), folder)).rejects.toBeInstanceOf(PkgError);
    },
  );

  it.runIf(process.platform === 'linux')(
    'never states a size that is not that of the bytes it hashed',
    async () => {
      // The kernel says 0 bytes of this file, and then gives some: like a file that grows meanwhile.
      const folder = await temporaryFolder();
      await symlink('/proc/version', join(folder, 'growing'));
      const outcome = await readFolder(testRuntime(), folder).catch((thrown: unknown) => thrown);
      if (outcome instanceof Error) {
        expect(outcome).toBeInstanceOf(PkgError);
      } else {
        const { pkg } = outcome as Awaited<ReturnType<typeof readFolder>>;
        expect([...pkg.entries].map(({ sizeBytes }) => sizeBytes)).not.toContain(0);
      }
    },
  );
});

describe('listFolder', () => {
  it('takes files and links to files; not links to folders, broken links and empty folders', async () => {
    const folder = await temporaryFolder();
    const elsewhere = await temporaryFolder();
    await writeFiles(elsewhere, { target: 'x', 'below/y': 'y' });
    await writeFiles(folder, { file: '1', '.hidden': '2', 'd/.pkg/x': '3' });
    await mkdir(join(folder, 'empty'));
    await symlink(join(elsewhere, 'target'), join(folder, 'link'));
    await symlink(join(elsewhere, 'below'), join(folder, 'linked folder'));
    await symlink(join(elsewhere, 'absent'), join(folder, 'broken'));
    await symlink('loop', join(folder, 'loop'));
    expect(await keysOf(folder)).toEqual(['.hidden', 'd/.pkg/x', 'file', 'link']);
  });

  it('leaves our own notes of an installed package out', async () => {
    const folder = await temporaryFolder();
    await writeFiles(folder, { '.pkg/installed.json': '{}', file: '1' });
    expect(await keysOf(folder)).toEqual(['file']);
  });

  it('follows a link that is given as the folder', async () => {
    const folder = await temporaryFolder();
    await writeFiles(folder, { 'real/file': '1' });
    await symlink('real', join(folder, 'link'));
    expect(await keysOf(join(folder, 'link'))).toEqual(['file']);
  });

  it('reads a .quiltignore with Windows line ends as Python does', async () => {
    const folder = await temporaryFolder();
    await writeFiles(folder, {
      'a.log': '1',
      'b.tmp': '2',
      c: '3',
      '.quiltignore': '*.log\r\n*.tmp\r\n',
    });
    expect(await keysOf(folder)).toEqual(['.quiltignore', 'c']);
  });
});

describe('the rules of a .quiltignore', () => {
  // What Python's fnmatch, which quilt3 asks, says of the pattern behind "*/".
  it.each([
    ['a?c', '/d/abc', true],
    ['a?c', '/d/a/c', true],
    ['a?c', '/d/ac', false],
    ['a?c', '/d/a😀c', true],
    ['[ab].txt', '/d/a.txt', true],
    ['[!ab].txt', '/d/a.txt', false],
    ['[!ab].txt', '/d/c.txt', true],
    ['[^ab].txt', '/d/a.txt', true],
    ['[^ab].txt', '/d/^.txt', true],
    ['[^ab].txt', '/d/c.txt', false],
    ['[]].txt', '/d/].txt', true],
    ['[]a].txt', '/d/a.txt', true],
    ['[!]].txt', '/d/].txt', false],
    ['[!]].txt', '/d/a.txt', true],
    ['[a-c].txt', '/d/b.txt', true],
    ['[c-a].txt', '/d/b.txt', false],
    ['[!c-a].txt', '/d/b.txt', true],
    ['[\\d].txt', '/d/5.txt', false],
    ['[\\d].txt', '/d/d.txt', true],
    ['[.txt', '/d/[.txt', true],
    ['[]', '/d/[]', true],
    ['a.b', '/d/axb', false],
    ['(a|b)+$', '/d/(a|b)+$', true],
    ['a\\*', '/d/a\\xyz', true],
    ['a\nb', '/d/b', true],
    ['é', '/d/é', true],
  ])('%j on %j: %j', (rule, path, expected) => {
    expect(isIgnored(path, parseQuiltIgnore(rule))).toBe(expected);
  });
});

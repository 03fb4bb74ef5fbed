/** The check of a folder finds every file that is not what the package says. */
import { mkdir, rename, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Finding, verifyFiles } from '../../src/package/verify.ts';
import { PkgError } from '../../src/runtime/errors.ts';
import { testRuntime } from '../support/runtime.ts';
import { noise, samplePackage, writeFiles } from '../support/sample-packages.ts';
import { temporaryFolder } from '../support/temporary.ts';

const FILES = {
  'README.md': 'read me',
  'data/a.txt': 'aaaa',
  'data/deep/b.bin': Buffer.from([0, 1, 2, 255]),
  'data/empty': '',
  'odd é #?%+&=;😀 name': 'odd',
};
const { pkg } = samplePackage(FILES);

async function folderWithFiles(): Promise<string> {
  const folder = await temporaryFolder();
  await writeFiles(folder, FILES);
  return folder;
}

async function findings(folder: string, entries = pkg.entries): Promise<readonly Finding[]> {
  const found: Finding[] = [];
  for await (const finding of verifyFiles(testRuntime(), entries, folder)) found.push(finding);
  return found;
}

describe('verifyFiles', () => {
  it('finds nothing where every file is as it should be', async () => {
    expect(await findings(await folderWithFiles())).toEqual([]);
  });

  it('finds a missing file, also where its folder is missing or a file', async () => {
    const folder = await folderWithFiles();
    await rm(join(folder, 'README.md'));
    await rm(join(folder, 'data/deep'), { recursive: true });
    await writeFile(join(folder, 'data/deep'), 'a file now');
    expect(await findings(folder)).toEqual([
      { logicalKey: 'README.md', kind: 'missing' },
      { logicalKey: 'data/deep/b.bin', kind: 'missing' },
      { logicalKey: 'data/deep', kind: 'extra' },
    ]);
  });

  it('finds a file of another size, and one of the same size and time with other bytes', async () => {
    const folder = await folderWithFiles();
    const path = join(folder, 'data/a.txt');
    const { atime, mtime } = await stat(path);
    await writeFile(path, 'aaab');
    await utimes(path, atime, mtime);
    await writeFile(join(folder, 'data/empty'), 'x');
    expect(await findings(folder)).toEqual([
      { logicalKey: 'data/a.txt', kind: 'changed' },
      { logicalKey: 'data/empty', kind: 'changed' },
    ]);
  });

  it('finds one changed byte in files around the size up to which they are read at once', async () => {
    const sizes = [2 ** 20 - 1, 2 ** 20, 2 ** 20 + 1, 8 * 2 ** 20 + 1];
    const files = Object.fromEntries(sizes.map((size) => [String(size), noise(size, size)]));
    const large = samplePackage(files).pkg.entries;
    const folder = await temporaryFolder();
    await writeFiles(folder, files);
    expect(await findings(folder, large)).toEqual([]);
    for (const [name, content] of Object.entries(files)) {
      content[content.length - 1] = (content.at(-1) ?? 0) ^ 1;
      await writeFile(join(folder, name), content);
    }
    expect((await findings(folder, large)).map(({ kind }) => kind)).toEqual(
      sizes.map(() => 'changed'),
    );
  });

  it('takes no key for a file of another name, whatever order a folder lists its names in', async () => {
    const files = { 'a/x': '1', 'a b': '2', 'a-b': '3', '\uff5e': '4', '\u{1f600}': '5', b: '6' };
    const folder = await temporaryFolder();
    await writeFiles(folder, files);
    const all = [...samplePackage(files).pkg.entries];
    expect(await findings(folder, all)).toEqual([]);
    for (const [index, { logicalKey }] of all.entries()) {
      const others = all.filter((_, other) => other !== index);
      expect(await findings(folder, others)).toEqual([{ logicalKey, kind: 'extra' }]);
    }
  });

  it('finds a folder in place of a file', async () => {
    const folder = await folderWithFiles();
    await rm(join(folder, 'README.md'));
    await mkdir(join(folder, 'README.md'));
    expect(await findings(folder)).toEqual([{ logicalKey: 'README.md', kind: 'changed' }]);
  });

  it('finds a symbolic link in place of a file, even to the right bytes', async () => {
    const folder = await folderWithFiles();
    const elsewhere = join(await temporaryFolder(), 'same');
    await rename(join(folder, 'data/a.txt'), elsewhere);
    await symlink(elsewhere, join(folder, 'data/a.txt'));
    expect(await findings(folder)).toEqual([{ logicalKey: 'data/a.txt', kind: 'changed' }]);
  });

  it('finds a symbolic link in place of a folder', async () => {
    const folder = await folderWithFiles();
    const elsewhere = join(await temporaryFolder(), 'data');
    await rename(join(folder, 'data'), elsewhere);
    await symlink(elsewhere, join(folder, 'data'));
    expect((await findings(folder)).map(({ logicalKey }) => logicalKey)).toContain('data');
  });

  it('finds extra files, at any depth, with links, in order, after the entries', async () => {
    const folder = await folderWithFiles();
    await writeFiles(folder, { 'data/deep/x/new': '1', 'A new file': '2', 'data/.hidden': '3' });
    await symlink('README.md', join(folder, 'data/link'));
    await rm(join(folder, 'odd é #?%+&=;😀 name'));
    expect(await findings(folder)).toEqual([
      { logicalKey: 'odd é #?%+&=;😀 name', kind: 'missing' },
      { logicalKey: 'A new file', kind: 'extra' },
      { logicalKey: 'data/.hidden', kind: 'extra' },
      { logicalKey: 'data/deep/x/new', kind: 'extra' },
      { logicalKey: 'data/link', kind: 'extra' },
    ]);
  });

  it('leaves its own notes at the top alone, and no other file of that name', async () => {
    const folder = await folderWithFiles();
    await writeFiles(folder, { '.pkg/installed.json': '{}', 'data/.pkg/x': 'x' });
    expect(await findings(folder)).toEqual([{ logicalKey: 'data/.pkg/x', kind: 'extra' }]);
  });

  it('checks plain SHA-256 and CRC-64 as well', async () => {
    const folder = await folderWithFiles();
    const entry = [...pkg.entries].find(({ logicalKey }) => logicalKey === 'data/empty');
    if (entry === undefined) throw new Error('no entry');
    const sha256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
    const states = [
      { type: 'SHA256', value: sha256, expected: 0 },
      { type: 'SHA256', value: sha256.replace('e', 'f'), expected: 1 },
      { type: 'CRC64NVME', value: 'AAAAAAAAAAA=', expected: 0 },
      { type: 'CRC64NVME', value: 'AAAAAAAAAAE=', expected: 1 },
    ];
    for (const { expected, ...hash } of states) {
      const found = await findings(folder, [{ ...entry, hash }]);
      expect(found.filter(({ kind }) => kind === 'changed')).toHaveLength(expected);
    }
  });

  it('refuses a hash type that it cannot check, instead of passing it', async () => {
    const folder = await folderWithFiles();
    const [entry] = pkg.entries;
    if (entry === undefined) throw new Error('no entry');
    const unknown = [{ ...entry, hash: { type: 'MD5', value: 'x' } }];
    const error: unknown = await findings(folder, unknown).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(PkgError);
    expect(error).toMatchObject({ code: 'integrity' });
    expect(String(error)).toContain('MD5');
  });

  it('reports each entry as progress, the wrong ones as failed', async () => {
    const folder = await folderWithFiles();
    await rm(join(folder, 'README.md'));
    const runtime = testRuntime();
    for await (const _ of verifyFiles(runtime, pkg.entries, folder));
    const last = runtime.events.filter((event) => event.kind === 'advanced').at(-1);
    expect(last).toMatchObject({ done: 5, total: 5, failed: 1 });
  });
});

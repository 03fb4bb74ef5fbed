/** Work trees with changes: refused, or recorded as they are. */
import {
  chmod,
  cp,
  mkdir,
  readFile,
  rename,
  rm,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkWorkTree, openPinnedCode, resolveCode } from '../../src/git/git.ts';
import { temporaryFolder } from '../support/temporary.ts';
import {
  commitAll,
  git,
  gitContext,
  gitWithInput,
  repositoryOf,
  SAMPLE,
  summaryOf,
  summaryOfSample,
  writeFiles,
} from './git-repositories.ts';

const HEAD = { repository: '.', revision: 'HEAD' } as const;

async function changedIn(folder: string, ignoring: readonly string[] = [], revision = 'HEAD') {
  return await checkWorkTree(await gitContext(), { repository: '.', revision }, folder, ignoring);
}

async function record(folder: string, ignoring: readonly string[] = []) {
  const context = await gitContext();
  const pinned = await resolveCode(context, HEAD, { folder, dirty: 'record', ignoring });
  return { context, pinned };
}

describe('a work tree', () => {
  it('as it was checked out is clean, also after every file was touched or copied', async () => {
    const { folder } = await repositoryOf();
    expect(await changedIn(folder)).toEqual([]);
    for (const path of Object.keys(SAMPLE)) await utimes(join(folder, path), 1, 1);
    expect(await changedIn(folder)).toEqual([]);
    const copy = join(await temporaryFolder(), 'copy');
    await cp(folder, copy, { recursive: true });
    expect(await changedIn(copy)).toEqual([]);
    await writeFiles(folder, { 'untracked.txt': { content: 'new' } });
    expect(await changedIn(folder)).toEqual([]);
  });

  it('tells each way in which a tracked file can differ, as git does', async () => {
    const { folder } = await repositoryOf();
    await writeFile(join(folder, 'README.md'), '# CODE\n');
    await chmod(join(folder, 'bin', 'run'), 0o644);
    await rm(join(folder, 'src', 'empty'));
    await rename(join(folder, 'binary.bin'), join(folder, 'renamed.bin'));
    await writeFiles(folder, { 'added.txt': { content: 'new' } });
    await git(folder, 'add', 'added.txt');
    await git(folder, 'rm', '--quiet', '--cached', 'exactly-512');
    await rm(join(folder, 'src-more', 'a.txt'));
    await mkdir(join(folder, 'src-more', 'a.txt'));
    await writeFile(join(folder, 'src', 'model.js'), 'staged\n');
    await git(folder, 'add', 'src/model.js');
    await writeFile(join(folder, 'src', 'model.js'), String(SAMPLE['src/model.js']?.content));
    const status = await git(folder, '-c', 'core.quotePath=false', 'status', '--porcelain', '-uno');
    const paths = status.split('\n').map((line) => line.slice(3));
    expect([...(await changedIn(folder))].sort()).toEqual(paths.sort());
    expect(paths).toHaveLength(8);
  });

  it('with a change of the same size in the same moment is found changed', async () => {
    const { folder } = await repositoryOf({ 'a.txt': { content: 'one\n' } });
    for (let round = 0; round < 10; round++) {
      await writeFile(join(folder, 'a.txt'), `${String(round)}ne\n`);
      await git(folder, 'commit', '--quiet', '--all', '-m', 'a round');
      await writeFile(join(folder, 'a.txt'), `${String(round)}no\n`);
      expect(await changedIn(folder)).toEqual(['a.txt']);
    }
  });

  it('with the line ends of another system is clean', async () => {
    const { folder } = await repositoryOf({ 'a.txt': { content: 'one\ntwo\n' } });
    await writeFile(join(folder, 'a.txt'), 'one\r\ntwo\r\n');
    expect(await changedIn(folder)).toEqual([]);
    await writeFile(join(folder, 'a.txt'), 'one\r\nthree\r\n');
    expect(await changedIn(folder)).toEqual(['a.txt']);
  });

  it('in the middle of a merge is changed', async () => {
    const { folder } = await repositoryOf({ 'a.txt': { content: 'one\n' } });
    await git(folder, 'checkout', '--quiet', '-b', 'other');
    await writeFile(join(folder, 'a.txt'), 'two\n');
    await commitAll(folder);
    await git(folder, 'checkout', '--quiet', 'main');
    await writeFile(join(folder, 'a.txt'), 'three\n');
    await commitAll(folder);
    await git(folder, 'merge', '--quiet', 'other').catch(() => undefined);
    expect(await changedIn(folder)).toEqual(['a.txt']);
  });

  it('matters only for the commit that is checked out', async () => {
    const { folder, commit } = await repositoryOf();
    await writeFile(join(folder, 'README.md'), 'second\n');
    const second = await commitAll(folder);
    await writeFile(join(folder, 'README.md'), 'third\n');
    expect(await changedIn(folder, [], commit)).toEqual([]);
    expect(await changedIn(folder, [], 'main')).toEqual(['README.md']);
    expect(await changedIn(folder, [], second)).toEqual(['README.md']);
    const bare = join(await temporaryFolder(), 'bare.git');
    await git(folder, 'clone', '--quiet', '--bare', '.', bare);
    const context = await gitContext();
    expect(await checkWorkTree(context, { repository: bare, revision: 'main' }, '/', [])).toEqual(
      [],
    );
  });

  it.each(['2', '3', '4'])('is compared by an index of version %s', async (version) => {
    const { folder } = await repositoryOf();
    await git(folder, 'update-index', '--index-version', version);
    if (version === '3') await git(folder, 'update-index', '--skip-worktree', 'src/empty');
    await writeFile(join(folder, 'src', 'model.js'), 'changed\n');
    expect(await changedIn(folder)).toEqual(['src/model.js']);
  });

  it('that is sparse is clean, and pinned as a whole', async () => {
    const { folder } = await repositoryOf();
    const whole = await record(folder);
    await git(folder, 'sparse-checkout', 'set', '--cone', '--sparse-index', 'src');
    expect(await changedIn(folder)).toEqual([]);
    expect((await record(folder)).pinned.tar).toEqual(whole.pinned.tar);
  });

  it('with an index split in two is refused in words', async () => {
    const { folder } = await repositoryOf();
    await git(folder, 'update-index', '--split-index');
    await expect(changedIn(folder)).rejects.toMatchObject({
      code: 'usage',
      hint: 'Rewrite it with: git update-index --no-split-index',
    });
  });

  it('with a damaged index is refused, wherever the damage is', async () => {
    const { folder } = await repositoryOf();
    const index = join(folder, '.git', 'index');
    const bytes = await readFile(index);
    for (const length of [0, 4, 11, 40, 100, Math.floor(bytes.length / 2)]) {
      await writeFile(index, bytes.subarray(0, length));
      await expect(changedIn(folder)).rejects.toMatchObject({ code: 'integrity' });
    }
    await writeFile(index, Buffer.concat([Buffer.from('DIRC\0\0\0\x09'), bytes.subarray(8)]));
    await expect(changedIn(folder)).rejects.toMatchObject({ code: 'usage' });
  });
});

describe('a changed work tree', () => {
  it('is refused, naming what changed and what to do', async () => {
    const { folder } = await repositoryOf();
    await writeFile(join(folder, 'README.md'), 'changed\n');
    const options = { folder, dirty: 'refuse', ignoring: [] } as const;
    await expect(resolveCode(await gitContext(), HEAD, options)).rejects.toMatchObject({
      code: 'lockfile',
      message: expect.stringMatching(/has changes not committed: README\.md$/) as unknown,
      hint: 'Commit them, or run again with --allow-dirty to record the files as they are.',
    });
    for (const path of Object.keys(SAMPLE)) await rm(join(folder, path), { force: true });
    await expect(resolveCode(await gitContext(), HEAD, options)).rejects.toThrow(/ and 5 more$/);
  });

  it('is recorded as it is: changed, added and new files, without deleted and ignored ones', async () => {
    const { folder, commit } = await repositoryOf();
    await writeFiles(folder, {
      '.gitignore': { content: '*.log\nbuild/\n!keep.log\n' },
      'README.md': { content: 'changed\n' },
      'new.txt': { content: 'new\n' },
      'tool.sh': { content: '#!/bin/sh\n', executable: true },
      'a.log': { content: 'ignored\n' },
      'keep.log': { content: 'not ignored\n' },
      'build/out.js': { content: 'ignored\n' },
      'src/.gitignore': { content: 'local.txt\n' },
      'src/local.txt': { content: 'ignored\n' },
    });
    await rm(join(folder, 'src', 'empty'));
    const { context, pinned } = await record(folder);
    expect(pinned).toMatchObject({ commit, dirty: true });
    const { 'src/empty': _deleted, ...rest } = summaryOfSample(SAMPLE);
    expect(await summaryOf(context, pinned.tar)).toEqual({
      ...rest,
      '.gitignore': '644 *.log\nbuild/\n!keep.log\n',
      'README.md': '644 changed\n',
      'new.txt': '644 new\n',
      'tool.sh': '755 #!/bin/sh\n',
      'keep.log': '644 not ignored\n',
      'src/.gitignore': '644 local.txt\n',
    });
    const listed = await git(
      folder,
      'ls-files',
      '-z',
      '--cached',
      '--others',
      '--exclude-standard',
      '--deduplicate',
    );
    const deleted = await git(folder, 'ls-files', '-z', '--deleted');
    const gone = deleted.split('\0');
    expect(Object.keys(await summaryOf(context, pinned.tar)).sort()).toEqual(
      listed
        .split('\0')
        .filter((path) => path !== '' && !gone.includes(path))
        .sort(),
    );
    expect((await record(folder)).pinned).toEqual(pinned);
  });

  it('gives the tar that its files give once they are committed', async () => {
    const { folder } = await repositoryOf();
    await writeFiles(folder, {
      'README.md': { content: 'changed\n' },
      'new.txt': { content: 'n' },
    });
    const dirty = await record(folder);
    await commitAll(folder);
    const clean = await record(folder);
    expect(clean.pinned.dirty).toBeUndefined();
    expect(clean.pinned.tar).toEqual(dirty.pinned.tar);
  });

  it('is recorded without what is not to count, tracked or not', async () => {
    const { folder } = await repositoryOf();
    const lockfile = join(folder, 'src', 'model.js');
    const other = join(folder, 'new.lock.json');
    await writeFile(lockfile, 'changed\n');
    await writeFile(other, '{}');
    expect(await changedIn(folder, [lockfile, other])).toEqual([]);
    expect((await record(folder, [lockfile, other])).pinned.dirty).toBeUndefined();
    await writeFile(join(folder, 'README.md'), 'changed\n');
    const { context, pinned } = await record(folder, [lockfile, other]);
    expect(await summaryOf(context, pinned.tar)).toEqual({
      ...summaryOfSample(SAMPLE),
      'README.md': '644 changed\n',
    });
  });

  it('is found in a linked work tree, beside a clean main one', async () => {
    const { folder } = await repositoryOf();
    const linked = join(await temporaryFolder(), 'linked');
    await git(folder, 'worktree', 'add', '--quiet', linked, '-b', 'work');
    await writeFile(join(linked, 'README.md'), 'changed\n');
    expect(await changedIn(linked)).toEqual(['README.md']);
    expect(await changedIn(folder)).toEqual([]);
    expect((await record(linked)).pinned.dirty).toBe(true);
  });

  it('cannot be opened again elsewhere, and says where its tar is', async () => {
    const { folder } = await repositoryOf();
    await writeFile(join(folder, 'README.md'), 'changed\n');
    const { context, pinned } = await record(folder);
    expect(await openPinnedCode(context, pinned, folder)).toEqual(pinned.tar);
    await expect(openPinnedCode(await gitContext(), pinned, folder)).rejects.toMatchObject({
      code: 'lockfile',
      message: 'the code was pinned from a changed work tree that is not kept here',
    });
  });

  it('with a link or a repository of its own within is refused, unless git ignores it', async () => {
    const { folder } = await repositoryOf();
    await writeFile(join(folder, 'README.md'), 'changed\n');
    await symlink('/etc', join(folder, 'etc'));
    await expect(record(folder)).rejects.toThrow(/etc is a symbolic link/);
    await writeFiles(folder, { '.gitignore': { content: 'etc\n' } });
    expect((await record(folder)).pinned.dirty).toBe(true);
    await git(folder, 'init', '--quiet', 'inner');
    await expect(record(folder)).rejects.toThrow(/inner\/ is a repository of its own/);
    await rm(join(folder, 'inner'), { recursive: true });
    const id = await gitWithInput(folder, 'x', 'hash-object', '-w', '--stdin');
    await rm(join(folder, 'src'), { recursive: true });
    await symlink('names', join(folder, 'src'));
    await expect(record(folder)).rejects.toThrow(/src is a symbolic link/);
    expect(id).toHaveLength(40);
  });
});

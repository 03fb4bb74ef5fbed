/** Code from repositories on this machine: what is found, what is pinned, what is refused. */
import { mkdir, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { openPinnedCode, resolveCode } from '../../src/git/git.ts';
import { PkgError } from '../../src/runtime/errors.ts';
import { testRuntime } from '../support/runtime.ts';
import { temporaryFolder } from '../support/temporary.ts';
import {
  commitAll,
  commitVersions,
  filesOf,
  git,
  gitContext,
  gitWithInput,
  repositoryOf,
  SAMPLE,
  summaryOf,
  summaryOfSample,
  writeFiles,
} from './git-repositories.ts';

const STRICT = { dirty: 'refuse', ignoring: [] } as const;

async function pin(repository: string, revision: string, folder: string) {
  const context = await gitContext();
  const pinned = await resolveCode(context, { repository, revision }, { folder, ...STRICT });
  return { context, pinned };
}

async function failure(repository: string, revision: string, folder: string): Promise<PkgError> {
  try {
    await pin(repository, revision, folder);
  } catch (error) {
    if (error instanceof PkgError) return error;
    throw error;
  }
  throw new Error('it was pinned');
}

describe('a repository on this machine', () => {
  it('is pinned with every file as it was committed', async () => {
    const { folder, commit } = await repositoryOf();
    const { context, pinned } = await pin('.', 'main', folder);
    expect(pinned).toMatchObject({ repository: '.', revision: 'main', commit });
    expect(pinned).not.toHaveProperty('dirty');
    expect(await summaryOf(context, pinned.tar)).toEqual(summaryOfSample(SAMPLE));
  });

  it('gives one tar by any address, bare or not, packed or loose, and from a clone with autocrlf', async () => {
    const { folder } = await repositoryOf();
    const bare = join(await temporaryFolder(), 'bare.git');
    await git(folder, 'clone', '--quiet', '--bare', '.', bare);
    const windows = join(await temporaryFolder(), 'windows');
    await git(folder, '-c', 'core.autocrlf=true', 'clone', '--quiet', '.', windows);
    await git(windows, 'config', 'core.autocrlf', 'true');
    const worktree = join(await temporaryFolder(), 'worktree');
    await git(folder, 'worktree', 'add', '--quiet', '--detach', worktree);
    const shared = join(await temporaryFolder(), 'shared');
    await git(folder, 'clone', '--quiet', '--shared', '.', shared);
    const packed = join(await temporaryFolder(), 'packed');
    await git(folder, 'clone', '--quiet', '--no-hardlinks', '.', packed);
    await git(packed, 'gc', '--quiet', '--aggressive');
    const subfolder = join(folder, 'src');
    const tars = await Promise.all(
      [
        ['.', folder],
        ['.', subfolder],
        ['..', subfolder],
        [folder, '/'],
        [pathToFileURL(folder).href, '/'],
        [bare, '/'],
        [pathToFileURL(bare).href, '/'],
        ['.', windows],
        ['.', worktree],
        [shared, '/'],
        [packed, '/'],
        [join(folder, '.git'), '/'],
      ].map(async ([repository, from]) => (await pin(repository!, 'HEAD', from!)).pinned.tar),
    );
    expect(new Set(tars.map(({ digest }) => digest)).size).toBe(1);
  });

  it('is found through a link to its folder', async () => {
    const { folder, commit } = await repositoryOf();
    const link = join(await temporaryFolder(), 'link');
    await symlink(join(folder, 'src'), link);
    expect((await pin('.', 'HEAD', link)).pinned.commit).toBe(commit);
  });

  it('resolves branches, tags, annotated tags and ids, also shortened and packed ones', async () => {
    const { folder, commit: first } = await repositoryOf();
    await git(folder, 'tag', 'light');
    await git(folder, 'tag', '-a', '-m', 'release', 'v1.0');
    await git(folder, 'tag', '-a', '-m', 'a tag of a tag', 'v1.0-signed', 'v1.0');
    await git(folder, 'branch', 'feature/deep');
    await writeFiles(folder, { 'new.txt': { content: 'new\n' } });
    const second = await commitAll(folder);
    const names: readonly (readonly [string, string])[] = [
      ['HEAD', second],
      ['main', second],
      ['heads/main', second],
      ['refs/heads/main', second],
      ['light', first],
      ['v1.0', first],
      ['tags/v1.0', first],
      ['v1.0-signed', first],
      ['feature/deep', first],
      [first, first],
      [first.toUpperCase(), first],
      [first.slice(0, 7), first],
      [second.slice(0, 4), second],
    ];
    const resolveAll = async () =>
      await Promise.all(
        names.map(async ([name]) => [name, (await pin('.', name, folder)).pinned.commit]),
      );
    expect(await resolveAll()).toEqual(names);
    await git(folder, 'pack-refs', '--all');
    await git(folder, 'gc', '--quiet');
    expect(await resolveAll()).toEqual(names);
    for (const [name, commit] of names) {
      expect(await git(folder, 'rev-parse', `${name}^{commit}`)).toBe(commit);
    }
  });

  it('takes a tag before a branch of its name, as git does, and says so', async () => {
    const { folder, commit } = await repositoryOf();
    await git(folder, 'tag', 'both');
    await writeFiles(folder, { 'new.txt': { content: 'new\n' } });
    await commitAll(folder);
    await git(folder, 'branch', 'both');
    const { context, pinned } = await pin('.', 'both', folder);
    expect(pinned.commit).toBe(commit);
    expect(context.runtime.events).toContainEqual({
      kind: 'warned',
      message:
        'The revision names refs/tags/both and refs/heads/both; refs/tags/both is taken, as git does.',
    });
  });

  it('holds the ids that git ls-tree lists', async () => {
    const { folder } = await repositoryOf();
    const { context, pinned } = await pin('.', 'HEAD', folder);
    const listed = await git(folder, 'ls-tree', '-r', '-z', 'HEAD');
    const lines: string[] = [];
    for (const { path, mode, bytes } of await filesOf(context, pinned.tar)) {
      const id = await gitWithInput(folder, bytes, 'hash-object', '--stdin');
      lines.push(`100${mode.toString(8)} blob ${id}\t${path}`);
    }
    expect(lines.sort()).toEqual(listed.split('\0').filter(Boolean).sort());
  });

  it('is read from a shallow clone and through deltas of many depths', async () => {
    const { folder } = await repositoryOf();
    let text = '';
    for (let line = 0; line < 3000; line++) text += `${String(line)} ${String(line * 7919)}\n`;
    const versions: string[] = [];
    for (let change = 0; change < 60; change++) {
      text = text.replace(`${String(change * 40)} `, `changed ${String(change)} `);
      versions.push(text);
    }
    const commits = await commitVersions(folder, 'growing.txt', versions);
    await git(folder, 'checkout', '--quiet', '--detach', '--force', 'main');
    const before = (await pin('.', 'HEAD', folder)).pinned.tar;
    await git(folder, 'repack', '-adfq', '--depth=50', '--window=50');
    expect((await pin('.', 'HEAD', folder)).pinned.tar).toEqual(before);
    const { context, pinned } = await pin('.', commits[3]!, folder);
    expect((await summaryOf(context, pinned.tar))['growing.txt']).toBe(`644 ${versions[3]!}`);
    const shallow = join(await temporaryFolder(), 'shallow');
    await git(folder, 'clone', '--quiet', '--depth=1', pathToFileURL(folder).href, shallow);
    expect((await pin('.', 'HEAD', shallow)).pinned.tar).toEqual(before);
  });

  it('is opened again from the store, from the repository, and not at all once the commit is gone', async () => {
    const { folder, commit } = await repositoryOf();
    const { context, pinned } = await pin('.', 'main', folder);
    expect(await openPinnedCode(context, pinned, '/nowhere')).toEqual(pinned.tar);
    const fresh = await gitContext();
    expect(await openPinnedCode(fresh, pinned, folder)).toEqual(pinned.tar);
    const other = { ...pinned, tar: { ...pinned.tar, sizeBytes: 1 } };
    await expect(openPinnedCode(await gitContext(), other, folder)).rejects.toMatchObject({
      code: 'lockfile',
    });
    await rm(join(folder, '.git'), { recursive: true });
    await git(folder, 'init', '--quiet');
    await expect(openPinnedCode(await gitContext(), pinned, folder)).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringContaining(commit) as unknown,
    });
  });
});

describe('what cannot be pinned is refused in words', () => {
  it.each([
    ['no-such', 'not-found', /has no revision no-such/],
    ['0123456789012345678901234567890123456789', 'not-found', /has no revision 0123/],
    ['0123', 'not-found', /has no revision 0123/],
    ['HEAD~1', 'usage', /"HEAD~1" is no branch, tag or commit/],
    ['main..other', 'usage', /is no branch/],
    ['../../config', 'usage', /is no branch/],
    ['--upload-pack=x', 'usage', /is no branch/],
    ['', 'usage', /is no branch/],
    ['a'.repeat(64), 'usage', /SHA-256/],
  ] as const)('the revision "%s"', async (revision, code, message) => {
    const { folder } = await repositoryOf({ 'a.txt': { content: 'a' } });
    const error = await failure('.', revision, folder);
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
    expect(error.hint).toBeDefined();
  });

  it('a folder in no repository, and one that is none', async () => {
    const folder = await realpath(await temporaryFolder());
    expect((await failure('.', 'HEAD', folder)).message).toBe(
      `the manifest's folder ${folder} lies in no git repository`,
    );
    expect((await failure('elsewhere', 'HEAD', folder)).message).toBe(
      `there is no git repository in ${join(folder, 'elsewhere')}`,
    );
    await mkdir(join(folder, 'plain'));
    expect((await failure('plain', 'HEAD', folder)).code).toBe('not-found');
    await writeFile(join(folder, 'plain', '.git'), 'gitdir: ../nowhere\n');
    expect((await failure('plain', 'HEAD', folder)).message).toMatch(/points to no git repository/);
  });

  it('a repository without commits, one with SHA-256 ids, and a tag of a file', async () => {
    const folder = await temporaryFolder();
    await git(folder, 'init', '--quiet');
    expect((await failure('.', 'HEAD', folder)).message).toMatch(/has no commits yet/);
    const modern = await temporaryFolder();
    await git(modern, 'init', '--quiet', '--object-format=sha256');
    expect((await failure('.', 'HEAD', modern)).message).toMatch(/object ids other than SHA-1/);
    const { folder: code } = await repositoryOf({ 'a.txt': { content: 'a' } });
    await git(code, 'tag', 'file', await git(code, 'rev-parse', 'HEAD:a.txt'));
    expect((await failure('.', 'file', code)).message).toMatch(/is no commit/);
  });

  it('a symbolic link, by its path', async () => {
    const { folder } = await repositoryOf();
    await symlink('../README.md', join(folder, 'src', 'link'));
    await commitAll(folder);
    const error = await failure('.', 'HEAD', folder);
    expect(error.message).toBe('the code cannot be pinned: src/link is a symbolic link');
    expect(error.code).toBe('usage');
  });

  it('a submodule, by its path and commit', async () => {
    const { folder: inner, commit } = await repositoryOf({ 'a.txt': { content: 'a' } });
    const { folder } = await repositoryOf();
    await git(
      folder,
      '-c',
      'protocol.file.allow=always',
      'submodule',
      '--quiet',
      'add',
      inner,
      'lib',
    );
    await commitAll(folder);
    expect((await failure('.', 'HEAD', folder)).message).toBe(
      `the code cannot be pinned: lib is a submodule (at ${commit}), whose files are not in this repository`,
    );
  });

  it('a Git LFS pointer, by its path', async () => {
    const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${'a'.repeat(64)}\nsize 3\n`;
    const { folder } = await repositoryOf({ 'weights.bin': { content: pointer } });
    expect((await failure('.', 'HEAD', folder)).message).toMatch(
      /weights\.bin is a Git LFS pointer: the pinned code would hold the pointer and not the file/,
    );
  });

  it.each([
    [['README', 'readme'], /README and readme are one file on some disks|readme and README/],
    [['\u00e9.txt', 'e\u0301.txt'], /are one file on some disks/],
    [['Src/a', 'src/b'], /are one file on some disks/],
    [['back\\slash'], /backslash/],
    [['new\nline'], /control character/],
    [['..'.concat('.', ' ')], /dots and spaces/],
  ])('the names %j', async (paths, message) => {
    const { folder } = await repositoryOf({ 'a.txt': { content: 'a' } });
    const id = await git(folder, 'rev-parse', 'HEAD:a.txt');
    for (const path of paths) {
      await git(folder, 'update-index', '--add', '--cacheinfo', `100644,${id},${path}`);
    }
    await git(folder, 'commit', '--quiet', '-m', 'odd names');
    await git(folder, 'checkout', '--quiet', '--detach', 'HEAD~1', '--force');
    expect((await failure('.', 'main', folder)).message).toMatch(message);
  });

  it.each(['.git', '.GIT', 'git~1', '..', '.', 'a/b', '.g\u200cit'])(
    'the name %j, in a tree that git itself would not check out',
    async (name) => {
      const { folder } = await repositoryOf({ 'a.txt': { content: 'a' } });
      const blob = await git(folder, 'rev-parse', 'HEAD:a.txt');
      const line = Buffer.concat([Buffer.from(`100644 ${name}\0`), Buffer.from(blob, 'hex')]);
      const tree = await gitWithInput(
        folder,
        line,
        'hash-object',
        '-t',
        'tree',
        '-w',
        '--literally',
        '--stdin',
      );
      const commit = await git(folder, 'commit-tree', tree, '-m', 'hostile');
      expect((await failure('.', commit, folder)).message).toMatch(/cannot be pinned/);
    },
  );

  it('a tree of trees that would fill a disk, at once', async () => {
    const { folder } = await repositoryOf({ 'a.txt': { content: 'a' } });
    let line = `100644 blob ${await git(folder, 'rev-parse', 'HEAD:a.txt')}`;
    for (let level = 0; level < 6; level++) {
      const names = 'a b c d e f g h i j k l m n o p'.split(' ');
      const tree = names.map((name) => `${line}\t${name}\n`).join('');
      line = `040000 tree ${await gitWithInput(folder, tree, 'mktree')}`;
    }
    const commit = await git(folder, 'commit-tree', line.slice(-40), '-m', 'a bomb');
    expect((await failure('.', commit, folder)).message).toMatch(/more files than are taken/);
  });

  it('nothing more once the command is stopped', async () => {
    const { folder } = await repositoryOf();
    const stop = new AbortController();
    stop.abort(new PkgError('interrupted', 'stopped'));
    const context = await gitContext({ runtime: testRuntime({ signal: stop.signal }) });
    const params = { repository: '.', revision: 'HEAD' };
    await expect(resolveCode(context, params, { folder, ...STRICT })).rejects.toMatchObject({
      code: 'interrupted',
    });
  });

  it('an object that is missing or damaged', async () => {
    const { folder } = await repositoryOf();
    const id = await git(folder, 'rev-parse', 'HEAD:README.md');
    const path = join(folder, '.git', 'objects', id.slice(0, 2), id.slice(2));
    await rm(path, { force: true });
    expect(await failure('.', 'HEAD', folder)).toMatchObject({
      code: 'integrity',
      message: `the git object ${id} of README.md is missing`,
    });
    await writeFile(path, 'damage');
    expect(await failure('.', 'HEAD', folder)).toMatchObject({ code: 'integrity' });
  });
});

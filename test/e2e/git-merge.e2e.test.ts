/** Branches that changed a manifest and its lockfile, merged by real git with `pkg git-merge`. */
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { createRepository, type GitRepository } from '../support/git.ts';
import { ROOT } from '../support/shared.ts';
import { temporaryFolder } from '../support/temporary.ts';

interface Locked {
  readonly fetch?: { readonly record: object };
  readonly parameters: { readonly query: object };
}

describe('git with pkg git-merge', () => {
  let work: string;
  let repository: GitRepository;

  const path = (name: string) => join(repository.folder, name);
  const readLock = async () =>
    JSON.parse(await readFile(path('sample.lock.json'), 'utf8')) as Locked;
  const edit = async (from: string, to: string): Promise<void> => {
    const text = await readFile(path('sample.yaml'), 'utf8');
    if (!text.includes(from)) throw new Error(`no ${from} in the manifest`);
    await writeFile(path('sample.yaml'), text.replace(from, to));
  };
  const pkg = (...args: readonly string[]): string => {
    const { exitCode, stdout, stderr } = repository.run('pkg', ...args);
    if (exitCode !== 0) throw new Error(`pkg ${args.join(' ')}: ${stderr}`);
    return stdout;
  };
  const build = (...flags: readonly string[]) =>
    /^top hash (\w+)$/m.exec(pkg('build', 'sample.yaml', ...flags))?.[1];
  /** A branch off the first commit with one change, locked anew and committed. */
  const branch = async (
    name: string,
    from: string,
    to: string,
    relock: () => unknown = () => pkg('lock', 'sample.yaml', '--update'),
  ) => {
    repository.git('checkout', '--quiet', '-b', name, 'first');
    await edit(from, to);
    relock();
    repository.git('commit', '--quiet', '--all', '--message', name);
  };

  beforeAll(async () => {
    work = await temporaryFolder();
    repository = createRepository(join(work, 'repository'), { PKG_STORE: join(work, 'store') });
    await mkdir(path('sample'));
    for (const name of ['sample.yaml', 'sample']) {
      await cp(join(ROOT, 'manifests', name), path(name), { recursive: true });
    }
    await edit('epochs: 16', 'epochs: 1');
    expect(pkg('git-merge', '--install')).toContain('.gitattributes');
    build();
    repository.git('add', '--all');
    repository.git('commit', '--quiet', '--message', 'first');
    repository.git('tag', 'first');
    await branch('rate', 'learningRate: 0.0005', 'learningRate: 0.001');
    await branch('rate-too', 'learningRate: 0.0005', 'learningRate: 0.002');
    await branch('predicate', ' AND NOT IsDepiction', '', () => build('--update'));
    await branch('seed', 'seed: 42', 'seed: 43', () => build('--update'));
  });

  it('is installed once, however often it is asked for', async () => {
    pkg('git-merge', '--install');
    expect(await readFile(path('.gitattributes'), 'utf8')).toBe('*.lock.json merge=pkg\n');
    expect(repository.git('config', 'merge.pkg.driver').trim()).toBe(
      'pkg git-merge -- %O %A %B %P',
    );
    expect(pkg('git-merge').trimEnd().split('\n')).toEqual([
      "echo '*.lock.json merge=pkg' >> .gitattributes",
      "git config merge.pkg.driver 'pkg git-merge -- %O %A %B %P'",
    ]);
  });

  it('keeps what .gitattributes already says', async () => {
    const other = createRepository(join(work, 'other'), {});
    const attributes = join(other.folder, '.gitattributes');
    await writeFile(attributes, '*.jpg binary');
    expect(other.run('pkg', 'git-merge', '--install').exitCode).toBe(0);
    expect(await readFile(attributes, 'utf8')).toBe('*.jpg binary\n*.lock.json merge=pkg\n');
  });

  it('merges different sections into the lockfile that locking the merged manifest gives', async () => {
    repository.git('checkout', '--quiet', '-b', 'merged', 'predicate');
    const asked = (await readLock()).fetch;
    repository.git('merge', '--quiet', '--no-edit', 'rate');
    const merged = await readLock();
    expect(merged.fetch).toEqual(asked);
    expect(JSON.stringify(merged)).toContain('"learningRate":0.001');
    expect(merged.parameters.query).toMatchObject({ where: 'NOT IsGroupOf' });
    const topHash = build();
    const followed = await readFile(path('sample.lock.json'), 'utf8');
    await rm(path('sample.lock.json'));
    expect(build()).toBe(topHash);
    expect(await readFile(path('sample.lock.json'), 'utf8')).toBe(followed);
    repository.git('checkout', '--quiet', '--force', 'merged');
  });

  it('drops the fetch record where both branches ask for other photos, and says so', async () => {
    repository.git('checkout', '--quiet', '-b', 'asked', 'predicate');
    const { exitCode, stderr } = repository.run('git', 'merge', '--no-edit', 'seed');
    expect([exitCode, stderr]).toEqual([
      0,
      expect.stringContaining('the next build asks the network'),
    ]);
    expect((await readLock()).fetch).toBeUndefined();
    expect(build()).toMatch(/^[0-9a-f]{64}$/);
    expect((await readLock()).fetch).toBeDefined();
    repository.git('checkout', '--quiet', '--force', 'asked');
  });

  it('rebases in the same way', async () => {
    repository.git('checkout', '--quiet', '-b', 'rebased', 'rate');
    const { exitCode } = repository.run('git', 'rebase', '--quiet', 'predicate');
    expect(exitCode).toBe(0);
    expect((await readLock()).fetch).toBeDefined();
    expect(build()).toMatch(/^[0-9a-f]{64}$/);
    repository.git('checkout', '--quiet', '--force', 'rebased');
  });

  it('leaves a conflict where both branches changed one thing, and says what to do', async () => {
    repository.git('checkout', '--quiet', '-b', 'conflict', 'rate');
    const merge = repository.run('git', 'merge', '--no-edit', 'rate-too');
    expect(merge.exitCode).toBe(1);
    expect(merge.stderr).toContain(
      'sample.lock.json: both sides changed it: model.fit.optimizer.rmsprop.learningRate is 0.001 on our side, 0.002 on theirs',
    );
    expect(merge.stderr).toContain('pkg lock <manifest> --update');
    expect(repository.git('status', '--short')).toBe('UU sample.lock.json\nUU sample.yaml\n');
    expect(await readFile(path('sample.lock.json'), 'utf8')).toContain(
      '<<<<<<< ours (pkg git-merge)\n            "learningRate": 0.001,\n=======\n            "learningRate": 0.002,\n>>>>>>>',
    );
    repository.git('checkout', '--theirs', 'sample.yaml');
    const refused = repository.run('pkg', 'build', 'sample.yaml');
    expect([refused.exitCode, refused.stderr]).toEqual([
      11,
      expect.stringContaining('sample.lock.json'),
    ]);
    pkg('lock', 'sample.yaml', '--update');
    expect(build()).toMatch(/^[0-9a-f]{64}$/);
    repository.git('commit', '--quiet', '--all', '--no-edit');
  });

  it('ends a side that is no lockfile as a conflict that touches nothing', async () => {
    repository.git('checkout', '--quiet', '-b', 'broken', 'first');
    await writeFile(path('sample.lock.json'), '{');
    repository.git('commit', '--quiet', '--all', '--message', 'broken');
    const merge = repository.run('git', 'merge', '--no-edit', 'rate');
    expect(merge.exitCode).toBe(1);
    expect(merge.stderr).toContain('our sample.lock.json:1: not JSON, the text ends too early');
    expect(await readFile(path('sample.lock.json'), 'utf8')).toBe('{');
    repository.git('merge', '--abort');
  });

  it('takes a name that begins with a dash for a name', async () => {
    repository.git('checkout', '--quiet', '-b', 'dash', 'first');
    const merged = ['base', 'ours', 'theirs'].map((name) => path(`${name}.tmp`));
    for (const file of merged) await cp(path('sample.lock.json'), file);
    const { exitCode, stderr } = repository.run(
      'pkg',
      'git-merge',
      '--',
      ...merged,
      '-x.lock.json',
    );
    expect([exitCode, stderr]).toEqual([0, '']);
  });

  it('says that it takes three files, and that it installs itself in repositories only', async () => {
    expect(repository.run('pkg', 'git-merge', 'one')).toMatchObject({ exitCode: 2 });
    const outside = createRepository(join(work, 'outside'), {});
    await rm(join(outside.folder, '.git'), { recursive: true });
    const { exitCode, stderr } = outside.run('pkg', 'git-merge', '--install');
    expect([exitCode, stderr]).toEqual([
      2,
      expect.stringContaining('work tree of a git repository'),
    ]);
  });
});

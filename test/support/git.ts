/** Real git on a repository of its own, with `pkg` on its path. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { ROOT } from './shared.ts';

export interface GitResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface GitRepository {
  readonly folder: string;
  /** Runs any program there, with the environment that git has. */
  run(program: string, ...args: readonly string[]): GitResult;
  /** Runs git, expects success, and returns what it printed. */
  git(...args: readonly string[]): string;
}

/** A new repository with the branch main, untouched by the configuration of whoever runs the tests. */
export function createRepository(
  folder: string,
  env: Readonly<Record<string, string>>,
): GitRepository {
  const programs = join(folder, '..', 'programs');
  mkdirSync(folder, { recursive: true });
  mkdirSync(programs, { recursive: true });
  const binary = join(ROOT, 'dist/cli/bin.cjs');
  const script = `#!/bin/sh\nexec "${process.execPath}" "${binary}" "$@"\n`;
  writeFileSync(join(programs, 'pkg'), script, { mode: 0o755 });
  const person = { NAME: 'Somebody', EMAIL: 'somebody@example.org' };
  const environment = {
    ...process.env,
    PATH: `${programs}${delimiter}${process.env['PATH'] ?? ''}`,
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_EDITOR: 'true',
    ...Object.fromEntries(
      Object.entries(person).map(([key, value]) => [`GIT_AUTHOR_${key}`, value]),
    ),
    ...Object.fromEntries(
      Object.entries(person).map(([key, value]) => [`GIT_COMMITTER_${key}`, value]),
    ),
    ...env,
  };
  const run = (program: string, ...args: readonly string[]): GitResult => {
    const { status, stdout, stderr } = spawnSync(program, [...args], {
      cwd: folder,
      env: environment,
      encoding: 'utf8',
    });
    return { exitCode: status ?? 1, stdout, stderr };
  };
  const git = (...args: readonly string[]): string => {
    const { exitCode, stdout, stderr } = run('git', ...args);
    if (exitCode !== 0) throw new Error(`git ${args.join(' ')}: ${stdout}${stderr}`);
    return stdout;
  };
  git('init', '--quiet', '--initial-branch', 'main');
  return { folder, run, git };
}

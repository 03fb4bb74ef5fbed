/** Repositories for tests, made by the real git without settings of the machine. */
import { execFile, spawn } from 'node:child_process';
import { chmod, cp, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { GitContext } from '../../src/git/git.ts';
import type { CodeFile } from '../../src/git/parse-tar.ts';
import { readTar } from '../../src/git/read-tar.ts';
import type { Descriptor } from '../../src/store/digest.ts';
import { openStore } from '../../src/store/store.ts';
import { type RecordingRuntime, testRuntime } from '../support/runtime.ts';
import { temporaryFolder } from '../support/temporary.ts';

const run = promisify(execFile);

/** The environment of every git: nobody's settings, one author, one time. */
export const GIT_ENVIRONMENT = {
  PATH: process.env['PATH'] ?? '',
  HOME: '/nonexistent',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_TERMINAL_PROMPT: '0',
  GIT_AUTHOR_NAME: 'Ada',
  GIT_AUTHOR_EMAIL: 'ada@example.org',
  GIT_AUTHOR_DATE: '1700000000 +0000',
  GIT_COMMITTER_NAME: 'Ada',
  GIT_COMMITTER_EMAIL: 'ada@example.org',
  GIT_COMMITTER_DATE: '1700000000 +0000',
  LC_ALL: 'C',
};

/** Runs git in a folder and gives its output without the last line end. */
export async function git(folder: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await run('git', args, {
    cwd: folder,
    env: GIT_ENVIRONMENT,
    maxBuffer: 1 << 26,
  });
  return stdout.replace(/\n$/, '');
}

/** Runs git with something on its standard input. */
export async function gitWithInput(
  folder: string,
  input: string | Uint8Array,
  ...args: readonly string[]
): Promise<string> {
  const child = spawn('git', args, { cwd: folder, env: GIT_ENVIRONMENT });
  child.stdin.end(input);
  const parts: Buffer[] = [];
  for await (const part of child.stdout) parts.push(part as Buffer);
  return Buffer.concat(parts).toString('utf8').trim();
}

export interface SampleFile {
  readonly content: string | Uint8Array;
  readonly executable?: boolean;
}

/** Files with most of what a name, a mode and a content can be. */
export const SAMPLE: Readonly<Record<string, SampleFile>> = {
  'README.md': { content: '# Code\n' },
  'bin/run': { content: '#!/bin/sh\necho run\n', executable: true },
  'src/model.js': { content: 'export const layers = 3;\n' },
  'src/empty': { content: '' },
  'src-more/a.txt': { content: 'a directory whose name sorts before "src/"\n' },
  'names/größe — 写真 🍔.txt': { content: 'unicode\n' },
  [`deep/${'long-name-of-a-folder/'.repeat(8)}file-${'x'.repeat(100)}.txt`]: { content: 'long\n' },
  'line-ends.txt': { content: 'one\r\ntwo\nthree\r\n' },
  'binary.bin': { content: Uint8Array.from({ length: 3000 }, (_, index) => (index * 37) % 256) },
  'exactly-512': { content: 'x'.repeat(512) },
};

export async function writeFiles(
  folder: string,
  files: Readonly<Record<string, SampleFile>>,
): Promise<void> {
  for (const [path, { content, executable }] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
    if (executable === true) await chmod(join(folder, path), 0o755);
  }
}

/** Commits all that is in a work tree, on whatever branch, and gives the commit's id. */
export async function commitAll(folder: string, message = 'a change'): Promise<string> {
  await git(folder, 'add', '--all');
  await git(folder, 'commit', '--quiet', '--allow-empty', '-m', message);
  return await git(folder, 'rev-parse', 'HEAD');
}

interface SampleRepository {
  readonly folder: string;
  readonly commit: string;
}

const made = new Map<string, Promise<SampleRepository>>();

/** A repository with one commit of the given files on the branch `main`: a copy of one made once. */
export async function repositoryOf(
  files: Readonly<Record<string, SampleFile>> = SAMPLE,
): Promise<SampleRepository> {
  const key = JSON.stringify(summaryOfSample(files));
  const original = made.get(key) ?? makeRepository(files);
  made.set(key, original);
  const { folder: from, commit } = await original;
  const folder = join(await temporaryFolder(), 'code');
  await cp(from, folder, { recursive: true, preserveTimestamps: true });
  return { folder, commit };
}

async function makeRepository(
  files: Readonly<Record<string, SampleFile>>,
): Promise<SampleRepository> {
  const folder = join(await temporaryFolder(), 'original');
  await mkdir(folder);
  await git(folder, 'init', '--quiet', '--initial-branch=main', '--template=');
  await writeFiles(folder, files);
  return { folder, commit: await commitAll(folder, 'the first') };
}

/** Adds commits to `main` that each replace one file, by one run of git; gives their ids, oldest first. */
export async function commitVersions(
  folder: string,
  path: string,
  versions: readonly string[],
): Promise<readonly string[]> {
  const parts = versions.map((content, index) => {
    const from = index === 0 ? 'from refs/heads/main^0\n' : '';
    return (
      'commit refs/heads/main\ncommitter Ada <ada@example.org> 1700000000 +0000\n' +
      `data 1\nc\n${from}M 100644 inline ${path}\n` +
      `data ${String(Buffer.byteLength(content))}\n${content}\n`
    );
  });
  await gitWithInput(folder, parts.join(''), 'fast-import', '--quiet', '--force');
  const listed = await git(folder, 'rev-list', '--reverse', `-${String(versions.length)}`, 'main');
  return listed.split('\n');
}

export interface TestContext extends GitContext {
  readonly runtime: RecordingRuntime;
}

/** A context with a store of its own. */
export async function gitContext(parts: Partial<GitContext> = {}): Promise<TestContext> {
  const store =
    parts.store ?? (await openStore(join(await temporaryFolder(), 'store'), Date.now()));
  const runtime = testRuntime({ random: () => 0, ...parts.runtime });
  return { credentials: parts.credentials ?? {}, store, runtime };
}

/** The files of a tar in the store. */
export async function filesOf(context: GitContext, tar: Descriptor): Promise<readonly CodeFile[]> {
  const files: CodeFile[] = [];
  for await (const file of readTar(context, tar)) files.push(file);
  return files;
}

/** The paths of a tar with modes and contents, as text to compare. */
export async function summaryOf(
  context: GitContext,
  tar: Descriptor,
): Promise<Readonly<Record<string, string>>> {
  const files = await filesOf(context, tar);
  return Object.fromEntries(
    files.map(({ path, mode, bytes }) => [path, `${mode.toString(8)} ${bytes.toString('latin1')}`]),
  );
}

/** What `summaryOf` gives for files as they were written. */
export function summaryOfSample(
  files: Readonly<Record<string, SampleFile>>,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(files).map(([path, { content, executable }]) => [
      path,
      `${executable === true ? '755' : '644'} ${Buffer.from(content).toString('latin1')}`,
    ]),
  );
}

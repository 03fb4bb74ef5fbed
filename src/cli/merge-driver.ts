/** git told to merge lockfiles by `pkg git-merge`: a line of .gitattributes, and a line of its configuration. */
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { messageOf, PkgError } from '../index.ts';

const ATTRIBUTE = '*.lock.json merge=pkg';

/** Behind `--`, a path that begins with a dash is no option. */
const DRIVER = 'pkg git-merge -- %O %A %B %P';

/** What a person types who would rather do it than have it done. */
export const DRIVER_LINES: readonly string[] = [
  `echo '${ATTRIBUTE}' >> .gitattributes`,
  `git config merge.pkg.driver '${DRIVER}'`,
];

export interface DriverPlaces {
  /** The path of the .gitattributes that has the line now. */
  readonly attributes: string;
  readonly driver: string;
}

/**
 * Installs the driver in the repository of the working folder; may be done again.
 * @throws PkgError `usage` outside a work tree, or without git.
 */
export async function installDriver(): Promise<DriverPlaces> {
  const top = await runGit('rev-parse', '--show-toplevel');
  const attributes = join(top, '.gitattributes');
  const text = await readIfThere(attributes);
  if (!text.split(/\r?\n/).includes(ATTRIBUTE)) {
    const gap = text === '' || text.endsWith('\n') ? '' : '\n';
    await writeFile(attributes, `${text}${gap}${ATTRIBUTE}\n`);
  }
  await runGit('config', 'merge.pkg.name', 'lockfiles of pkg');
  await runGit('config', 'merge.pkg.driver', DRIVER);
  return { attributes, driver: DRIVER };
}

async function readIfThere(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw error;
  }
}

async function runGit(...args: readonly string[]): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)('git', [...args]);
    return stdout.replace(/\r?\n$/, '');
  } catch (error) {
    throw new PkgError('usage', `git ${args.join(' ')} failed: ${messageOf(error).trim()}`, {
      hint: 'Run it in the work tree of a git repository, with git installed.',
      cause: error,
    });
  }
}

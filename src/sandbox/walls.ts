/** The walls of a sandbox: how Node is started so that the code in it reaches nothing but its own files. */
import { execFile } from 'node:child_process';
import { realpath } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { execPath, version } from 'node:process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { PkgError } from '../runtime/errors.ts';

/** A command line. */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
}

/** What the system does beside Node. */
export interface SystemWalls {
  /** What a command line begins with. */
  readonly command: readonly string[];
  /** Whether the process gets no network; else Node alone keeps it off. */
  readonly hasNoNetwork: boolean;
}

/** The packages that TensorFlow.js consists of here, each with its main file. */
export type TensorflowPackages = Readonly<Record<string, string>>;

export interface WallOptions {
  /** Folders and files that may be read, those below a folder too. */
  readonly readable: readonly string[];
  readonly memoryBytes: number;
}

/** How long a trial of the system's own walls may take. */
const TRIAL_MS = 10_000;

/** A process of these has no network, and ends when whoever started it ends. */
const NO_NETWORK = ['unshare', '--user', '--net', '--'];
const END_WITH_PARENT = ['setpriv', '--pdeathsig', 'KILL', '--'];

/** The program that runs in the sandbox. */
const PROGRAM = fileURLToPath(new URL('./child/main.mjs', import.meta.url));

/** Finds TensorFlow.js among the installed packages. */
export function findTensorflow(): TensorflowPackages {
  const here = createRequire(import.meta.url);
  const names = ['tfjs-core', 'tfjs-layers', 'tfjs-backend-cpu'].map(
    (name) => `@tensorflow/${name}`,
  );
  const files = names.map((name) => [name, here.resolve(name)] as const);
  const [, backend = ''] = files.at(-1) ?? [];
  const random = ['seedrandom', createRequire(backend).resolve('seedrandom')] as const;
  return Object.fromEntries([...files, random]);
}

/**
 * The command that runs the sandbox's program; its one argument is to follow. Node's permission model
 * lets it read what is named and nothing else, write nothing, and start no process and no thread.
 * @throws PkgError `usage` where a path has a character that means several files to Node.
 */
export async function commandOf(
  { readable, memoryBytes }: WallOptions,
  walls: SystemWalls,
): Promise<Command> {
  const packages = Object.entries(findTensorflow()).map(([name, file]) => folderOf(name, file));
  const paths = [dirname(PROGRAM), ...packages, ...readable];
  const allowed = await Promise.all(paths.map(async (path) => checkPath(await realpath(path))));
  const node = [
    execPath,
    permissionFlag(version),
    '--no-warnings',
    '--no-addons',
    `--max-old-space-size=${String(Math.ceil(memoryBytes / 2 ** 20))}`,
    ...allowed.map((path) => `--allow-fs-read=${path}`),
  ];
  const [file, ...args] = [...walls.command, ...node, await realpath(PROGRAM)];
  return { file, args };
}

/** The folder of a package that a file belongs to. */
function folderOf(name: string, file: string): string {
  const folder = join('node_modules', ...name.split('/'));
  return file.slice(0, file.lastIndexOf(folder) + folder.length);
}

/** Node takes `*` for anything, and took `,` for the next path. */
function checkPath(path: string): string {
  if (!/[*,]/.test(path)) return path;
  throw new PkgError('usage', `code cannot be confined to ${path}: it has a "*" or a "," in it`, {
    hint: 'Use another folder for the store (--store) or for pkg itself.',
  });
}

/** Node 22.13 and 23.5 made the flag a stable one. */
function permissionFlag(nodeVersion: string): string {
  const [major = 0, minor = 0] = nodeVersion.replace(/^v/, '').split('.').map(Number);
  const isStable = major > 23 || (major === 23 && minor >= 5) || (major === 22 && minor >= 13);
  return isStable ? '--permission' : '--experimental-permission';
}

/** What this system has; tried with the very program that is to run behind it. */
export async function findSystemWalls(): Promise<SystemWalls> {
  for (const command of [[...NO_NETWORK, ...END_WITH_PARENT], NO_NETWORK]) {
    if (await works(command)) return { command, hasNoNetwork: true };
  }
  const command = (await works(END_WITH_PARENT)) ? END_WITH_PARENT : [];
  return { command, hasNoNetwork: false };
}

async function works(command: readonly string[]): Promise<boolean> {
  const [file = execPath, ...args] = command;
  try {
    const trial = [...args, execPath, '--version'];
    await promisify(execFile)(file, trial, { env: {}, timeout: TRIAL_MS });
    return true;
  } catch {
    return false;
  }
}

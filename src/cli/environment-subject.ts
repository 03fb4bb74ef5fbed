/** Whose environment a command is about: a manifest's, an installed folder's or a revision's in a registry. */
import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path';
import {
  ENVIRONMENT_KEYS,
  entryUnder,
  type Lockfile,
  type OpenedPackage,
  type PinnedFileReader,
  PkgError,
  parseLockfile,
  readInstallation,
} from '../index.ts';
import type { CommandContext } from './command.ts';
import { subjectOf } from './reproduce-subject.ts';

/** What a package says of its environment, and where it is published as far as that is known. */
export interface EnvironmentSubject {
  readonly lockfile: Lockfile;
  readonly openPinned: PinnedFileReader;
  /** The folder of the code, where it is known. */
  readonly codeFolder: string | undefined;
  /** Where its paths may lead: a package of others names no files but those of the code. */
  readonly reach: 'inside' | 'anywhere';
  readonly topHash: string | undefined;
  readonly registry: string | undefined;
}

const LOCKFILE_KEY = 'manifest.lock.json';

/** Longer than any lockfile of npm that is read. */
const MAX_FILE_BYTES = 64 << 20;

/** What the system says of a path where there is no file. */
const ABSENT = new Set(['ENOENT', 'ENOTDIR', 'EISDIR']);

/** Reads what a manifest's lockfile, or a package, pins. */
export async function environmentSubject(
  context: CommandContext,
  subject: string,
): Promise<EnvironmentSubject> {
  if (/\.ya?ml$/i.test(subject)) return await manifestSubject(context, subject);
  const { opened, registry } = await subjectOf(context, subject);
  const address = registry?.url ?? (await readInstallation(subject)).registry;
  return { ...(await packageSubject(opened)), registry: address };
}

/** The lockfile beside a manifest; the files that it pins are in the store, if they were pinned here. */
async function manifestSubject(
  context: CommandContext,
  manifest: string,
): Promise<EnvironmentSubject> {
  const path = manifest.replace(/\.ya?ml$/i, '.lock.json');
  const text = await readText(path);
  if (text === undefined) {
    throw new PkgError('lockfile', `there is no lockfile ${path}`, {
      hint: `Write it with: pkg lock ${manifest}`,
    });
  }
  const lockfile = parseLockfile(text, path);
  const store = await context.openStore();
  const folder = dirname(resolve(manifest));
  return {
    lockfile,
    openPinned: async (file) =>
      (await store.has(file)) ? await store.read(file.digest) : undefined,
    codeFolder: lockfile.code === undefined ? folder : repositoryAround(folder),
    reach: 'anywhere',
    topHash: undefined,
    registry: undefined,
  };
}

/** The folder of the repository that a folder lies in. */
function repositoryAround(folder: string): string | undefined {
  if (existsSync(join(folder, '.git'))) return folder;
  const above = dirname(folder);
  return above === folder ? undefined : repositoryAround(above);
}

async function packageSubject(opened: OpenedPackage) {
  const { pkg, topHash, name, where } = opened;
  const readKey = async (logicalKey: string) => {
    const entry = entryUnder(pkg, logicalKey);
    return entry === undefined ? undefined : await opened.read(entry);
  };
  const text = await readKey(LOCKFILE_KEY);
  if (text === undefined) {
    throw new PkgError('not-found', `${name} in ${where} has no ${LOCKFILE_KEY}`, {
      hint: 'Only packages that pkg build made say what they were made in.',
    });
  }
  const lockfile = parseLockfile(text.toString('utf8'), `${LOCKFILE_KEY} of ${name}`);
  const openPinned: PinnedFileReader = ({ digest }) =>
    readKey(
      ENVIRONMENT_KEYS[
        lockfile.environment?.lockfile?.digest === digest ? 'lockfile' : 'dockerfile'
      ],
    );
  return { lockfile, openPinned, codeFolder: undefined, reach: 'inside' as const, topHash };
}

/** Reads files of a folder; a path that leads out of it is no file of it, unless `reach` lets it. */
export function fileReader(
  folder: string,
  reach: EnvironmentSubject['reach'],
): (path: string) => Promise<Buffer | undefined> {
  return async (path) => {
    const full = resolve(folder, path);
    const inside = relative(folder, full);
    if (reach === 'inside' && (inside.startsWith('..') || isAbsolute(inside))) return undefined;
    try {
      return (await stat(full)).size > MAX_FILE_BYTES ? undefined : await readFile(full);
    } catch (error) {
      if (isAbsence(error)) return undefined;
      throw error;
    }
  };
}

async function readText(path: string): Promise<string | undefined> {
  return (await fileReader(dirname(resolve(path)), 'inside')(basename(path)))?.toString('utf8');
}

function isAbsence(error: unknown): boolean {
  return error instanceof Error && 'code' in error && ABSENT.has(String(error.code));
}

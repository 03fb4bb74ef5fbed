/** An installation: a folder with a package in it, and this tool's notes on what it put there. */
import { lstat, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { formatJsonl, parseJsonl } from '../package/jsonl.ts';
import { isTopHash, type Package, parseTopHash, type TopHash } from '../package/package.ts';
import { OWN_FOLDER } from '../package/verify.ts';
import { PkgError, storageError, systemErrorCode } from '../runtime/errors.ts';
import { makeFolder, readTextIfPresent, writeFileAtomic } from '../store/atomic-file.ts';
import { streamOf } from '../store/digest.ts';

/** What is noted in a folder: which package, from where, and which part of it. */
export interface Installation {
  readonly name: string;
  readonly topHash: TopHash;
  readonly registry: string;
  /** Logical keys or folders that were asked for; empty for all. */
  readonly paths: readonly string[];
  readonly pkg: Package;
}

const NOTES_FILE = 'installed.json';
const LIST_FILE = 'package.jsonl';

/** A file on its way that was not written to for so long belongs to no running install. */
const LEFTOVER_AGE_MS = 10 * 60 * 1000;

const notesSchema = z.object({
  version: z.literal(1),
  name: z.string(),
  topHash: z.string().refine(isTopHash),
  registry: z.string(),
  paths: z.array(z.string()),
});

/** The notes in a folder, or undefined where nothing was installed into it. */
export async function findInstallation(folder: string): Promise<Installation | undefined> {
  const text = await readTextIfPresent(join(folder, OWN_FOLDER, NOTES_FILE));
  if (text === undefined) return undefined;
  const notes = parseNotes(text, folder);
  const list = await readTextIfPresent(join(folder, OWN_FOLDER, LIST_FILE));
  if (list === undefined) throw brokenNotes(folder);
  const pkg = await parseJsonl(streamOf(list), join(folder, OWN_FOLDER, LIST_FILE));
  return { ...notes, topHash: parseTopHash(notes.topHash), pkg };
}

/**
 * The notes in a folder.
 * @throws PkgError `not-found` where nothing was installed into it.
 */
export async function readInstallation(folder: string): Promise<Installation> {
  const found = await findInstallation(folder);
  if (found !== undefined) return found;
  throw new PkgError('not-found', `${folder} is not an installed package`, {
    hint: 'Install one into it with: pkg install user/name --dest FOLDER',
  });
}

/** Notes what is about to be installed, before the first file of it is there. */
export async function writeInstallation(folder: string, installation: Installation): Promise<void> {
  const { name, topHash, registry, paths, pkg } = installation;
  const own = join(folder, OWN_FOLDER);
  await writeFileAtomic(join(own, LIST_FILE), [...formatJsonl(pkg)].join(''));
  const notes = { version: 1, name, topHash, registry, paths };
  await writeFileAtomic(join(own, NOTES_FILE), `${JSON.stringify(notes, null, 2)}\n`);
}

/**
 * Makes the folder, and our own one inside, refusing a link in its place; removes what an install that
 * was killed left half fetched.
 */
export async function prepareFolder(folder: string, nowMs: number): Promise<void> {
  const own = join(folder, OWN_FOLDER);
  try {
    await refuseLink(own);
    await makeFolder(own);
    for (const name of await readdir(own)) {
      if (!name.endsWith('.tmp')) continue;
      const path = join(own, name);
      if (nowMs - (await stat(path)).mtimeMs > LEFTOVER_AGE_MS) await rm(path, { force: true });
    }
  } catch (error) {
    throw storageError(error, `cannot install into ${folder}`);
  }
}

/** Whether a folder is absent or has nothing in it. */
export async function isEmptyFolder(folder: string): Promise<boolean> {
  try {
    return (await readdir(folder)).length === 0;
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return true;
    if (systemErrorCode(error) === 'ENOTDIR') {
      throw new PkgError('usage', `${folder} is a file, not a folder`);
    }
    throw storageError(error, `cannot read ${folder}`);
  }
}

async function refuseLink(path: string): Promise<void> {
  try {
    if ((await lstat(path)).isSymbolicLink()) {
      throw new PkgError('integrity', `${path} is a symbolic link`, {
        hint: 'Remove it, then install again.',
      });
    }
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error;
  }
}

function parseNotes(text: string, folder: string) {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) throw brokenNotes(folder, error);
    throw error;
  }
  const parsed = notesSchema.safeParse(value);
  if (!parsed.success) throw brokenNotes(folder, parsed.error);
  return parsed.data;
}

function brokenNotes(folder: string, cause?: unknown): PkgError {
  return new PkgError('integrity', `the notes in ${join(folder, OWN_FOLDER)} are damaged`, {
    hint: `Remove ${join(folder, OWN_FOLDER)} and install again; files that are whole are kept.`,
    cause,
  });
}

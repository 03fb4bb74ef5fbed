/** An installation: a folder with a package in it, and this tool's notes on what it put there. */
import { lstat, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { EntryList } from '../package/entry.ts';
import { parseJsonl } from '../package/jsonl.ts';
import { isTopHash, type Package, parseTopHash, type TopHash } from '../package/package.ts';
import { topHash as topHashOf } from '../package/top-hash.ts';
import { OWN_FOLDER } from '../package/verify.ts';
import { PkgError, storageError, systemErrorCode } from '../runtime/errors.ts';
import {
  makeFolder,
  moveFile,
  readTextIfPresent,
  withTemporaryFile,
  writeChunks,
  writeFileAtomic,
} from '../store/atomic-file.ts';
import { fileBytes } from '../store/digest.ts';
import { listChunks } from './list-chunks.ts';
import { type Selection, selectedEntries } from './selection.ts';

/** What is noted in a folder: which package, from where, and which part of it. */
export interface Installation extends Selection {
  readonly name: string;
  readonly topHash: TopHash;
  readonly registry: string;
  readonly pkg: Package;
}

const NOTES_FILE = 'installed.json';
const LIST_EXTENSION = '.jsonl';

/** A file on its way that was not written to for so long belongs to no running install. */
const LEFTOVER_AGE_MS = 10 * 60 * 1000;

const notesSchema = z.object({
  version: z.literal(1),
  name: z.string(),
  topHash: z.string().refine(isTopHash),
  registry: z.string(),
  paths: z.array(z.string()),
  globbed: z
    .array(
      z.object({
        paths: z.array(z.string()),
        include: z.array(z.string()),
        exclude: z.array(z.string()),
      }),
    )
    .default([]),
});

/** The notes in a folder as they stand, or undefined where nothing was installed into it. */
export async function readNotes(folder: string): Promise<string | undefined> {
  return await readTextIfPresent(join(folder, OWN_FOLDER, NOTES_FILE));
}

/** The notes in a folder, or undefined where nothing was installed into it. */
export async function findInstallation(folder: string): Promise<Installation | undefined> {
  const text = await readNotes(folder);
  if (text === undefined) return undefined;
  const notes = parseNotes(text, folder);
  const topHash = parseTopHash(notes.topHash);
  const pkg = await readList(folder, topHash);
  if (pkg !== undefined) return { ...notes, topHash, pkg };
  // An install that ended meanwhile has left other notes.
  if ((await readNotes(folder)) !== text) return await findInstallation(folder);
  throw brokenNotes(folder);
}

/** The list under a top hash, or undefined where there is none. */
async function readList(folder: string, topHash: TopHash): Promise<Package | undefined> {
  const path = join(folder, OWN_FOLDER, listFile(topHash));
  try {
    const pkg = await parseJsonl(fileBytes(path, new AbortController().signal), path);
    if (topHashOf(pkg) === topHash) return pkg;
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw storageError(error, `cannot read ${path}`);
  }
  throw brokenNotes(folder);
}

/** The entries of which an installation consists. */
export async function installedEntries(installation: Installation): Promise<EntryList> {
  return await selectedEntries(installation.pkg, installation);
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

/**
 * Notes what is about to be installed, before the first file of it is there. The list stands under
 * its top hash, so that at any moment the notes name a list that is whole. Nothing is written where
 * all this stands there already; `before` is what does.
 */
export async function writeInstallation(
  folder: string,
  installation: Installation,
  before: Installation | undefined,
): Promise<void> {
  const { name, topHash, registry, paths, globbed, pkg } = installation;
  const own = join(folder, OWN_FOLDER);
  if (before?.pkg !== pkg) {
    await withTemporaryFile(own, async (temporaryPath) => {
      await writeChunks(temporaryPath, listChunks(pkg));
      await moveFile(temporaryPath, join(own, listFile(topHash)));
    });
  }
  const parts = globbed.length === 0 ? {} : { globbed };
  const notes = { version: 1, name, topHash, registry, paths, ...parts };
  const text = `${JSON.stringify(notes, null, 2)}\n`;
  if (text !== (await readNotes(folder))) await writeFileAtomic(join(own, NOTES_FILE), text);
  for (const file of await readdir(own)) {
    if (!file.endsWith(LIST_EXTENSION) || file === listFile(topHash)) continue;
    await rm(join(own, file), { force: true });
  }
}

function listFile(topHash: TopHash): string {
  return `${topHash}${LIST_EXTENSION}`;
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
      const modifiedMs = await modifiedMsOf(path);
      if (modifiedMs !== undefined && nowMs - modifiedMs > LEFTOVER_AGE_MS) {
        await rm(path, { force: true });
      }
    }
  } catch (error) {
    throw storageError(error, `cannot install into ${folder}`);
  }
}

/** When a file was written to last; undefined where another install has moved it to its name meanwhile. */
async function modifiedMsOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).mtimeMs;
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Whether a folder is absent or has nothing in it but our own folder, which an install that was killed
 * before its first note leaves behind.
 */
export async function isEmptyFolder(folder: string): Promise<boolean> {
  try {
    return (await readdir(folder)).every((name) => name === OWN_FOLDER);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return true;
    if (systemErrorCode(error) === 'ENOTDIR') {
      throw new PkgError('usage', `${folder} is a file, not a folder`);
    }
    throw storageError(error, `cannot read ${folder}`);
  }
}

/**
 * Refuses a symbolic link; what is absent is none.
 * @throws PkgError `integrity`.
 */
export async function refuseLink(path: string): Promise<void> {
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

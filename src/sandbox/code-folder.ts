/** Pinned code as files on disk, for as long as a sandbox runs it. */
import { randomUUID } from 'node:crypto';
import { lstat, realpath, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { extractTar } from '../git/read-tar.ts';
import { PkgError, systemErrorCode } from '../runtime/errors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { Descriptor } from '../store/digest.ts';
import type { Store } from '../store/store.ts';

export interface CodeFolder {
  readonly folder: string;
  /** The module that makes the model. */
  readonly entry: string;
}

/** What Node loads as JavaScript whatever its version. */
const MODULE_PATTERN = /\.[cm]?js$/;

/**
 * Unpacks code, gives it to `use`, and removes it again.
 * @param entry a path in the code, as the manifest has it.
 * @throws PkgError `manifest` where there is no such module in it, `integrity` where the archive is broken.
 */
export async function withCode<Result>(
  runtime: Runtime,
  store: Store,
  { archive, entry }: { readonly archive: Descriptor; readonly entry: string },
  use: (code: CodeFolder) => Promise<Result>,
): Promise<Result> {
  checkPath(entry);
  // A path without links, since that is what Node asks its permissions for.
  const scratch = await realpath(await store.scratchFolder('tmp'));
  const folder = join(scratch, `code-${randomUUID()}`);
  try {
    await extractTar({ runtime, store }, archive, folder);
    const file = join(folder, ...entry.split('/'));
    await checkModule(file, entry);
    return await use({ folder, entry: file });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function checkPath(entry: string): void {
  const parts = entry.split('/');
  const isInside = parts.every((part) => part !== '' && part !== '.' && part !== '..');
  if (isInside && !entry.includes('\\')) {
    if (MODULE_PATTERN.test(entry)) return;
    throw misnamed(`${entry} is no JavaScript module`, 'Name a .js, .mjs or .cjs file.');
  }
  throw misnamed(
    `${entry} is no path in the code`,
    'Write it from the top of the repository: model.js.',
  );
}

async function checkModule(file: string, entry: string): Promise<void> {
  try {
    if ((await lstat(file)).isFile()) return;
  } catch (error) {
    const code = systemErrorCode(error);
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw error;
  }
  throw misnamed(
    `the pinned code has no file ${entry}`,
    'Commit it, then lock again: pkg lock --update.',
  );
}

function misnamed(message: string, hint: string): PkgError {
  return new PkgError('manifest', message, { key: 'model.entry', hint });
}

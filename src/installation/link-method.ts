/** Links: how files of the store come into a folder without a second copy of their bytes. */
import { randomUUID } from 'node:crypto';
import {
  chmodSync,
  constants,
  copyFileSync,
  linkSync,
  lstatSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { PkgError, systemErrorCode } from '../runtime/errors.ts';
import type { Store } from '../store/store.ts';

/** How files come into a folder: `auto` is a reflink, else a hard link, else a copy. */
export type LinkMode = 'auto' | 'reflink' | 'hard' | 'copy';

export const LINK_MODES = ['auto', 'reflink', 'hard', 'copy'] as const satisfies LinkMode[];

/** What a pair of folders can do. */
export type LinkMethod = 'reflink' | 'hard';

/** What the system says where a disk or a file cannot be linked. */
const CANNOT_LINK = new Set([
  'EXDEV',
  'EPERM',
  'ENOTSUP',
  'EOPNOTSUPP',
  'EINVAL',
  'ENOSYS',
  'EMLINK',
]);

/**
 * Finds out by trying how files of `store` can be linked into `own`, a folder of ours; undefined where
 * they have to be copied.
 * @throws PkgError `storage` where a kind of link was asked for that cannot be had.
 */
export async function findLinkMethod(
  store: Store | undefined,
  own: string,
  mode: LinkMode,
): Promise<LinkMethod | undefined> {
  if (mode === 'copy') return undefined;
  if (store !== undefined) {
    const scratch = await store.scratchFolder('tmp');
    if (lstatSync(scratch).dev === lstatSync(own).dev) {
      if (mode !== 'hard' && tryMethod('reflink', scratch, own)) return 'reflink';
      if (mode !== 'reflink' && tryMethod('hard', scratch, own)) return 'hard';
    }
  }
  if (mode === 'auto') return undefined;
  const kind = mode === 'hard' ? 'hard links' : 'reflinks';
  throw new PkgError('storage', `${kind} from the store into this folder are not possible`, {
    hint: 'Name a store on the same disk with --store, or install with --link auto.',
  });
}

function tryMethod(method: LinkMethod, scratch: string, own: string): boolean {
  const from = join(scratch, `.${randomUUID()}.tmp`);
  const to = join(own, `.${randomUUID()}.tmp`);
  try {
    writeFileSync(from, 'a probe', { flag: 'wx' });
    return linkFile(method, from, to);
  } finally {
    rmSync(from, { force: true });
    rmSync(to, { force: true });
  }
}

/** Links a file to a free name; false where that cannot be done. */
function linkFile(method: LinkMethod, from: string, to: string): boolean {
  try {
    if (method === 'hard') linkSync(from, to);
    else copyFileSync(from, to, constants.COPYFILE_FICLONE_FORCE);
    return true;
  } catch (error) {
    if (CANNOT_LINK.has(systemErrorCode(error) ?? '')) return false;
    throw error;
  }
}

/**
 * Gives an object of the store a name in a folder, which has to be free; false where it cannot be
 * linked. The errors are the system's.
 */
export function placeLink(
  method: LinkMethod,
  objectPath: string,
  temporaryPath: string,
  target: string,
): boolean {
  if (method === 'hard') return linkFile('hard', objectPath, target);
  try {
    if (!linkFile('reflink', objectPath, temporaryPath)) return false;
    // The copy has the object's mode, which may forbid writing.
    chmodSync(temporaryPath, 0o644);
    renameSync(temporaryPath, target);
    return true;
  } catch (error) {
    rmSync(temporaryPath, { force: true });
    throw error;
  }
}

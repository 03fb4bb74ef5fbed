/** A lockfile on disk: found beside its manifest, read within limits, and what is wrong with it, by line. */
import { readFile, stat } from 'node:fs/promises';
import { PkgError, storageError, systemErrorCode } from '../runtime/errors.ts';
import { findJsonProblem } from './json-problem.ts';
import { type Lockfile, parseLockfile } from './lockfile.ts';

/** Room for half a million exceptions; a larger file is something else. */
const MAX_LOCKFILE_BYTES = 64 << 20;

/** `x.lock.json` beside `x.yaml`; any other path is a lockfile's own. */
export function lockfileBeside(path: string): string {
  return isManifestPath(path) ? `${path.replace(/\.ya?ml$/i, '')}.lock.json` : path;
}

/** Whether a path has the ending of a lockfile, or of a manifest, which a lockfile stands beside. */
export function isLockfilePath(path: string): boolean {
  return isManifestPath(path) || path.endsWith('.lock.json');
}

function isManifestPath(path: string): boolean {
  return /\.ya?ml$/i.test(path);
}

/**
 * Reads the lockfile at a path, or the one beside a manifest.
 * @throws PkgError `lockfile` where there is none, or it is broken: with the line, where that can be told.
 */
export async function readLockfile(path: string): Promise<Lockfile> {
  const file = lockfileBeside(path);
  try {
    const found = await stat(file);
    if (!found.isFile()) throw new PkgError('lockfile', `${file} is not a file`);
    if (found.size > MAX_LOCKFILE_BYTES) {
      throw new PkgError('lockfile', `${file} is larger than a lockfile can be`, {
        hint: `A lockfile has at most ${String(MAX_LOCKFILE_BYTES)} bytes; is this the right file?`,
      });
    }
    return parseLockfileText(await readFile(file, 'utf8'), file);
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT' && systemErrorCode(error) !== 'ENOTDIR') {
      throw storageError(error, `cannot read ${file}`);
    }
    throw new PkgError('lockfile', `there is no lockfile ${file}`, {
      hint: isManifestPath(path) ? `Write it with: pkg lock ${path}` : 'Name an existing file.',
      cause: error,
    });
  }
}

/**
 * A lockfile's text as a value; `file` names it in messages.
 * @throws PkgError `lockfile` with the line of git's conflict markers, of what is no JSON, or of another
 * version's number.
 */
export function parseLockfileText(text: string, file: string): Lockfile {
  const conflict = lineOf(text, /^(?:<{7}|={7}|>{7})(?: .*)?$/m);
  if (conflict !== undefined) {
    throw new PkgError('lockfile', `${file}:${conflict}: git left conflict markers here`, {
      hint: 'Merge the manifest, then write the lockfile anew with: pkg lock <manifest> --update',
    });
  }
  const problem = findJsonProblem(text);
  if (problem !== undefined) {
    throw new PkgError('lockfile', `${file}:${String(problem.line)}: not JSON, ${problem.why}`, {
      hint: 'Restore it from version control, or write it anew with: pkg lock <manifest> --update',
    });
  }
  try {
    return parseLockfile(text, file);
  } catch (error) {
    const line = lineOf(text, /"lockfileVersion"/);
    const isVersion = error instanceof PkgError && / has version /.test(error.message);
    if (!isVersion || line === undefined) throw error;
    const message = error.message.replace(`${file} has`, `${file}:${line}: has`);
    throw new PkgError('lockfile', message, {
      hint: 'Another version of pkg wrote it; use that one, or write it anew with: pkg lock <manifest> --update',
      cause: error,
    });
  }
}

function lineOf(text: string, what: RegExp): string | undefined {
  const at = text.search(what);
  return at < 0 ? undefined : String(text.slice(0, at).split('\n').length);
}

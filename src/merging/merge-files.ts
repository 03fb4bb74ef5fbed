/** The three files that git hands to a merge driver, merged into the one of our side. */
import { shown } from '../changes/json-difference.ts';
import { parseLockfileText } from '../lockfile/lock-file.ts';
import { formatLockfile, type Lockfile } from '../lockfile/lockfile.ts';
import { PkgError } from '../runtime/errors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { readTextIfPresent, writeFileAtomic } from '../store/atomic-file.ts';
import { markConflicts } from './marked-text.ts';
import { type LockConflict, mergeLockfiles } from './merging.ts';

/** Paths as git's `%O`, `%A` and `%B`, and the name that messages give the lockfile, `%P`. */
export interface MergePaths {
  readonly base: string;
  readonly ours: string;
  readonly theirs: string;
  readonly name: string;
}

export interface MergeOutcome {
  readonly name: string;
  /** Whether a side had a fetch record, and none holds for the merged lockfile. */
  readonly isRecordDropped: boolean;
}

/** How many keys in conflict a message shows both values of. */
const MAX_SHOWN = 10;

/**
 * Merges lockfiles and writes the result over ours. A base that is empty or no lockfile counts as none.
 * @throws PkgError `conflict` where both sides changed a key, each in its own way: what is written has git's
 * markers around what each side has. `lockfile` where a side is none: nothing is written.
 */
export async function mergeLockfileFiles(
  runtime: Runtime,
  paths: MergePaths,
): Promise<MergeOutcome> {
  const { name } = paths;
  const ours = await readSide(paths.ours, `our ${name}`);
  const theirs = await readSide(paths.theirs, `their ${name}`);
  const base = await readBase(runtime, paths);
  const { conflicts, isRecordDropped, ...merged } = mergeLockfiles({ base, ours, theirs });
  const [mine, yours] = [formatLockfile(merged.ours), formatLockfile(merged.theirs)];
  await writeFileAtomic(paths.ours, conflicts.length === 0 ? mine : markConflicts(mine, yours));
  if (isRecordDropped) {
    const message = `${name}: no side recorded answers to the merged questions; the next build asks the network`;
    runtime.report({ kind: 'warned', message });
  }
  if (conflicts.length > 0) throw conflictError(name, conflicts);
  return { name, isRecordDropped };
}

function conflictError(name: string, conflicts: readonly LockConflict[]): PkgError {
  const told = conflicts
    .slice(0, MAX_SHOWN)
    .map(
      ({ key, ours, theirs }) => `${key} is ${shown(ours)} on our side, ${shown(theirs)} on theirs`,
    );
  const rest = conflicts.length - told.length;
  const more = rest > 0 ? [`and ${String(rest)} more`] : [];
  return new PkgError(
    'conflict',
    `${name}: both sides changed it: ${[...told, ...more].join('; ')}`,
    {
      hint:
        'Merge the manifest, then write the lockfile anew with: pkg lock <manifest> --update. ' +
        'Or choose between the lines that git marked in it.',
    },
  );
}

async function readSide(path: string, what: string): Promise<Lockfile> {
  const text = await readTextIfPresent(path);
  if (text !== undefined) return parseLockfileText(text, what);
  throw new PkgError('usage', `there is no file ${path}`, {
    hint: 'git calls this command, with the files %O %A %B and the path %P.',
  });
}

async function readBase(
  runtime: Runtime,
  { base, name }: MergePaths,
): Promise<Lockfile | undefined> {
  const text = (await readTextIfPresent(base)) ?? '';
  if (text.trim() === '') return undefined;
  try {
    return parseLockfileText(text, `the former ${name}`);
  } catch (error) {
    if (!(error instanceof PkgError) || error.code !== 'lockfile') throw error;
    const message = `${error.message}; all that differs between the sides is a conflict then`;
    runtime.report({ kind: 'warned', message });
    return undefined;
  }
}
